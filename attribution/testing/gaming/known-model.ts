/**
 * An attacker's estimate of what a row would earn: a direct model (a classifier) that the attacker trains by
 * the Datanet's recipe on rows that they have. The benchmark of gaming needs it to try attacks as good as those of a
 * real attacker: attack-factor.ts chooses and rewrites the attacker's rows by it, then measures what they earn.
 */
import { weightedProducts } from "../../features/exact-influence.ts";
import type { Sensitivities } from "../../features/sensitivities.ts";
import type { ReadVectors } from "../../inputs/open-inputs.ts";
import { choleskyInPlace, solveCholesky } from "../../maths/dense-matrix.ts";
import { renumberColumns, type SparseRows, usedColumns } from "../../maths/sparse-rows.ts";
import { directModel } from "../../model/direct/direct-family.ts";
import { directInputs } from "../../model/direct/direct-inputs.ts";
import type { DirectRecipe } from "../../model/direct/direct-recipe.ts";
import type { LabelledInput } from "../../rows/row-content.ts";
import { measureTerms } from "../../rows/term-parts.ts";

/** Maximum rows that stand for questions: the first known ones. */
const MAX_QUESTIONS = 60;

export interface KnownModel {
  /**
   * Pay of the row for a question ÷ pay of all known rows together, the mean over the questions. The row is not among
   * those that it is divided by.
   */
  earns(row: LabelledInput): number;
  /** Likeliest label of an input. */
  answer(input: string): number;
  /** Probability that the model does not give to the row's label. */
  residual(row: LabelledInput): number;
}

/**
 * The recipe's model of these rows, with its base. Of two labels its influence is exact. Of more it takes the Hessian's
 * labels for alike: one inverse over the inputs serves all.
 */
