/**
 * Poseidon hash over BN254's scalar field, as poseidon.circom computes it: the constants of its paper
 * (https://eprint.iacr.org/2019/458), the domain tag as the initial capacity. Every commitment, leaf and tree
 * of the ledger hashes through here.
 *
 * Our own WebAssembly (wasm/poseidon-kernel.ts) on processors with a fused multiply-add, bigint elsewhere: the
 * same values. Measured for 8 inputs (Node 20, one core of an AMD EPYC): two hashes at once 35 µs each, one
 * alone 71 µs, over bigint 360 µs, circomlibjs' WASM 190 µs.
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { circuitError } from "../circuit-errors.ts";
import { PoseidonKernel } from "../wasm/poseidon-kernel.ts";
import type { SignatureEquation } from "../wasm/signature-kernel.ts";
import { createPortableHash } from "./poseidon-portable.ts";

/** One way to compute the hash. Inputs and results are field elements, 0 ≤ x < r. */
interface Implementation {
  readonly name: "fused" | "portable";
  hash(tag: bigint, inputs: readonly bigint[]): bigint;
  /** Hashes many requests, all with the same number of inputs. */
  hashAll(requests: readonly HashRequest[]): bigint[];
}

/** Native field arithmetic: the C++ addon as native/native-field.ts wraps it. */
export interface NativeField extends Omit<Implementation, "name"> {
  /** Name of the eight-lane implementation; null if there is none and values are computed one by one. */
  readonly lanes: string | null;
  /** Checks each equation. Coordinates are below r, scalars below 2^256. */
  holdAll(equations: readonly SignatureEquation[]): boolean[];
  keccak256(bytes: Uint8Array): Uint8Array;
}

let isInitialized = false;
let implementation: Implementation | undefined;
let native: NativeField | null = null;

/** circomlib's test/poseidoncircuit.js: the hash of 1 and 2. */
const PUBLISHED = 0x115cc0f5e7d690413df64c6b9662e9cf2a3617f2743245519e19607a4417189an;

/** Makes the permutation ready; `hashTagged` works from then on. May be called any number of times. */
export async function initPoseidon(): Promise<void> {
  isInitialized = true;
}

/** Chooses at the first hash: a process that hashes in C++ needs neither, and a kernel takes a tenth of a second. */
function chosen(): Implementation {
  if (implementation === undefined) {
    const fused = createFused();
    // The kernels' products are rounded twice, and wrong, without a fused multiply-add in hardware.
    implementation = fused.hash(0n, [1n, 2n]) === PUBLISHED ? fused : createPortable();
  }
  return implementation;
}

/**
 * Hashes and checks signatures in C++ from here on; null: in WebAssembly or over bigint.
 * @throws RangeError if it does not give the published value
 */
export function useNativeField(field: NativeField | null): void {
  // More requests than lanes, so that the code for the rest runs too.
  const requests = Array<HashRequest>(9).fill([0n, [1n, 2n]]);
  if (field?.hashAll(requests).some((hash) => hash !== PUBLISHED))
    throw new RangeError("the native Poseidon is another one: build it again");
  native = field;
}

/** The field set by `useNativeField`; null if WebAssembly or bigint runs. */
export const nativeField = (): NativeField | null => native;

/** Keccak-256: in C++ where Poseidon is. */
export const keccak256 = (bytes: Uint8Array): Uint8Array => native?.keccak256(bytes) ?? keccak_256(bytes);

/** Name of the implementation in use; null before `initPoseidon` has resolved. */
export function poseidonImplementation(): Implementation["name"] | "native" | null {
  if (native !== null) return "native";
  return isInitialized ? chosen().name : null;
}

function ready(): Omit<Implementation, "name"> {
  if (native !== null) return native;
  if (!isInitialized) {
    throw circuitError("CIR_NOT_INITIALIZED", "await initPoseidon() before the first hash");
  }
  return chosen();
}

/**
 * Hashes 1 to 16 field elements (0 ≤ x < r) under a domain tag.
 *
 * @throws RollupError CIR_NOT_INITIALIZED before `initPoseidon` has resolved
 */
export function hashTagged(tag: bigint, inputs: readonly bigint[]): bigint {
  return ready().hash(tag, inputs);
}

/** Request of a hash: its domain tag and its inputs. */
export type HashRequest = readonly [tag: bigint, inputs: readonly bigint[]];

/**
 * Hashes that do not depend on each other, all with the same number of inputs: half the time of one after the other.
 *
 * @throws RollupError CIR_NOT_INITIALIZED
 */
export function hashTaggedMany(requests: readonly HashRequest[]): bigint[] {
  const count = requests[0]?.[1].length;
  if (requests.some(([, inputs]) => inputs.length !== count))
    throw new RangeError("hashes that are taken together have the same number of inputs");
  return ready().hashAll(requests);
}

function createFused(): Implementation {
  // A width's code takes some 50 ms to make, and few widths are used.
  const kernels: (PoseidonKernel | undefined)[] = [];
  const kernelFor = (inputs: readonly bigint[]): PoseidonKernel => {
    const { length } = inputs;
    if (length < 1 || length > 16) throw new RangeError(`Poseidon takes 1 to 16 inputs, not ${length}`);
    kernels[length] ??= new PoseidonKernel(length + 1);
    return kernels[length];
  };
  return {
    name: "fused",
    hash: (tag, inputs) => kernelFor(inputs).hash(tag, inputs),
    hashAll: (requests) => {
      const hashes: bigint[] = [];
      for (let i = 0; i + 1 < requests.length; i += 2) {
        const [[tag0, inputs0], [tag1, inputs1]] = [requests[i]!, requests[i + 1]!];
        hashes.push(...kernelFor(inputs0).hashTwo(tag0, inputs0, tag1, inputs1));
      }
      if (requests.length % 2 === 1) {
        const [tag, inputs] = requests.at(-1)!;
        hashes.push(kernelFor(inputs).hash(tag, inputs));
      }
      return hashes;
    },
  };
}

function createPortable(): Implementation {
  const hash = createPortableHash();
  return {
    name: "portable",
    hash,
    hashAll: (requests) => requests.map(([tag, inputs]) => hash(tag, inputs)),
  };
}
