/** Up to where L1 is in a full node's directory. A restore that was cut short has made none. */
export interface FollowMarker {
  readonly blockNumber: number;
  readonly blockHash: string;
  /** The rollup was frozen by then; absent: it was not. */
  readonly isFrozen?: boolean;
}
export const FOLLOW_MARKER = "follow-block";
