/** Leaves of a posting that somebody has demanded and nobody has shown. */
import { type Address, getContract, type PublicClient } from "viem";
import { disputesAbi } from "../../contracts/build/disputes-abi.ts";

export interface OpenDemand {
  /** As the contract numbers the trees. */
  readonly tree: number;
  readonly index: bigint;
  /** From then on anyone may refute the posting with it. */
  readonly answerBySeconds: bigint;
}

/** Oldest first. */
export async function readOpenDemands(
  client: PublicClient,
  address: Address,
  id: bigint,
): Promise<OpenDemand[]> {
  const disputes = getContract({ address, abi: disputesAbi, client });
  const [demanded, answered] = await Promise.all([
    disputes.getEvents.Demanded({ id }, { fromBlock: 0n }),
    disputes.getEvents.Answered({ id }, { fromBlock: 0n }),
  ]);
  const inOrder = [...demanded, ...answered].sort(
    (a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex,
  );
  const open = new Map<string, OpenDemand>();
  for (const { args, eventName } of inOrder) {
    const [tree, index] = [args.tree!, args.index!];
    const key = `${tree}/${index}`;
    // What was answered may be demanded again.
    open.delete(key);
    if (eventName === "Demanded")
      open.set(key, { tree, index, answerBySeconds: (args as { answerBy?: bigint }).answerBy! });
  }
  return [...open.values()];
}
