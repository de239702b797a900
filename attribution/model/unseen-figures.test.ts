import { describe, expect, it } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import { encodeTableRow } from "../rows/table-rows.ts";
import { honestFolds } from "./honest-folds.ts";
import { majorityOf, plainBaseline } from "./plain-baseline.ts";
import { plainFigures } from "./unseen-figures.ts";
import { unseenShares, wilson } from "./unseen-shares.ts";

const textOf = (text: string) => new TextEncoder().encode(text);
const TEXTS = { kind: "text", fields: [] } as const;

describe("folds of unseen rows", () => {
  const random = new SeededRandom("folds");
  const words = (count: number) =>
    Array.from({ length: count }, () => `w${random.nextBelow(10_000)}`).join(" ");
  const rows = Array.from({ length: 40 }, (_, i) => ({
    content: textOf(words(12)),
    label: i % 4 === 0 ? "rare" : "usual",
    contributorId: 5 + (i % 3),
  }));

  it("have each label in each fold, and near copies in one", async () => {
    const copies = rows
      .slice(0, 8)
      .map((row) => ({ ...row, content: textOf(`${Buffer.from(row.content)} more`) }));
    const found = await honestFolds([...rows, ...copies], { shape: TEXTS, foldCount: 4, seed: "one" });
    expect(found.copyCount).toBe(8);
    expect(found.isByContributor).toBe(false);
    for (let i = 0; i < 8; i++) expect(found.folds[40 + i]).toBe(found.folds[i]);
    for (let fold = 0; fold < 4; fold++) {
      const own = [...rows, ...copies].filter((_, i) => found.folds[i] === fold);
      expect(own.length).toBeGreaterThan(10);
      expect(own.length).toBeLessThan(14);
      expect(own.filter(({ label }) => label === "rare").length).toBeGreaterThan(1);
    }
    expect(await honestFolds([...rows, ...copies], { shape: TEXTS, foldCount: 4, seed: "one" })).toEqual(
      found,
    );
  });

  it("have a contributor's rows in one, where enough people contributed", async () => {
    const many = rows.map((row, i) => ({ ...row, contributorId: 5 + (i % 10) }));
    const found = await honestFolds(many, { shape: TEXTS, foldCount: 5, seed: "one" });
    expect(found.isByContributor).toBe(true);
    for (const [i, { contributorId }] of many.entries())
      for (const [k, other] of many.entries())
        if (other.contributorId === contributorId) expect(found.folds[k]).toBe(found.folds[i]);
    expect(new Set(found.folds).size).toBe(5);
    // One who has most rows would leave the others' folds without them.
    const most = rows.map((row, i) => ({ ...row, contributorId: i < 20 ? 5 : 6 + (i % 10) }));
    expect((await honestFolds(most, { shape: TEXTS, foldCount: 5, seed: "one" })).isByContributor).toBe(
      false,
    );
  });
});

describe("plain baselines", () => {
  it("label words, numbers and categories that tell", async () => {
    const texts = Array.from({ length: 40 }, (_, i) =>
      textOf(`${i % 2 === 0 ? "refund my money" : "sail the boat"} number ${i}`),
    );
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2);
    const [train, test] = [
      Int32Array.from({ length: 30 }, (_, i) => i),
      Int32Array.from({ length: 10 }, (_, i) => 30 + i),
    ];
    const byWords = await plainBaseline({ kind: "text" }, texts, labels, 2);
    expect([...byWords.label(train, test)]).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    const fields = [
      { name: "size", type: "number" },
      { name: "kind", type: "category" },
      { name: "told", type: "category" },
    ] as const;
    const rowOf = (i: number) =>
      encodeTableRow(fields, [i % 2 === 0 ? 10 + i / 100 : null, i % 3 === 0 ? "a" : "b", `${i % 2}`]);
    const tables = Array.from({ length: 40 }, (_, i) => rowOf(i));
    const byNumbers = await plainBaseline({ kind: "table", fields, leftOut: ["told"] }, tables, labels, 2);
    expect([...byNumbers.label(train, test)]).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    // Without the size nothing tells: a field that is no input is none here, too.
    const ignored = fields.map((field) =>
      field.name === "kind" ? field : { ...field, ignored: true as const },
    );
    const byKind = await plainBaseline({ kind: "table", fields: ignored }, tables, labels, 2);
    const right = [...byKind.label(train, test)].filter((label, k) => label === labels[30 + k]).length;
    expect(right).toBeLessThan(8);
    expect(majorityOf(Int32Array.of(0, 1, 1, 2), [0, 1, 2, 3], 3)).toBe(1);
  });

  it("stand on the rows and folds of a figure, and know nothing of rows without common words", async () => {
    const labels = Int32Array.from({ length: 40 }, (_, i) => (i < 30 ? 0 : 1));
    const contents = Array.from({ length: 40 }, (_, i) => textOf(`w${i}a v${i}b`));
    const folds = Int32Array.from({ length: 40 }, (_, i) => i % 4);
    const isJudged = new Uint8Array(40).fill(1);
    const figures = await plainFigures({ kind: "text" }, contents, {
      ...{ labels, folds, isJudged },
      classCount: 2,
      foldCount: 4,
    });
    expect(figures).toEqual({
      logistic: 0.75,
      logisticCount: 30,
      majorityCount: 30,
      logisticMacroRecall: 0.5,
      majority: 0.75,
    });
  });
});

describe("shares of unseen rows", () => {
  it("have recalls by label, and Wilson's interval", () => {
    const shares = unseenShares([
      [8, 2, 0],
      [1, 1, 0],
      [0, 0, 0],
    ])!;
    expect(shares).toMatchObject({ accuracy: 0.75, recalls: [0.8, 0.5, null], macroRecall: 0.65 });
    expect(shares.majority).toBeCloseTo(10 / 12, 12);
    // Values of R's binom.wilson(9, 12).
    expect(shares.interval[0]).toBeCloseTo(0.4677, 4);
    expect(shares.interval[1]).toBeCloseTo(0.9111, 4);
    expect(wilson(1, 10)).toEqual([expect.closeTo(0.7225, 4), expect.closeTo(1, 12)]);
    expect(unseenShares([[0]])).toBeNull();
  });
});
