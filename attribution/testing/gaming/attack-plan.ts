/**
 * Plans of rows that an attacker brings to a labelled Datanet: ready inputs, or rows derived from others'.
 * attack-factor.ts measures what each earns.
 */

import type { SeededRandom } from "../../maths/seeded-random.ts";
import type { LabelledInput } from "../../rows/row-content.ts";
import type { AttackSource } from "./attack-source.ts";

/** Rows derived from a pool of rows by replacing some of their parts: a text's words, a picture's pixels, a table's values. */
export interface DerivedRows {
  /**
   * Pool. own: rows that the attacker would bring honestly; dearest: other contributors' rows that earn
   * the most; best: the rows that would earn the most, of ten times as many that nobody has brought.
   */
  readonly from: "own" | "dearest" | "best";
  /** Part of them that are replaced, 0 … 1. */
  readonly changed: number;
  /**
   * Choice of the new ones. noise: at random; error: the model errs about the row; shadow: the row earns the most by
   * a model of the own rows; white-box: the row earns the most by the model of all rows.
   */
  readonly by: "noise" | "error" | "shadow" | "white-box";
}

/** Rows as bytes of their kind's parts, and what a plan may use to make its own. */
export interface AttackMaterial {
  /** Rows that the attacker would bring honestly. */
  readonly own: readonly LabelledInput[];
  /** Other contributors' rows, those that earn the most first, as many as the own ones. */
  dearest(): Promise<readonly LabelledInput[]>;
  /** Rows that nobody has brought. */
  readonly fresh: readonly LabelledInput[];
  /** First questions, which are frequent where the plan says so. */
  readonly frequent: readonly string[];
  /** Label that a model of the others' rows gives. */
  answerOf(input: string): Promise<number>;
  readonly random: SeededRandom;
  readonly source: AttackSource;
}

export interface AttackPlan {
  readonly name: string;
  /** Texts brought unchanged, with the first label. */
  readonly texts: readonly string[];
  /** Derived rows, as many as one contributor has. */
  readonly derived: DerivedRows | null;
  /** Makes the rows instead. */
  readonly make?: (material: AttackMaterial) => Promise<readonly LabelledInput[]>;
  /** True: the factor is of a row that the attacker would have brought honestly, not of a row brought. */
  readonly isPerOwnRow?: boolean;
  /** True: a few questions are asked so often that they are three of ten. */
  readonly hasFrequentQuestions?: boolean;
  /** True: the validator's check of labels refuses commits, too (model/datanet-check.ts). */
  readonly isChecked?: boolean;
}

const derivedPlan = (name: string, rows: Partial<DerivedRows> & Pick<DerivedRows, "from">): AttackPlan => ({
  name,
  texts: [],
  derived: { changed: 0, by: "noise", ...rows },
});

/** The attacks that the default model is measured by. */
export const ATTACKS = {
  copies: derivedPlan("copies", { from: "dearest", changed: 0.05 }),
  noise: derivedPlan("noise", { from: "dearest", changed: 0.3 }),
  shadow: derivedPlan("shadow", { from: "own", changed: 0.3, by: "shadow" }),
  outlier: derivedPlan("outlier", { from: "own", changed: 0.3, by: "error" }),
  whiteBox: derivedPlan("white box", { from: "own", changed: 0.3, by: "white-box" }),
} as const satisfies Record<string, AttackPlan>;

/** A contributor whose rows are like others'. */
export const HONEST_PLAN = derivedPlan("honest", { from: "own" });

/** Further plans of texts: an attack more, texts that say nothing, and a contributor whose rows are good. */
export const FURTHER_TEXT_PLANS: readonly AttackPlan[] = [
  HONEST_PLAN,
  derivedPlan("white box, dearest", { from: "dearest", changed: 0.3, by: "white-box" }),
  { name: "no words", texts: [".", ".-", ".--"], derived: null },
  derivedPlan("quality", { from: "best" }),
];

type PlanRule = "isPerOwnRow" | "hasFrequentQuestions" | "isChecked";

const madePlan = (
  name: string,
  make: NonNullable<AttackPlan["make"]>,
  ...rules: readonly PlanRule[]
): AttackPlan => ({
  name,
  texts: [],
  derived: null,
  make,
  ...Object.fromEntries(rules.map((rule) => [rule, true])),
});

const shuffledParts = ({ random }: AttackMaterial, parts: readonly string[]): string[] =>
  Array.from(random.permutation(parts.length), (i) => parts[i]!);

/** Rows made of the dearest one of others, as many as the own ones. */
const ofOneDearest = async (
  { dearest, own }: AttackMaterial,
  change: (row: LabelledInput, k: number) => string,
): Promise<LabelledInput[]> => {
  const [first] = await dearest();
  return own.map((_, k) => ({ label: first!.label, input: change(first!, k) }));
};

