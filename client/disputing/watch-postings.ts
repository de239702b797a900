/** Recomputes each new posting and challenges by itself. */
import { type Address, encodeFunctionData, type Hex, type PublicClient } from "viem";
import { TREES } from "../../attribution/disputes/posted-model.ts";
import type { OwnedRow } from "../../attribution/model/owned-rows.ts";
import { disputesAbi } from "../../contracts/build/disputes-abi.ts";
import { type Examined, examinePosting, type PublishedFiles } from "./examine-posting.ts";
import { readOpenDemands } from "./open-demands.ts";
import { type Posting, readPostings } from "./read-postings.ts";
import { refutationData } from "./refutation.ts";

/** Who challenges. Returns once the transaction is mined. */
export interface Watcher {
  readonly address: Address;
  send(call: { readonly data: Hex; readonly valueWei: bigint }): Promise<{ hash: Hex; gasUsed: bigint }>;
  /** Whether he pays for demands of leaves that nobody publishes. */
  readonly paysDemands: boolean;
}

export interface WatchOptions {
  readonly publicClient: PublicClient;
  /** null only looks. */
  readonly watcher: Watcher | null;
  readonly disputes: Address;
  readonly modelId?: number;
  /** null for a posting whose files cannot be had. A throw is of this posting alone. */
  readonly filesOf: (posting: Posting) => Promise<PublishedFiles | null>;
}

export interface Watched {
  readonly posting: Posting;
  /** null where the files cannot be had. */
  readonly examined: Examined | null;
  /** What was sent: the contract's function and its transaction; null where nothing was. */
  readonly sent: {
    readonly what: "challenge" | "demand" | "unanswered" | "attest";
    readonly hash: `0x${string}`;
    readonly gasUsed: bigint;
  } | null;
  /** Why it was not recomputed, or nothing was sent: its files are none, or somebody was faster. null where nothing failed. */
  readonly failure: Error | null;
}

/**
 * One look at every posting that is open and that this watcher has not attested.
 * Attack: files that no program can read, served beside one posting, would keep a watcher from all others.
 */
export async function watchOnce(options: WatchOptions): Promise<Watched[]> {
  const { publicClient, disputes, modelId, watcher } = options;
  const postings = await readPostings(publicClient, disputes, modelId === undefined ? {} : { modelId });
  const watched: Watched[] = [];
  for (const posting of postings) {
    const isKnown =
      posting.state !== "open" || (watcher !== null && posting.attestedBy.includes(watcher.address));
    let examined: Examined | null = null;
    let sent: Watched["sent"] = null;
    let failure: Error | null = null;
    try {
      const files = isKnown ? null : await options.filesOf(posting);
      if (files !== null) {
        examined = examinePosting(posting, files);
        if (watcher !== null) sent = await act({ ...options, watcher }, posting, examined, files.rows);
      }
    } catch (error) {
      failure = error as Error;
    }
    watched.push({ posting, examined, sent, failure });
  }
  return watched;
}

async function act(
  { publicClient, watcher, disputes }: WatchOptions & { watcher: Watcher },
  { id }: Posting,
  { fault, missing, missingIndex, warnings }: Examined,
  rows: readonly OwnedRow[],
): Promise<Watched["sent"]> {
  const finish = async (what: NonNullable<Watched["sent"]>["what"], data: Hex, valueWei = 0n) => {
    // Said no by a call, it costs nothing.
    await publicClient.call({ account: watcher.address, to: disputes, data, value: valueWei });
    return { what, ...(await watcher.send({ data, valueWei })) };
  };
  if (fault !== null) return finish("challenge", refutationData(id, fault.posted, rows, fault.fault));
  const abi = disputesAbi;
  if (missing !== null) {
    const demands = await readOpenDemands(publicClient, disputes, id);
    const { timestamp } = await publicClient.getBlock();
    const overdue = demands.find(({ answerBySeconds }) => answerBySeconds < timestamp);
    if (overdue !== undefined) {
      const args = [id, overdue.tree, overdue.index] as const;
      return finish("unanswered", encodeFunctionData({ abi, functionName: "challengeUnanswered", args }));
    }
    const isDemanded = demands.some(
      ({ index, tree }) => TREES[tree] === missing && index === BigInt(missingIndex),
    );
    if (isDemanded || !watcher.paysDemands) return null;
    const feeWei = await publicClient.readContract({ address: disputes, abi, functionName: "demandFeeWei" });
    const args = [id, TREES.indexOf(missing), BigInt(missingIndex)] as const;
    return finish("demand", encodeFunctionData({ abi, functionName: "demand", args }), feeWei);
  }
  if (warnings.length > 0) return null;
  return finish("attest", encodeFunctionData({ abi, functionName: "attest", args: [id] }));
}
