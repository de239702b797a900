/** Up to where L1 is in the directory. Its key marks a directory as a follower's. */
export interface FollowMarker {
  readonly chainId: number;
  readonly rollupAddress: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  /** The rollup was frozen by then; absent: it was not. */
  readonly isFrozen?: boolean;
}
export const FOLLOW_MARKER = "follow-block";
