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
export type AttackName = keyof typeof ATTACKS;

/** A contributor whose rows are like others'. */
export const HONEST_PLAN = derivedPlan("honest", { from: "own" });

/** Further plans of texts: an attack more, texts that say nothing, and a contributor whose rows are good. */
export const FURTHER_TEXT_PLANS: readonly AttackPlan[] = [
  HONEST_PLAN,
  derivedPlan("white box, dearest", { from: "dearest", changed: 0.3, by: "white-box" }),
  { name: "no words", texts: [".", ".-", ".--"], derived: null },
  derivedPlan("quality", { from: "best" }),
];

const madePlan = (name: string, make: NonNullable<AttackPlan["make"]>, isPerOwnRow = false): AttackPlan => ({
  name,
  texts: [],
  derived: null,
  make,
  isPerOwnRow,
});

const shuffledParts = ({ random }: AttackMaterial, parts: readonly string[]): string[] =>
  Array.from(random.permutation(parts.length), (i) => parts[i]!);

/** Words of a piece, one more than the fewest that a text with a label may have. */
const PIECE_WORDS = 9;

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
    async ({ own, source }) =>
      own.flatMap(({ input, label }) => {
        const words = source.partsOf(input);
        return Array.from({ length: Math.max(1, Math.floor(words.length / PIECE_WORDS)) }, (_, k) => ({
          label,
          input: source.joined(words.slice(k * PIECE_WORDS, (k + 1) * PIECE_WORDS)),
        }));
      }),
    true,
  ),
];

/** Sides of a square of pixels whose sum a pattern keeps. */
const CELL = 2;

/** Attacks on pictures of that review. @param side of the pictures, in pixels */
export const reviewedPicturePlans = (side: number): readonly AttackPlan[] => [
  madePlan("dearest, chequered", async ({ dearest, source }) =>
    (await dearest()).map(({ input, label }) => {
      const levels = source.partsOf(input).map(Number);
      const chequered = levels.slice();
      for (let y = 0; y < side; y += CELL)
        for (let x = 0; x < side; x += CELL) {
          const cell = [y * side + x, (y + 1) * side + x + 1, y * side + x + 1, (y + 1) * side + x];
          const sum = cell.reduce((total, at) => total + levels[at]!, 0);
          const high = Math.min(255, Math.floor(sum / 2));
          const rest = sum - 2 * high;
          for (const [i, value] of [high, high, rest >> 1, rest - (rest >> 1)].entries())
            chequered[cell[i]!] = value;
        }
      return { label, input: source.joined(chequered.map(String)) };
    }),
  ),
];

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
];
