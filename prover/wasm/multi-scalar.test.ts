import { bn254 } from "@noble/curves/bn254.js";
import { scalarsFrom } from "@openledger/circuits/testing/sample-scalars";
import { baseField, decodeElement, elementBytes } from "@openledger/circuits/wasm/field-limbs";
import { describe, expect, test } from "vitest";
import { scalarModulus } from "../formats/bn254-numbers.ts";
import { Fences, makeKernelBench, zkeyCoordinate } from "../testing/kernels.fixtures.ts";
import { g1Shape, g2Shape, maxLeftOut } from "./kernels/curve-kernel.ts";
import { chooseWindows, WindowSummer, windowSumBytes } from "./multi-scalar.ts";
import { PointAdder } from "./point-adder.ts";

const r = scalarModulus;

/** Operations that the test needs of a point of either group. */
interface Point {
  add(other: Point): Point;
  double(): Point;
  negate(): Point;
  multiplyUnsafe(scalar: bigint): Point;
  equals(other: Point): boolean;
  is0(): boolean;
}

interface Group {
  name: string;
  shape: typeof g1Shape;
  zero: Point;
  base: Point;
  coordinates(point: Point): bigint[];
  point(coordinates: bigint[]): Point;
}

type G1Point = InstanceType<typeof bn254.G1.Point>;
type G2Point = InstanceType<typeof bn254.G2.Point>;
// Bases without a table, which costs the small multiples more than it saves the large ones.
const groups: Group[] = [
  {
    name: "G1",
    shape: g1Shape,
    zero: bn254.G1.Point.ZERO as unknown as Point,
    base: bn254.G1.Point.fromAffine(bn254.G1.Point.BASE.toAffine()) as unknown as Point,
    coordinates(point) {
      const { x, y } = (point as unknown as G1Point).toAffine();
      return [x, y];
    },
    point: ([x, y]) => bn254.G1.Point.fromAffine({ x: x!, y: y! }) as unknown as Point,
  },
  {
    name: "G2",
    shape: g2Shape,
    zero: bn254.G2.Point.ZERO as unknown as Point,
    base: bn254.G2.Point.fromAffine(bn254.G2.Point.BASE.toAffine()) as unknown as Point,
    coordinates(point) {
      const { x, y } = (point as unknown as G2Point).toAffine();
      return [x.c0, x.c1, y.c0, y.c1];
    },
    point: ([x0, x1, y0, y1]) =>
      bn254.G2.Point.fromAffine({ x: { c0: x0!, c1: x1! }, y: { c0: y0!, c1: y1! } }) as unknown as Point,
  },
];

const zkeyPoints = new WeakMap<Point, Uint8Array>();

/** Encodes a point in a zkey's form, in which infinity is all zeros. */
function zkeyPoint(group: Group, point: Point): Uint8Array {
  const known = zkeyPoints.get(point);
  if (known !== undefined) return known;
  const bytes = new Uint8Array(64 * group.shape.degree);
  zkeyPoints.set(point, bytes);
  if (point.is0()) return bytes;
  for (const [k, coordinate] of group.coordinates(point).entries())
    bytes.set(zkeyCoordinate(coordinate), 32 * k);
  return bytes;
}

/** The sum of scalars times points by the kernels, from a zkey's form of the points. */
function sumOfMultiples(group: Group, points: Point[], scalars: bigint[], windowBits?: number): Point {
  const { shape } = group;
  const count = points.length;
  const windows =
    windowBits === undefined
      ? chooseWindows(count)
      : { windowBits, windowCount: Math.ceil(127 / windowBits) };
  const bench = makeKernelBench(32 << 20);
  const { kernels, bytes, doubles, memory } = bench;
  const source = bench.take(count * 64 * shape.degree);
  for (const [i, point] of points.entries())
    bytes.set(zkeyPoint(group, point), source + 64 * shape.degree * i);
  const table = { points: bench.take(count * shape.keyPointBytes), indices: bench.take(4 * count), count: 0 };
  table.count = kernels[`${shape.name}ImportPoints`]!(source, count, table.points, table.indices, 0);
  expect(table.count).toBe(points.filter((point) => !point.is0()).length);
  const digits = bench.take(4 * count * windows.windowCount);
  const { windowCount } = windows;
  const integers = bench.putIntegers(scalars);
  kernels.splitDigits!(integers, count, windows.windowBits, windowCount, digits, 4 * count, 2 * count);
  const limits = { maxWindowBits: windows.windowBits, maxPointCount: count };
  const summer = new WindowSummer(kernels, memory, shape, limits, bench.take(windowSumBytes(shape, limits)));
  const read = (address: number) =>
    group.point(
      Array.from({ length: 2 * shape.degree }, (_, k) =>
        decodeElement(doubles.subarray(address / 8 + (k * elementBytes) / 8), baseField),
      ),
    );
  let total = group.zero;
  const byWindow = Array.from({ length: windowCount }, (_, window) =>
    [...summer.sumWindow([{ table, digits: { address: digits, scalarCount: count, windows } }], window)].map(
      (address) => (address === 0 ? group.zero : read(address)),
    ),
  );
  for (const partial of byWindow.reverse()) {
    for (let bit = windows.windowBits - 1; bit >= 0; bit--)
      total = total.double().add(partial[bit] ?? group.zero);
  }
  return total;
}

/** Multiples of the base that the points are. */
const multiples = new WeakMap<Point, bigint>();

