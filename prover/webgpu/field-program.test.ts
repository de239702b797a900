import { bn254 } from "@noble/curves/bn254.js";
import { describe, expect, test } from "vitest";
import { baseModulus } from "../formats/bn254-numbers.ts";
import { additionFormulas, type CurveShape, g1Curve, g2Curve } from "./curve-shader.ts";
import type { FieldProgram, Segment } from "./field-program.ts";
import { kernelR } from "./field-shader.ts";
import { pairFormulas } from "./pair-shader.ts";

const p = baseModulus;

interface Operation {
  result: number;
  operation: string;
  /** Two operands, or the four of two products. */
  operands: number[];
  isReduced: boolean;
}

/** Parses the card's shader text back into operations. */
function parse(statements: string): Operation[] {
  return statements.split("\n").map((line) => {
    const match = /^ *let v(\d+) = (FqReduce\()?Fq(\w+)\(((?:v\d+(?:, )?)+)\)\)?;$/.exec(line);
    if (match === null) throw new TypeError(`no statement: ${line}`);
    const [, result, reduce, operation, list] = match;
    const operands = list!.split(", ").map((value) => Number(value.slice(1)));
    return {
      result: Number(result),
      operation: operation === "Square" ? "Mul" : operation!,
      operands: operation === "Square" ? [...operands, ...operands] : operands,
      isReduced: reduce !== undefined,
    };
  });
}

function run(program: FieldProgram, segment: Segment, values: bigint[]): bigint[] {
  for (const { result, operation, operands } of parse(program.statements(segment))) {
    const [x, y, z = 0n, w = 0n] = operands.map((operand) => values[operand]!) as [bigint, bigint];
    const value = operation.startsWith("Mul")
      ? x * y + (operation === "MulSub" ? -z * w : z * w)
      : operation === "AddLazy"
        ? x + y
        : x - y;
    values[result] = ((value % p) + p) % p;
  }
  return segment.outputs.map((value) => values[value]!);
}

/**
 * Expects that no product's factors are too large, and that all that leaves a segment is below 2 p.
 *
 * @param bounds of the inputs, in thousandths of p, rounded up
 */
function expectBounded(program: FieldProgram, segments: readonly Segment[], bounds: bigint[]) {
  const roundUp = (numerator: bigint, denominator: bigint) => (numerator + denominator - 1n) / denominator;
  for (const segment of segments) {
    for (const { result, operation, operands, isReduced } of parse(program.statements(segment))) {
      const [x, y, z = 0n, w = 0n] = operands.map((operand) => bounds[operand]!) as [bigint, bigint];
      const label = `v${result}`;
      let bound: bigint;
      if (operation.startsWith("Mul")) {
        if (operation === "MulSub") expect(z, label).toBeLessThanOrEqual(4000n);
        const products = x * y + (operation === "MulSub" ? 4000n : z) * w;
        // The reduction leaves less than (1 + 2^-12) p beside the products.
        bound = 1001n + roundUp(products * p, 1000n * kernelR);
        expect(bound, label).toBeLessThanOrEqual(2000n);
      } else if (operation === "AddLazy") {
        bound = x + y;
      } else {
        const offset = operation === "SubLazy4" ? 4000n : 2000n;
        expect(y, label).toBeLessThanOrEqual(offset);
        bound = x + offset;
      }
      if (isReduced) {
        expect(bound, label).toBeLessThanOrEqual(4000n);
        bound = 2000n;
      }
      bounds[result] = bound;
    }
    for (const value of segment.outputs) expect(bounds[value]).toBeLessThanOrEqual(2000n);
  }
}

const shapes: { curve: CurveShape; type: "Point" | "Sum" }[] = [g1Curve, g2Curve].flatMap((curve) =>
  (["Point", "Sum"] as const).map((type) => ({ curve, type })),
);

describe.each(shapes)("additionFormulas, $curve.name plus $type", ({ curve, type }) => {
  const formulas = additionFormulas(curve, type);
  const { program, compare, add, double } = formulas;

  test("no product's factors are too large, and all that leaves a segment is below 2 p", () => {
    const inputs = Array.from({ length: program.inputCount }, () => 2000n);
    expectBounded(program, [compare, add, double], inputs);
  });

  test("the statements add and double as the group does", () => {
    const { Fp2 } = bn254.fields;
    const coordinates = (scalar: bigint): bigint[] => {
      if (curve.degree === 1) {
        const { x, y } = bn254.G1.Point.BASE.multiply(scalar).toAffine();
        return [x, y];
      }
      const { x, y } = bn254.G2.Point.BASE.multiply(scalar).toAffine();
      return [x.c0, x.c1, y.c0, y.c1];
    };
    const one = curve.degree === 1 ? [1n, 1n] : [1n, 0n, 1n, 0n];
    const toAffine = (sum: bigint[]): bigint[] => {
      const element = (i: number) =>
        curve.degree === 1
          ? Fp2.create({ c0: sum[i]!, c1: 0n })
          : Fp2.create({ c0: sum[2 * i]!, c1: sum[2 * i + 1]! });
      const [x, y, zz, zzz] = [0, 1, 2, 3].map(element);
      const affine = [Fp2.div(x!, zz!), Fp2.div(y!, zzz!)];
      return affine.flatMap(({ c0, c1 }) => (curve.degree === 1 ? [c0] : [c0, c1]));
    };
    const [left, right] = [coordinates(1234567n), coordinates(7654321n)];
    const doubled = [...left, ...one, ...(type === "Point" ? left : [...left, ...one])];
    const squares = run(program, compare, doubled);
    expect(squares.every((square) => square === 0n)).toBe(true);
    const double2 = run(program, double, doubled);
    expect(toAffine(double2)).toEqual(coordinates(2n * 1234567n));
    // The double's third coordinates are not 1: add to it.
    const values = [...double2, ...(type === "Point" ? right : [...right, ...one])];
    const differences = run(program, compare, values);
    expect(differences.slice(0, curve.degree).some((difference) => difference !== 0n)).toBe(true);
    expect(toAffine(run(program, add, values))).toEqual(coordinates(2n * 1234567n + 7654321n));
  });

  test("no register is taken again before its value's last use", () => {
    const segments = [compare, add, double];
    const { of, count } = program.registers(segments);
    expect(count).toBeLessThan(256);
    const lines = segments.flatMap((segment) => parse(program.statements(segment)));
    const kept = new Set(segments.flatMap(({ outputs }) => outputs));
    for (const [at, { result }] of lines.entries()) {
      for (let value = 0; value < result; value++) {
        const lastUse = lines.findLastIndex(({ operands }) => operands.includes(value));
        const isNeeded = value < program.inputCount || kept.has(value) || lastUse > at;
        if (isNeeded) expect(of(result), `v${result} over v${value}`).not.toBe(of(value));
      }
    }
  });
});

describe.each([g1Curve, g2Curve])("pairFormulas, $name", (curve) => {
  const { program, tangent, sum, inputs } = pairFormulas(curve);

  test("no product's factors are too large, and all that leaves a segment is below 2 p", () => {
    const bounds = Array.from({ length: program.inputCount }, () => 2000n);
    for (const value of [...inputs.difference, ...inputs.rise]) bounds[value] = 4000n;
    expectBounded(program, [tangent, sum], bounds);
  });
});
