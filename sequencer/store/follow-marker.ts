import { isAddressEqual } from "viem";
import { sequencerError } from "../sequencer-errors.ts";

/** Up to where L1 is in the directory. Its key marks a directory as a full node's. */
export interface FollowMarker {
  readonly chainId: number;
  readonly rollupAddress: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  /** The rollup was frozen by then; absent: it was not. */
  readonly isFrozen?: boolean;
}
export const FOLLOW_MARKER = "follow-block";

/** @throws SEQ_WRONG_DIRECTORY where the directory at `path` follows another rollup, or none */
export function requireFullNodeOf(
  marker: FollowMarker | undefined,
  { chainId, path, rollupAddress }: { chainId: number; path: string; rollupAddress: `0x${string}` },
): asserts marker is FollowMarker {
  const followed = marker?.rollupAddress as `0x${string}` | undefined;
  if (followed !== undefined && marker?.chainId === chainId && isAddressEqual(followed, rollupAddress))
    return;
  const what = followed === undefined ? "is no full node's" : `follows rollup ${followed}`;
  throw sequencerError("SEQ_WRONG_DIRECTORY", `${path} ${what}`, {
    data: {
      reason: "follow-wrong-rollup",
      dataPath: path,
      chainId: marker?.chainId ?? null,
      rollupAddress: followed ?? null,
    },
  });
}
