import { describe, expect, it } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import { nearDuplicates } from "./near-duplicates.ts";
import { fieldRanges, idFields } from "./similar-tables.ts";

const LABELS = 3;
const random = new SeededRandom("animals");
/** About normal, with mean 0 and deviation 1. */
const spread = () =>
  Array.from({ length: 12 }, () => random.nextBelow(1_000) / 1_000).reduce((a, b) => a + b, -6);
/** Animals of three kinds with four measures, like penguins. */
const honest = Array.from({ length: 300 }, (_, i) => ({
  label: i % LABELS,
  values: [40 + 5 * (i % LABELS) + 3 * spread(), 17 + spread(), 200 + 8 * spread(), 4_000 + 500 * spread()],
}));
const compared = (rows: readonly { label: number; values: (number | string | null)[] }[], version?: 1) =>
  nearDuplicates({
    kind: "table",
    rows: rows.map(({ values }) => values),
    labels: rows.map(({ label }) => label),
    ...(version !== undefined && { version }),
  });
const like = (numbers: (label: number) => number[]) =>
  Array.from({ length: LABELS }, (_, label) => ({ label, values: numbers(label) }));

describe("rows of a table", () => {
  it.each([
    ["huge numbers", like((label) => [999_999 + label, 999_999, 999_999, 999_999])],
    ["a sentinel", like(() => [-9_999, -9_999, -9_999, -9_999])],
    ["one row of 1e12", like(() => [1e12, 1e12, 1e12, 1e12]).slice(0, 1)],
    ["five of a hundred", [0, 1, 2, 3, 4].flatMap((k) => like(() => [10 ** (6 + k), 9e9 - k, 8e9, 7e9]))],
  ])("are near none because a stranger brings %s", (_, strange) => {
    for (const rows of [
      [...strange, ...honest],
      [...honest, ...strange],
    ]) {
      const isHonest = new Set(honest.map(({ values }) => values as unknown));
      const found = compared(rows).filter(({ later }) => isHonest.has(rows[later]!.values));
      expect(found).toEqual([]);
    }
  });

  it("are compared as before where a recipe names no version", () => {
    const rows = [...like(() => [1e12, 1e12, 1e12, 1e12]), ...honest];
    expect(compared(rows, 1).length).toBeGreaterThan(250);
    expect(compared(honest, 1).length).toBeLessThanOrEqual(compared(honest).length);
  });

  it("are near where every number is moved by less than half a hundredth of its range", () => {
    const ranges = fieldRanges(
      honest.map(({ values }) => values),
      honest.filter(({ label }) => label === 0).map(({ values }) => values),
    );
    const moved = (part: number) => ({
      label: 0,
      values: honest[0]!.values.map((x, field) => x + part * ranges[field]!),
    });
    const at = honest.length;
    expect(compared([...honest, moved(0.004)])).toMatchObject([{ earlier: 0, later: at }]);
    expect(compared([...honest, moved(0.006)])).toEqual([]);
  });

  it("have the smallest difference as the range of a number that nearly all share, and survive few rows", () => {
    const mostly = Array.from({ length: 100 }, (_, i) => [i < 97 ? 5 : 5 + i, i]);
    expect(fieldRanges(mostly, mostly)).toEqual([97, 89]);
    const rare = [
      [1_000, 2],
      [1_001, 3],
    ];
    // The two rows' own range has no middle, so that of all rows counts.
    expect(fieldRanges([...mostly, ...rare], rare)[1]).toBeGreaterThan(80);
    expect(fieldRanges([[7, null]], [[7, null]])).toEqual([0, 0]);
    expect(fieldRanges([], [])).toEqual([]);
  });

  it("are copies under another number of the row or another name, unless a recipe compares as before", () => {
    const named = honest.map(({ label, values }, i) => ({ label, values: [i, `row ${i}`, ...values] }));
    const copies = named.slice(0, 20).map(({ label, values }, k) => ({
      label,
      values: [1_000 + 37 * k, `mine ${k}`, ...values.slice(2)],
    }));
    const rows = {
      rows: [...named, ...copies].map(({ values }) => values),
      labels: [...named, ...copies].map(({ label }) => label),
    };
    expect(nearDuplicates({ kind: "table", ...rows, version: 1 })).toEqual([]);
    expect(nearDuplicates({ kind: "table", ...rows })).toMatchObject(
      copies.map((_, k) => ({ later: honest.length + k, earlier: k })),
    );
    expect(idFields(rows.rows)).toEqual([true, true, false, false, false, false]);
    // Measured values of which many differ are no ids, nor are those of few rows.
    expect(idFields(honest.map(({ values }) => values.map((x) => 10 * Math.round(x / 10))))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(idFields(rows.rows.slice(0, 19)).includes(true)).toBe(false);
  });
});
