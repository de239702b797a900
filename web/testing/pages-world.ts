/** A rollup with pages, as `npm start` has it but with the smallest circuit: real processes, a real chain, real proofs. */
import { createWalletClient, http, parseEther } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { openTokenAbi } from "../../contracts/build/rollup-abi.ts";
import { drillAccount } from "../../scripts/drill/drill-accounts.ts";
import { DrillWorld } from "../../scripts/drill/drill-world.ts";
import { buildPages } from "../build/build-pages.ts";

const MNEMONIC = "test test test test test test test test test test test junk";
/** Those of the test wallets in `web/ledger/test-wallet.ts`. */
const VISITORS = [11, 12];
export const FUNDED_WEI = parseEther("100");
const FINALITY_BLOCKS = 6;

export function visitorAddress(index: 0 | 1): `0x${string}` {
  return mnemonicToAccount(MNEMONIC, { addressIndex: VISITORS[index]! }).address;
}

/** The test wallets hold 100 OPEN on L1, and ether. */
export async function startPagesWorld(name: string): Promise<DrillWorld> {
  const { path } = await buildPages();
  const world = await DrillWorld.start({
    name,
    backend: "wasm",
    slots: 2,
    confirmations: 1,
    finalityDepthBlocks: FINALITY_BLOCKS,
    keepIn: null,
    pagesPath: path,
  });
  const { client, deployment, url } = world.l1;
  const faucet = createWalletClient({
    chain: foundry,
    transport: http(url),
    account: drillAccount("faucet"),
  });
  for (const index of [0, 1] as const) {
    const address = visitorAddress(index);
    await client.setBalance({ address, value: parseEther("10") });
    const hash = await faucet.writeContract({
      address: deployment.tokenAddress,
      abi: openTokenAbi,
      functionName: "transfer",
      args: [address, FUNDED_WEI],
    });
    await client.waitForTransactionReceipt({ hash });
  }
  return world;
}
