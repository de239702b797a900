/**
 * A signed record that somebody sends to a host, and the facts by which it is taken or refused: record-routes.ts makes offers,
 * host/access.ts checks them, take-records.ts stores them.
 */
import type { SignedRecord } from "../records/record.ts";
import type { RecordState } from "../records/record-state.ts";

/** Knowledge of the host about the subjects of a request's records, those of the request that were taken before included. */
export interface RecordKnowledge {
  readonly recordState: RecordState;
  isRowKnown(digest: string): boolean;
  isCommitKnown(rowsRoot: string): boolean;
  /** Contributor of the commit; null if the host does not have its list. */
  committerOf(rowsRoot: string): number | null;
  /** Contributor of the row; null if the host does not have the row. */
  contributorOf(digest: string): number | null;
  /** Contributor who may withdraw the row, also before it has come, by the lists that are here; null if it is in none. */
  withdrawableBy(digest: string): number | null;
}

/** A record that somebody brings, its signature checked. */
export interface RecordOffer {
  readonly id: string;
  readonly record: SignedRecord;
  /** Throws if the record is not allowed now. */
  readonly check: (known: RecordKnowledge) => void;
}
