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
import {
  type FactorMaker,
  factorBytes,
  moveToCoset,
  type TransformPlan,
  transformScratchBytes,
  writeFactors,
} from "./transforms.ts";

const r = scalarModulus;

function makeTransform(size: number): { bench: KernelBench; plan: TransformPlan; maker: FactorMaker } {
  const bench = makeKernelBench((1 << 20) + 8 * size * elementBytes);
  const { kernels, doubles } = bench;
  const plan = {
    size,
    inverseFactors: bench.take(factorBytes(size)),
    cosetFactors: bench.take(factorBytes(size)),
  };
  const maker = { kernels, doubles, scratch: bench.take(transformScratchBytes) };
  for (const table of ["inverse", "coset"] as const) writeFactors(maker, plan, table);
  return { bench, plan, maker };
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
    const { bench, plan, maker } = makeTransform(size);
    const power = Math.log2(size);
    const [root, shift] = [rootOfUnity(power), rootOfUnity(power + 1)];
    const polynomials = [scalarsFrom(size, size), [...scalarsFrom(size + 1, size - 1), r - 1n]];
    const vectors = polynomials.map((polynomial) =>
      putVector(
        bench,
        polynomial.map((_, i) => evaluate(polynomial, powMod(root, BigInt(i), r))),
      ),
    );
    for (const _ of moveToCoset(maker, plan, vectors, 0, 1));
    for (const [k, polynomial] of polynomials.entries()) {
      for (let i = 0; i < size; i++) {
        const x = (shift * powMod(root, BigInt(i), r)) % r;
        const moved = decodeElement(vectorElement(bench, vectors[k]!, i), scalarField);
        expect(moved, `value ${i}`).toBe((evaluate(polynomial, x) * BigInt(size)) % r);
      }
    }
  });

  test.each([1, 3])("does so too where the vectors are larger than a block, on %i threads", (threadCount) => {
    const size = 1 << 15;
    const { bench, plan, maker } = makeTransform(size);
    const [root, shift] = [rootOfUnity(15), rootOfUnity(16)];
    const polynomials = [scalarsFrom(9, 3), scalarsFrom(10, 3)];
    const vectors = polynomials.map((polynomial) => {
      let x = 1n;
      const values = Array.from({ length: size }, () => {
        const value = evaluate(polynomial, x);
        x = (x * root) % r;
        return value;
      });
      return putVector(bench, values);
    });
    const threads = Array.from({ length: threadCount }, (_, thread) =>
      moveToCoset(
        { ...maker, scratch: bench.take(transformScratchBytes) },
        plan,
        vectors,
        thread,
        threadCount,
      ),
    );
    while (threads.map((thread) => thread.next().done).every((isDone) => isDone !== true));
    for (const i of [0, 1, 2, 1023, 1024, 8191, 8192, 10923, size - 1]) {
      const at = (shift * powMod(root, BigInt(i), r)) % r;
      for (const [k, polynomial] of polynomials.entries()) {
        const moved = decodeElement(vectorElement(bench, vectors[k]!, i), scalarField);
        expect(moved, `value ${i}`).toBe((evaluate(polynomial, at) * BigInt(size)) % r);
      }
    }
  });
});
