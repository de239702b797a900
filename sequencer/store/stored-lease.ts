/** As the data directory keeps it under `storeKeys.lease`; `openledger operator lease take` and `take-over` write it. */
export interface StoredLease {
  /** Which taking of the lease on L1 the directory goes by. */
  readonly epoch: number;
}
