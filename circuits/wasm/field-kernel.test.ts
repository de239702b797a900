import { i32, type Local, WasmModuleBuilder } from "@openledger/foundation/wasm/assembler";
import { enableRelaxedSimd, WebAssembly } from "@openledger/foundation/wasm/relaxed-simd";
import { describe, expect, test } from "vitest";
import { scalarsFrom } from "../testing/sample-scalars.ts";
import { half } from "./column-sum.ts";
import { FieldKernel, type LimbValue, storedMax } from "./field-kernel.ts";
import {
  baseField,
  ConstantPool,
  elementBytes,
  elementR,
  encodeElement,
  fromLimbs,
  type PrimeField,
  scalarField,
  toLimbs,
} from "./field-limbs.ts";

const pairBytes = 2 * elementBytes;
const constantsAt = 1024;
const operands = [0, 1, 2, 3].map((i) => 8192 + pairBytes * i);
const result = 16384;

interface Operation {
  apply: (kernel: FieldKernel, values: LimbValue[]) => LimbValue;
  expected: (values: bigint[]) => bigint;
  /** The result is the expected value over R. */
  isProduct?: boolean;
}

/** Indices of operands, two at a time. */
const pairsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => [i % 4, (i + (i >> 2)) % 4] as const);

const operations: Record<string, Operation> = {
  mul: { apply: (k, [a, b]) => k.mul(a!, b!), expected: ([a, b]) => a! * b!, isProduct: true },
  square: { apply: (k, [a]) => k.square(a!), expected: ([a]) => a! * a!, isProduct: true },
  sumOfSquares: {
    apply: (k, [a, b]) => k.sumOfSquares([a!, b!]),
    expected: ([a, b]) => a! * a! + b! * b!,
    isProduct: true,
  },
  twoProducts: {
    apply: (k, [a, b, c, d]) =>
      k.sumOfProducts([
        { a: a!, b: b! },
        { a: c!, b: d!, isNegative: true },
      ]),
    expected: ([a, b, c, d]) => a! * b! - c! * d!,
    isProduct: true,
  },
  ...Object.fromEntries(
    [4, 5, 6, 7, 9, 12, 17].map((count) => [
      `${count}Products`,
      {
        apply: (k: FieldKernel, values: LimbValue[]) =>
          k.sumOfProducts(pairsOf(count).map(([i, j]) => ({ a: values[i]!, b: values[j]! }))),
        expected: (values: bigint[]) =>
          pairsOf(count).reduce((sum, [i, j]) => sum + values[i]! * values[j]!, 0n),
        isProduct: true,
      },
    ]),
  ),
  add: { apply: (k, [a, b]) => k.normalize(k.add(a!, b!)), expected: ([a, b]) => a! + b! },
  reducedSum: {
    apply: (k, [a, b, c]) => k.reduce(k.sub(k.sub(a!, b!), c!)),
    expected: ([a, b, c]) => a! - b! - c!,
  },
  mulOfSums: {
    apply: (k, [a, b, c, d]) => k.mul(k.normalize(k.add(a!, b!)), k.normalize(k.sub(c!, d!))),
    expected: ([a, b, c, d]) => (a! + b!) * (c! - d!),
    isProduct: true,
  },
};

/** Runs operations on limbs, in both lanes. */
function makeRunner(field: PrimeField) {
  const builder = new WasmModuleBuilder(65536);
  const constants = new ConstantPool(constantsAt);
  const maxima = new Map<string, LimbValue>();
  for (const [name, { apply }] of Object.entries(operations)) {
    builder.function(name, ["i32"], null, (f) => {
      const kernel = new FieldKernel(f, field, constants);
      const at = f.params[0] as Local;
      const value = apply(
        kernel,
        operands.map((_, i) => kernel.load(at.get, pairBytes * i)),
      );
      maxima.set(name, value);
      kernel.store(i32.const(result), value, 0, value.valueMax);
    });
  }
  enableRelaxedSimd();
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const module = new WebAssembly.Module(builder.build());
  const kernels = new WebAssembly.Instance(module, { env: { memory, scratch: 512 } }).exports;
  const doubles = new Float64Array(memory.buffer);
  doubles.set(constants.image, constantsAt / 8);
  return (name: string, lanes: readonly (readonly number[][])[]) => {
    for (const [lane, values] of lanes.entries()) {
      for (const [i, limbs] of values.entries()) {
        for (const [k, limb] of limbs.entries()) doubles[operands[i]! / 8 + 2 * k + lane] = limb;
      }
    }
    kernels[name]!(operands[0]!);
    return lanes.map((_, lane) => ({
      limbs: [0, 1, 2, 3, 4].map((k) => doubles[result / 8 + 2 * k + lane]!),
      bounds: maxima.get(name)!,
    }));
  };
}

