/** Challenges of a model commitment, one after the other, until L1 takes one. */

import type { Address, Hex, PublicClient } from "viem";
import { readDisputes } from "../events/read-contracts.ts";
import type { Examined } from "./examine-model-commitment.ts";
import type { ModelCommitmentKind, PostedFault, ShownModelCommitment } from "./model-commitment-kind.ts";

/** EIP-7825. */
export const MOST_TRANSACTION_GAS = 2n ** 24n;
/** geth takes transactions of 128 KiB; some of it is for the signature and fees. */
const MOST_DATA_BYTES = 131_072 - 512;
/** Then other kinds of wrong places come first. */
const TRIES_A_KIND = 8;
const MOST_TRIES = 200;

interface Sent {
  readonly hash: Hex;
  readonly gasUsed: bigint;
}

/** "open": one is being played. Or why no row of this model commitment is challenged. */
export type BegunGame = Sent | "open" | { readonly unplayed: string };

/** What was sent; null where a game is open that shows it. Or why the last challenge that was tried was not sent. */
type TriedChallenges =
  | { readonly sent: (Sent & { readonly what: "challenge" | "game" }) | null }
  | { readonly failure: Error };

interface Challenging {
  readonly publicClient: PublicClient;
  readonly disputes: Address;
  readonly kind: ModelCommitmentKind;
  readonly id: bigint;
  /** Begins a game about a row. A throw is of this row alone. */
  readonly playFor: (shown: ShownModelCommitment, row: number) => BegunGame | Promise<BegunGame>;
  /** Sends the data of a challenge. A throw is of this one alone, unless the model commitment is refuted already. */
  readonly send: (data: Hex) => Promise<Sent>;
}

export const NOBODY = { unplayed: "nobody plays here" };

/** Attack: wrong places for show, of which no challenge fits into a transaction, before the one that pays. */
export async function tryChallenges(
  found: NonNullable<Examined["fault"]>,
  { publicClient, disputes, kind, id, playFor, send }: Challenging,
): Promise<TriedChallenges> {
  let failure = new Error("nothing was tried");
  let unplayed: Error | null = null;
  const faults = inTurns(found);
  for (let triesLeft = MOST_TRIES; triesLeft > 0; ) {
    try {
      // Attack: leaves that make the search for the next one throw.
      const { done, value: fault } = faults.next();
      if (done === true) break;
      const isPlayed = (kind.gameOf?.(fault) ?? null) !== null;
      // Attack: hundreds of rows for which nobody plays, before the place that a challenge shows.
      if (isPlayed && unplayed !== null) continue;
      triesLeft--;
      if (isPlayed) {
        const begun = await playFor(found.shown, fault.row!);
        if (begun === "open") return { sent: null };
        if (!("unplayed" in begun)) return { sent: { what: "game", ...begun } };
        unplayed = new Error(`only a game shows that row ${fault.row} is false: ${begun.unplayed}`);
        continue;
      }
      const data = kind.refutationData(id, found.shown, fault);
      const sizeBytes = data.length / 2 - 1;
      if (sizeBytes > MOST_DATA_BYTES)
        throw new Error(`the challenge of ${fault.kind} has ${sizeBytes} bytes, too many for a transaction`);
      return { sent: { what: "challenge", ...(await send(data)) } };
    } catch (error) {
      failure = error as Error;
      const [, , isRefuted] = await readDisputes(publicClient, disputes)("modelCommitments", [id]);
      if (isRefuted) break;
    }
  }
  return { failure: unplayed ?? failure };
}

/** A few of each kind, then the rest. */
function* inTurns({ fault, others }: NonNullable<Examined["fault"]>): Generator<PostedFault> {
  const counts = new Map<string, number>();
  const later: PostedFault[] = [];
  const ofKind = (one: PostedFault) => {
    const count = (counts.get(one.kind) ?? 0) + 1;
    counts.set(one.kind, count);
    return count;
  };
  ofKind(fault);
  yield fault;
  for (const other of others) {
    if (ofKind(other) <= TRIES_A_KIND) yield other;
    else if (later.length < MOST_TRIES) later.push(other);
  }
  yield* later;
}
