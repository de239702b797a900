/** Recomputes each new posting and challenges by itself. */
import { type Address, encodeFunctionData, type Hex, type PublicClient } from "viem";
import { TREES } from "../../attribution/disputes/posted-model.ts";
import type { OwnedRow } from "../../attribution/model/owned-rows.ts";
import { disputesAbi } from "../../contracts/build/disputes-abi.ts";
import { type Examined, examinePosting, type PublishedFiles } from "./examine-posting.ts";
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
  /** null for a posting whose files cannot be had. */
  readonly filesOf: (posting: Posting) => Promise<PublishedFiles | null>;
}

export interface Watched {
  readonly posting: Posting;
  /** null where the files cannot be had. */
  readonly examined: Examined | null;
  /** What was sent: the contract's function and its transaction; null where nothing was. */
  readonly sent: {
    readonly what: "challenge" | "demand" | "attest";
    readonly hash: `0x${string}`;
    readonly gasUsed: bigint;
  } | null;
}

/** One look at every posting that is open and that this watcher has not attested. */
export async function watchOnce(options: WatchOptions): Promise<Watched[]> {
  const { publicClient, disputes, modelId, watcher } = options;
  const postings = await readPostings(publicClient, disputes, modelId === undefined ? {} : { modelId });
  const watched: Watched[] = [];
  for (const posting of postings) {
    const isKnown =
      posting.state !== "open" || (watcher !== null && posting.attestedBy.includes(watcher.address));
    const files = isKnown ? null : await options.filesOf(posting);
    const examined = files === null ? null : examinePosting(posting, files);
    const sent =
      watcher === null || examined === null
        ? null
        : await act({ ...options, watcher }, posting, examined, files!.rows);
    watched.push({ posting, examined, sent });
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
    if (!watcher.paysDemands) return null;
    const feeWei = await publicClient.readContract({ address: disputes, abi, functionName: "demandFeeWei" });
    const args = [id, TREES.indexOf(missing), BigInt(missingIndex)] as const;
    return finish("demand", encodeFunctionData({ abi, functionName: "demand", args }), feeWei);
  }
  if (warnings.length > 0) return null;
  return finish("attest", encodeFunctionData({ abi, functionName: "attest", args: [id] }));
}
