/** What an attacker of a Datanet of e-mails brings, as JSON that anybody writes: the rows, or how they are made of others'. */
import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { attributionError } from "../attribution-errors.ts";

/** Bytes of a plan: longer ones are not read. */
const MOST_PLAN_BYTES = 2 ** 22;
/** Beside some six hundred honest rows. */
const MOST_ROWS = 300;
const MOST_TEXT = 8_192;

/** Rows that others' rows or the own honest ones are the beginning of. */
const derived = z.strictObject({
  /** own: those that the attacker would bring honestly; others: at random; dearest: others' that earn the most; fresh: honest ones that nobody has brought; best: of ten times as many fresh ones those that would earn the most. */
  from: z.enum(["own", "others", "dearest", "fresh", "best"]),
  count: z.int().min(1).max(MOST_ROWS),
  /** Part of the words that are replaced. */
  changed: z.number().min(0).max(1).default(0),
  /**
   * How words are chosen: noise, at random; error, so that the model is wrong about the row; shadow, so that the row earns the most by a
   * model of the own rows; white-box, so that it earns the most by the model of all.
   */
  by: z.enum(["noise", "error", "shadow", "white-box"]).default("noise"),
  /** Whether the label is the other one. */
  isFlipped: z.boolean().default(false),
});
export type DerivedRows = z.infer<typeof derived>;

const planSchema = z
  .strictObject({
    name: z.string().min(1).max(80),
    /** Rows as they are. */
    rows: z
      .array(z.strictObject({ label: z.enum(["ham", "spam"]), text: z.string().min(1).max(MOST_TEXT) }))
      .max(MOST_ROWS)
      .default([]),
    derived: z.array(derived).max(8).default([]),
  })
  .refine(({ derived, rows }) => {
    const count = derived.reduce((sum, one) => sum + one.count, rows.length);
    return count >= 1 && count <= MOST_ROWS;
  }, `brings 1 to ${MOST_ROWS} rows`);

export type AttackPlan = z.infer<typeof planSchema>;

/** @param path of JSON @throws ATT_INPUT_INVALID for what is no plan */
export function readAttackPlan(path: string): AttackPlan {
  const refuse = (why: string, cause?: unknown) =>
    attributionError("ATT_INPUT_INVALID", `${path} is no plan: ${why}`, { data: { reason: "plan" }, cause });
  let json: unknown;
  try {
    const { size } = statSync(path);
    if (size > MOST_PLAN_BYTES) throw new RangeError(`${size} bytes; at most ${MOST_PLAN_BYTES} are read`);
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw refuse((cause as Error).message, cause);
  }
  const parsed = planSchema.safeParse(json);
  if (!parsed.success) throw refuse(z.prettifyError(parsed.error), parsed.error);
  return parsed.data;
}

const of = (name: string, one: Partial<DerivedRows> & Pick<DerivedRows, "from">): AttackPlan =>
  planSchema.parse({ name, derived: [{ count: 30, ...one }] });

/** Those that the default model is measured by: five attacks, and a contributor whose rows are good. */
export const STANDARD_PLANS = [
  of("honest", { from: "own" }),
  of("copies", { from: "dearest", changed: 0.05 }),
  of("noise", { from: "dearest", changed: 0.3 }),
  of("shadow", { from: "own", changed: 0.3, by: "shadow" }),
  of("outlier", { from: "own", changed: 0.3, by: "error" }),
  of("white box", { from: "own", changed: 0.3, by: "white-box" }),
  of("white box, dearest", { from: "dearest", changed: 0.3, by: "white-box" }),
  planSchema.parse({ name: "no words", rows: [".", ".-", ".--"].map((text) => ({ label: "ham", text })) }),
  of("quality", { from: "best" }),
] as const;
