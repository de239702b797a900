/**
 * Plans of rows that an attacker brings to a labelled Datanet: ready inputs, or rows derived from others'.
 * attack-factor.ts measures what each earns.
 */

/** Rows derived from a pool of rows by replacing some of their parts: a text's words, a picture's pixels. */
export interface DerivedRows {
  /**
   * Pool. own: rows that the attacker would bring honestly; dearest: other contributors' rows that earn
   * the most; best: the rows that would earn the most, of ten times as many that nobody has brought.
   */
  readonly from: "own" | "dearest" | "best";
  /** Number of rows. */
  readonly count: number;
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
  readonly derived: DerivedRows | null;
}

const derivedPlan = (name: string, rows: Partial<DerivedRows> & Pick<DerivedRows, "from">): AttackPlan => ({
  name,
  texts: [],
  derived: { count: 30, changed: 0, by: "noise", ...rows },
});

/** Plans that the default model is measured by: five attacks, and a contributor whose rows are good. */
export const STANDARD_PLANS = [
  derivedPlan("honest", { from: "own" }),
  derivedPlan("copies", { from: "dearest", changed: 0.05 }),
  derivedPlan("noise", { from: "dearest", changed: 0.3 }),
  derivedPlan("shadow", { from: "own", changed: 0.3, by: "shadow" }),
  derivedPlan("outlier", { from: "own", changed: 0.3, by: "error" }),
  derivedPlan("white box", { from: "own", changed: 0.3, by: "white-box" }),
  derivedPlan("white box, dearest", { from: "dearest", changed: 0.3, by: "white-box" }),
  { name: "no words", texts: [".", ".-", ".--"], derived: null },
  derivedPlan("quality", { from: "best" }),
] as const satisfies readonly AttackPlan[];