/** Words of a piece, one more than the fewest that a text with a label may have. */
const PIECE_WORDS = 9;
/** Words of longer pieces. */
const LONG_PIECE_WORDS = 20;

/** Pieces of so many words; a shorter text is one piece. */
const piecesOf = ({ own, source }: AttackMaterial, size: number): LabelledInput[] =>
  own.flatMap(({ input, label }) => {
    const words = source.partsOf(input);
    return Array.from({ length: Math.max(1, Math.floor(words.length / size)) }, (_, k) => ({
      label,
      input: source.joined(words.slice(k * size, (k + 1) * size)),
    }));
  });

const otherLabel = ({ random, source }: AttackMaterial, label: number): number =>
  (label + 1 + random.nextBelow(source.classes.length - 1)) % source.classes.length;

/** Part of the labels that are flipped so that the commit may pass the check. */
const FLIPPED = 0.7;

/** Attacks by labels of that review, on rows of any kind. */
export const REVIEWED_LABEL_PLANS: readonly AttackPlan[] = [
  madePlan(
    "labels flipped",
    async (material) => material.own.map((row) => ({ ...row, label: otherLabel(material, row.label) })),
    "isChecked",
  ),
  madePlan(
    "labels: 7 of 10 flipped",
    async (material) =>
      material.own.map((row, i) =>
        i < FLIPPED * material.own.length ? { ...row, label: otherLabel(material, row.label) } : row,
      ),
    "isChecked",
  ),
];

/** Attacks on texts of the review of November 2026. */
export const REVIEWED_TEXT_PLANS: readonly AttackPlan[] = [
  madePlan("dearest, words shuffled", async (material) =>
    (await material.dearest()).map(({ input, label }) => ({
      label,
      input: material.source.joined(shuffledParts(material, material.source.partsOf(input))),
    })),
  ),
  madePlan("dearest and 45 % invented words", async ({ dearest, source }) =>
    (await dearest()).map(({ input, label }, k) => {
      const words = source.partsOf(input);
      const invented = Array.from({ length: Math.ceil(0.45 * words.length) }, (_, j) => `zq${k}x${j}`);
      return { label, input: source.joined([...words, ...invented]) };
    }),
  ),
  madePlan(
    "own texts in pieces, by text",
    async (material) => piecesOf(material, PIECE_WORDS),
    "isPerOwnRow",
  ),
  madePlan(
    "own texts in long pieces, by text",
    async (material) => piecesOf(material, LONG_PIECE_WORDS),
    "isPerOwnRow",
  ),
  madePlan(
    "pieces that others agree with, by text",
    async (material) => {
      const agreed: LabelledInput[] = [];
      for (const row of piecesOf(material, PIECE_WORDS))
        if ((await material.answerOf(row.input)) === row.label) agreed.push(row);
      return agreed;
    },
    "isPerOwnRow",
  ),
  madePlan("one dearest, words shuffled", (material) =>
    ofOneDearest(material, ({ input }) =>
      material.source.joined(shuffledParts(material, material.source.partsOf(input))),
    ),
  ),
  madePlan("words of the vocabulary", async ({ own, random, source }) => {
    const words = own.flatMap(({ input }) => source.partsOf(input));
    return own.map(() => ({
      label: random.nextBelow(source.classes.length),
      input: source.joined(Array.from({ length: PIECE_WORDS }, () => words[random.nextBelow(words.length)]!)),
    }));
  }),
  madePlan("three texts of one label joined", async ({ fresh, own, random, source }) =>
    own.map(({ input, label }) => {
      const others = fresh.filter((row) => row.label === label);
      const more =
        others.length === 0 ? [] : [0, 1].map(() => others[random.nextBelow(others.length)]!.input);
      return { label, input: source.joined([input, ...more].flatMap((text) => source.partsOf(text))) };
    }),
  ),
  madePlan(
    "frequent questions, shuffled",
    async (material) => {
      const { answerOf, frequent, own, source } = material;
      const rows: LabelledInput[] = [];
      for (const k of own.keys()) {
        const question = frequent[k % frequent.length]!;
        const input = source.joined(shuffledParts(material, source.partsOf(question)));
        rows.push({ label: await answerOf(question), input });
      }
      return rows;
    },
    "hasFrequentQuestions",
  ),
];

/** Sides of a square of pixels whose sum a pattern keeps. */
const CELL = 2;

