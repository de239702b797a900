import type { LedgerClient } from "./ledger-client.ts";
import { listOperations } from "./ledger-reads.ts";
import { type RowStore, readContribution } from "./row-store.ts";
import { commitVersion, type VersionCommitments, type VersionRow } from "./version-commitments.ts";

export interface CollectVersionParameters {
  datanetId: number;
  store: RowStore;
  /** Who vouches for the rows; the second half of every slot. */
  validatorId: number;
  /** Which contributions count; default: all. */
  accept?: (contribution: { contributorId: number; rowsRoot: bigint; rowCount: number }) => boolean;
}

/** More contributions than this need an index of their own; the sequencer's list ends there. */
const MAX_OPERATIONS = 1000;

/**
 * A datanet's next version from everything committed to it so far: its rows from the store, checked against the
 * committed roots, in the order of the ledger. A row that was committed before counts for the first who did.
 *
 * @throws CLI_ROWS_MISSING, CLI_TOO_MANY_SLOTS
 */
export async function collectVersion(
  client: LedgerClient,
  parameters: CollectVersionParameters,
): Promise<VersionCommitments> {
  const { datanetId, store, validatorId, accept = () => true } = parameters;
  const operations = await listOperations(client, datanetId, MAX_OPERATIONS);
  const commits = operations
    .filter(
      ({ kind, b, status, opIndex }) =>
        kind === "commitData" && b === datanetId && status !== "dropped" && opIndex != null,
    )
    .sort((a, b) => a.opIndex! - b.opIndex!);
  const rows: VersionRow[] = [];
  const seen = new Set<bigint>();
  for (const { a: contributorId, words, amountCode } of commits) {
    const rowsRoot = words[0]!;
    if (!accept({ contributorId, rowsRoot, rowCount: Number(amountCode) })) continue;
    const { rowHashes } = await readContribution(store, rowsRoot);
    for (const rowHash of rowHashes) {
      if (seen.has(rowHash)) continue;
      seen.add(rowHash);
      rows.push({ rowHash, contributorId, validatorId });
    }
  }
  return commitVersion(rows);
}
