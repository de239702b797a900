import { scalarsFrom } from "@openledger/circuits/testing/sample-scalars";
import {
  decodeElement,
  elementBytes,
  encodeElement,
  scalarField,
} from "@openledger/circuits/wasm/field-limbs";
import { powMod } from "@openledger/foundation/modular";
import { describe, expect, test } from "vitest";
import { rootOfUnity, scalarModulus } from "../formats/bn254-numbers.ts";
import { type KernelBench, makeKernelBench, vectorElement } from "../testing/kernels.fixtures.ts";
import { moveToCoset, type TransformPlan, writeFactors } from "./transforms.ts";

const r = scalarModulus;

function makeTransform(size: number): { bench: KernelBench; plan: TransformPlan } {
  const bench = makeKernelBench((1 << 20) + 8 * size * elementBytes);
  const plan = {
    size,
    inverseFactors: bench.take(elementBytes * size),
    cosetFactors: bench.take(elementBytes * size),
  };
  const scratch = bench.take(1024);
  for (const table of ["inverse", "coset"] as const)
    writeFactors(bench.kernels, bench.doubles, plan, table, scratch);
  return { bench, plan };
}

function putVector({ take, doubles }: KernelBench, values: readonly bigint[]): number {
  const vector = take(elementBytes * values.length);
  for (const [i, value] of values.entries()) {
    for (const [k, limb] of encodeElement(value, scalarField).entries())
      doubles[vector / 8 + 10 * (i >>> 1) + 2 * k + (i & 1)] = limb;
  }
  return vector;
}

function evaluate(coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight((value, coefficient) => (value * x + coefficient) % r, 0n);
}

describe("moveToCoset", () => {
  test.each([2, 4, 8, 64, 256])("takes %i values to the coset, times their number", (size) => {
    const { bench, plan } = makeTransform(size);
    const power = Math.log2(size);
    const [root, shift] = [rootOfUnity(power), rootOfUnity(power + 1)];
    const polynomials = [scalarsFrom(size, size), [...scalarsFrom(size + 1, size - 1), r - 1n]];
    const vectors = polynomials.map((polynomial) =>
      putVector(
        bench,
        polynomial.map((_, i) => evaluate(polynomial, powMod(root, BigInt(i), r))),
      ),
    );
    moveToCoset(bench.kernels, plan, vectors, 0, 1, () => {});
    for (const [k, polynomial] of polynomials.entries()) {
      for (let i = 0; i < size; i++) {
        const x = (shift * powMod(root, BigInt(i), r)) % r;
        const moved = decodeElement(vectorElement(bench, vectors[k]!, i), scalarField);
        expect(moved, `value ${i}`).toBe((evaluate(polynomial, x) * BigInt(size)) % r);
      }
    }
  });

  test("does so too where the vector is larger than a block", () => {
    const size = 1 << 14;
    const { bench, plan } = makeTransform(size);
    const [root, shift] = [rootOfUnity(14), rootOfUnity(15)];
    const polynomial = scalarsFrom(9, 3);
    let x = 1n;
    const values = Array.from({ length: size }, () => {
      const value = evaluate(polynomial, x);
      x = (x * root) % r;
      return value;
    });
    const vector = putVector(bench, values);
    moveToCoset(bench.kernels, plan, [vector], 0, 1, () => {});
    for (const i of [0, 1, 2, 8191, 8192, size - 1]) {
      const at = (shift * powMod(root, BigInt(i), r)) % r;
      const moved = decodeElement(vectorElement(bench, vector, i), scalarField);
      expect(moved).toBe((evaluate(polynomial, at) * BigInt(size)) % r);
    }
  });
});
