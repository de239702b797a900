/**
 * WGSL kernel that splits scalars by the curve's endomorphism into halves (formats/endomorphism.ts), whose digits the
 * kernels of sum-kernels.ts read.
 */
import { splitConstants } from "../formats/endomorphism.ts";
import type { Kernel } from "./gpu-device.ts";
import { makeKernel } from "./kernel-source.ts";

/** Bytes of a scalar's two halves: 16 each, lowest first, an absolute value below 2^126 and the sign as bit 127. */
export const halvesBytes = 32;

/** Limbs of 16 bits: a product plus a limb plus a carry is below 2^32. */
const limbBits = 16n;
const limbsIn = (value: bigint) => Math.ceil(value.toString(16).length / 4);
const limbs = (value: bigint, count: number) =>
  Array.from({ length: count }, (_, i) => Number((value >> (limbBits * BigInt(i))) & 0xffffn));
const list = (name: string, values: readonly number[]) => {
  const type = `array<u32, ${values.length}>`;
  return `var<private> ${name}: ${type} = ${type}(${values.map((value) => `${value}u`).join(", ")});`;
};
const size = (value: bigint) => (value < 0n ? -value : value);

/**
 * Makes the kernel. Halves are computed modulo 2^128, where a negative one has bit 127: their absolute values are
 * below 2^126.
 */
export function splitKernel(): Kernel {
  const { a1, b1, a2, b2, g1, g2 } = splitConstants;
  const counts = [limbsIn(size(g1)), limbsIn(size(g2))] as const;
  /** -c * value, c the quotient by the absolute value of g. */
  const factor = (g: bigint, value: bigint) => limbs(BigInt.asUintN(128, g < 0n ? value : -value), 8);
  const rows = [
    { name: "First", count: counts[0], factors: [factor(g1, a1), factor(g1, b1)] },
    { name: "Second", count: counts[1], factors: [factor(g2, a2), factor(g2, b2)] },
  ];
  const quotient = (name: string, count: number) => `
fn quotient${name}() {
  var t: array<u32, ${16 + count}>;
  for (var i = 0u; i < 16u; i++) {
    var carry = 0u;
    for (var j = 0u; j < ${count}u; j++) {
      let sum = limbs[i] * g${name}[j] + t[i + j] + carry;
      t[i + j] = sum & 0xffffu;
      carry = sum >> 16u;
    }
    t[i + ${count}u] = carry;
  }
  // To the nearest: the bit below the quotient's lowest.
  var carry = t[15] >> 15u;
  for (var j = 0u; j < ${count}u; j++) {
    let sum = t[16u + j] + carry;
    quotient[j] = sum & 0xffffu;
    carry = sum >> 16u;
  }
}`;
  const add = ({ name, count }: { name: string; count: number }, half: number) => `
  quotient${name}();
  for (var i = 0u; i < ${Math.min(count, 8)}u; i++) {
    var carry = 0u;
    for (var j = 0u; i + j < 8u; j++) {
      let sum = quotient[i] * factor${name}${half}[j] + half${half}[i + j] + carry;
      half${half}[i + j] = sum & 0xffffu;
      carry = sum >> 16u;
    }
  }`;
  return makeKernel(
    "split scalars",
    [
      ["scalars", "read", "array<u32>"],
      ["halves", "write", "array<u32>"],
      ["parameters", "uniform", "Parameters"],
    ],
    `struct Parameters { first: u32, count: u32 }
${list("gFirst", limbs(size(g1), counts[0]))}
${list("gSecond", limbs(size(g2), counts[1]))}
${rows.flatMap(({ name, factors }) => factors.map((values, half) => list(`factor${name}${half}`, values))).join("\n")}
var<private> limbs: array<u32, 16>;
var<private> quotient: array<u32, ${Math.max(...counts)}>;
${rows.map(({ name, count }) => quotient(name, count)).join("\n")}
fn halfStore(index: u32, limbsOfHalf: array<u32, 8>) {
  var half = limbsOfHalf;
  let isNegative = half[7] >> 15u;
  var carry = isNegative;
  for (var i = 0u; i < 8u; i++) {
    let limb = (half[i] ^ (isNegative * 0xffffu)) + carry;
    half[i] = limb & 0xffffu;
    carry = limb >> 16u;
  }
  half[7] |= isNegative << 15u;
  for (var i = 0u; i < 4u; i++) { halves[4u * index + i] = half[2u * i] | (half[2u * i + 1u] << 16u); }
}`,
    `
  if (thread >= parameters.count) { return; }
  let scalar = parameters.first + thread;
  for (var i = 0u; i < 8u; i++) {
    let word = scalars[8u * scalar + i];
    limbs[2u * i] = word & 0xffffu;
    limbs[2u * i + 1u] = word >> 16u;
  }
  var half0: array<u32, 8>;
  var half1: array<u32, 8>;
  for (var i = 0u; i < 8u; i++) { half0[i] = limbs[i]; }
${rows.map((row) => add(row, 0) + add(row, 1).replace(`quotient${row.name}();`, "")).join("\n")}
  halfStore(2u * scalar, half0);
  halfStore(2u * scalar + 1u, half1);`,
  );
}
