/**
 * Inputs of a direct model (logistic, of texts or pictures): the counts that a settlement is proven over, the numbers
 * that it learns from, and the columns in which its rows are registered. For texts a bucket is a column on which
 * hashed terms fall; for pictures it is a pixel in a block of a label (label-blocks.ts). Training and answering go
 * through it.
 */
import { countTerms, type DirectQuery, termTotal } from "@openledger/circuits/ledger/direct-query";
import { answeredClass } from "@openledger/circuits/settlement/scores/direct-matrix";
import { BASE_BUCKETS, countBase, MAX_BASED_TERMS } from "../../features/direct-base.ts";
import { sparseRows } from "../../maths/sparse-rows.ts";
import { checkInput } from "../../rows/row-content.ts";
import { termBuckets } from "../../rows/text-terms.ts";
import type { DirectRecipe } from "./direct-recipe.ts";
import { type DirectInputs, imageInputs } from "./label-blocks.ts";

/** Inputs of a recipe. A base takes buckets of its own. */
export function directInputs({ classes, inputs, rules }: InputRecipe): DirectInputs {
  const hasBase = rules?.base !== undefined;
  return inputs.kind === "text"
    ? textInputs(inputs.bucketCount, classes, hasBase)
    : imageInputs(inputs, classes, hasBase);
}

/** Fields of a recipe that inputs depend on. */
export interface InputRecipe extends Pick<DirectRecipe, "inputs" | "classes"> {
  readonly rules?: Pick<DirectRecipe["rules"], "base">;
}

/**
 * Number of occurrences of each bucket of terms. It is a function of the text alone.
 * @param ofTerms buckets that terms fall on, if not all do @param max terms that are counted @throws ATT_ROW_INVALID
 */
export function countText(
  text: string,
  bucketCount: number,
  ofTerms = bucketCount,
  max?: number,
): Uint8Array {
  checkInput("text", text);
  return countTerms(termBuckets(new TextEncoder().encode(text), ofTerms), bucketCount, max);
}

/** (bucket, count / √n) for n counted terms: the bias is 1 beside them. */
function countEntries(counts: Uint8Array): [number, number][] {
  const root = Math.sqrt(termTotal(counts));
  return Array.from(counts.entries()).flatMap(([bucket, count]): [number, number][] =>
    count === 0 ? [] : [[bucket, count / root]],
  );
}

/** @param logit of a prompt's class, behind a row of zeros: a matrix has a row at least */
function logitMatrix(logit: Int16Array) {
  const values = new Int16Array(2 * logit.length);
  values.set(logit, logit.length);
  return { rowCount: 1, bucketCount: logit.length - 1, labelCount: 2, values };
}

function textInputs(bucketCount: number, labels: readonly string[], hasBase: boolean): DirectInputs {
  const ofTerms = bucketCount - (hasBase ? BASE_BUCKETS : 0);
  const countsOf = (text: string, answered: number) => {
    const counts = countText(text, bucketCount, ofTerms, hasBase ? MAX_BASED_TERMS : undefined);
    if (hasBase) countBase(counts, answered);
    return counts;
  };
  const answers = ([0, 1] as const).map((one) => ({
    label: labels[one]!,
    text: JSON.stringify({ label: labels[one]! }),
    query: (text: string): DirectQuery => ({ counts: countsOf(text, one), answeredClass: one, pair: 0 }),
  }));
  return {
    labels,
    inputCount: ofTerms,
    answers,
    examples: (texts) =>
      sparseRows(
        ofTerms,
        texts.map((text) => countEntries(countText(text, bucketCount, ofTerms))),
      ),
    // The logit has no base, and either class counts as much of it.
    answer: (logit, text) => answers[answeredClass(logitMatrix(logit), countsOf(text, 0), 0)]!,
    // The one contrast of two labels is that of class 0, whose logit the circuit's sum is.
    writeRow(contrasts, row) {
      row.set(contrasts.subarray(0, ofTerms));
      row[bucketCount] = contrasts[ofTerms]!;
    },
    logit(parameters) {
      const row = new Float64Array(bucketCount + 1);
      const weightOf = (a: number) => parameters[2 * a + 1]! - parameters[2 * a]!;
      for (let a = 0; a < ofTerms; a++) row[a] = weightOf(a);
      row[bucketCount] = weightOf(ofTerms);
      return row;
    },
  };
}
