/**
 * What a direct model makes of an input: the counts that a settlement is proven over, the numbers that it learns from, and
 * where what it learns is registered. Of e-mails a bucket is one of hashed terms; of digits it is a pixel in a block of a
 * label (digit-blocks.ts).
 */
import { countTerms, type DirectQuery, termTotal } from "@openledger/circuits/ledger/direct-query";
import { answeredClass } from "@openledger/circuits/settlement/scores/direct-matrix";
import { sparseRows } from "../../maths/sparse-rows.ts";
import { checkInput, labelsOf } from "../../rows/row-content.ts";
import { termBuckets } from "../../rows/text-terms.ts";
import type { DirectInputs } from "./digit-blocks.ts";
import { digitInputs } from "./digit-blocks.ts";
import type { DirectRecipe } from "./direct-recipe.ts";

export function directInputs(inputs: DirectRecipe["inputs"]): DirectInputs {
  return inputs.kind === "email" ? mailInputs(inputs.bucketCount) : digitInputs(inputs);
}

/** How often each bucket of terms occurs. Anyone who has the text needs nothing else to make it. @throws ATT_ROW_INVALID */
export function countText(text: string, bucketCount: number): Uint8Array {
  checkInput("email", text);
  return countTerms(termBuckets(new TextEncoder().encode(text), bucketCount), bucketCount);
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
  return { rowCount: 1, bucketCount: logit.length - 1, values };
}

function mailInputs(bucketCount: number): DirectInputs {
  const labels = labelsOf("email");
  const answers = ([0, 1] as const).map((one) => ({
    label: labels[one]!,
    text: JSON.stringify({ label: labels[one]! }),
    query: (text: string): DirectQuery => ({ counts: countText(text, bucketCount), answeredClass: one }),
  }));
  return {
    labels,
    inputCount: bucketCount,
    answers,
    examples: (texts) =>
      sparseRows(
        bucketCount,
        texts.map((text) => countEntries(countText(text, bucketCount))),
      ),
    answer: (logit, text) => answers[answeredClass(logitMatrix(logit), countText(text, bucketCount))]!,
    // The one contrast of two labels is that of class 0, whose logit the circuit's sum is.
    writeRow: (contrasts, row) => row.set(contrasts),
    logit: (parameters) =>
      Float64Array.from({ length: bucketCount + 1 }, (_, a) => parameters[2 * a + 1]! - parameters[2 * a]!),
  };
}
