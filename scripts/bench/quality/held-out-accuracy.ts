/**
 * Held-out accuracy of the integers that the default registers, beside the same softmax model of doubles without a circuit's limits: term
 * counts in 2^16 buckets without caps, pixels, standardised numbers. Its penalty is the best of a few by cross-validation of the same rows.
 */
import type { ModelInputs, TextInputs } from "@openledger/attribution/inputs/model-inputs";
import { choleskyInPlace, solveLower } from "@openledger/attribution/maths/dense-matrix";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import {
  type SparseRows,
  selectRows,
  sparseFromDense,
  sparseRows,
  writeDenseRow,
} from "@openledger/attribution/maths/sparse-rows";
import { lossWeights } from "@openledger/attribution/model/decoded-rows";
import { directInputs, registeredLogits } from "@openledger/attribution/model/direct/direct-inputs";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { weightsOf } from "@openledger/attribution/model/direct/label-weights";
import { logisticModel } from "@openledger/attribution/model/direct/logistic-model";
import { openPictures } from "@openledger/attribution/pictures/pictures";
import { contentOf } from "@openledger/attribution/rows/row-content";
import { decodeTableRow } from "@openledger/attribution/rows/table-rows";
import { bucketOf, distinctTerms } from "@openledger/attribution/rows/text-terms";
import { wordsOf } from "@openledger/attribution/rows/words";
import { readVectorsFrom } from "@openledger/models/tuning/vectors/vector-places";
import { type Corpus, usualRecipeOf } from "./corpora.ts";

