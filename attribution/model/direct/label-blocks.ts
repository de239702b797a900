/**
 * Dense inputs as buckets with small counts: a picture of side × side pixels, each 0 … 3. direct-inputs.ts takes it
 * for direct models of pictures: logistic models whose query is a list of counts.
 *
 * A circuit answers one question, whether a logit is 0 or more, and counts have no sign. So the question about a
 * picture is whether its label beats the runner-up, and each label has two blocks of buckets: one that speaks for it,
 * one that speaks for those it loses to. An answer "7 over 1" counts the picture in the block for 7 and in the block
 * against 1. Its logit is that of 7 less that of 1, and class 1 says that 7 is not behind.
 *
 * A block has a bucket a pixel and one that always counts 3: the label's own bias. The column of the bias of all is 0.
 */
import type { DirectQuery } from "@openledger/circuits/ledger/direct-query";
import { countBase } from "../../features/direct-base.ts";
import { contrastBasis } from "../../features/sensitivities.ts";
import { type SparseRows, sparseFromDense } from "../../maths/sparse-rows.ts";
import { poolPixels } from "../../rows/image-pixels.ts";
import { pixelsOf } from "../../rows/row-content.ts";

export interface DirectInputs {
  readonly labels: readonly string[];
  /** Inputs of the logistic model, without the bias. */
  readonly inputCount: number;
  /** Every answer that there is. Anyone who has an input needs nothing else to make its query. */
  readonly answers: readonly DirectReply[];
  /** Inputs as the model takes them, without a bias. @throws ATT_ROW_INVALID */
  examples(inputs: readonly string[]): SparseRows;
  /** Answer by the registered row of the logit. @param logit of the buckets and the bias @throws ATT_ROW_INVALID */
  answer(logit: Int16Array, input: string): DirectReply;
  /**
   * A direction of the model's parameters, in contrasts of labels (features/sensitivities.ts, the bias last), as a row
   * of buckets and the bias whose score is what that direction takes off the answer's logit.
   */
  writeRow(contrasts: Float64Array, row: Float64Array): void;
  /** Buckets and the bias of the logit, from parameters as `logisticModel` lays them out. */
  logit(parameters: Float64Array): Float64Array;
}

/** An answer that such a model can give. */
export interface DirectReply {
  readonly label: string;
  /** Text that receipts hash: without a confidence, which nobody could check by counting alone. */
  readonly text: string;
  readonly query: (input: string) => DirectQuery;
}

/** Maximum count of a bucket, for a white pixel and for the bias. */
const MAX_COUNT = 3;

export interface ImageInputs {
  readonly kind: "image";
  /** Pixels of a side: 28 pooled. */
  readonly side: 7 | 14;
  readonly bucketCount: number;
}

/** Buckets that pictures of so many pixels need for so many labels; further ones stay empty. */
export const blockBuckets = (side: number, labelCount: number): number => 2 * labelCount * (side ** 2 + 1);

export function imageInputs(
  { bucketCount, side }: ImageInputs,
  labels: readonly string[],
  hasBase = false,
): DirectInputs {
  const pixelCount = side ** 2;
  const width = pixelCount + 1;
  const labelCount = labels.length;
  const basis = contrastBasis(labelCount);
  const forLabel = (label: number) => label * width;
  const against = (label: number) => (labelCount + label) * width;
  const replyOf = (label: number, other: number): DirectReply => ({
    label: labels[label]!,
    text: JSON.stringify({ label: labels[label]!, over: labels[other]! }),
    query: (input) => query(input, label, other),
  });
  /** Pixels, and the count of the bias behind them. */
  const counted = (input: string): Uint8Array => {
    const levels = imageLevels(input, side);
    return Uint8Array.from({ length: width }, (_, p) => levels[p] ?? MAX_COUNT);
  };
  function query(input: string, label: number, other: number): DirectQuery {
    const counts = new Uint8Array(bucketCount);
    const block = counted(input);
    counts.set(block, forLabel(label));
    counts.set(block, against(other));
    if (hasBase) countBase(counts, 1);
    return { counts, answeredClass: 1, pair: 0 };
  }
  /** Writes an entry for a label into the label's one block, and with the other sign into the other. */
  const writeLabels = (row: Float64Array, entryOf: (input: number, label: number) => number) => {
    for (let label = 0; label < labelCount; label++) {
      for (let input = 0; input < width; input++) {
        const value = entryOf(input, label);
        row[forLabel(label) + input] = value;
        row[against(label) + input] = -value;
      }
    }
  };
  return {
    labels,
    inputCount: pixelCount,
    answers: [...labels.keys()].flatMap((label) =>
      [...labels.keys()].filter((other) => other !== label).map((other) => replyOf(label, other)),
    ),
    examples(inputs): SparseRows {
      const values = new Float64Array(inputs.length * pixelCount);
      for (const [i, input] of inputs.entries())
        for (const [p, level] of imageLevels(input, side).entries())
          values[i * pixelCount + p] = level / MAX_COUNT;
      return sparseFromDense(values, inputs.length, pixelCount);
    },
    answer(logit, input) {
      const block = counted(input);
      const logits = labels.map((_, label) =>
        block.reduce((sum, count, p) => sum + count * logit[forLabel(label) + p]!, 0),
      );
      // Equal logits: the first label.
      const [best, next] = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
      return replyOf(best!, next!);
    },
    writeRow(contrasts, row) {
      const contrastCount = labelCount - 1;
      writeLabels(row, (input, label) => {
        let sum = 0;
        for (let b = 0; b < contrastCount; b++)
          sum += basis[b * labelCount + label]! * contrasts[input * contrastCount + b]!;
        // Scores of class 1 are negated.
        return -sum;
      });
    },
    logit(parameters) {
      const row = new Float64Array(bucketCount + 1);
      writeLabels(row, (input, label) => parameters[input * labelCount + label]!);
      return row;
    },
  };
}

/** Pixels of a picture as 0 … 3, means of squares of them. @throws ATT_ROW_INVALID */
function imageLevels(input: string, side: 7 | 14): Uint8Array {
  return Uint8Array.from(poolPixels(pixelsOf(input), side), (mean) => Math.floor(MAX_COUNT * mean + 0.5));
}
