import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { toMontgomery } from "../field/curve/eddsa-tables.ts";
import { type GeneratorName, generators } from "../field/curve/generators.ts";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { FIELD_ORDER, TAG } from "../protocol.ts";
import { columnsCommitment, commitColumns, featuresCommitment, sumColumns } from "./feature-commitment.ts";

beforeAll(initPoseidon);
const { Point } = babyjubjub;
const invalid = expect.objectContaining({ code: "CIR_FEATURES_INVALID" });

function noblePoint(name: GeneratorName, index: number) {
  const { Fp: field } = Point;
  const points = generators(name, index + 1);
  const [u, v] = [points.u[index]!, points.v[index]!];
  return Point.fromAffine({ x: field.div(u, v), y: field.div(u - 1n, u + 1n) });
}

describe("commitColumns", () => {
  // Few rows are added in five digits, more in two, many in one.
  test.each([
    [9, 5, 127, 10],
    [9, 5, 511, 10],
    [70, 2, 511, 1],
    [300, 1, 127, 1],
  ])("is H' plus the naive sum of up to %i rows, by noble", (maxRows, maxFeatures, maxEntry, tries) => {
    const sizes = fc.record({
      rowCount: fc.integer({ min: maxRows > 9 ? maxRows : 1, max: maxRows }),
      featureCount: fc.integer({ min: 1, max: maxFeatures }),
    });
    const entry = fc.oneof(
      fc.constantFrom(0, 1, -1, maxEntry, -maxEntry),
      fc.integer({ min: -maxEntry, max: maxEntry }),
    );
    const matrix = sizes.chain(({ rowCount, featureCount }) => {
      const length = rowCount * featureCount;
      return fc.record({
        rowCount: fc.constant(rowCount),
        featureCount: fc.constant(featureCount),
        entries: fc.array(entry, { minLength: length, maxLength: length }),
      });
    });
    fc.assert(
      fc.property(matrix, ({ rowCount, featureCount, entries }) => {
        const rows = generators("row", rowCount);
        const columns = sumColumns(Int16Array.from(entries), rows, { featureCount, maxEntry });
        for (let j = 0; j < featureCount; j++) {
          let sum = noblePoint("blind", 0);
          for (let k = 0; k < rowCount; k++) {
            const e = entries[k * featureCount + j]!;
            const term = noblePoint("row", k).multiplyUnsafe(BigInt(Math.abs(e)));
            sum = e < 0 ? sum.subtract(term) : sum.add(term);
          }
          expect({ u: columns.u[j], v: columns.v[j] }).toEqual(toMontgomery(sum));
        }
        if (maxEntry === 127)
          expect(commitColumns(Int8Array.from(entries), rowCount, featureCount)).toEqual(columns);
      }),
      { numRuns: runs(tries) },
    );
  });

  test("commits to a column of zeros with a point, H'", () => {
    const columns = commitColumns(new Int8Array(6), 3, 2);
    const blind = generators("blind", 1);
    expect(columns).toEqual({ u: [blind.u[0], blind.u[0]], v: [blind.v[0], blind.v[0]] });
  });

  test("tells how many rows are done", () => {
    const done: number[] = [];
    commitColumns(new Int8Array(9 * 4000).fill(1), 9, 4000, (rowsDone) => done.push(rowsDone));
    expect(done).toEqual([2, 4, 6, 8, 9]);
  });

  test("refuses -128 and sizes that do not fit", () => {
    expect(() => commitColumns(Int8Array.from([1, -128]), 1, 2)).toThrow(invalid);
    expect(() => commitColumns(new Int8Array(5), 2, 3)).toThrow(invalid);
    expect(() => commitColumns(new Int8Array(0), 0, 3)).toThrow(invalid);
    expect(() => commitColumns(new Int8Array(0), 3, 0)).toThrow(invalid);
  });
});

describe("featuresCommitment", () => {
  test("hashes the u, then the groups' sums of v with the first one's power highest", () => {
    const u = Array.from({ length: 70 }, (_, j) => BigInt(1000 + j));
    const v = Array.from({ length: 70 }, (_, j) => BigInt(9000 + j * j));
    let rho = 70n;
    for (let at = 0; at < 75; at += 15) {
      rho = hashTagged(TAG.features, [rho, ...Array.from({ length: 15 }, (_, i) => u[at + i] ?? 0n)]);
    }
    const sum = (values: bigint[]) => {
      let [total, factor] = [0n, 1n];
      for (const value of values.toReversed()) {
        total = (total + value * factor) % FIELD_ORDER;
        factor = (factor * rho) % FIELD_ORDER;
      }
      return total;
    };
    const sums = [sum(v.slice(0, 64)), sum(v.slice(64)), ...new Array<bigint>(13).fill(0n)];
    expect(columnsCommitment({ u, v })).toBe(hashTagged(TAG.features, [rho, ...sums]));
  });

  test("differs where a column is negated, replaced or moved", () => {
    const base = commitColumns(Int8Array.from([1, 2, 3, 4]), 2, 2);
    const [u0, u1] = base.u as [bigint, bigint];
    const [v0, v1] = base.v as [bigint, bigint];
    const others = [
      base,
      { u: [u0, u1], v: [FIELD_ORDER - v0, v1] },
      { u: [u0, u1], v: [FIELD_ORDER - v0, FIELD_ORDER - v1] },
      { u: [u1, u0], v: [v1, v0] },
      { u: [u0], v: [v0] },
      { u: [u0, u0], v: [v0, v0] },
    ];
    expect(new Set(others.map(columnsCommitment)).size).toBe(others.length);
    // And the whole commitment where what answers a prompt differs.
    expect(featuresCommitment(columnsCommitment(base), 1n)).toBe(
      hashTagged(TAG.features, [columnsCommitment(base), 1n]),
    );
    expect(featuresCommitment(columnsCommitment(base), 1n)).not.toBe(
      featuresCommitment(columnsCommitment(base), 2n),
    );
  });
});