export async function knownModel(
  rows: readonly LabelledInput[],
  value: Omit<DirectRecipe, "datanet">,
  readVectors?: ReadVectors,
): Promise<KnownModel> {
  const recipe = value as DirectRecipe;
  const inputs = await directInputs(recipe, readVectors);
  const model = directModel(recipe);
  const labelCount = recipe.classes.length;
  const contentsOf = (some: readonly LabelledInput[]) =>
    some.map(({ input }) => inputs.counter.contentOf(input));
  const measured = recipe.model.rowWeights === undefined ? null : measureTerms(contentsOf(rows));
  /** Weights of the rows' losses; of others than the known ones as if they were brought, too. */
  const weightsOf = (some: readonly LabelledInput[]) => {
    if (measured === null) return undefined;
    const { partOf, parts, weightOf } = measured;
    return (some === rows ? parts : Float64Array.from(contentsOf(some), partOf)).map(weightOf);
  };
  const examplesOf = (some: readonly LabelledInput[]) => ({
    inputs: inputs.examples(some.map(({ input }) => input)),
    labels: Int32Array.from(some, ({ label }) => label),
    weights: weightsOf(some),
  });
  const parameters = model.train(examplesOf(rows));
  const sensitivitiesOf = (some: readonly LabelledInput[]) =>
    model.sensitivities(parameters, examplesOf(some));
  const own = sensitivitiesOf(rows);
  const { count, position } = usedColumns(own.inputs);
  /** Scales of the used buckets, in which lengths are registered; the bias is the last column. */
  const usedScales = inputs.counter.scales.filter((_, bucket) => position[bucket]! >= 0);
  const aligned = renumberColumns(own.inputs, position, count);
  const factor = weightedProducts(aligned, aligned, meanCurvatures(own));
  for (let a = 0; a < count; a++) factor[a * count + a] = factor[a * count + a]! + recipe.method.damping;
  choleskyInPlace(factor, count);
  const inverse = new Float64Array(count * count);
  for (let a = 0; a < count; a++) inverse[a * count + a] = 1;
  solveCholesky(factor, count, inverse, count);
  /** (H + λ)⁻¹ x of a row of inputs. */
  const directionOf = ({ columns, starts, values }: SparseRows, k: number) => {
    const out = new Float64Array(count);
    for (let e = starts[k]!; e < starts[k + 1]!; e++) {
      const from = position[columns[e]!]! * count;
      for (let a = 0; from >= 0 && a < count; a++) out[a] = out[a]! + values[e]! * inverse[from + a]!;
    }
    return out;
  };
  const question = rows.slice(0, MAX_QUESTIONS);
  const { inputs: questions, probabilities } = sensitivitiesOf(question);
  const answers = question.map((_, q) =>
    leadingLabels(probabilities.subarray(q * labelCount, (q + 1) * labelCount)),
  );
  /** Products of a row's direction with each question. */
  const productsOf = (direction: Float64Array) =>
    question.map((_, q) => {
      const { columns, starts, values } = questions;
      let sum = 0;
      for (let e = starts[q]!; e < starts[q + 1]!; e++)
        sum += values[e]! * direction[position[columns[e]!]!]!;
      return sum;
    });
  /** A row as far as its pay goes: what it raises the lead of each question's answer by, and its length. */
  const rowOf = (of: Sensitivities, k: number) => {
    const direction = directionOf(of.inputs, k);
    const gradient = Float64Array.from(
      { length: labelCount },
      (_, label) =>
        of.weights[k]! * (of.probabilities[k * labelCount + label]! - (of.labels[k] === label ? 1 : 0)),
    );
    const scores = productsOf(direction).map((product, q) => {
      const { label, runnerUp } = answers[q]!;
      return product * (gradient[runnerUp]! - gradient[label]!);
    });
    const registered = direction.map((value, a) => (usedScales[a] ?? 1) * value);
    return { length: lengthOf(gradient) * lengthOf(registered), scores };
  };
  const made = Array.from(rows, (_, k) => rowOf(own, k));
  const { base: { flatPermille } = { flatPermille: 0 }, normQuantile } = recipe.rules;
  const clip = made.map(({ length }) => length).sort((a, b) => a - b)[
    Math.ceil(normQuantile * rows.length) - 1
  ]!;
  // Over all pairs of labels a row's mean square length is twice its own's ÷ (labels − 1).
  const ofPair = Math.sqrt(2 / (labelCount - 1));
  const typical =
    (ofPair * mean(made.map(({ length }) => Math.min(length, clip)))) / Math.sqrt(Math.max(1, count - 1));
  const paidOf = ({ length, scores }: (typeof made)[number]) =>
    scores.map((score) => Math.max(0, score * Math.min(1, clip / length) + (typical * flatPermille) / 1_000));
  const paid = made.map(paidOf);
  const totals = question.map((_, q) => paid.reduce((sum, one) => sum + one[q]!, 0));
  return {
    earns: (row) => mean(paidOf(rowOf(sensitivitiesOf([row]), 0)).map((one, q) => one / totals[q]!)),
    answer(input) {
      return leadingLabels(sensitivitiesOf([{ input, label: 0 }]).probabilities).label;
    },
    residual(row) {
      const { residuals } = sensitivitiesOf([row]);
      return lengthOf(residuals);
    },
  };
}

/** Mean curvature of the labels at each row, ÷ rows: of two labels the curvature itself. */
function meanCurvatures({ curvatures, outputCount, rowCount }: Sensitivities): Float64Array {
  return Float64Array.from({ length: rowCount }, (_, i) => {
    let trace = 0;
    for (let o = 0; o < outputCount; o++) trace += curvatures[(i * outputCount + o) * outputCount + o]!;
    return trace / (outputCount * rowCount);
  });
}

/** The likeliest label and the next. */
function leadingLabels(probabilities: Float64Array): { label: number; runnerUp: number } {
  const [label, runnerUp] = [...probabilities.keys()].sort(
    (a, b) => probabilities[b]! - probabilities[a]! || b - a,
  );
  return { label: label!, runnerUp: runnerUp! };
}

/** Mean; 0 of no values. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k]!;
  return sum / Math.max(1, values.length);
}

function lengthOf(vector: Float64Array): number {
  let squares = 0;
  for (const x of vector) squares += x * x;
  return Math.sqrt(squares);
}
