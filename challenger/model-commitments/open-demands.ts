/** Leaves of a model commitment that somebody has demanded, and those that were shown. */
import { type Address, hexToBytes, type PublicClient } from "viem";
import { TREES } from "../statements/committed-model.ts";
import type { ShownLeaf } from "../statements/known-leaves.ts";
import { readDisputeEvents } from "./dispute-events.ts";

export interface OpenDemand {
  /** As the contract numbers the trees. */
  readonly tree: number;
  readonly index: bigint;
  readonly who: Address;
  /** From then on anyone may refute the model commitment with it. */
  readonly answerBySeconds: bigint;
}

export interface Demands {
  /** Those that nobody has answered, oldest first. */
  readonly open: readonly OpenDemand[];
  readonly shown: readonly ShownLeaf[];
  /** Who has demanded: an address for each demand. */
  readonly demandedBy: readonly Address[];
}

export async function readDemands(client: PublicClient, address: Address, id: bigint): Promise<Demands> {
  const [demanded, answered] = await Promise.all([
    readDisputeEvents(client, address, "Demanded", { id }),
    readDisputeEvents(client, address, "Answered", { id }),
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
    if (eventName !== "Demanded") continue;
    const { answerBy, who } = args as { answerBy?: bigint; who?: Address };
    open.set(key, { tree, index, who: who!, answerBySeconds: answerBy! });
  }
  const shown = answered.map(({ args }) => ({
    tree: TREES[args.tree!]!,
    index: Number(args.index!),
    data: hexToBytes(args.data!),
  }));
  return { open: [...open.values()], shown, demandedBy: demanded.map(({ args }) => args.who!) };
}
