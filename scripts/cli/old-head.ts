/** Warning of the `verify` commands where the Ethereum node's newest block is old: the node hides what L1 has since. */
import { isOldHead } from "@openledger/bridge/l1/confirmations";
import { createPatientL1Client, l1Call } from "@openledger/bridge/l1/l1-client";

/** @param timestampSeconds L1's time of the newest block */
export function oldHeadLine(timestampSeconds: number): string {
  const mined = new Date(1_000 * timestampSeconds).toISOString();
  return `⚠ the node's newest block is of ${mined}, more than ten minutes ago: it hides what L1 has since, or this clock is wrong; compare it with another node`;
}

/** @returns the warning, or no line where the newest block is recent or the chain is a development chain. @throws BRG_L1_* */
export async function oldHeadLines(rpcUrl: string): Promise<string[]> {
  const client = createPatientL1Client({ rpcUrl });
  const chainId = await l1Call("read the chain id", () => client.getChainId());
  const { timestamp } = await l1Call("read the newest block", () => client.getBlock());
  return isOldHead(chainId, timestamp) ? [oldHeadLine(Number(timestamp))] : [];
}
