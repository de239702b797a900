/**
 * LDS of what rows are paid: a row's pay for an answer is max(0, score + base) ÷ the sum of all rows' weights, so what a
 * negative score says is lost. Beside the pay by the card's base stand the scores themselves, other strengths of the base, and pay
 * by the sum of several answers' scores, which no circuit computes.
 */

import { termBucketCount } from "@openledger/attribution/features/direct-base";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { directFamilyOf } from "@openledger/attribution/model/direct/direct-family";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { directMatrix } from "@openledger/attribution/model/registration";
import { contentOf, type LabelledInput } from "@openledger/attribution/rows/row-content";
import { rowWeights } from "@openledger/attribution/scores/attribution-estimate";
import {
  type Estimate,
  groupAttributions,
  linearDatamodelingScore,
} from "@openledger/attribution/testing/quality-metrics";
import { datanetOf } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type DirectQuery, pairOf, TERM_WEIGHT } from "@openledger/circuits/ledger/direct-query";
import { type DirectMatrix, directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { readVectorsFrom } from "@openledger/models/tuning/vectors/vector-places";
import type { Corpus } from "./corpora.ts";

/** Strengths of the base that are compared, in thousandths; 1,000 is the largest that a card may have. */
const STRENGTHS = [0, 400, 1_000, 2_000, 4_000] as const;
const CARD_MAX = 1_000;
/** Answers of an epoch whose pay is added up, and the number of such epochs. */
const EPOCH = { answers: 16, count: 40 } as const;

export interface PaidQuality {
  /** LDS of the registered scores of this training, the base left out. */
  readonly scores: number;
  /** LDS of the pay by the base of a new card. */
  readonly paid: number;
  /**
   * LDS of the pay by other strengths of the base, by one that is the same for all rows, and the part of rows that an answer pays
   * nothing.
   */
  readonly byStrength: readonly {
    readonly permille: number;
    readonly lds: number;
    readonly even: number;
    readonly unpaid: number;
  }[];
  /** LDS for 16 answers together: of their pay added up, and of pay by the sum of their scores. */
  readonly together: { readonly added: number; readonly netted: number };
}

interface PaidOptions {
  readonly corpus: Corpus;
  /** Rows that are trained on. */
  readonly rows: readonly LabelledInput[];
  readonly questions: readonly LabelledInput[];
  readonly recipe: DirectRecipe;
  /** Rows of each model that was trained again. */
  readonly subsets: readonly Int32Array[];
  /** Leads of the questions' answers by each such model: subsets × questions. */
  readonly outputs: readonly Float64Array[];
}

export async function measurePaid({
  corpus,
  outputs,
  questions,
  recipe,
  rows,
  subsets,
}: PaidOptions): Promise<PaidQuality> {
  const strength = recipe.rules.base?.flatPermille ?? 0;
  const { base, scores } = await registeredScores(corpus, rows, questions, recipe);
  const [rowCount, queryCount] = [rows.length, questions.length];
  const ldsOf = (values: Float64Array<ArrayBufferLike>, actual = outputs): Estimate =>
    linearDatamodelingScore(groupAttributions(values, rowCount, subsets), actual, corpus.name);
  const withBase = (permille: number, added: Float64Array = base) =>
    scores.map((score, i) => score + (permille / CARD_MAX) * added[i]!);
  const evenBase = meansOf(base, rowCount);
  const payOf = (values: Float64Array<ArrayBufferLike>) => sharesOf(values, rowCount);
  const epochs: Int32Array[] = Array.from({ length: EPOCH.count }, (_, k) =>
    new SeededRandom(`${corpus.name}/epoch/${k}`).subset(queryCount, Math.min(EPOCH.answers, queryCount)),
  );
  const ofEpochs = outputs.map((leads) =>
    Float64Array.from(epochs, (answers) => answers.reduce((sum, q) => sum + leads[q]!, 0)),
  );
  const sums = (values: Float64Array) => sumsOf(values, rowCount, epochs);
  return {
    scores: ldsOf(scores).value,
    paid: ldsOf(payOf(withBase(strength))).value,
    byStrength: STRENGTHS.map((permille) => {
      const pay = payOf(withBase(permille));
      const unpaid = pay.reduce((count, part) => count + (part === 0 ? 1 : 0), 0) / pay.length;
      const even = ldsOf(payOf(withBase(permille, evenBase))).value;
      return { permille, lds: ldsOf(pay).value, even, unpaid };
    }),
    together: {
      added: ldsOf(sums(payOf(withBase(strength))), ofEpochs).value,
      netted: ldsOf(payOf(sums(withBase(strength))), ofEpochs).value,
    },
  };
}

/** Pay of each row: questions × rows, each question's parts of 1. */
function sharesOf(values: Float64Array, rowCount: number): Float64Array {
  const pay = new Float64Array(values.length);
  for (let from = 0; from < values.length; from += rowCount) {
    const { weights } = rowWeights(values.subarray(from, from + rowCount));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    pay.set(
      weights.map((weight) => weight / total),
      from,
    );
  }
  return pay;
}

/** Each question's mean over its rows, in place of each of them. */
function meansOf(values: Float64Array, rowCount: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let from = 0; from < values.length; from += rowCount) {
    const own = values.subarray(from, from + rowCount);
    out.fill(own.reduce((sum, value) => sum + value, 0) / rowCount, from, from + rowCount);
  }
  return out;
}