/** Places of the rows that a model is trained on, and of those that it labels. */
export interface Split {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

interface Accuracies {
  /** Accuracy of the registered integers' answers. */
  readonly accuracy: number;
  readonly accuracyInDoubles: number;
  /** Rows that were labelled, over all splits. */
  readonly labelled: number;
}

const PENALTIES = [0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003, 0.00001];
/** Added to a row's product with itself, which is about 1. */
const SMALL = 1e-9;
const FOLDS = 3;
/** Training tolerance: what a few more steps would change is no label. */
const TOLERANCE = 1e-4;
const BUCKETS = 2 ** 16;
/** Splits whose penalties are logged, at most. */
const MAX_LOGGED = 4;
/** Channels of a decoded pixel; digits are grey, so the first says all. */
const CHANNELS = 4;

/** @param splits several where one would have few rows to label */
export async function heldOutAccuracy(
  corpus: Corpus,
  splits: readonly Split[],
  log: (line: string) => void,
): Promise<Accuracies> {
  let right = 0;
  let rightInDoubles = 0;
  let labelled = 0;
  for (const split of splits) {
    const recipe = await usualRecipeOf(
      corpus,
      split.train.map((i) => corpus.rows[i]!),
    );
    right += await rightByDefault(corpus, split, recipe);
    const inputs = await inDoubles(corpus, split.train, recipe.inputs);
    const penalty = bestPenalty(corpus, inputs, split.train);
    rightInDoubles += countRight(corpus, inputs, split, penalty);
    labelled += split.test.length;
    if (splits.length <= MAX_LOGGED) log(`the penalty in doubles is ${penalty}`);
  }
  return { accuracy: right / labelled, accuracyInDoubles: rightInDoubles / labelled, labelled };
}

async function rightByDefault(corpus: Corpus, split: Split, recipe: DirectRecipe): Promise<number> {
  const labels = await labelsByRecipe(corpus, split, recipe);
  return split.test.filter((i, k) => labels[k] === corpus.rows[i]!.label).length;
}

/** Label of each test row, as the integers say that a model of the recipe registers. */
export async function labelsByRecipe(
  corpus: Corpus,
  { test, train }: Split,
  recipe: DirectRecipe,
): Promise<number[]> {
  const rows = train.map((i) => corpus.rows[i]!);
  const inputs = await directInputs(recipe, readVectorsFrom());
  const { decay, tolerance } = recipe.model;
  const model = logisticModel({
    inputCount: inputs.inputCount,
    classCount: corpus.classes.length,
    decay,
    labelWeights: weightsOf(recipe.model.labelWeights),
    tolerance,
  });
  const parameters = model.train({
    inputs: inputs.examples(rows.map(({ input }) => input)),
    labels: Int32Array.from(rows, ({ label }) => label),
    weights: lossWeights(
      recipe,
      rows.map(({ input }) => inputs.counter.contentOf(input)),
    ),
  });
  const logits = registeredLogits(recipe, parameters);
  return test.map((i) => corpus.classes.indexOf(inputs.answer(logits, corpus.rows[i]!.input).label));
}

/** Inputs of all rows without a circuit's limits. @param train rows that numbers are standardised by */
async function inDoubles(
  { rows, shape }: Corpus,
  train: readonly number[],
  inputs: ModelInputs,
): Promise<SparseRows> {
  const contents = rows.map(({ input }) => contentOf(shape.kind, input));
  if (inputs.kind === "text") {
    const entries = contents.map((content) => termEntries(content, inputs));
    return rotated(sparseRows(BUCKETS, entries), train);
  }
  const dense = shape.kind === "image" ? await pixelsOf(contents) : numbersOf(shape, contents, train);
  return sparseFromDense(Float64Array.from(dense.flat()), rows.length, dense[0]!.length);
}

/** Terms ÷ root of their number, of the recipe's kind: buckets and words have no largest count. */
function termEntries(text: Uint8Array, { words }: TextInputs): [number, number][] {
  const terms = words === undefined ? [...distinctTerms(text)] : wordsOf(text, true);
  const counts = new Map<number, number>();
  for (const term of terms) {
    const bucket = bucketOf(term, BUCKETS);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([bucket, count]) => [bucket, count / Math.sqrt(terms.length)]);
}

/**
 * The same rows in as many coordinates as there are rows that are trained on: their products stay, and so does a softmax model with a
 * squared penalty, at a hundredth of the time. L Lᵀ is the rows' products, and row i becomes row i of L.
 */
function rotated(rows: SparseRows, train: readonly number[]): SparseRows {
  const size = train.length;
  const trained = selectRows(rows, train);
  const one = new Float64Array(rows.columnCount);
  /** Products of a row with those that are trained on. */
  const productsOf = (of: SparseRows, i: number) => {
    one.fill(0);
    writeDenseRow(of, i, one);
    return Float64Array.from(train, (_, k) => {
      let sum = 0;
      for (let e = trained.starts[k]!; e < trained.starts[k + 1]!; e++)
        sum += trained.values[e]! * one[trained.columns[e]!]!;
      return sum;
    });
  };
  const factor = new Float64Array(size * size);
  for (let i = 0; i < size; i++) factor.set(productsOf(trained, i), i * size);
  // Rows of the same terms would make the matrix singular.
  for (let i = 0; i < size; i++) factor[i * size + i] = factor[i * size + i]! + SMALL;
  choleskyInPlace(factor, size);
  const dense = new Float64Array(rows.rowCount * size);
  for (let i = 0; i < rows.rowCount; i++) dense.set(productsOf(rows, i), i * size);
  solveLower(factor, size, dense, rows.rowCount);
  return sparseFromDense(dense, rows.rowCount, size);
}

async function pixelsOf(contents: readonly Uint8Array[]): Promise<number[][]> {
  const read = await openPictures();
  return contents.map((content) => {
    const { pixels } = read(content);
    return Array.from({ length: pixels.length / CHANNELS }, (_, pixel) => pixels[pixel * CHANNELS]! / 255);
  });
}

/** Numbers with mean 0 and deviation 1 over the rows that are trained on. */
function numbersOf(
  { fields = [] }: Corpus["shape"],
  contents: readonly Uint8Array[],
  train: readonly number[],
): number[][] {
  const rows = contents.map((content) => decodeTableRow(fields, content).map(Number));
  const columns = fields.map((_, column) => {
    const values = train.map((i) => rows[i]![column]!);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    return { mean, deviation: Math.sqrt(variance) || 1 };
  });
  return rows.map((row) => row.map((x, column) => (x - columns[column]!.mean) / columns[column]!.deviation));
}

/** The penalty whose models label the most rows of other folds; of equals the largest. */
function bestPenalty(corpus: Corpus, inputs: SparseRows, train: readonly number[]): number {
  const order = new SeededRandom(`${corpus.name}/penalty`).permutation(train.length);
  const folds = Array.from({ length: FOLDS }, (_, fold): Split => {
    const rowsOf = (isTest: boolean) =>
      Array.from(order, (position) => train[position]!).filter((_, k) => (k % FOLDS === fold) === isTest);
    return { train: rowsOf(false), test: rowsOf(true) };
  });
  const rightOf = (penalty: number) =>
    folds.reduce((sum, fold) => sum + countRight(corpus, inputs, fold, penalty), 0);
  return PENALTIES.map((penalty) => ({ penalty, right: rightOf(penalty) })).reduce((a, b) =>
    b.right > a.right ? b : a,
  ).penalty;
}

/** Number of test rows whose label the model of the others says. */
function countRight(
  { classes, rows }: Corpus,
  inputs: SparseRows,
  { test, train }: Split,
  decay: number,
): number {
  const classCount = classes.length;
  const model = logisticModel({ inputCount: inputs.columnCount, classCount, decay, tolerance: TOLERANCE });
  const parameters = model.train({
    inputs: selectRows(inputs, train),
    labels: Int32Array.from(train, (i) => rows[i]!.label),
  });
  // The label that is likeliest is the one with the least loss.
  const question = selectRows(inputs, test);
  const losses = classes.map((_, label) =>
    model.losses(parameters, { inputs: question, labels: new Int32Array(test.length).fill(label) }),
  );
  const labels = test.map((_, k) =>
    losses.reduce((best, of, label) => (of[k]! < losses[best]![k]! ? label : best), 0),
  );
  return test.filter((i, k) => labels[k] === rows[i]!.label).length;
}
