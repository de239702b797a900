/** The point of G2 that a contribution's hash names, as snarkjs derives it (src/keypair.js, ffjavascript's ChaCha). */
import { bn254 } from "@noble/curves/bn254.js";
import { invertMod } from "@openledger/foundation/modular";
import { baseModulus, montgomeryR } from "../formats/bn254-numbers.ts";
import { G2, type PointG2 } from "./curve-points.ts";

const { Fp, Fp2 } = bn254.fields;
const inverseR = invertMod(montgomeryR, baseModulus);
/** 2^254 is the least power of two above the modulus. */
const fieldMask = (1n << 254n) - 1n;
/** Of the twist: points times this are in the group of order r. */
const cofactor = 0x30644e72e131a029b85045b68181585e06ceecda572a2489345f2299c0f9fa8dn;
/** The twist's y^2 = x^3 + 3 / (9 + u). */
const twistB = Fp2.div({ c0: 3n, c1: 0n }, { c0: 9n, c1: 1n });
const halfModulus = (baseModulus - 1n) / 2n;

/** @param transcript 64 bytes, of which the first 32 count */
export function challengePoint(transcript: Uint8Array): PointG2 {
  const view = new DataView(transcript.buffer, transcript.byteOffset, transcript.byteLength);
  const random = chachaWords(Array.from({ length: 8 }, (_, i) => view.getUint32(4 * i)));
  const next = () => random.next().value as number;
  for (;;) {
    const x = { c0: element(next), c1: element(next) };
    const isGreatest = (next() & 1) === 1;
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), twistB);
    const root = squareRoot(square);
    if (root === null) continue;
    const y = isNegative(root) === isGreatest ? root : Fp2.neg(root);
    return timesCofactor(G2.fromAffine({ x, y }));
  }
}

/** Drawn bits are the element's Montgomery form. */
function element(next: () => number): bigint {
  for (;;) {
    let value = 0n;
    for (let i = 0n; i < 4n; i++) {
      const high = BigInt(next());
      value |= ((high << 32n) | BigInt(next())) << (64n * i);
    }
    value &= fieldMask;
    if (value < baseModulus) return Fp.mul(value, inverseR);
  }
}

function squareRoot(value: { c0: bigint; c1: bigint }): { c0: bigint; c1: bigint } | null {
  try {
    return Fp2.sqrt(value);
  } catch {
    return null;
  }
}

const isNegative = ({ c0, c1 }: { c0: bigint; c1: bigint }) => (c1 === 0n ? c0 : c1) > halfModulus;

/** Not by the library's product: the cofactor is above the order that it allows. */
function timesCofactor(point: PointG2): PointG2 {
  let sum = G2.ZERO;
  for (const bit of cofactor.toString(2)) {
    sum = sum.double();
    if (bit === "1") sum = sum.add(point);
  }
  return sum;
}

/** ChaCha20's stream (RFC 8439's block, counter and nonce from zero) as words. */
function* chachaWords(key: readonly number[]): Generator<number, never> {
  const state = new Uint32Array([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, ...key, 0, 0, 0, 0]);
  for (;;) {
    const block = Uint32Array.from(state);
    const mix = (a: number, b: number, c: number, d: number) => {
      const turn = (at: number, by: number, bits: number) => {
        const word = block[at]! ^ block[by]!;
        block[at] = (word << bits) | (word >>> (32 - bits));
      };
      block[a] = block[a]! + block[b]!;
      turn(d, a, 16);
      block[c] = block[c]! + block[d]!;
      turn(b, c, 12);
      block[a] = block[a]! + block[b]!;
      turn(d, a, 8);
      block[c] = block[c]! + block[d]!;
      turn(b, c, 7);
    };
    for (let round = 0; round < 10; round++) {
      for (const i of [0, 1, 2, 3]) mix(i, i + 4, i + 8, i + 12);
      for (const i of [0, 1, 2, 3]) mix(i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3));
    }
    for (const [i, word] of block.entries()) yield (word + state[i]!) >>> 0;
    state[12]!++;
  }
}
