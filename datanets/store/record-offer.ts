import type { SignedRecord } from "../records/record.ts";
import type { UsageWrite } from "./host-store.ts";

/** A record that somebody brings, its signature checked. */
export interface RecordOffer {
  readonly record: SignedRecord;
  /** Throws if the record is not allowed now. */
  readonly check: () => void;
  /** Counts the record against its sender. */
  readonly account: () => Promise<UsageWrite>;
}
