/**
 * Memory layout of field elements: five signed limbs of 51 bits, each a double that holds an integer. The
 * value is the sum of limb[i] * 2^(51 i), in Montgomery form with R = 2^255. An element has many forms;
 * kernels bound their limbs and values, see field-kernel.ts.
 *
 * Why doubles: a fused multiply-add gives the upper and the lower half of a 102-bit product in two
 * instructions for two lanes at once, and WebAssembly has no other way to multiply more than 32 bits.
 */
import { invertMod } from "@openledger/foundation/modular";
import { type Code, i32, v128 } from "@openledger/foundation/wasm/assembler";
import { FIELD_ORDER } from "../protocol.ts";

/** Bits of a limb: two limbs' product has 102, which a fused multiply-add yields in two doubles. */
export const limbBits = 51;
export const limbCount = 5;
/** Bytes of an element in memory. */
export const elementBytes = 8 * limbCount;
export const limbRadix = 1n << BigInt(limbBits);
/** R of the Montgomery form, 2^255. */
export const elementR = 1n << BigInt(limbBits * limbCount);

/** A prime field that kernels compute in. */
export interface PrimeField {
  modulus: bigint;
  name: "fq" | "fr";
}
/** Field of BN254's coordinates. */
export const baseField: PrimeField = {
  modulus: 21888242871839275222246405745257275088696311157297823662689037894645226208583n,
  name: "fq",
};
/** The circuits' field. */
export const scalarField: PrimeField = { modulus: FIELD_ORDER, name: "fr" };

/** The residue of least absolute value. */
export function balancedResidue(value: bigint, modulus: bigint): bigint {
  const residue = ((value % modulus) + modulus) % modulus;
  return 2n * residue > modulus ? residue - modulus : residue;
}

/** Splits a value into limbs between -2^50 and 2^50; the last limb takes the rest. */
export function toLimbs(value: bigint): number[] {
  const limbs: number[] = [];
  let rest = value;
  for (let i = 0; i < limbCount - 1; i++) {
    const limb = balancedResidue(rest, limbRadix);
    limbs.push(Number(limb));
    rest = (rest - limb) / limbRadix;
  }
  limbs.push(Number(rest));
  return limbs;
}

export function fromLimbs(limbs: ArrayLike<number>): bigint {
  let value = 0n;
  for (let i = limbCount - 1; i >= 0; i--) value = value * limbRadix + BigInt(limbs[i]!);
  return value;
}

/** Montgomery form of a residue, as limbs. */
export function encodeElement(value: bigint, { modulus }: PrimeField): number[] {
  return toLimbs(balancedResidue(value * elementR, modulus));
}

/** 1 / R by modulus: an inversion takes twenty times as long as the rest of a decoding. */
const inversesOfR = new Map<bigint, bigint>();

function inverseOfR(modulus: bigint): bigint {
  const inverse = inversesOfR.get(modulus) ?? invertMod(elementR, modulus);
  inversesOfR.set(modulus, inverse);
  return inverse;
}

/** The residue, from 0 to modulus - 1, of an element in Montgomery form. */
export function decodeElement(limbs: ArrayLike<number>, { modulus }: PrimeField): bigint {
  const value = (fromLimbs(limbs) * inverseOfR(modulus)) % modulus;
  return value < 0n ? value + modulus : value;
}

/** Constants that kernels read from memory, each in both lanes. */
export class ConstantPool {
  readonly #baseAddress: number;
  readonly #values: number[] = [];

  constructor(baseAddress: number) {
    this.#baseAddress = baseAddress;
  }

  /** Code that loads the constant. */
  load(value: number): Code {
    let index = this.#values.indexOf(value);
    if (index < 0) index = this.#values.push(value) - 1;
    return v128.load(i32.const(this.#baseAddress + 16 * index));
  }

  /** Memory image of the constants. The host writes it at the base address before any kernel runs. */
  get image(): Float64Array {
    return Float64Array.from(this.#values.flatMap((value) => [value, value]));
  }
}
