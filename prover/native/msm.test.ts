/** Compares sums of scalar * point of the native addon with another library. */
import { bn254 } from "@noble/curves/bn254.js";
import { describe, expect, test } from "vitest";
import {
  coordinatesG1,
  coordinatesG2,
  edgeValues,
  encodeG1,
  encodeG2,
  findAddon,
  type G1,
  type G2,
  joinNumbers,
  moduli,
  multiplyG1,
  multiplyG2,
  splitNumbers,
} from "../testing/oracle.fixtures.ts";

const { addon, paths } = findAddon();
const r = moduli.scalar;
const lambda = 4407920970296243842393367215006156084916469457145843978461n;

/** A point's place is its discrete logarithm, so that one multiplication is the whole oracle. */
function knownPoints<P extends { add(other: P): P }>(zero: P, base: P): P[] {
  const points = [zero];
  while (points.length < 700) points.push(points.at(-1)!.add(base));
  return points;
}

function randomScalars(count: number, seed: bigint): bigint[] {
  let state = seed;
  return Array.from({ length: count }, () => (state = (state * state + 3n) % r));
}

/** Multiples of the generator: every implementation is compared with the same. */
function once(multiply: (log: bigint) => bigint[]): (log: bigint) => bigint[] {
  const known = new Map<bigint, bigint[]>();
  return (log) => {
    const multiple = known.get(log) ?? multiply(log);
    known.set(log, multiple);
    return multiple;
  };
}

const groups = {
  G1: {
    isG2: false,
    encoded: knownPoints<G1>(bn254.G1.Point.ZERO, bn254.G1.Point.BASE).map(encodeG1),
    expected: once((log) => coordinatesG1(multiplyG1(bn254.G1.Point.BASE, log))),
  },
  G2: {
    isG2: true,
    encoded: knownPoints<G2>(bn254.G2.Point.ZERO, bn254.G2.Point.BASE).map(encodeG2),
    expected: once((log) => coordinatesG2(multiplyG2(bn254.G2.Point.BASE, log))),
  },
};

describe.skipIf(addon === null)("multi-scalar multiplication", () => {
  for (const path of paths) {
    for (const [name, group] of Object.entries(groups)) {
      const check = (indexes: number[], scalars: bigint[], label: string) => {
        const points = Buffer.concat(indexes.map((i) => group.encoded[i]!));
        const log = indexes.reduce((sum, i, k) => (sum + BigInt(i) * scalars[k]!) % r, 0n);
        // At once, and in up to seven pieces: pieces of a few points, too, whose buckets meet again.
        for (const pieceSize of indexes.length === 1
          ? [0]
          : [0, Math.max(5, Math.ceil(indexes.length / 7))]) {
          const sum = addon!.multiplyPoints(path, group.isG2, points, joinNumbers(scalars), 2, pieceSize);
          expect(splitNumbers(sum), `${label}, pieces of ${pieceSize}`).toEqual(group.expected(log));
        }
      };
      const firstPoints = (count: number) => Array.from({ length: count }, (_, i) => i);

      test(`${path}, ${name}: random scalars, from no point to hundreds, infinity among the points`, () => {
        for (const count of [0, 1, 2, 3, 7, 8, 9, 17, 64, 300, 700])
          check(firstPoints(count), randomScalars(count, BigInt(count + 2)), `${count} points`);
      });

      test(`${path}, ${name}: edge scalars, each alone and all together`, () => {
        const edges = [...edgeValues(r), lambda, r - lambda, lambda + 1n, (1n << 24n) + 1n, (1n << 24n) - 1n];
        for (const scalar of edges) check([3], [scalar], `${scalar}`);
        check(
          edges.map((_, i) => i + 1),
          edges,
          "all",
        );
        check(
          edges.map(() => 5),
          edges,
          "all on one point",
        );
      });

      test(`${path}, ${name}: equal points and opposite points in one bucket`, () => {
        const same = Array.from({ length: 100 }, () => 7);
        for (const scalar of [1n, 12345n, r - 1n, randomScalars(2, 99n)[1]!]) {
          check(
            same,
            same.fill(7).map(() => scalar),
            `the same point 100 times, ${scalar}`,
          );
          const signs = Array.from({ length: 101 }, (_, i) => (i % 2 === 0 ? scalar : r - scalar));
          check(
            signs.map(() => 9),
            signs,
            `P - P + P ..., ${scalar}`,
          );
          check(
            signs.slice(1).map(() => 9),
            signs.slice(1),
            `P - P ... = 0, ${scalar}`,
          );
          // The same bucket gets P, P, -2P and more: infinity appears in the middle of a sum.
          const mixed = [1, 1, 2, 4, 5, 6, 7, 8, 3, 3, 6];
          check(
            mixed,
            mixed.map((i) => (i === 2 || i === 6 ? r - scalar : scalar)),
            `mixed, ${scalar}`,
          );
        }
      });

      test(`${path}, ${name}: scalars of all sorts at a few points or many`, () => {
        for (const [round, seed] of randomScalars(16, 77n).entries()) {
          const dice = randomScalars(1 + Number(seed % 400n), seed + 2n);
          const indexes = dice.map((die) => Number(die % (round % 2 === 0 ? 5n : 700n)));
          const scalars = dice.map((die) => {
            const small = (1n << 24n) - 1n - (die % 600_000n);
            return [die, die % 3n, small, r - small, dice[0]!, r - dice[0]!][Number((die >> 40n) % 6n)]!;
          });
          check(indexes, scalars, `round ${round}`);
        }
      });

      test(`${path}, ${name}: one bucket larger than a round of additions`, () => {
        const indexes = Array.from({ length: 20_000 }, (_, i) => i % 700);
        check(
          indexes,
          indexes.map((i) => (i % 3 === 0 ? 1n : i % 3 === 1 ? 0n : r - 1n)),
          "ones",
        );
      });
    }

    test(`${path}: several windows of many points on one or three threads`, () => {
      const indexes = Array.from({ length: 9000 }, (_, i) => i % 700);
      const scalars = randomScalars(9000, 5n);
      const points = Buffer.concat(indexes.map((i) => groups.G1.encoded[i]!));
      const log = indexes.reduce((sum, i, k) => (sum + BigInt(i) * scalars[k]!) % r, 0n);
      for (const threads of [1, 3])
        expect(
          splitNumbers(addon!.multiplyPoints(path, false, points, joinNumbers(scalars), threads, 0)),
        ).toEqual(groups.G1.expected(log));
    });
  }
});

describe.skipIf(addon === null)("split scalars", () => {
  test("the halves give the scalar back and are below 2^126", () => {
    const scalars = [...edgeValues(r), lambda, r - lambda, ...randomScalars(5000, 11n)];
    const words = splitNumbers(addon!.splitScalars(joinNumbers(scalars)));
    const isNegative = (word: bigint) => word >> 192n === 1n;
    const magnitude = (word: bigint) => word & ((1n << 192n) - 1n);
    for (const [i, scalar] of scalars.entries()) {
      const [k1, k2] = [words[2 * i]!, words[2 * i + 1]!].map((word) =>
        isNegative(word) ? -magnitude(word) : magnitude(word),
      ) as [bigint, bigint];
      expect((((k1 + lambda * k2 - scalar) % r) + r) % r, `${scalar}`).toBe(0n);
      for (const half of [k1, k2]) expect((half < 0n ? -half : half) >> 126n).toBe(0n);
    }
  });

  test("lambda is a cube root of 1", () => {
    expect((lambda * lambda + lambda + 1n) % r).toBe(0n);
  });
});
