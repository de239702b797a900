/** Checks a Datanet's commits for copies and doubtful labels, for `openledger datanet check` and the devnet's validators. */
import {
  type CommittedRows,
  checkDatanet,
  type DatanetCheck,
  rowsToLeaveOut,
} from "@openledger/attribution/model/datanet-check";
import { rowLine } from "@openledger/attribution/rows/row-line";
import { type IndexedCommit, readCommitted } from "@openledger/client/actions/data/committed-rows";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { type RowStore, readRow } from "@openledger/client/actions/data/row-store";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { readRecords } from "@openledger/client/datanets/signed-records";
import type { DroppedRecord } from "@openledger/client/datanets/sound-records";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { LeaveOutFile } from "./leave-out-file.ts";

/** A row by its place among all that were committed; a row committed again counts at its first place only. */
export interface RowPositionInCommit {
  readonly commitIndex: number;
  readonly rowIndex: number;
  readonly contributorId: number;
  readonly digest: string;
  readonly content: Uint8Array;
}

/** Check of all commits of a Datanet, with the rows that a version should leave out. */
export interface CommitsCheck {
  readonly check: DatanetCheck;
  readonly rows: readonly RowPositionInCommit[];
  readonly leaveOut: LeaveOutFile;
  /** Records of the host that count for nothing: the present key of their leaf has not signed them. */
  readonly dropped: readonly DroppedRecord[];
  /** Place in the Datanet's chain of each commit of `check`. */
  readonly commitIndexes: readonly number[];
  /** Commits whose rows the store does not have: nothing is said of them. */
  readonly passedOver: readonly IndexedCommit[];
}

interface CommitsPosition {
  readonly datanetId: number;
  readonly store: RowStore;
  /** Host whose card says the kind of the rows, and whose records have the contributors' labels; not given: no labels. */
  readonly hostUrl?: string | undefined;
}

/**
 * Reads the committed rows from the store and checks them; commits whose rows the store does not have are passed over and named.
 * @throws CLI_COMMITS_INCOMPLETE, ATT_ROW_INVALID, as a host refuses
 */
export async function checkCommits(
  client: LedgerClient,
  { datanetId, hostUrl, store }: CommitsPosition,
): Promise<CommitsCheck> {
  const { passedOver, read } = await readCommitted(store, await listCommits(client, datanetId));
  const host = hostUrl === undefined ? null : await labelsOfHost(client, { datanetId, hostUrl });
  const rows: RowPositionInCommit[] = [];
  const seen = new Set<string>();
  const groups: CommittedRows[] = [];
  for (const { commit, digests, withdrawn } of read) {
    const { commitIndex, contributorId } = commit;
    const contents: Uint8Array[] = [];
    const labels: (string | null)[] = [];
    for (const [rowIndex, digest] of digests.entries()) {
      // Committed before: it counts for the one who was first.
      if (seen.has(digest) || withdrawn.has(digest)) continue;
      seen.add(digest);
      const content = await readRow(store, digest);
      contents.push(content);
      labels.push(host?.labelOf(digest, contributorId) ?? null);
      rows.push({ commitIndex, rowIndex, contributorId, digest, content });
    }
    groups.push({ contributorId, contents, labels });
  }
  const check = await checkDatanet(groups, host?.shape);
  const leaveOut = rowsToLeaveOut(check).map(({ row, why }) => ({ digest: rows[row]!.digest, why }));
  return {
    check,
    rows,
    leaveOut: { datanetId, rows: leaveOut },
    dropped: host?.dropped ?? [],
    passedOver,
    commitIndexes: read.map(({ commit }) => commit.commitIndex),
  };
}

/** Kind of the rows, and labels that contributors have signed for their own. */
async function labelsOfHost(client: LedgerClient, location: { datanetId: number; hostUrl: string }) {
  const [{ card }, { dropped, recordState }] = await Promise.all([
    getHostedDatanet(client, location),
    readRecords(client, location),
  ]);
  const labelOf = (digest: string, contributorId: number): string | null =>
    recordState.row(digest).labels.get(contributorId)?.label ?? null;
  return { shape: card.row, labelOf, dropped };
}

/** Characters of a row. */
const EXCERPT_LENGTH = 50;

export function excerptOf({ kind }: DatanetCheck, { content }: RowPositionInCommit): string {
  return kind === "image" ? "" : rowLine(content, EXCERPT_LENGTH);
}
