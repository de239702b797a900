/** OPEN on L1 for who acts in a test's rollup. */
import { type Address, createWalletClient, http } from "viem";
import { foundry } from "viem/chains";
import { openTokenAbi } from "../../contracts/build/rollup-abi.ts";
import { drillAccount } from "../../scripts/drill/drill-accounts.ts";
import type { DrillWorld } from "../../scripts/drill/drill-world.ts";

export async function fundOpen({ l1 }: DrillWorld, to: Address, amountWei: bigint): Promise<void> {
  const transport = http(l1.url);
  const faucet = createWalletClient({ chain: foundry, transport, account: drillAccount("faucet") });
  const hash = await faucet.writeContract({
    address: l1.deployment.tokenAddress,
    abi: openTokenAbi,
    functionName: "transfer",
    args: [to, amountWei],
  });
  await l1.client.waitForTransactionReceipt({ hash });
}