/** Sums of several questions' values: epochs × rows. */
function sumsOf(values: Float64Array, rowCount: number, epochs: readonly Int32Array[]): Float64Array {
  const out = new Float64Array(epochs.length * rowCount);
  for (const [e, answers] of epochs.entries())
    for (const q of answers)
      for (let k = 0; k < rowCount; k++)
        out[e * rowCount + k] = out[e * rowCount + k]! + values[q * rowCount + k]!;
  return out;
}

/**
 * Scores of a model that is trained as anybody trains it, by its own circuit's rules.
 * @returns questions × rows: the scores without the base, and the part that a base of 1,000 thousandths adds
 */
async function registeredScores(
  { classes, shape }: Corpus,
  rows: readonly LabelledInput[],
  questions: readonly LabelledInput[],
  recipe: DirectRecipe,
) {
  await initPoseidon();
  const readVectors = readVectorsFrom();
  const owned = rows.map(
    ({ input, label }): OwnedRow => ({
      content: contentOf(shape.kind, input),
      label: classes[label]!,
      contributorId: 5,
      validatorId: 2,
    }),
  );
  const rules = { ...recipe.rules, base: { ...recipe.rules.base, flatPermille: CARD_MAX } };
  const based = { ...recipe, rules, datanet: datanetOf(owned) };
  const trained = await trainDirect(owned, based, { withHeldOut: false, readVectors });
  const model = await directFamilyOf(readVectors).open(trained);
  const matrix = directMatrix(trained.features as Parameters<typeof directMatrix>[0]);
  const scores = new Float64Array(questions.length * rows.length);
  const base = new Float64Array(scores.length);
  for (const [q, { input }] of questions.entries()) {
    const query = model.answer(input).query as DirectQuery;
    const added = baseScores(matrix, query, termBucketCount(based));
    for (const [k, score] of directScores(matrix, query).entries()) {
      base[q * rows.length + k] = added[k]!;
      scores[q * rows.length + k] = Number(score) - added[k]!;
    }
  }
  return { base, scores };
}

/** Part of each row's score that the base's buckets have. */
function baseScores(matrix: DirectMatrix, query: DirectQuery, termBuckets: number): Float64Array {
  const width = matrix.bucketCount + 1;
  const [earlier, later] = pairOf(query.pair);
  const rowWidth = (matrix.labelCount - 1) * width;
  const sign = query.answeredClass === 1 ? -1 : 1;
  const entry = (k: number, label: number, bucket: number) =>
    label === 0 ? 0 : matrix.values[k * rowWidth + (label - 1) * width + bucket]!;
  return Float64Array.from({ length: matrix.rowCount }, (_, k) => {
    let sum = 0;
    for (let bucket = termBuckets; bucket < matrix.bucketCount; bucket++)
      sum += query.counts[bucket]! * (entry(k, later, bucket) - entry(k, earlier, bucket));
    return sign * TERM_WEIGHT * sum;
  });
}
