/** OPEN on L1 for who acts in a test's rollup. */

import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { drillAccount } from "@openledger/scripts/internal/drill/drill-accounts";
import type { DrillWorld } from "@openledger/scripts/internal/drill/drill-world";
import { type Address, createWalletClient, http } from "viem";
import { foundry } from "viem/chains";

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
