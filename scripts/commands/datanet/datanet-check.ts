/** Checks a Datanet's commits for copies and doubtful labels, for `openledger datanet check` and the devnet's validators. */
import { checkDatanet, type DatanetCheck, rowsToLeaveOut } from "@openledger/attribution/model/datanet-check";
import { rowLine } from "@openledger/attribution/rows/row-line";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { type RowStore, readContribution, readRow } from "@openledger/client/actions/data/row-store";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { LeaveOutFile } from "./leave-out-file.ts";

/** A row by its place among all that were committed; a row committed again counts at its first place only. */
export interface PlacedRow {
  readonly commitIndex: number;
  readonly rowIndex: number;
  readonly contributorId: number;
  readonly digest: string;
  readonly content: Uint8Array;
}

/** Check of all commits of a Datanet, with the rows that a version should leave out. */
export interface CommitsCheck {
  readonly check: DatanetCheck;
  readonly rows: readonly PlacedRow[];
  readonly leaveOut: LeaveOutFile;
}

/** Reads every committed row from the store and checks them. @throws CLI_COMMITS_INCOMPLETE, CLI_ROWS_MISSING, ATT_ROW_INVALID */
export async function checkCommits(
  client: LedgerClient,
  datanetId: number,
  store: RowStore,
): Promise<CommitsCheck> {
  const commits = await listCommits(client, datanetId);
  const rows: PlacedRow[] = [];
  const seen = new Set<string>();
  const groups: { contributorId: number; contents: Uint8Array[] }[] = [];
  for (const [commitIndex, { contributorId, rowsRoot }] of commits.entries()) {
    const { digests } = await readContribution(store, rowsRoot);
    const contents: Uint8Array[] = [];
    for (const [rowIndex, digest] of digests.entries()) {
      // Committed before: it counts for the one who was first.
      if (seen.has(digest)) continue;
      seen.add(digest);
      const content = await readRow(store, digest);
      contents.push(content);
      rows.push({ commitIndex, rowIndex, contributorId, digest, content });
    }
    groups.push({ contributorId, contents });
  }
  const check = checkDatanet(groups);
  const leaveOut = rowsToLeaveOut(check).map(({ row, why }) => ({ digest: rows[row]!.digest, why }));
  return { check, rows, leaveOut: { datanetId, rows: leaveOut } };
}

/** Characters of a row. */
const EXCERPT_LENGTH = 50;

export function excerptOf({ kind }: DatanetCheck, { content }: PlacedRow): string {
  return kind === "image" ? "" : rowLine(content, EXCERPT_LENGTH);
}
