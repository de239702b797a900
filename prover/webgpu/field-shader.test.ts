import { powMod } from "@openledger/foundation/modular";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { numbersFrom, openTestDevice, putIntegers, runAndRead } from "../testing/webgpu.fixtures.ts";
import {
  baseShader,
  type FieldShape,
  fieldShader,
  kernelR,
  limbsOf,
  type ShaderStyle,
  scalarShader,
} from "./field-shader.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { makeKernel } from "./kernel-source.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await openTestDevice();
});
afterAll(() => gpu.close());

/**
 * Statements that set `values`, results of a pair a, b. Each function is called at one place, in a loop, and few in one kernel:
 * SwiftShader's compiler takes its time for each call, and more for many together.
 */
function operationsOf({ name }: FieldShape): { readonly count: number; readonly body: string }[] {
  const list = (...values: string[]) => `array<${name}, ${values.length}>(${values.join(", ")})`;
  const products = `
  let sum = ${name}AddLazy(a, b);
  var doubled = ${list("a", "b")};
  for (var i = 0u; i < 2u; i++) { doubled[i] = ${name}AddLazy(doubled[i], doubled[i]); }
  var left3 = ${list("a", "sum", `${name}SubLazy4(a, doubled[1])`)};
  var right3 = ${list("b", `${name}SubLazy(a, b)`, "doubled[0]")};
  for (var i = 0u; i < 3u; i++) { values[i] = ${name}Mul(left3[i], right3[i]); }
  var squared = ${list("a", "sum")};
  for (var i = 0u; i < 2u; i++) { values[3u + i] = ${name}Square(squared[i]); }`;
  const elements = `
  values[0] = ${name}Add(a, b);
  values[1] = ${name}Sub(a, b);
  values[2] = ${name}Canonical(a);
  values[3] = a;
  if (${name}IsZero(a)) { values[4][0] = 1u; }`;
  const sums = `
  let sum = ${name}AddLazy(a, b);
  let twice = ${name}AddLazy(sum, sum);
  values[0] = ${name}MulAdd(a, b, sum, twice);
  values[1] = ${name}MulSub(twice, twice, sum, ${name}SubLazy(a, b));
  values[2] = ${name}SquareAdd(a, twice);`;
  return [
    { count: 5, body: products },
    { count: 5, body: elements },
    { count: 3, body: sums },
  ];
}

/** Results of each pair of operands. */
async function compute(
  field: FieldShape,
  style: ShaderStyle,
  left: bigint[],
  right: bigint[],
): Promise<bigint[][]> {
  const { name } = field;
  const buffers = [putIntegers(gpu, left), putIntegers(gpu, right)];
  const element = (buffer: string) => `${name}Unpack(${buffer}[2u * thread], ${buffer}[2u * thread + 1u])`;
  const results: bigint[][] = left.map(() => []);
  for (const { count, body } of operationsOf(field)) {
    const kernel = makeKernel(
      `operations ${name}`,
      [
        ["left", "read", "array<vec4<u32>>"],
        ["right", "read", "array<vec4<u32>>"],
        ["results", "write", "array<vec4<u32>>"],
      ],
      fieldShader(field, style),
      `
  if (thread >= arrayLength(&left) / 2u) { return; }
  let a = ${element("left")};
  let b = ${element("right")};
  var values: array<${name}, ${count}>;
  ${body}
  for (var i = 0u; i < ${count}u; i++) {
    let at = 2u * (${count}u * thread + i);
    results[at] = ${name}PackLow(values[i]);
    results[at + 1u] = ${name}PackHigh(values[i]);
  }`,
    );
    const made = gpu.makeBuffer("results", 32 * count * left.length);
    const values = await runAndRead(gpu, [await gpu.step(kernel, [...buffers, made], left.length)], made);
    for (const [i, own] of results.entries()) own.push(...values.slice(count * i, count * (i + 1)));
  }
  return results;
}

const styles: readonly ShaderStyle[] = ["unrolled", "compact"];
const cases = [baseShader, scalarShader].flatMap((field) => styles.map((style) => ({ field, style })));

describe("fieldShader", () => {
  test.each(cases)("computes as integers do: $field.name, $style", async ({ field, style }) => {
    const p = field.modulus;
    // Elements are below 2 p; the corners are where carries run through all limbs.
    const corners = [0n, 1n, p - 1n, p, p + 1n, 2n * p - 1n, (1n << 247n) - 1n, 1n << 253n];
    const random = numbersFrom(7, 120, 2n * p);
    const left = [...corners.flatMap((corner) => corners.map(() => corner)), ...random];
    const right = [...corners.flatMap(() => corners), ...random.toReversed()];
    const results = await compute(field, style, left, right);
    const inverse = powMod(kernelR % p, p - 2n, p);
    const modulo = (value: bigint) => ((value % p) + p) % p;
    for (const [i, a] of left.entries()) {
      const b = right[i]!;
      const label = `${a} and ${b}`;
      const own = results[i]!;
      const [product, lazy, lazy4, square, lazySquare] = own as [bigint, bigint, bigint, bigint, bigint];
      const [sum, difference, canonical, copy, isZero] = own.slice(5) as [
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
      ];
      const [mulAdd, mulSub, squareAdd] = own.slice(10) as [bigint, bigint, bigint];
      expect(modulo(product), label).toBe(modulo(a * b * inverse));
      expect(modulo(sum), label).toBe(modulo(a + b));
      expect(modulo(difference), label).toBe(modulo(a - b));
      expect(canonical, label).toBe(modulo(a));
      expect(modulo(lazy), label).toBe(modulo((a + b) * (a - b) * inverse));
      expect(modulo(lazy4), label).toBe(modulo((a - 2n * b) * 2n * a * inverse));
      expect(copy, label).toBe(a);
      expect(isZero, label).toBe(modulo(a) === 0n ? 1n : 0n);
      expect(modulo(square), label).toBe(modulo(a * a * inverse));
      expect(modulo(lazySquare), label).toBe(modulo((a + b) ** 2n * inverse));
      expect(modulo(mulAdd), label).toBe(modulo((a * b + 2n * (a + b) ** 2n) * inverse));
      expect(modulo(mulSub), label).toBe(modulo((a + b) * (3n * a + 5n * b) * inverse));
      expect(modulo(squareAdd), label).toBe(modulo((a ** 2n + 4n * (a + b) ** 2n) * inverse));
      for (const value of [
        product,
        sum,
        difference,
        lazy,
        lazy4,
        square,
        lazySquare,
        mulAdd,
        mulSub,
        squareAdd,
      ])
        expect(value < 2n * p, label).toBe(true);
    }
  });
});

describe("limbsOf", () => {
  test("has the value's bits, lowest first", () => {
    const limbs = limbsOf(baseShader.modulus);
    expect(limbs.every((limb) => limb < 2 ** 13)).toBe(true);
    expect(limbs.reduceRight((value, limb) => (value << 13n) + BigInt(limb), 0n)).toBe(baseShader.modulus);
  });
});
