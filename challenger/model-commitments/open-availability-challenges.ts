/** Leaves of a model commitment that somebody has challenged, and those that were shown. */
import { type Address, hexToBytes, type PublicClient } from "viem";
import { TREES } from "../statements/committed-model.ts";
import type { ShownLeaf } from "../statements/known-leaves.ts";
import { readDisputeEvents } from "./dispute-events.ts";

export interface OpenAvailabilityChallenge {
  /** As the contract numbers the trees. */
  readonly tree: number;
  readonly index: bigint;
  readonly who: Address;
  /** From then on anyone may refute the model commitment with it. */
  readonly answerBySeconds: bigint;
}

export interface AvailabilityChallenges {
  /** Those that nobody has answered, oldest first. */
  readonly open: readonly OpenAvailabilityChallenge[];
  readonly shown: readonly ShownLeaf[];
  /** Who has challenged: an address for each data-availability challenge. */
  readonly availabilityChallengedBy: readonly Address[];
}

export async function readAvailabilityChallenges(
  client: PublicClient,
  address: Address,
  id: bigint,
): Promise<AvailabilityChallenges> {
  const [availabilityChallenged, answered] = await Promise.all([
    readDisputeEvents(client, address, "AvailabilityChallenged", { id }),
    readDisputeEvents(client, address, "Answered", { id }),
  ]);
  const inOrder = [...availabilityChallenged, ...answered].sort(
    (a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex,
  );
  const open = new Map<string, OpenAvailabilityChallenge>();
  for (const { args, eventName } of inOrder) {
    const [tree, index] = [args.tree!, args.index!];
    const key = `${tree}/${index}`;
    // What was answered may be challenged again.
    open.delete(key);
    if (eventName !== "AvailabilityChallenged") continue;
    const { answerBy, who } = args as { answerBy?: bigint; who?: Address };
    open.set(key, { tree, index, who: who!, answerBySeconds: answerBy! });
  }
  const shown = answered.map(({ args }) => ({
    tree: TREES[args.tree!]!,
    index: Number(args.index!),
    data: hexToBytes(args.data!),
  }));
  return {
    open: [...open.values()],
    shown,
    availabilityChallengedBy: availabilityChallenged.map(({ args }) => args.who!),
  };
}