/** Attacks on pictures of that review. @param side of the pictures, in pixels */
export const reviewedPicturePlans = (side: number): readonly AttackPlan[] => [
  madePlan("dearest, chequered", async ({ dearest, source }) =>
    (await dearest()).map(({ input, label }) => ({ label, input: chequered(source, input, side) })),
  ),
  madePlan("dearest, faintly chequered", async ({ dearest, source }) =>
    (await dearest()).map(({ input, label }) => ({
      label,
      input: chequered(source, input, side, { contrast: FAINT }),
    })),
  ),
  madePlan("one dearest, chequered", (material) =>
    ofOneDearest(material, ({ input }) =>
      chequered(material.source, input, side, { random: material.random }),
    ),
  ),
  madePlan("dearest, mirrored", async ({ dearest, source }) =>
    (await dearest()).map(({ input, label }) => {
      const levels = source.partsOf(input);
      const mirrored = levels.map((_, k) => levels[side * Math.floor(k / side) + side - 1 - (k % side)]!);
      return { label, input: source.joined(mirrored) };
    }),
  ),
];

/** Grey levels that a faint pattern adds and takes. */
const FAINT = 70;

interface Pattern {
  /** Most that a pixel changes by; absent: two of the four have all that they can. */
  readonly contrast?: number;
  /** Draws which pixels of a cell are lighter; absent: a diagonal's. */
  readonly random?: SeededRandom;
}

/** The same picture with a pattern that keeps the sum of each square of `CELL` pixels. */
function chequered(
  source: AttackSource,
  input: string,
  side: number,
  { contrast, random }: Pattern = {},
): string {
  const levels = source.partsOf(input).map(Number);
  const changed = levels.slice();
  for (let y = 0; y < side; y += CELL)
    for (let x = 0; x < side; x += CELL) {
      const diagonal = [y * side + x, (y + 1) * side + x + 1, y * side + x + 1, (y + 1) * side + x];
      const cell =
        random === undefined
          ? diagonal
          : Array.from(random.permutation(diagonal.length), (k) => diagonal[k]!);
      const own = cell.map((at) => levels[at]!);
      const sum = own.reduce((total, level) => total + level, 0);
      const high = Math.min(255, Math.floor(sum / 2));
      const rest = sum - 2 * high;
      const step = Math.min(contrast ?? 0, ...own.map((level) => Math.min(level, 255 - level)));
      const values =
        contrast === undefined
          ? [high, high, rest >> 1, rest - (rest >> 1)]
          : own.map((level, i) => level + (i < 2 ? step : -step));
      for (const [i, at] of cell.entries()) changed[at] = values[i]!;
    }
  return source.joined(changed.map(String));
}

/** Part of a field's range that numbers are moved by: less than a near-duplicate's would be missed. */
const MOVED = 0.006;
const HUGE = 1e12;

/** Attacks on tables of that review. @param idField position of the field that numbers the rows */
export const reviewedTablePlans = (idField: number): readonly AttackPlan[] => [
  madePlan("dearest, other id", async ({ dearest, source }) =>
    (await dearest()).map(({ input, label }, k) => ({
      label,
      input: source.joined(
        source.partsOf(input).map((part, at) => (at === idField ? `${100_000 + 37 * k}` : part)),
      ),
    })),
  ),
  madePlan("one dearest, other ids", (material) =>
    ofOneDearest(material, ({ input }, k) =>
      material.source.joined(
        material.source.partsOf(input).map((part, at) => (at === idField ? `${100_000 + 37 * k}` : part)),
      ),
    ),
  ),
  madePlan("dearest, numbers moved", async (material) => {
    const { dearest, source } = material;
    const ranges = rangesOf(material);
    return (await dearest()).map(({ input, label }) => ({
      label,
      input: source.joined(
        source
          .partsOf(input)
          .map((part, at) =>
            at === idField || ranges[at]! === 0
              ? part
              : JSON.stringify(JSON.parse(part) + MOVED * ranges[at]!),
          ),
      ),
    }));
  }),
  madePlan("a row of huge numbers", async ({ own, source }) =>
    own.map((row, k) => ({
      ...row,
      input:
        k > 0
          ? row.input
          : source.joined(source.partsOf(row.input).map((part) => (isNumber(part) ? `${HUGE}` : part))),
    })),
  ),
];

const isNumber = (part: string): boolean => typeof JSON.parse(part) === "number";

/** Range of each field's numbers among all rows; 0 for other fields, and where a row has none. */
function rangesOf({ source }: AttackMaterial): number[] {
  const rows = source.rows.map(({ input }) => source.partsOf(input));
  return rows[0]!.map((_, at) => {
    if (!rows.every((parts) => isNumber(parts[at]!))) return 0;
    const values = rows.map((parts) => Number(parts[at]));
    return Math.max(...values) - Math.min(...values);
  });
}
