/**
 * Audit of a published version: compares it with every row that was ever committed, and says the fate of each that differs.
 * `openledger datanet verify` and the versions' page show the result.
 */
import { rowNumber } from "@openledger/foundation/row-number";
import type { LedgerClient } from "../../ledger-client.ts";
import { getLeaf } from "../../sequencer/ledger-reads.ts";
import { claimRows, type IndexedCommit, readCommitted } from "./committed-rows.ts";
import type { ListCommitsErrorCode } from "./list-commits.ts";
import { type DatanetCommit, listCommits } from "./list-commits.ts";
import { readVersion } from "./published-version.ts";
import type { RowStore } from "./row-store.ts";
import type { WithdrawnRow } from "./withdrawn-rows.ts";

/** Fate of a committed row in a version. */
export type RowFate =
  /** The row counts for its first contributor. */
  | "kept"
  /** The same row was committed before, so this commit of it counts for nobody. */
  | "repeated"
  /** The row was committed after the version was published. */
  | "later"
  /** The version leaves the row out, which its contributor has withdrawn by the key that the leaf has now. */
  | "withdrawn"
  /** The version leaves the row out. */
  | "dropped"
  /**
   * The version names a leaf that committed the row later, before the version. That is right if this commit's rows came after the row
   * was published (committed-rows.ts), which nobody can compute: it is the publisher's word.
   */
  | "overtaken"
  /** The version names another contributor. */
  | "reassigned";

export interface CommittedRow {
  /** SHA-256 of the content. */
  readonly digest: string;
  readonly contributorId: number;
  /** Place of the commit in the datanet's chain, and of the row in it. */
  readonly commitIndex: number;
  readonly rowIndex: number;
  readonly fate: RowFate;
  /** Contributor of the row in the version; null where the version does not have it. */
  readonly versionContributorId: number | null;
}

export interface VerifiedVersion {
  readonly version: number;
  readonly rowsRoot: bigint;
  readonly committedCount: number;
  readonly keptCount: number;
  /** Rows with another fate than "kept", in the ledger's order. */
  readonly exceptions: readonly CommittedRow[];
  /** Digests of the version's rows that nobody has committed. */
  readonly foreign: readonly string[];
  /** Commits whose rows the store does not have: nothing is said of them. */
  readonly passedOver: readonly IndexedCommit[];
  /** First deviation from the rules, in words; null where there is none. Overtaken rows are none: look at `exceptions`. */
  readonly firstDifference: string | null;
}

export type VerifyVersionErrorCode = "CLI_ROWS_MISSING" | ListCommitsErrorCode;

/**
 * Compares a datanet's published version with everything that was ever committed to it. Roots and owners come from the
 * ledger, names of contents from the store, each checked against its root. Commits whose rows the store does not have are passed over
 * and named.
 * @throws CLI_ROWS_MISSING, CLI_COMMITS_INCOMPLETE, CLI_LEAF_NOT_FOUND
 * @example
 * ```ts
 * const { firstDifference } = await verifyVersion(client, { datanetId: 10, store });
 * if (firstDifference !== null) console.log(firstDifference);
 * ```
 */
export async function verifyVersion(
  client: LedgerClient,
  {
    datanetId,
    store,
    withdrawn = [],
  }: {
    datanetId: number;
    store: RowStore;
    /** Withdrawals that count, as `listWithdrawals` returns them; default: none is known. */
    withdrawn?: readonly Pick<WithdrawnRow, "contributorId" | "digest">[];
  },
): Promise<VerifiedVersion> {
  const withdrawerOf = new Map(withdrawn.map(({ contributorId, digest }) => [digest, contributorId]));
  const { datanet } = await getLeaf(client, datanetId);
  const rowsRoot = datanet?.rowsRoot ?? 0n;
  const published = await readVersion(store, rowsRoot);
  const owner = new Map(published.rows.map((row) => [row.digest, row.contributorId]));
  const { passedOver, read } = await readCommitted(store, await listCommits(client, datanetId));
  const claimed = claimRows(read, published.rows);
  const seen = new Set<string>();
  const exceptions: CommittedRow[] = [];
  for (const { commit, digest, heldBy, isFirst, rowIndex } of claimed) {
    const { commitIndex, contributorId } = commit;
    const inVersion = owner.get(digest) ?? null;
    // Behind another salt it is the same row, unless the version has it as another.
    const isRepeated = !isFirst && (seen.has(digest) || inVersion === null);
    seen.add(digest);
    const isWithdrawn = isFirst && inVersion === null && withdrawerOf.get(digest) === contributorId;
    const fate =
      heldBy !== null ? "overtaken" : isWithdrawn ? "withdrawn" : fateOf(isRepeated, commit, inVersion);
    if (fate === "kept") continue;
    const versionContributorId = heldBy?.contributorId ?? inVersion;
    exceptions.push({ digest, contributorId, commitIndex, rowIndex, fate, versionContributorId });
  }
  const committedCount = claimed.length;
  const foreign = published.rows.map(({ digest }) => digest).filter((digest) => !seen.has(digest));
  return {
    version: datanet?.version ?? 0,
    rowsRoot,
    committedCount,
    keptCount: committedCount - exceptions.length,
    exceptions,
    foreign,
    passedOver,
    firstDifference: firstDifference(exceptions, foreign),
  };
}

function fateOf(
  isRepeated: boolean,
  { contributorId, isAfterVersion }: DatanetCommit,
  versionContributorId: number | null,
): RowFate {
  if (isRepeated) return "repeated";
  if (versionContributorId === null) return isAfterVersion ? "later" : "dropped";
  // The version had the row before anyone committed it: its contributor is the publisher's choice.
  return versionContributorId === contributorId && !isAfterVersion ? "kept" : "reassigned";
}

function firstDifference(exceptions: readonly CommittedRow[], foreign: readonly string[]): string | null {
  // Repeated, later and withdrawn rows follow the rules; whether overtaken ones do, nobody can compute.
  const first = exceptions.find(({ fate }) => fate === "dropped" || fate === "reassigned");
  if (first !== undefined) {
    const where = `row ${rowNumber(first.rowIndex)} of commit ${first.commitIndex} by leaf ${first.contributorId}`;
    return first.fate === "dropped"
      ? `${where} is not in the version`
      : `${where} is leaf ${first.versionContributorId}'s in the version`;
  }
  return foreign.length === 0 ? null : `the version has row ${foreign[0]}, which is in no commit`;
}
