/**
 * Plans of rows that an attacker brings to a labelled Datanet: ready inputs, or rows derived from others'.
 * attack-factor.ts measures what each earns.
 */

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

export interface AttackPlan {
  readonly name: string;
  /** Texts brought unchanged, with the first label. */
  readonly texts: readonly string[];
  /** Derived rows, as many as one contributor has. */
  readonly derived: DerivedRows | null;
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
