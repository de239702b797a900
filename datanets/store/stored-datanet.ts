/**
 * Columns of a Datanet and of its commits in a host's database, in the form in which the other files of this folder read them.
 */

export interface StoredDatanet {
  readonly id: number;
  readonly cardCount: number;
  readonly commitCount: number;
  readonly rowCount: number;
  /** Rows before this number are described: searches find them (describe-rows.ts). */
  readonly describedCount: number;
  readonly recordCount: number;
  /** Rows that were ever withdrawn: 0 means that no row is. */
  readonly withdrawalCount: number;
  readonly revision: number;
  /** Hash of the newest card. */
  readonly policy: string | null;
}

/** A commit whose list the host has. */
export interface StoredCommit {
  /** Place among those that the host has. */
  readonly number: number;
  /** 0x-hex of 32 bytes. */
  readonly rowsRoot: string;
  readonly rowCount: number;
  readonly contributorId: number;
  readonly commitIndex: number;
  readonly committedAtMs: number | null;
  readonly opIndex: number;
  readonly receivedCount: number;
}

/** Columns of `StoredDatanet`. */
export const DATANET_COLUMNS = `id, card_count as "cardCount", commit_count as "commitCount", row_count as "rowCount",
  described_count as "describedCount", record_count as "recordCount",
  withdrawal_count as "withdrawalCount", revision::float8 as revision, policy`;
