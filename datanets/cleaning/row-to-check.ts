/**
 * Form in which store/row-check.ts hands rows to the check of a Datanet (check-rows.ts): its own, in the ledger's order, and
 * those of the host's other Datanets.
 */

export interface RowToCheck {
  readonly row: string;
  readonly contributorId: number;
  readonly content: Uint8Array;
  /** The contributor's label; null if there is none, or while the row waits for labels: findings are for everyone. */
  readonly label: string | null;
  /** Accepted label, by labellers or a reviewer; null while none is accepted. */
  readonly acceptedLabel: string | null;
  /** Index of the row's commit among all operations of the ledger. */
  readonly opIndex: number;
}

/** A row of another Datanet of the host; `text` is empty if it has none. */
export interface ForeignRow {
  readonly datanetId: number;
  readonly row: string;
  readonly contributorId: number;
  readonly text: string;
  readonly opIndex: number;
}
