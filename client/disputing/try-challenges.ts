/** Challenges of a posting, one after the other, until L1 takes one. */
import type { Address, Hex, PublicClient } from "viem";
import type { AnyFault } from "../../attribution/disputes/posting-kind.ts";
import type { OwnedRow } from "../../attribution/model/owned-rows.ts";
import { disputesAbi } from "../../contracts/build/disputes-abi.ts";
import type { Examined } from "./examine-posting.ts";
import { refutationData } from "./refutation.ts";

/** EIP-7825. */
export const MOST_TRANSACTION_GAS = 2n ** 24n;
/** geth takes transactions of 128 KiB; some of it is for the signature and fees. */
const MOST_DATA_BYTES = 131_072 - 512;
/** Then other kinds of wrong places come first. */
const TRIES_A_KIND = 8;
const MOST_TRIES = 200;

export interface Challenging {
  readonly publicClient: PublicClient;
  readonly disputes: Address;
  readonly id: bigint;
  readonly rows: readonly OwnedRow[];
  /** Sends the data of a challenge. A throw is of this one alone, unless the posting is refuted already. */
  readonly send: (data: Hex) => Promise<{ hash: Hex; gasUsed: bigint }>;
}

/**
 * Attack: wrong places for show, of which no challenge fits into a transaction, before the one that pays.
 * @returns what was sent, or why the last one that was tried was not
 */
export async function tryChallenges(
  found: NonNullable<Examined["fault"]>,
  { publicClient, disputes, id, rows, send }: Challenging,
): Promise<{ sent: { hash: Hex; gasUsed: bigint } } | { failure: Error }> {
  let failure = new Error("nothing was tried");
  let triesLeft = MOST_TRIES;
  for (const fault of inTurns(found)) {
    if (triesLeft-- === 0) break;
    try {
      const data = refutationData(id, found.posted, rows, fault);
      const sizeBytes = data.length / 2 - 1;
      if (sizeBytes > MOST_DATA_BYTES)
        throw new Error(`the challenge of ${fault.kind} has ${sizeBytes} bytes, too many for a transaction`);
      return { sent: await send(data) };
    } catch (error) {
      failure = error as Error;
      const [, , isRefuted] = await publicClient.readContract({
        ...{ address: disputes, abi: disputesAbi, functionName: "postings", args: [id] },
      });
      if (isRefuted) break;
    }
  }
  return { failure };
}

/** A few of each kind, then the rest. */
function* inTurns({ fault, others }: NonNullable<Examined["fault"]>): Generator<AnyFault> {
  const counts = new Map<string, number>();
  const later: AnyFault[] = [];
  const ofKind = (one: AnyFault) => {
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
