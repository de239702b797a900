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

/** Results of one pair of operands, in order. */
const resultCount = 13;

function operationsKernel({ name }: FieldShape, field: string) {
  const element = (buffer: string) => `${name}Unpack(${buffer}[2u * thread], ${buffer}[2u * thread + 1u])`;
  const store = (place: number, value: string) => `
  { let value = ${value}; let at = 2u * (${resultCount}u * thread + ${place}u);
    results[at] = ${name}PackLow(value); results[at + 1u] = ${name}PackHigh(value); }`;
  return makeKernel(
    `operations ${name}`,
    [
      ["left", "read", "array<vec4<u32>>"],
      ["right", "read", "array<vec4<u32>>"],
      ["results", "write", "array<vec4<u32>>"],
    ],
    field,
    `
  if (thread >= arrayLength(&left) / 2u) { return; }
  let a = ${element("left")};
  let b = ${element("right")};
  ${store(0, `${name}Mul(a, b)`)}
  ${store(1, `${name}Add(a, b)`)}
  ${store(2, `${name}Sub(a, b)`)}
  ${store(3, `${name}Canonical(a)`)}
  ${store(4, `${name}Mul(${name}AddLazy(a, b), ${name}SubLazy(a, b))`)}
  ${store(5, `${name}Mul(${name}SubLazy4(a, ${name}AddLazy(b, b)), ${name}AddLazy(a, a))`)}
  ${store(6, `a`)}
  var isZero = ${name}Zero;
  if (${name}IsZero(a)) { isZero[0] = 1u; }
  ${store(7, "isZero")}
  ${store(8, `${name}Square(a)`)}
  ${store(9, `${name}Square(${name}AddLazy(a, b))`)}
  let sum = ${name}AddLazy(a, b);
  let twice = ${name}AddLazy(sum, sum);
  ${store(10, `${name}MulAdd(a, b, sum, twice)`)}
  ${store(11, `${name}MulSub(twice, twice, sum, ${name}SubLazy(a, b))`)}
  ${store(12, `${name}SquareAdd(a, twice)`)}`,
  );
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
    const buffers = [putIntegers(gpu, left), putIntegers(gpu, right)];
    const results = gpu.makeBuffer("results", 32 * resultCount * left.length);
    const step = await gpu.step(
      operationsKernel(field, fieldShader(field, style)),
      [...buffers, results],
      left.length,
    );
    const values = await runAndRead(gpu, [step], results);
    const inverse = powMod(kernelR % p, p - 2n, p);
    const modulo = (value: bigint) => ((value % p) + p) % p;
    for (const [i, a] of left.entries()) {
      const b = right[i]!;
      const label = `${a} and ${b}`;
      const own = values.slice(resultCount * i, resultCount * (i + 1));
      const [product, sum, difference, canonical, lazy, lazy4, copy, isZero, square, lazySquare] = own as [
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
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
