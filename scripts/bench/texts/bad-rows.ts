/** How well rows that were spoilt are found, by their score for themselves and by their mean score for good texts. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { mislabelAuc } from "@openledger/attribution/testing/quality-metrics";
import type { TokenRow } from "@openledger/models/architecture/loss-gradient";
import { floatScores, gradientsAfter, textFeatures } from "./attributed.ts";
import { rowOfBytes, rowsAndQueries, type TextSetting } from "./setting.ts";

/** What is done to a tenth of the rows. */
export const SPOILINGS = ["letters", "words", "swapped"] as const;
type Spoiling = (typeof SPOILINGS)[number];

/** The rows' texts, a tenth of them spoilt, and which. The same each time. */
function spoiltTexts(rows: readonly TokenRow[], spoiling: Spoiling) {
  const random = new SeededRandom(`spoilt ${spoiling}`);
  const bad = new Set(random.subset(rows.length, Math.round(rows.length / 10)));
  const texts = rows.map((row, i) => {
    if (!bad.has(i)) return textOf(row);
    // An odd number of rows on, so a speech gets the end of an e-mail.
    return spoilt(textOf(row), textOf(rows[(i + 129) % rows.length]!), spoiling, random);
  });
  return { texts, isBad: texts.map((_, i) => bad.has(i)) };
}

export async function badRowAuc(
  setting: TextSetting,
  base: Float32Array,
  featureCount: number,
  spoiling: Spoiling,
) {
  const { queries, rows } = rowsAndQueries(setting);
  const { isBad, texts } = spoiltTexts(rows, spoiling);
  const given = texts.map((text, i) => (isBad[i] ? rowOfBytes(Buffer.from(text, "latin1")) : rows[i]!));
  const model = await gradientsAfter(setting, base, { rows: given, queries }, [...given.keys()]);
  const real = textFeatures(featureCount, model);
  const scores = floatScores(real);
  const againstGood = Float64Array.from(given, (_, i) => {
    let sum = 0;
    for (let q = 0; q < queries.length; q++) sum -= scores[q * given.length + i]!;
    return sum;
  });
  const auc = (values: Float64Array) => {
    const { high, low, value } = mislabelAuc(values, isBad, spoiling);
    return { value, low, high };
  };
  return { self: auc(selfInfluences(real.rows, real.featureCount)), goodTexts: auc(againstGood) };
}

/** Each row's score for itself: bad rows are the ones that explain themselves most. */
function selfInfluences(features: Float64Array, featureCount: number): Float64Array {
  return Float64Array.from({ length: features.length / featureCount }, (_, i) => {
    let squares = 0;
    for (let k = i * featureCount; k < (i + 1) * featureCount; k++) squares += features[k]! ** 2;
    return squares;
  });
}

const textOf = ({ targets, tokens }: TokenRow): string =>
  Buffer.from([...tokens, targets.at(-1)!]).toString("latin1");

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
