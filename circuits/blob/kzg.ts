/**
 * KZG over BLS12-381 with Ethereum's trusted setup (EIP-4844). A blob is a polynomial that we know by its coefficients; its
 * commitment and the proof of an opening are sums over the setup's powers of τ, so that a half-full blob costs half. What
 * needs a pairing is in `kzg-cells.ts`. The setup is loaded at its first use (3 MB), and all runs on the calling thread.
 */

import type { pippenger as pippengerOf } from "@noble/curves/abstract/curve.js";
import type { bls12_381 } from "@noble/curves/bls12-381.js";
import { circuitError } from "../circuit-errors.ts";
import { BLOB_ELEMENT_COUNT, BLOB_FIELD_ORDER } from "./blob-bytes.ts";
import { setupPowers } from "./setup-powers.ts";

type G1Point = typeof bls12_381.G1.Point.BASE;

export const KZG_POINT_BYTES = 48;

export interface BlobOpening {
  /** Σ d_k z^k mod p. */
  readonly y: bigint;
  /** 48 bytes. */
  readonly proof: Uint8Array;
}

/** Loads the setup for `commitBlobNow` and `openBlobNow`. Takes 100 ms, once a process. */
export async function preloadKzg(): Promise<void> {
  await loadPowers();
}

/** @param coefficients d_0 …, each below p; at most 4,096. @returns the commitment's 48 bytes. @throws CIR_BLOB_MALFORMED */
export async function commitBlob(coefficients: readonly bigint[]): Promise<Uint8Array> {
  await preloadKzg();
  return commitBlobNow(coefficients);
}

/** Follows `commitBlob` without loading the setup. @throws RangeError if the setup is not loaded */
export function commitBlobNow(coefficients: readonly bigint[]): Uint8Array {
  requireCoefficients(coefficients);
  return sumOfPowers(coefficients);
}

/** Loads the setup, then calls `openBlobNow`. */
export async function openBlob(coefficients: readonly bigint[], z: bigint): Promise<BlobOpening> {
  await preloadKzg();
  return openBlobNow(coefficients, z);
}

/**
 * The value at z, and the proof: the commitment to (d(X) − y) / (X − z).
 * @throws CIR_BLOB_MALFORMED; RangeError if nothing was loaded
 */
export function openBlobNow(coefficients: readonly bigint[], z: bigint): BlobOpening {
  requireCoefficients(coefficients);
  // Synthetic division: what is left over at the end is the value.
  const quotient: bigint[] = new Array(Math.max(coefficients.length - 1, 0));
  let rest = 0n;
  for (let k = coefficients.length - 1; k >= 0; k--) {
    rest = (rest * z + coefficients[k]!) % BLOB_FIELD_ORDER;
    if (k > 0) quotient[k - 1] = rest;
  }
  return { y: rest, proof: sumOfPowers(quotient) };
}

function requireCoefficients(coefficients: readonly bigint[]): void {
  const isPossible =
    coefficients.length <= BLOB_ELEMENT_COUNT && coefficients.every((d) => d >= 0n && d < BLOB_FIELD_ORDER);
  if (!isPossible)
    throw circuitError("CIR_BLOB_MALFORMED", "no blob has these coefficients: too many, or one not below p", {
      data: { count: coefficients.length },
    });
}

/** Σ d_k [τ^k]. */
function sumOfPowers(scalars: readonly bigint[]): Uint8Array {
  if (loaded === null) throw new RangeError("the setup was not loaded");
  const { Point, pippenger, powers } = loaded;
  const used = scalars.flatMap((scalar, k) => (scalar === 0n ? [] : [{ scalar, point: powers[k]! }]));
  if (used.length === 0) return Point.ZERO.toBytes(true);
  return pippenger(
    Point,
    used.map(({ point }) => point),
    used.map(({ scalar }) => scalar),
  ).toBytes(true);
}

interface Powers {
  readonly Point: typeof bls12_381.G1.Point;
  readonly pippenger: typeof pippengerOf;
  readonly powers: readonly G1Point[];
}
let loading: Promise<Powers> | undefined;
let loaded: Powers | null = null;

async function loadPowers(): Promise<void> {
  loading ??= readPowers();
  loaded = await loading;
}

async function readPowers(): Promise<Powers> {
  const [{ pippenger }, { bls12_381 }, points] = await Promise.all([
    import("@noble/curves/abstract/curve.js"),
    import("@noble/curves/bls12-381.js"),
    setupPowers(),
  ]);
  const { Point } = bls12_381.G1;
  return { Point, pippenger, powers: points.map((point) => Point.fromAffine(point)) };
}
