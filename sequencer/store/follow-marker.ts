/** Record of how far L1 is in a full node's directory. A restore that was cut short has made none. */

/** L1's block up to which the directory has its batches. */
export interface FollowMarker {
  readonly blockNumber: number;
  readonly blockHash: string;
  /** The rollup was frozen by then; absent: it was not. */
  readonly isFrozen?: boolean;
}
/** Key of the record. */
export const FOLLOW_MARKER = "follow-block";
