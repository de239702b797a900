import { describe, expect, test } from "vitest";
import { PointScaler } from "../ceremony/scale-points.ts";
import { fieldBytes, fromBytesLe, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { FixedBase } from "../keys/fixed-base.ts";
import { randomScalar } from "../proving/blinding.ts";
import { findAddon } from "../testing/oracle.fixtures.ts";
import { buildKernelImage } from "../wasm/kernels/kernel-module.ts";
import { NativeScaler } from "./native-scaler.ts";

const count = 21;
const image = buildKernelImage();
const { addon, paths } = findAddon();
const join = (values: readonly bigint[]) => Uint8Array.from(values.flatMap((value) => [...toBytesLe(value)]));
const some = () => Array.from({ length: count }, randomScalar);
const mod = (value: bigint) => ((value % scalarModulus) + scalarModulus) % scalarModulus;

/** Discrete logarithms are known: one multiplication of the generator is the whole oracle. */
function checkScaler(group: "g1" | "g2", scaler: Pick<PointScaler, "scale" | "combine">) {
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
}

describe.each(["g1", "g2"] as const)("points of %s, each times a scalar of its own", (group) => {
  test("in WebAssembly", () => checkScaler(group, new PointScaler(image, group)));

  test.each(paths)("in C++, path %s", (path) => {
    checkScaler(group, new NativeScaler(addon!, group, path));
    const one = [fieldBytes * (group === "g1" ? 2 : 4), fieldBytes].map((bytes) => new Uint8Array(bytes));
    const call = (points: Uint8Array, scalars: Uint8Array) =>
      addon!.scalePoints(path, group === "g2", new Uint8Array(), points, scalars);
    expect(() => call(one[0]!, join([scalarModulus]))).toThrow("below the order");
    expect(() => call(new Uint8Array(32), one[1]!)).toThrow("a point for each scalar");
    expect(fromBytesLe(one[0]!)).toBe(0n);
  });
});
