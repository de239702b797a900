import { expect, test } from "vitest";
import { scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { FixedBase } from "../keys/fixed-base.ts";
import { randomScalar } from "../proving/blinding.ts";
import { buildKernelImage } from "../wasm/kernels/kernel-module.ts";
import { PointScaler, scaleBatch } from "./scale-points.ts";

const image = buildKernelImage();
const join = (values: readonly bigint[]) => Uint8Array.from(values.flatMap((value) => [...toBytesLe(value)]));
const mod = (value: bigint) => ((value % scalarModulus) + scalarModulus) % scalarModulus;

/** Discrete logarithms are known: one multiplication of the generator is the whole oracle. */
test.each([
  ["g1", 21],
  ["g1", scaleBatch],
  ["g2", 21],
  ["g2", scaleBatch],
] as const)("multiplies points of %s, %i at once, each by a scalar of its own", (group, count) => {
  const some = () => Array.from({ length: count }, randomScalar);
  const scaler = new PointScaler(image, group);
  const base = new FixedBase(image, group, 8);
  const [a, b, scalars] = [some(), some(), some()];
  // Infinity, scalars at the ends, equal points, opposite ones, and only small scalars in a batch.
  [a[0], b[1], scalars[2], scalars[3], scalars[4]] = [0n, 0n, 0n, 1n, scalarModulus - 1n];
  [b[5], scalars[5], b[6], scalars[6]] = [a[5]!, 1n, a[6]!, scalarModulus - 1n];
  const scaled = base.multiply(join(b));
  scaler.scale(scaled, join(scalars), scaled);
  expect(scaled).toEqual(base.multiply(join(b.map((value, i) => mod(value * scalars[i]!)))));
  scaler.scale(scaled, join(some().fill(2n)), scaled);
  expect(scaled).toEqual(base.multiply(join(b.map((value, i) => mod(2n * value * scalars[i]!)))));
  const [sums, differences] = [base.multiply(join(a)), base.multiply(join(b))];
  scaler.combine(sums, differences, join(scalars));
  const products = b.map((value, i) => value * scalars[i]!);
  expect(sums).toEqual(base.multiply(join(a.map((value, i) => mod(value + products[i]!)))));
  expect(differences).toEqual(base.multiply(join(a.map((value, i) => mod(value - products[i]!)))));
});
