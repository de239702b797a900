/**
 * What contributors hand on: only those parts of a proving key that a contribution changes, a quarter of it. A record
 * (zeros before the first contribution, but for delta), delta in G2, then the points of sections 8 and 9.
 */
import { fromBytesLe } from "../formats/bn254-numbers.ts";
import { g1Bytes, g2Bytes } from "../formats/zkey-layout.ts";
import { recordBytes } from "./contribution-record.ts";
import { invalidContribution } from "./curve-points.ts";

export const roundHeadBytes = recordBytes + g2Bytes;

export interface RoundShape {
  /** Points of sections 8 and 9 together. */
  readonly pointCount: number;
}

export const roundFileBytes = ({ pointCount }: RoundShape) => roundHeadBytes + pointCount * g1Bytes;

/** Views of a round's bytes. */
interface Round {
  readonly record: Uint8Array;
  readonly delta1: Uint8Array;
  readonly delta2: Uint8Array;
  readonly points: Uint8Array;
}

/** @throws RollupError PRV_CONTRIBUTION_INVALID for another length */
export function splitRound(bytes: Uint8Array, shape: RoundShape): Round {
  if (bytes.length !== roundFileBytes(shape))
    throw invalidContribution(`it has ${bytes.length} bytes instead of ${roundFileBytes(shape)}`);
  return {
    record: bytes.subarray(0, recordBytes),
    delta1: bytes.subarray(0, g1Bytes),
    delta2: bytes.subarray(recordBytes, roundHeadBytes),
    points: bytes.subarray(roundHeadBytes),
  };
}

/** The same in both encodings: zero in Montgomery form is zero. */
export const isInfinity = (point: Uint8Array): boolean => fromBytesLe(point) === 0n;
