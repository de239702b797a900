/**
 * Typed interface of the C++ addon (native/src), the fastest CPU prover, and its loader. native-backend.ts
 * proves with it; choose-backend.ts probes it.
 */
import { fileURLToPath } from "node:url";
import { loadNativePart, type NativePart } from "@openledger/foundation/native-part";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { proverError } from "../prover-errors.ts";

/**
 * Instruction set that adds points: eight at once with AVX-512 IFMA, four at once with AVX2 and FMA, or one
 * by one on any processor.
 */
export type NativePath = "ifma" | "avx2" | "portable";

/** A key in the addon's memory. */
export type NativeKey = { readonly nativeKey: unique symbol };

/** Tables of multiples of a group's generator in the addon's memory. */
export type NativeBase = { readonly nativeBase: unique symbol };

/** Sums over a circuit's constraints in the addon's memory. */
export type NativeSums = { readonly nativeSums: unique symbol };

/**
 * Milliseconds of a proof's phases: the matrices times the witness, the transforms to the quotient, the
 * scalars' digits, the sums over points, the rest. sumA to sumCH are processor time, all threads together; C and H are summed
 * as one.
 */
export interface NativeTimes {
  matrices: number;
  quotient: number;
  digits: number;
  sums: number;
  finish: number;
  sumA: number;
  sumB1: number;
  sumB2: number;
  sumCH: number;
}

/** The addon's functions; numbers go in and out as 32 bytes, little-endian. */
export interface NativeAddon extends NativePart {
  /** The paths that were built and that this processor has, the fastest first. */
  paths(): NativePath[];
  loadKey(
    zkeyPath: string,
    path: NativePath | "auto",
    threadCount: number,
    /** Points of each sum that a proof reads from the file at a time; 0 loads the whole key into memory. */
    pieceSize: number,
  ): Promise<{ key: NativeKey; path: NativePath; byteCount: number }>;
  releaseKey(key: NativeKey): void;
  /**
   * `control` is two 32-bit numbers: the caller sets the first to 1 to cancel, and reads the proof's progress
   * from the second, 0 to 1000. The proof is a.x, a.y, b.x0, b.x1, b.y0, b.y1, c.x, c.y.
   */
  prove(
    key: NativeKey,
    witness: Uint8Array,
    r: Uint8Array,
    s: Uint8Array,
    /**
     * The random input that the witness was made with; 0 if none. If a private wire has this value that stands once in A,
     * with a point there, and never in B, r is taken for 0: `sumB1` is 0 then.
     */
    ofWitness: Uint8Array,
    control: Uint8Array,
  ): Promise<{ proof: Uint8Array; times: NativeTimes }>;
  /** `windowBits`: 2 to 16. */
  openBase(path: NativePath, isG2: boolean, windowBits: number): NativeBase;
  /** Affine points in a zkey's form, zeros for infinity; scalars of 32 bytes, below r. */
  multiplyBase(base: NativeBase, scalars: Uint8Array): Uint8Array;
  /**
   * Opens a circuit's constraints, which lie in these bytes of circom's file, to evaluate its polynomials (keys/qap-evaluation.ts).
   * `sizes`: the domain's power, constraints, public wires, wires, and 1 for a whole key; 0 passes over the terms of wires from
   * the fourth on. `secrets`: tau, alpha, beta, delta.
   */
  openSums(
    r1csPath: string,
    position: number,
    byteCount: number,
    sizes: Uint8Array,
    secrets: Uint8Array,
  ): NativeSums;
  /** Adds constraints until `byteCount` bytes of terms of A and B are there, as a zkey has them. None after the last one. */
  nextTerms(sums: NativeSums, byteCount: number): Uint8Array;
  /** A, B and IC or C of each wire, one after another. Once, and after the last constraint. */
  wireSums(sums: NativeSums): Uint8Array;
  /** Scalars of H's points. */
  quotientScalars(sums: NativeSums): Uint8Array;
  multiplyField(path: NativePath, isScalarField: boolean, a: Uint8Array, b: Uint8Array): Uint8Array;
  invertBase(values: Uint8Array): Uint8Array;
  splitScalars(scalars: Uint8Array): Uint8Array;
  multiplyPoints(
    path: NativePath,
    isG2: boolean,
    points: Uint8Array,
    scalars: Uint8Array,
    threadCount: number,
    /** Points at a time; 0 for all at once. */
    pieceSize: number,
  ): Uint8Array;
  quotient(
    path: NativePath,
    rows: Uint8Array,
    values: Uint8Array,
    witness: Uint8Array,
    domainPower: number,
  ): Uint8Array;
}

const addonPath = fileURLToPath(new URL("build/bn254-prover.node", import.meta.url));

/** @throws RollupError PRV_NATIVE_UNAVAILABLE if the addon was not built or does not load, SRV_NATIVE_STALE if it is out of date */
export function loadNativeAddon(path = addonPath): NativeAddon {
  try {
    return loadNativePart<NativeAddon>(path);
  } catch (cause) {
    if (isRollupError(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw proverError(
      "PRV_NATIVE_UNAVAILABLE",
      `the native prover does not load (${reason}); install g++ and run \`node prover/native/build.js\`, or choose the snarkjs prover`,
      { data: { path, reason }, cause },
    );
  }
}
