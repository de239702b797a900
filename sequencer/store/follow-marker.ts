/**
 * Record in a full node's directory of the L1 block up to which it has the batches. A directory whose making was interrupted
 * has none.
 */

/** L1's block up to which the directory has its batches. */
export interface FollowMarker {
  readonly blockNumber: number;
  readonly blockHash: string;
  /** The rollup was frozen by then; absent: it was not. */
  readonly isFrozen?: boolean;
}
/** Key of the record. */
export const FOLLOW_MARKER = "follow-block";
