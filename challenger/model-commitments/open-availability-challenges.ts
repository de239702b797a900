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
  /** 0n of what was asked for without a fee. */
  readonly feeWei: bigint;
}

export interface AvailabilityChallenges {
  /** Those that nobody has answered, oldest first. */
  readonly open: readonly OpenAvailabilityChallenge[];
  readonly shown: readonly ShownLeaf[];
  /** All that were made with a fee, those that are answered too: of a refuted model commitment their fees come back. */
  readonly paid: readonly OpenAvailabilityChallenge[];
  /** Whether the last leaves were asked for without a fee: once of a model commitment. */
  readonly isRequested: boolean;
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
  const paid: OpenAvailabilityChallenge[] = [];
  for (const { args, eventName } of inOrder) {
    const [tree, index] = [args.tree!, args.index!];
    const key = `${tree}/${index}`;
    open.delete(key);
    if (eventName !== "AvailabilityChallenged") continue;
    const { answerBy, feeWei, who } = args as { answerBy?: bigint; feeWei?: bigint; who?: Address };
    const asked = { tree, index, who: who!, answerBySeconds: answerBy!, feeWei: feeWei! };
    open.set(key, asked);
    if (asked.feeWei > 0n) paid.push(asked);
  }
  const shown = answered.map(({ args }) => ({
    tree: TREES[args.tree!]!,
    index: Number(args.index!),
    data: hexToBytes(args.data!),
  }));
  return {
    open: [...open.values()],
    shown,
    paid,
    isRequested: availabilityChallenged.some(({ args }) => args.feeWei === 0n),
  };
}
