/**
 * The rule that decides which contributor a committed row belongs to. Publishing and verifying a version both call it, with the rows
 * of all commits that a local store has.
 *
 * 1. Anyone may commit to a Datanet, and nobody can force them to upload the rows. So a commit whose list or rows are missing is
 *    skipped and listed (`passedOver`); it blocks nobody.
 * 2. A row that the published version lists stays with the leaf that the version names, if that leaf committed it before the version.
 * 3. Any other row belongs to the leaf that committed it first, in the ledger's order.
 *
 * Attack that rule 2 stops: somebody commits public texts, holds the list back, lets others contribute the same texts, and takes their
 * rows and pay once these are published.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { DatanetCommit } from "./list-commits.ts";
import { type RowStore, readContribution, type StoredContribution } from "./row-store.ts";

/** A commit with its index in the Datanet's chain of commits. */
export interface IndexedCommit extends DatanetCommit {
  readonly commitIndex: number;
}
/** A commit whose list and rows the store has. */
export interface CommittedRows
  extends Pick<StoredContribution, "contentNames" | "digests" | "rowHashes" | "withdrawn"> {
  readonly commit: IndexedCommit;
}
export interface ReadCommittedReturnType {
  readonly read: readonly CommittedRows[];
  /** Commits whose list, or some of whose rows, the store does not have. */
  readonly passedOver: readonly IndexedCommit[];
}

/**
 * Reads the rows of commits from a store, and names the commits that it does not have whole.
 * @param holes rows that count as there without their bytes, beside those whose withdrawals the store has noted
 * @internal
 */
export async function readCommitted(
  store: RowStore,
  commits: readonly DatanetCommit[],
  holes: ReadonlySet<string> = new Set(),
): Promise<ReadCommittedReturnType> {
  const read: CommittedRows[] = [];
  const passedOver: IndexedCommit[] = [];
  for (const [commitIndex, listed] of commits.entries()) {
    const commit = { ...listed, commitIndex };
    try {
      const contribution = await readContribution(store, listed.rowsRoot, holes);
      const { contentNames, digests, rowHashes, withdrawn } = contribution;
      read.push({ commit, contentNames, digests, rowHashes, withdrawn });
    } catch (error) {
      if (!isRollupError(error, "CLI_ROWS_MISSING")) throw error;
      passedOver.push(commit);
    }
  }
  return { read, passedOver };
}

/** A row of a commit. */
export interface ClaimedRow {
  readonly commit: IndexedCommit;
  readonly rowIndex: number;
  readonly digest: string;
  readonly rowHash: bigint;
  /** False where the same row, behind whatever salt, counts for another commit, or another row of this one. */
  readonly isFirst: boolean;
  /** Later commit for which the row counts, since the published version names its leaf; null where the ledger's order holds. */
  readonly heldBy: IndexedCommit | null;
}

/** Rows of the published version, with the leaf that each is of. */
export type PublishedRows = readonly { readonly digest: string; readonly contributorId: number }[];

/**
 * Tells of each committed row whether it counts, by the rule above.
 * @param published rows of the published version; empty where nothing is published
 * @internal
 */
export function claimRows(committed: readonly CommittedRows[], published: PublishedRows): ClaimedRow[] {
  const held = heldByVersion(committed, published);
  const seen = new Set<bigint>();
  const contents = new Set<string>();
  const claimed: ClaimedRow[] = [];
  for (const { commit, contentNames, digests, rowHashes } of committed)
    for (const [rowIndex, rowHash] of rowHashes.entries()) {
      const content = contentNames[rowIndex]!;
      const holder = held.get(content);
      const isAnothers = holder !== undefined && (holder.commit !== commit || holder.rowHash !== rowHash);
      const isFirst = !isAnothers && !seen.has(rowHash) && !contents.has(content);
      if (isFirst) {
        seen.add(rowHash);
        contents.add(content);
      }
      const isLater = holder !== undefined && holder.commit.commitIndex > commit.commitIndex;
      const heldBy = isLater ? holder.commit : null;
      claimed.push({ commit, rowIndex, digest: digests[rowIndex]!, rowHash, isFirst, heldBy });
    }
  return claimed;
}

/** First commit of each published row by the leaf that the version names, before the version, by the row's content. */
function heldByVersion(
  committed: readonly CommittedRows[],
  published: PublishedRows,
): Map<string, { readonly commit: IndexedCommit; readonly rowHash: bigint }> {
  const ownerOf = new Map(published.map(({ contributorId, digest }) => [rowHashOf(digest), contributorId]));
  const held = new Map<string, { readonly commit: IndexedCommit; readonly rowHash: bigint }>();
  for (const { commit, contentNames, rowHashes } of committed) {
    if (commit.isAfterVersion) continue;
    for (const [i, rowHash] of rowHashes.entries()) {
      const content = contentNames[i]!;
      if (ownerOf.get(rowHash) === commit.contributorId && !held.has(content))
        held.set(content, { commit, rowHash });
    }
  }
  return held;
}

/**
 * A row as the ledger's trees have it: several digests have one hash there.
 * @internal
 */
export const rowHashOf = (digest: string): bigint => digestToField(hexToBytes(digest));

/**
 * Returns true if several leaves have committed the same row before the published version: whose it is, that version's list says.
 * @internal
 */
export function areContested(committed: readonly CommittedRows[]): boolean {
  const firstOf = new Map<string, number>();
  for (const { commit, contentNames } of committed) {
    if (commit.isAfterVersion) continue;
    for (const content of contentNames) {
      const first = firstOf.get(content) ?? commit.contributorId;
      if (first !== commit.contributorId) return true;
      firstOf.set(content, first);
    }
  }
  return false;
}

/** Maximum commits that are named. */
const MAX_NAMED = 20;
/** Time for which a contributor may still be bringing rows, as its line says. It changes no rule. */
const AWAITED_MS = 7 * 24 * 3_600_000;

/**
 * Names the commits that were passed over, a line each, for those who read; empty for none.
 * @example
 * ```ts
 * const { passedOver } = await prepareVersion(client, { datanetId: 10, store, rule: { by: "records", hostUrl } });
 * for (const line of passedOverLines(passedOver)) console.log(line);
 * ```
 */
export function passedOverLines(passedOver: readonly DatanetCommit[], nowMs = Date.now()): string[] {
  if (passedOver.length === 0) return [];
  const lines = passedOver
    .slice(0, MAX_NAMED)
    .map(({ committedAtMs, contributorId, isFinal, rowCount, rowsRoot }) => {
      const when = committedAtMs === null ? "" : `, ${new Date(committedAtMs).toISOString()}`;
      const isYoung = committedAtMs !== null && nowMs - committedAtMs < AWAITED_MS;
      const state = isFinal ? (isYoung ? "may still come" : "more than a week old") : "not final yet";
      return `  ${hex32(rowsRoot)} of leaf ${contributorId}, ${counted(rowCount, "row")}${when}: ${state}`;
    });
  return [
    `${counted(passedOver.length, "commit is", "commits are")} passed over, since nobody who was asked has the rows:`,
    ...lines,
    ...(passedOver.length > MAX_NAMED ? [`  and ${passedOver.length - MAX_NAMED} more`] : []),
  ];
}
