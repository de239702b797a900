/** A row as it is looked at; rows come in the ledger's order. */
export interface RowToCheck {
  readonly row: string;
  readonly contributorId: number;
  readonly content: Uint8Array;
  /** What labellers or a reviewer have made of it; null where nothing is accepted. */
  readonly acceptedLabel: string | null;
  /** Of its commit among all operations of the ledger. */
  readonly opIndex: number;
}

/** A row of another Datanet of the host; `text` is empty where it has none. */
export interface ForeignRow {
  readonly datanetId: number;
  readonly row: string;
  readonly contributorId: number;
  readonly text: string;
  readonly opIndex: number;
}
