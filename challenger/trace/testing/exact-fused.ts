/** x y + z in whole numbers of any length, and floats at every edge: what the arithmetic is compared with. */
import { floatOf } from "../float-arithmetic.ts";

const FIELD = 0x7fffff;

/** Bits of three finite floats to the bits of x y + z, rounded to the nearest, ties to even. */
export function exactFused(x: number, y: number, z: number): number {
  const parts = (bits: number): [bigint, number] => {
    const exponent = (bits >>> 23) & 255;
    const size = BigInt((bits & FIELD) | (exponent > 0 ? FIELD + 1 : 0));
    return [bits >>> 31 === 1 ? -size : size, Math.max(1, exponent) - 150];
  };
  const [[m, e], [n, f], [o, g]] = [parts(x), parts(y), parts(z)];
  const least = Math.min(e + f, g);
  const sum = ((m * n) << BigInt(e + f - least)) + (o << BigInt(g - least));
  const isNegativeZero = ((x ^ y) & z) >>> 31 === 1 && m * n === 0n && o === 0n;
  if (sum === 0n) return isNegativeZero ? 0x80000000 : 0;
  const size = sum < 0n ? -sum : sum;
  const length = size.toString(2).length;
  let exponent = length + least + 126;
  let drop = length - 24;
  if (exponent < 1) [drop, exponent] = [drop + 1 - exponent, 1];
  let kept = drop > 0 ? size >> BigInt(drop) : size << BigInt(-drop);
  if (drop > 0) {
    const twice = 2n * (size - (kept << BigInt(drop)));
    const unit = 1n << BigInt(drop);
    if (twice > unit || (twice === unit && kept % 2n === 1n)) kept += 1n;
  }
  const bits = Math.min(0x7f800000, (exponent - 1) * (FIELD + 1) + Number(kept));
  return (bits + (sum < 0n ? 2 ** 31 : 0)) >>> 0;
}

const EXPONENTS = [0, 0, 1, 2, 3, 20, 60, 64, 100, 103, 104, 120, 127, 140, 150, 180, 230, 253, 254];

/** Triples of floats: subnormals, ties, sums that nearly cancel, and such that leave the floats. */
export function edgeTriples(count: number, nextBelow: (limit: number) => number): [number, number, number][] {
  const one = (): number => {
    const fields = [0, 1, 2, FIELD, FIELD - 1, 0x400000, 0x3fffff, nextBelow(FIELD + 1)];
    const field = fields[nextBelow(fields.length)]!;
    return (nextBelow(2) * 2 ** 31 + EXPONENTS[nextBelow(EXPONENTS.length)]! * 2 ** 23 + field) >>> 0;
  };
  const bits = new Uint32Array(1);
  return Array.from({ length: count }, () => {
    const [x, y] = [one(), one()];
    const product = Math.fround(floatOf(x) * floatOf(y));
    if (nextBelow(5) > 2 || !Number.isFinite(product)) return [x, y, one()];
    new Float32Array(bits.buffer)[0] = product;
    const turned = nextBelow(3) === 0 ? bits[0]! : bits[0]! ^ 0x80000000;
    const near = (turned + nextBelow(3) - 1) >>> 0;
    return [x, y, (near & 0x7f800000) === 0x7f800000 ? one() : near];
  });
}
