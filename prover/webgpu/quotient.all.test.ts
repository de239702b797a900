import { powMod } from "@openledger/foundation/modular";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rootOfUnity, scalarModulus } from "../formats/bn254-numbers.ts";
import {
  numbersFrom,
  openTestDevice,
  putIntegers,
  putWords,
  runAndRead,
} from "../testing/webgpu.fixtures.ts";
import { wordsOf } from "./field-shader.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { makeQuotient, sortTerms } from "./quotient.ts";
import { segmentTerms } from "./quotient-kernels.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await openTestDevice();
});
afterAll(() => gpu.close());

const r = scalarModulus;
const wireCount = 20;

interface Entry {
  matrix: 0 | 1;
  row: number;
  wire: number;
  value: bigint;
}

/** Rows of no, few and many terms, their entries in no order. */
function makeEntries(size: number): Entry[] {
  const entries: Entry[] = [];
  for (let row = 0; row < size; row++) {
    for (const matrix of [0, 1] as const) {
      const termCount = row === 1 ? 2 * segmentTerms + 1 : row % 4;
      for (let k = 0; k < termCount; k++)
        entries.push({ matrix, row, wire: (7 * row + k) % wireCount, value: 0n });
    }
  }
  const values = numbersFrom(size, entries.length);
  const shuffled = entries.map((entry, i) => ({ ...entry, value: values[i]! }));
  return shuffled.toSorted((a, b) => (a.value % 1009n < b.value % 1009n ? -1 : 1));
}

/** Values on the roots of unity to coefficients, as the definition has it. */
function interpolate(values: readonly bigint[], root: bigint): bigint[] {
  const size = values.length;
  const powers = [1n];
  while (powers.length < size) powers.push((powers.at(-1)! * root) % r);
  const inverse = powMod(BigInt(size), r - 2n, r);
  return values.map((_, k) => {
    const sum = values.reduce(
      (total, value, i) => total + value * powers[(size - ((k * i) % size)) % size]!,
      0n,
    );
    return ((sum % r) * inverse) % r;
  });
}

function evaluate(coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight((value, coefficient) => (value * x + coefficient) % r, 0n);
}

describe("makeQuotient", () => {
  test.each([1, 2, 3, 4, 6, 7])("A B - C on the odd coset, 2^%i rows", async (power) => {
    const size = 2 ** power;
    const entries = makeEntries(size);
    const wires = numbersFrom(11, wireCount);
    const montgomery = (value: bigint) => wordsOf((value * (1n << 512n)) % r);
    const coefficients = putWords(
      gpu,
      entries.flatMap(({ matrix, row, wire, value }) => [matrix, row, wire, ...montgomery(value)]),
    );
    const scalars = putIntegers(gpu, [...wires, ...wires, ...Array<bigint>(size).fill(1n)]);
    const quotient = await makeQuotient(gpu, "compact", {
      domainSize: size,
      coefficients,
      coefficientCount: entries.length,
      places: {
        matrices: Uint8Array.from(entries, ({ matrix }) => matrix),
        rows: Uint32Array.from(entries, ({ row }) => row),
      },
      scalars,
      firstScalar: 2 * wireCount,
    });
    const found = await runAndRead(gpu, quotient.commands, scalars);
    expect(found.slice(0, 2 * wireCount), "the witness stays").toEqual([...wires, ...wires]);

    const rows = [0, 1].map((target) => {
      const values = Array<bigint>(size).fill(0n);
      for (const { matrix, row, wire, value } of entries)
        if (matrix === target) values[row] = (values[row]! + value * wires[wire]!) % r;
      return values;
    });
    const [root, shift] = [rootOfUnity(power), rootOfUnity(power + 1)];
    const [a, b, c] = [rows[0]!, rows[1]!, rows[0]!.map((value, i) => (value * rows[1]![i]!) % r)].map(
      (values) => interpolate(values, root),
    ) as [bigint[], bigint[], bigint[]];
    for (let i = 0; i < size; i++) {
      const x = (shift * powMod(root, BigInt(i), r)) % r;
      const expected = (evaluate(a, x) * evaluate(b, x) - evaluate(c, x) + r * r) % r;
      expect(found[2 * wireCount + i], `value ${i}`).toBe(expected);
    }
    gpu.free([coefficients, scalars, ...quotient.buffers]);
  });
});

describe("sortTerms", () => {
  test("cuts rows into segments of a bounded length, and keeps every entry in its row", () => {
    const size = 8;
    const entries = makeEntries(size);
    const matrices = Uint8Array.from(entries, ({ matrix }) => matrix);
    const rows = Uint32Array.from(entries, ({ row }) => row);
    const { segmentStarts, rowStarts, terms } = sortTerms({ matrices, rows }, size);
    expect([...terms].toSorted((a, b) => a - b)).toEqual(entries.map((_, i) => i));
    for (let row = 0; row < 2 * size; row++) {
      for (let k = rowStarts[row]!; k < rowStarts[row + 1]!; k++) {
        const [begin, end] = [segmentStarts[k]!, segmentStarts[k + 1]!];
        expect(end - begin).toBeGreaterThan(0);
        expect(end - begin).toBeLessThanOrEqual(segmentTerms);
        for (const term of terms.subarray(begin, end)) expect(matrices[term]! * size + rows[term]!).toBe(row);
      }
    }
    expect(rowStarts[2 * size]).toBe(segmentStarts.length - 1);
  });
});
