import { describe, expect, it } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import { contentOf, type LabelledInput } from "../rows/row-content.ts";
import { irisSource } from "../testing/iris-flowers.ts";
import { type CheckedCommit, checkDatanet } from "./datanet-check.ts";
import { refusedCommits, tailOf } from "./refused-commits.ts";

const LABELS = 8;
const CLASSES = Array.from({ length: LABELS }, (_, label) => `label ${label}`);
const shuffled = <Value>(all: readonly Value[], seed: string): Value[] => {
  const order = new SeededRandom(seed).permutation(all.length);
  return Array.from(order, (i) => all[i]!);
};
const random = new SeededRandom("texts");
/** Texts of 16 words, of which each is one of the label's own with the probability 1 / 6: some 60 of 100 are sorted rightly. */
const texts = Array.from({ length: 330 }, (_, i): LabelledInput => {
  const label = i % LABELS;
  const word = () =>
    random.nextBelow(6) === 0 ? `own${label}x${random.nextBelow(6)}` : `common${random.nextBelow(80)}`;
  return { label, input: Array.from({ length: 16 }, word).join(" ") };
});
const mixed = shuffled(texts, "order");
const inParts = <Value>(all: readonly Value[], size: number): Value[][] =>
  Array.from({ length: Math.floor(all.length / size) }, (_, k) => all.slice(k * size, (k + 1) * size));
const nextLabel = (labelCount: number) => (row: LabelledInput) => ({
  ...row,
  label: (row.label + 1) % labelCount,
});

/** Checks commits, each of a contributor of its own. */
function checked(
  commits: readonly (readonly LabelledInput[])[],
  {
    classes,
    fields = [],
    kind,
  }: Partial<ReturnType<typeof irisSource>> & Pick<ReturnType<typeof irisSource>, "classes" | "kind">,
) {
  return checkDatanet(
    commits.map((rows, k) => ({
      contributorId: 5 + k,
      contents: rows.map(({ input }) => contentOf(kind, input)),
      labels: rows.map(({ label }) => classes[label]!),
    })),
    { kind, fields },
  );
}
const ofTexts = { classes: CLASSES, kind: "text" } as const;
const refusedOf = async (...given: Parameters<typeof checked>) =>
  (await checked(...given)).commits.flatMap(({ isRefused }, k) => (isRefused ? [k] : []));
/** Three quarters, by which commits were refused before. */
const wasRefused = ({ contradictedCount, rowCount }: CheckedCommit) => contradictedCount! > 0.75 * rowCount;

describe("a commit", () => {
  it("with right labels is not refused where the model is poor", async () => {
    let refusedBefore = 0;
    for (const from of [0, 100, 200]) {
      const { commits, contradicted } = await checked(inParts(mixed.slice(from, from + 100), 5), ofTexts);
      expect(contradicted.length).toBeGreaterThan(25);
      refusedBefore += commits.filter(wasRefused).length;
      expect(commits.filter(({ isRefused }) => isRefused)).toEqual([]);
    }
    expect(refusedBefore).toBeGreaterThan(1);
  });

  it("of one label, which few others have, is not refused", async () => {
    const ofLabel = CLASSES.map((_, label) => texts.filter((row) => row.label === label));
    const specialists = [
      ...ofLabel.map((rows) => rows.slice(0, 20)),
      ...ofLabel.map((rows) => rows.slice(20, 30)),
    ];
    const { commits } = await checked(specialists, ofTexts);
    expect(commits.filter(wasRefused).length).toBeGreaterThan(0);
    expect(commits.filter(({ isRefused }) => isRefused)).toEqual([]);
  });

  it("with all labels flipped is refused, and no honest one with it", async () => {
    const honest = inParts(mixed.slice(0, 285), 15);
    const flipped = mixed.slice(285, 315).map(nextLabel(LABELS));
    expect(await refusedOf([...honest, flipped], ofTexts)).toEqual([honest.length]);
  });

  it.each(["1", "2", "3", "4", "5"])(
    "of a table with 7 of 10 labels flipped is refused (seed %s)",
    async (seed) => {
      const source = irisSource();
      const rows = shuffled(source.rows, seed);
      const honest = inParts(rows.slice(0, 120), 10);
      const flip = nextLabel(source.classes.length);
      const flipped = rows.slice(120, 130).map((row, k) => (k < 7 ? flip(row) : row));
      expect(await refusedOf([...honest, flipped], source)).toEqual([honest.length]);
      expect(await refusedOf([...honest, rows.slice(120, 130)], source)).toEqual([]);
    },
  );
});

describe("the test", () => {
  it("has the binomial's tail, and that of labels with rates of their own", () => {
    expect(tailOf(Array<number>(5).fill(0.5), 5)).toBe(1 / 32);
    expect(tailOf(Array<number>(10).fill(0.1), 7)).toBeCloseTo(0.000_009_1216, 9);
    expect(tailOf([0.2, 0.5], 1)).toBeCloseTo(0.6, 12);
    expect(tailOf([0.2, 0.5], 0)).toBeCloseTo(1, 12);
    expect(tailOf([0, 1], 2)).toBe(0);
    expect(tailOf(Array<number>(20_000).fill(0.5), 10_000)).toBeCloseTo(0.5, 1);
    expect(tailOf(Array<number>(20_000).fill(0.5), 12_000)).toBeLessThan(1e-30);
  });

  it("refuses none where none is judged, counts commits, and asks for most labels", () => {
    expect(refusedCommits([], 3)).toEqual([false, false, false]);
    const judged = (commit: number, count: number, contradicted: number) =>
      Array.from({ length: count }, (_, i) => ({ commit, label: "a", isContradicted: i < contradicted }));
    // 4 of 4, of others' rows 12.5 of 51: 0.25^4 = 0.0036, below 0.01 ÷ 2, above 0.01 ÷ 3.
    const few = [...judged(0, 50, 12), ...judged(1, 4, 4)];
    expect(refusedCommits(few, 2)).toEqual([false, true]);
    expect(refusedCommits([...few, ...judged(2, 50, 13)], 3)).toEqual([false, false, false]);
    // Others have fewer of this label than the commit: 21 of 24 are usual.
    expect(refusedCommits([...judged(0, 4, 1), ...judged(1, 20, 20)], 2)).toEqual([false, false]);
    // Unlikely, but most labels are confirmed.
    expect(refusedCommits([...judged(0, 1_000, 100), ...judged(1, 200, 80)], 2)).toEqual([false, false]);
  });
});
