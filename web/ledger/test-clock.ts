/** Clock of the devnet, which its node lets anybody move. The button of pass-time.tsx fetches it. */
import { clientError } from "@openledger/client/client-errors";
import { createTestClient, http, publicActions } from "viem";
import { foundry } from "viem/chains";

/**
 * Moves Ethereum's clock on, for everybody on that chain. @throws CLI_WALLET_WRONG_CHAIN if it is no devnet; what viem
 * throws if the node refuses
 */
export async function passTime(l1Url: string, seconds: number): Promise<void> {
  const node = createTestClient({ chain: foundry, mode: "anvil", transport: http(l1Url) }).extend(
    publicActions,
  );
  const chainId = await node.getChainId();
  if (chainId !== foundry.id)
    throw clientError("CLI_WALLET_WRONG_CHAIN", `the node is of chain ${chainId}, which is no test network`, {
      data: { chainId },
    });
  await node.increaseTime({ seconds });
  await node.mine({ blocks: 1 });
}
