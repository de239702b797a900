/**
 * Conversion between 256-bit integers in memory (little-endian) and the kernels' limbs (field-limbs.ts), as
 * emitted WebAssembly code.
 */
import {
  type Code,
  f64,
  f64x2,
  i64,
  type Local,
  type WasmFunction,
} from "@openledger/foundation/wasm/assembler";
import { half } from "./column-sum.ts";
import type { FieldKernel, LimbValue } from "./field-kernel.ts";
import { limbBits, limbCount, limbRadix, toLimbs } from "./field-limbs.ts";

/** Bits of a word of an integer in memory. */
const wordBits = 64;
const limbMask = limbRadix - 1n;

/**
 * Reads two integers of 256 bits, little-endian in memory, as limbs in lanes: not reduced, and below `valueMax` moduli.
 */
export function readIntegers(
  kernel: FieldKernel,
  lower: Code,
  upper: Code,
  offset: number,
  valueMax: number,
): LimbValue {
  const { f } = kernel;
  const split = (address: Code): Code[] => {
    const words = f.locals("i64", 4);
    for (const [i, word] of words.entries()) f.set(word, i64.load(address, offset + 8 * i));
    return Array.from({ length: limbCount }, (_, i) => {
      const bit = i * limbBits;
      const [index, shift] = [Math.floor(bit / wordBits), bit % wordBits];
      let bits: Code = i64.shrU(words[index]!.get, i64.const(BigInt(shift)));
      const next = words[index + 1];
      if (shift > wordBits - limbBits && next !== undefined)
        bits = i64.or(bits, i64.shl(next.get, i64.const(BigInt(wordBits - shift))));
      return f64.fromI64(i === limbCount - 1 ? bits : i64.and(bits, i64.const(limbMask)));
    });
  };
  const [a, b] = [split(lower), split(upper)];
  const limbs = a.map((code, i) => kernel.bind(f64x2.pair(code, b[i]!)));
  const limbMax = limbs.map((_, i) => (i < limbCount - 1 ? 2 * half : 2 ** 52));
  return kernel.normalize({ limbs, limbMax, valueMax });
}

/** Stores one lane of a reduced value plus the modulus: an integer between 0 and twice the modulus. */
export function writeInteger(
  kernel: FieldKernel,
  value: LimbValue,
  lane: 0 | 1,
  address: Code,
  offset = 0,
): void {
  if (value.valueMax > 0.99)
    throw new RangeError("only reduced values become positive by adding the modulus");
  const { f } = kernel;
  const modulusLimbs = toLimbs(kernel.field.modulus);
  const limbs = f.locals("i64", limbCount);
  const carry = f.local("i64");
  for (const [i, limb] of limbs.entries()) {
    let sum: Code = i64.add(
      i64.truncF64(f64x2.lane(lane, value.limbs[i]!)),
      i64.const(BigInt(modulusLimbs[i]!)),
    );
    if (i > 0) sum = i64.add(sum, carry.get);
    f.set(limb, sum);
    if (i === limbCount - 1) break;
    f.set(carry, i64.shrS(limb.get, i64.const(BigInt(limbBits))));
    f.set(limb, i64.and(limb.get, i64.const(limbMask)));
  }
  for (let word = 0; word < 4; word++) {
    const parts: Code[] = [];
    for (const [i, limb] of limbs.entries()) {
      const shift = i * limbBits - word * wordBits;
      if (shift >= wordBits || shift <= -limbBits) continue;
      parts.push(
        shift >= 0
          ? i64.shl(limb.get, i64.const(BigInt(shift)))
          : i64.shrU(limb.get, i64.const(BigInt(-shift))),
      );
    }
    f.emit(i64.store(address, parts.reduce(i64.or), offset + 8 * word));
  }
}

/** Evaluates code once into a local of 64 bits. */
export function bindI64(f: WasmFunction, code: Code): Local {
  const local = f.local("i64");
  f.set(local, code);
  return local;
}
