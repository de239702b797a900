/**
 * Measures, for `npm run bench -- attribution`, how well rows that were spoilt on purpose are found by the score of each row
 * for its own text. The figure is the AUC, 0.5 by chance.
 */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { mislabelAuc } from "@openledger/attribution/testing/quality-metrics";
import { tokensOfRow } from "@openledger/models/tuning/recipe/text-tokens";
import { attribute, scoresBy } from "./attributed.ts";
import type { TextWorld } from "./setting.ts";

/** Damage done to a tenth of the rows. */
export const SPOILINGS = ["letters", "words", "swapped"] as const;
type Spoiling = (typeof SPOILINGS)[number];

export async function badRowAuc(world: TextWorld, featureCount: number, spoiling: Spoiling) {
  const { placed, recipe, texts } = world;
  const random = new SeededRandom(`spoilt ${spoiling}`);
  const bad = new Set(random.subset(texts.rows.length, Math.round(texts.rows.length / 10)));
  const rows = texts.rows.map((text, i) => {
    const other = texts.rows[(i + 1) % texts.rows.length]!;
    const content = bad.has(i) ? spoilt(text, other, spoiling, random) : text;
    return tokensOfRow(placed.tokens, { text: content }, recipe);
  });
  const attributed = await attribute({ ...world, queries: rows }, rows);
  const { float } = scoresBy("tangent", featureCount, attributed);
  const own = Float64Array.from(rows, (_, i) => float[i * rows.length + i]!);
  const isBad = rows.map((_, i) => bad.has(i));
  const { high, low, value } = mislabelAuc(own, isBad, spoiling);
  return { value, low, high };
}

function spoilt(text: string, other: string, spoiling: Spoiling, random: SeededRandom): string {
  const shuffled = (parts: readonly string[]) =>
    Array.from(random.permutation(parts.length), (i) => parts[i]!);
  const middle = Math.floor(text.length / 2);
  return {
    letters: () => text.replace(/[A-Za-z]+/g, (word) => shuffled([...word]).join("")),
    words: () => shuffled(text.split(" ")).join(" "),
    swapped: () => text.slice(0, middle) + other.slice(middle),
  }[spoiling]();
}
