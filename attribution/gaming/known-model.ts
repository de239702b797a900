/**
 * An attacker's estimate of what a row would earn: a direct model (logistic, of texts) that the attacker trains by
 * the Datanet's recipe on rows that they have. The benchmark of gaming needs it to try attacks as good as those of a
 * real attacker: attack-factor.ts chooses and rewrites the attacker's rows by it, then measures what they earn.
 */
import { gaussNewton } from "../features/exact-influence.ts";
import { choleskyInPlace, solveCholesky } from "../maths/dense-matrix.ts";
import { renumberColumns, type SparseRows, usedColumns } from "../maths/sparse-rows.ts";
import { directModel } from "../model/direct/direct-family.ts";
import { directInputs } from "../model/direct/direct-inputs.ts";
import type { DirectRecipe } from "../model/direct/direct-recipe.ts";
import type { LabelledInput } from "../rows/row-content.ts";

/** Maximum rows that stand for questions: the first known ones. */
const MAX_QUESTIONS = 60;

export interface KnownModel {
  /**
   * Pay of the row for a question ÷ pay of all known rows together, the mean over the questions. The row is not among
   * those that it is divided by.
   */
  earns(row: LabelledInput): number;
  /** Probability that the model does not give to the row's label. */
  residual(row: LabelledInput): number;
}

/** The recipe's model of these rows, with its base. */
export function knownModel(rows: readonly LabelledInput[], given: Omit<DirectRecipe, "datanet">): KnownModel {
  const recipe = given as DirectRecipe;
  const inputs = directInputs(recipe);
  const model = directModel(recipe);
  const examplesOf = (some: readonly LabelledInput[]) => ({
    inputs: inputs.examples(some.map(({ input }) => input)),
    labels: Int32Array.from(some, ({ label }) => label),
  });
  const parameters = model.train(examplesOf(rows));
  const sensitivitiesOf = (some: readonly LabelledInput[]) =>
    model.sensitivities(parameters, examplesOf(some));
  const own = sensitivitiesOf(rows);
  const { count, position } = usedColumns(own.inputs);
  const factor = gaussNewton(
    { ...own, inputs: renumberColumns(own.inputs, position, count) },
    recipe.method.damping,
  );
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
  const questions = sensitivitiesOf(rows.slice(0, MAX_QUESTIONS));
  /**
   * Loss that a row of this direction takes off the answer to each question, where the answer is the likelier label.
   */
  const scoresOf = (direction: Float64Array) =>
    Array.from(questions.residuals, (residual, q) => {
      const { columns, starts, values } = questions.inputs;
      let sum = 0;
      for (let e = starts[q]!; e < starts[q + 1]!; e++)
        sum += values[e]! * direction[position[columns[e]!]!]!;
      return Math.sign(residual) * (Math.abs(residual) < Math.SQRT1_2 ? sum : -sum);
    });
  const made = Array.from(rows, (_, k) => {
    const [direction, residual] = [directionOf(own.inputs, k), own.residuals[k]!];
    return { residual, length: Math.abs(residual) * lengthOf(direction), scores: scoresOf(direction) };
  });
  const { base: { flatPermille } = { flatPermille: 0 }, normQuantile } = recipe.rules;
  const clip = made.map(({ length }) => length).sort((a, b) => a - b)[
    Math.ceil(normQuantile * rows.length) - 1
  ]!;
  const typical = mean(made.map(({ length }) => Math.min(length, clip))) / Math.sqrt(inputs.inputCount);
  const paidOf = ({ length, residual, scores }: (typeof made)[number]) =>
    scores.map((score) =>
      Math.max(0, score * residual * Math.min(1, clip / length) + (typical * flatPermille) / 1_000),
    );
  const paid = made.map(paidOf);
  const totals = Array.from(questions.residuals, (_, q) => paid.reduce((sum, one) => sum + one[q]!, 0));
  return {
    earns(row) {
      const { inputs: x, residuals } = sensitivitiesOf([row]);
      const [direction, residual] = [directionOf(x, 0), residuals[0]!];
      const length = Math.abs(residual) * lengthOf(direction);
      return mean(
        paidOf({ length, residual, scores: scoresOf(direction) }).map((one, q) => one / totals[q]!),
      );
    },
    residual: (row) => Math.abs(sensitivitiesOf([row]).residuals[0]!),
  };
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
