import { circuitError } from "../circuit-errors.ts";
import { PoseidonKernel } from "../wasm/poseidon-kernel.ts";
import { createPortableHash } from "./poseidon-portable.ts";

/**
 * The rules of poseidon.circom: Poseidon over BN254's scalar field with the constants of its paper, the
 * domain tag as the initial capacity.
 *
 * Our own WebAssembly (wasm/poseidon-kernel.ts) on processors with a fused multiply-add, bigint elsewhere: the same
 * values. Measured for 8 inputs (Node 20, one core of an AMD EPYC): two hashes at once 35 µs each, one alone 71 µs, over
 * bigint 360 µs, circomlibjs' WASM 190 µs.
 */
interface Implementation {
  readonly name: "fused" | "portable";
  hash(tag: bigint, inputs: readonly bigint[]): bigint;
  hashTwo(
    tag0: bigint,
    inputs0: readonly bigint[],
    tag1: bigint,
    inputs1: readonly bigint[],
  ): readonly [bigint, bigint];
}

let implementation: Implementation | undefined;

/** circomlib's test/poseidoncircuit.js: the hash of 1 and 2. */
const PUBLISHED = 0x115cc0f5e7d690413df64c6b9662e9cf2a3617f2743245519e19607a4417189an;

/** Makes the permutation ready; `hashTagged` works from then on. May be called any number of times. */
export async function initPoseidon(): Promise<void> {
  if (implementation !== undefined) return;
  const fused = createFused();
  // Without a fused multiply-add in hardware the kernels' products are rounded twice, and wrong.
  implementation = fused.hash(0n, [1n, 2n]) === PUBLISHED ? fused : createPortable();
}

/** Which implementation runs here; null before `initPoseidon` has resolved. */
export function poseidonImplementation(): Implementation["name"] | null {
  return implementation?.name ?? null;
}

function ready(): Implementation {
  if (implementation === undefined) {
    throw circuitError("CIR_NOT_INITIALIZED", "await initPoseidon() before the first hash");
  }
  return implementation;
}

/**
 * Hashes 1 to 16 field elements (0 ≤ x < r) under a domain tag.
 *
 * @throws RollupError CIR_NOT_INITIALIZED before `initPoseidon` has resolved
 */
export function hashTagged(tag: bigint, inputs: readonly bigint[]): bigint {
  return ready().hash(tag, inputs);
}

/** A hash to be taken: its domain tag and its inputs. */
export type HashRequest = readonly [tag: bigint, inputs: readonly bigint[]];

/**
 * Hashes that do not depend on each other, all with the same number of inputs: half the time of one after the other.
 *
 * @throws RollupError CIR_NOT_INITIALIZED
 */
export function hashTaggedMany(requests: readonly HashRequest[]): bigint[] {
  const { hash, hashTwo } = ready();
  const hashes: bigint[] = [];
  for (let i = 0; i + 1 < requests.length; i += 2) {
    const [[tag0, inputs0], [tag1, inputs1]] = [requests[i]!, requests[i + 1]!];
    if (inputs0.length !== inputs1.length)
      throw new RangeError("hashes that are taken together have the same number of inputs");
    const two = hashTwo(tag0, inputs0, tag1, inputs1);
    hashes.push(two[0], two[1]);
  }
  if (requests.length % 2 === 1) hashes.push(hash(...requests.at(-1)!));
  return hashes;
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
    hashTwo: (tag0, inputs0, tag1, inputs1) => kernelFor(inputs0).hashTwo(tag0, inputs0, tag1, inputs1),
  };
}

function createPortable(): Implementation {
  const hash = createPortableHash();
  return {
    name: "portable",
    hash,
    hashTwo: (tag0, inputs0, tag1, inputs1) => [hash(tag0, inputs0), hash(tag1, inputs1)],
  };
}