describe.each([baseField, scalarField])("FieldKernel over $name", (field) => {
  const run = makeRunner(field);
  const { modulus } = field;

  /** Expects the value of every operation to be the bigints', modulo the prime, within its stated bounds. */
  function expectAll(lanes: [number[][], number[][]], label: string): void {
    for (const [name, { expected, isProduct = false }] of Object.entries(operations)) {
      for (const [lane, { limbs, bounds }] of run(name, lanes).entries()) {
        const values = lanes[lane]!.map(fromLimbs);
        const value = fromLimbs(limbs);
        const difference = (isProduct ? value * elementR : value) - expected(values);
        expect(difference % modulus, `${name}, ${label}`).toBe(0n);
        const magnitude = Number(value < 0n ? -value : value) / Number(modulus);
        expect(magnitude, `${name}, ${label}`).toBeLessThanOrEqual(bounds.valueMax);
        const above = limbs.findIndex((limb, i) => !(Math.abs(limb) <= bounds.limbMax[i]!));
        expect(above, `${name}, ${label}: the limb above its bound`).toBe(-1);
      }
    }
  }

  test("equals bigints on random residues", () => {
    const values = scalarsFrom(1, 800);
    for (let i = 0; i + 8 <= values.length; i += 8) {
      const limbs = values.slice(i, i + 8).map((value) => encodeElement(value, field));
      expectAll([limbs.slice(0, 4), limbs.slice(4)], `values from ${i}`);
    }
  });

  test("equals bigints on 0, 1, -1, halves of the modulus and its neighbours", () => {
    const half = modulus >> 1n;
    const edges = [
      0n,
      1n,
      -1n,
      2n,
      half,
      -half,
      half - 1n,
      1n << 252n,
      -(1n << 252n),
      (elementR % modulus) >> 1n,
    ];
    for (const [i, a] of edges.entries()) {
      for (const [j, b] of edges.entries()) {
        const c = edges[(i + j) % edges.length]!;
        expectAll([[a, b, c, a].map(toLimbs), [b, c, a, c].map(toLimbs)], `${a}, ${b}, ${c}`);
      }
    }
  });

  test("equals bigints where every limb is as large as a stored one may be", () => {
    const top = Math.floor((storedMax * Number(modulus)) / 2 ** 204) - 2;
    for (let signs = 0; signs < 32; signs++) {
      const limbs = (mask: number) =>
        Array.from({ length: 5 }, (_, i) => ((mask >> i) & 1 ? -1 : 1) * (i < 4 ? half + 8 : top));
      const all = [limbs(signs), limbs(~signs), limbs(signs ^ 21), limbs(signs ^ 10)];
      expectAll([all, [...all].reverse()], `signs ${signs}`);
    }
  });

  test("gives one form for each residue: the reduced zero has no limbs", () => {
    for (const value of [0n, modulus, -modulus, modulus >> 1n]) {
      const lane = [toLimbs(value >> 1n), toLimbs((value >> 1n) - value), toLimbs(0n), toLimbs(0n)];
      const [{ limbs }] = run("reducedSum", [lane, lane]) as unknown as [{ limbs: number[] }];
      if (value % modulus === 0n) expect(limbs.map(Math.abs)).toEqual([0, 0, 0, 0, 0]);
      else expect(limbs.some((limb) => limb !== 0)).toBe(true);
    }
  });

  test("does not generate a kernel whose sums could be inexact", () => {
    const f = new WasmModuleBuilder(1).function("overflow", [], null, () => {});
    const kernel = new FieldKernel(f, field, new ConstantPool(0));
    const value = kernel.load(i32.const(0));
    const large = kernel.add(kernel.add(value, value), kernel.add(value, value));
    expect(() => kernel.mul(large, large)).toThrow(RangeError);
    expect(() => kernel.store(i32.const(0), large)).toThrow(RangeError);
  });
});