function multipleOf(group: Group, multiple: bigint): Point {
  const rest = ((multiple % r) + r) % r;
  const point = rest === 0n ? group.zero : group.base.multiplyUnsafe(rest);
  multiples.set(point, rest);
  return point;
}

function negative(point: Point): Point {
  const negated = point.negate();
  multiples.set(negated, r - multiples.get(point)!);
  return negated;
}

/** Noble's sum, one multiple of the base. */
function naiveSum(group: Group, points: Point[], scalars: bigint[]): Point {
  return multipleOf(
    group,
    points.reduce((sum, point, i) => sum + scalars[i]! * (point.is0() ? 0n : multiples.get(point)!), 0n),
  );
}

describe.each(groups)("WindowSummer in $name", (group) => {
  const points = Array.from({ length: 40 }, (_, i) => multipleOf(group, BigInt(i * i + 7)));
  const cyclic = (values: bigint[]) => points.map((_, i) => values[i % values.length]!);
  const one = points[3]!;

  test.each<[string, Point[], bigint[], number?]>([
    ["full-size scalars", points, scalarsFrom(3, 40)],
    ["narrow windows", points, scalarsFrom(4, 40), 3],
    ["the scalars 0, 1, 2, r - 1 and small ones", points, cyclic([0n, 1n, r - 1n, 2n, 3n, r - 5n, 77n])],
    ["scalars that were not reduced", points, cyclic([r, r + 1n, 2n * r - 1n])],
    ["one point everywhere, in few buckets", points.map(() => one), cyclic([0n, 1n, r - 1n, 2n, 5n])],
    ["one point everywhere, in one bucket", points.map(() => one), cyclic([12345n]), 8],
    [
      "a point and its negative in one bucket",
      points.map((_, i) => (i & 1 ? negative(one) : one)),
      cyclic([9n]),
    ],
    ["points at infinity", points.map((point, i) => (i % 3 === 0 ? group.zero : point)), scalarsFrom(5, 40)],
    ["only points at infinity", points.map(() => group.zero), scalarsFrom(6, 40)],
    ["only the scalar 0", points, cyclic([0n])],
    ["a single point", [one], [r - 1n]],
  ])("agrees with noble on %s", (_name, bases, scalars, windowBits) => {
    const expected = naiveSum(group, bases, scalars);
    expect(sumOfMultiples(group, bases, scalars, windowBits).equals(expected)).toBe(true);
  });

  test("agrees where a bucket is larger than a chunk", () => {
    const many = Array.from({ length: 225 * points.length }, (_, i) => points[i % points.length]!);
    const sum = sumOfMultiples(group, many, Array<bigint>(many.length).fill(5n), 8);
    expect(sum.equals(naiveSum(group, points, cyclic([5n * 225n])))).toBe(true);
  });

  test.each([1, 2, maxLeftOut, maxLeftOut + 1])("agrees where %i neighbours have the same x", (sameX) => {
    const distinct = Array.from({ length: sameX + 101 }, (_, i) => multipleOf(group, BigInt(i + 99)));
    const all = distinct.flatMap((one, i) => (i >= sameX ? one : [one, i % 3 === 1 ? negative(one) : one]));
    const nines = all.map(() => 9n);
    expect(sumOfMultiples(group, all, nines, 8).equals(naiveSum(group, all, nines))).toBe(true);
  });
});

describe.each(groups)("PointAdder in $name", (group) => {
  const bench = makeKernelBench(1 << 20);
  const { kernels, memory } = bench;
  const makeAdder = (areaBytes: number) =>
    new PointAdder(kernels, memory.buffer, group.shape, bench.take(areaBytes), areaBytes);

  test("adds any two points, equal and opposite ones and infinity among them, as noble does", () => {
    const adder = makeAdder(64 << 10);
    const [p, q] = [7n, 1234567n].map((scalar) => group.base.multiplyUnsafe(scalar)) as [Point, Point];
    const known = [p, q, p.negate(), group.zero].map(
      (point) => [point, adder.read(zkeyPoint(group, point))] as const,
    );
    for (const [a, atA] of known) {
      for (const [b, atB] of known) {
        const sum = adder.add(atA, atB);
        const expected = a.add(b);
        expect(adder.coordinates(sum)).toEqual(
          expected.is0() ? group.coordinates(p).map(() => 0n) : group.coordinates(expected),
        );
        // Summand that a sum is added to again.
        expect(adder.coordinates(adder.add(sum, known[1]![1]))).toEqual(group.coordinates(expected.add(q)));
      }
    }
  });

  test.each([8 << 10, (8 << 10) + 128])("writes nothing outside of its area of %i bytes", (areaBytes) => {
    const fences = new Fences(bench.bytes);
    const area = fences.around(bench.take, areaBytes);
    const adder = new PointAdder(kernels, memory.buffer, group.shape, area, areaBytes);
    const point = adder.read(zkeyPoint(group, group.base));
    expect(() => {
      for (let sum = point; ; ) sum = adder.add(sum, point);
    }).toThrow("no room for more points");
    expect(() => adder.read(zkeyPoint(group, group.base))).toThrow("no room for more points");
    fences.expectIntact();
  });
});

test("chooses wider windows for more points", () => {
  expect(chooseWindows(100).windowBits).toBeLessThan(chooseWindows(100_000).windowBits);
  expect(chooseWindows(1 << 22).windowBits).toBeLessThanOrEqual(16); // digits have two bytes
});
