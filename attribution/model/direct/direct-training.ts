/**
 * Training of direct models (classifiers, whose query is the prompt's counts), and the int16 contrasts of rows'
 * influence that they register (docs/explanation/attribution-proof.md). Training jobs call it, and whoever verifies a
 * model trains again by it.
 */
import { MAX_DIRECT_ENTRY } from "@openledger/circuits/settlement/scores/direct-matrix";
import { termBucketCount, writeBase } from "../../features/direct-base.ts";
import {
  type DirectFeatures,
  partLengths,
  quantiseContrasts,
  rowInfluence,
} from "../../features/direct-rows.ts";
import { bucketScales } from "../../inputs/bucket-scales.ts";
import type { ReadVectors } from "../../inputs/open-inputs.ts";
import type { OnProgress } from "../../progress.ts";
import { openComparison } from "../../rows/row-comparison.ts";
import { clipFactors, clusterSizes } from "../../rows/row-rules.ts";
import { contentOfRow } from "../../rows/salted-rows.ts";
import { termParts } from "../../rows/term-parts.ts";
import { type DecodedRows, decodeRows } from "../decoded-rows.ts";
import { type HeldOut, type HeldOutFigures, heldOut, heldOutFigures } from "../held-out-odds.ts";
import { type HonestFolds, honestFolds } from "../honest-folds.ts";
import type { FamilyTraining, TrainedModel, TrainOptions } from "../model-family.ts";
import { figureOf } from "../model-figure.ts";
import type { OwnedRow } from "../owned-rows.ts";
import { payeeTable } from "../payee-table.ts";
import { checkRowsRoot } from "../rows-root.ts";
import { tellingColumns } from "../telling-columns.ts";
import { requireRows } from "../trainable.ts";
import { plainFigures } from "../unseen-figures.ts";
import { unseenShares } from "../unseen-shares.ts";
import { type DirectParts, directFamily, directFamilyOf, directModel } from "./direct-family.ts";
import { directInputs, registeredLogits } from "./direct-inputs.ts";
import { type DirectRecipe, parseDirectRecipe } from "./direct-recipe.ts";
import { areInputsOfRows } from "./inputs-of-rows.ts";
import { weightsOf } from "./label-weights.ts";
import { logisticModel } from "./logistic-model.ts";

/** Training of the family's models. @param readVectors as of `directFamilyOf` */
export function directTrainingOf(readVectors?: ReadVectors): FamilyTraining<DirectParts> {
  const family = directFamilyOf(readVectors);
  return {
    family,
    requireTrainable: (rows, recipe) => requireRows(rows, recipe, readVectors),
    async train(rows, recipe, options) {
      return { ...(await trainDirect(rows, recipe, { ...options, readVectors })), family };
    },
    async fit(rows, recipe) {
      checkRowsRoot(rows, recipe);
      const examples = decodeRows(rows, recipe, await directInputs(recipe, readVectors));
      return { family, recipe, parameters: directModel(recipe).train(examples) };
    },
    async features({ parameters, recipe }, rows, options) {
      const examples = decodeRows(rows, recipe, await directInputs(recipe, readVectors));
      return directFeatures(parameters, { rows, examples }, recipe, options);
    },
    async unseen({ recipe }, rows, options) {
      checkRowsRoot(rows, recipe);
      const examples = decodeRows(rows, recipe, await directInputs(recipe, readVectors));
      const { folds } = await foldsOf(rows, recipe);
      const { isJudged, predicted } = judgeByOthers(examples, recipe, { ...options, folds });
      const judged = [...rows.keys()].filter((row) => isJudged[row] === 1);
      return {
        kind: "labels",
        how: `each row is labelled by a model of the rows of ${FOLDS - 1} of ${FOLDS} folds, in which neither it nor a near copy is`,
        values: new Map(judged.map((row) => [row, predicted[row] === examples.labels[row] ? 0 : 1])),
      };
    },
    tellingColumns: async (rows, recipe) =>
      tellingColumns(shapeOf(recipe), rows, { ...(await foldsOf(rows, recipe)), foldCount: FOLDS }),
    areInputsOfRows,
    async figure(rows, recipe, options) {
      checkRowsRoot(rows, recipe);
      const examples = decodeRows(rows, recipe, await directInputs(recipe, readVectors));
      return figureOf(await heldOutOf(rows, examples, recipe, options));
    },
    describe: ({ accuracy, heldOut: unseen }) =>
      [
        `it labels ${percent(accuracy ?? 0)} of its rows as was accepted`,
        ...(unseen == null ? [] : [unseenWords(unseen)]),
        "a settlement proves its answers",
      ].join("; "),
  };
}

/** Training of models whose inputs need no further file. */
export const directTraining = directTrainingOf();

/** "95.0 % of rows that it had not seen (90.1 to 97.5 %), where the commonest label gives 60.0 % and plain logistic regression 93.0 %" */
function unseenWords({ accuracy, interval, plain }: HeldOutFigures): string {
  const range = interval === undefined ? "" : ` (${percent(interval[0])} to ${percent(interval[1])})`;
  const beside =
    plain == null
      ? ""
      : `, where the commonest label gives ${percent(plain.majority)} and plain logistic regression ${percent(plain.logistic)}`;
  return `${percent(accuracy)} of rows that it had not seen${range}${beside}`;
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

/**
 * Trains the recipe's model on the version's rows and computes its contrasts. Deterministic to the byte. Needs
 * `initPoseidon`.
 * @throws ATT_ROWS_MISMATCH, ATT_LABELS_MISMATCH, ATT_LABEL_INVALID, ATT_ROW_INVALID, ATT_DUPLICATE_ROW, ATT_RECIPE_INVALID;
 *   ATT_VECTORS_MISSING, ATT_VECTORS_INVALID
 */
export async function trainDirect(
  rows: readonly OwnedRow[],
  unchecked: DirectRecipe,
  options: Pick<TrainOptions, "foldCount" | "onProgress" | "withHeldOut"> & {
    /** Reads the word vectors that a recipe names. */
    readonly readVectors?: ReadVectors | undefined;
  } = {},
): Promise<TrainedModel<DirectParts>> {
  const recipe = parseDirectRecipe(unchecked);
  const payees = payeeTable(rows);
  checkRowsRoot(rows, recipe);
  const { onProgress, readVectors, withHeldOut = true } = options;
  const inputs = await directInputs(recipe, readVectors);
  const examples = decodeRows(rows, recipe, inputs);
  const parameters = directModel(recipe).train(examples, onProgress === undefined ? {} : { onProgress });
  const features = await directFeatures(parameters, { rows, examples }, recipe, options);
  const logits = registeredLogits(recipe, parameters);
  const right = examples.counts.filter(
    (counted, i) => inputs.answerTo(logits, counted).label === rows[i]!.label,
  );
  return {
    family: readVectors === undefined ? directFamily : directFamilyOf(readVectors),
    recipe,
    rows,
    payees,
    parameters,
    features,
    accuracy: right.length / rows.length,
    heldOut: withHeldOut ? await heldOutOf(rows, examples, recipe, options) : null,
  };
}

/** Folds of rows that a model of the other folds labels; a figure may be of others. */
const FOLDS = 5;
/** Tolerance of those models: what a few more steps would change is no answer. */
const HELD_OUT_TOLERANCE = 1e-4;

/** Figures of models like this one on rows that they have not seen, beside plain baselines. */
async function heldOutOf(
  rows: readonly OwnedRow[],
  examples: DecodedRows,
  recipe: DirectRecipe,
  { foldCount = FOLDS, ...options }: Pick<TrainOptions, "foldCount" | "onProgress">,
): Promise<HeldOutFigures | null> {
  const { classes } = recipe;
  const shape = shapeOf(recipe);
  const { folds, isByContributor } = await foldsOf(rows, recipe, foldCount);
  const judged = judgeByOthers(examples, recipe, { ...options, folds, foldCount });
  const figures = heldOutFigures(judged, examples.labels, classes);
  if (figures === null) return null;
  const { isJudged } = judged;
  const plain = await plainFigures(
    shape,
    rows.map(({ content }) => content),
    { labels: examples.labels, classCount: classes.length, folds, foldCount, isJudged },
  );
  const { interval, macroRecall, recalls } = unseenShares(figures.confusion)!;
  const telling = tellingColumns(shape, rows, { folds, foldCount, low: interval[0] });
  return { ...figures, interval, macroRecall, recalls, plain, foldCount, isByContributor, telling };
}

/** Judges each row by a model of the other folds' rows. */
function judgeByOthers(
  examples: DecodedRows,
  recipe: DirectRecipe,
  {
    folds,
    foldCount = FOLDS,
    onProgress,
  }: Pick<TrainOptions, "onProgress"> & { readonly folds: Int32Array; readonly foldCount?: number },
): HeldOut {
  const classCount = recipe.classes.length;
  const model = logisticModel({
    inputCount: examples.inputs.columnCount,
    classCount,
    decay: recipe.model.decay,
    labelWeights: weightsOf(recipe.model.labelWeights),
    tolerance: HELD_OUT_TOLERANCE,
  });
  return heldOut(model, examples, {
    folds,
    foldCount,
    classCount,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

const shapeOf = ({ inputs }: DirectRecipe) => ({
  kind: inputs.kind,
  fields: inputs.kind === "table" ? inputs.fields : [],
});

const foldsOf = (rows: readonly OwnedRow[], recipe: DirectRecipe, foldCount = FOLDS): Promise<HonestFolds> =>
  honestFolds(rows, { shape: shapeOf(recipe), foldCount, seed: recipe.seed });

/** Near-duplicates by content, among rows of one label. */
async function duplicatesAmong(rows: readonly OwnedRow[], { inputs, rules }: DirectRecipe) {
  const fields = inputs.kind === "table" ? inputs.fields : [];
  const compare = await openComparison({ kind: inputs.kind, fields }, rules.comparison ?? 1);
  return compare(
    rows.map(({ content }) => content),
    rows.map(({ label }) => label ?? null),
  );
}

async function directFeatures(
  parameters: Float64Array,
  { examples, rows }: { readonly rows: readonly OwnedRow[]; readonly examples: DecodedRows },
  recipe: DirectRecipe,
  { onProgress }: { onProgress?: OnProgress | undefined },
): Promise<DirectFeatures> {
  const { method, rules } = recipe;
  const featureCount = recipe.columnCount;
  const labelCount = recipe.classes.length;
  const rowCount = rows.length;
  const influence = rowInfluence(directModel(recipe).sensitivities(parameters, examples), {
    damping: method.damping,
    featureCount,
    scales: bucketScales(recipe.inputs, termBucketCount(recipe)),
    onProgress,
  });
  const duplicates = rules.nearDuplicatesShare ? await duplicatesAmong(rows, recipe) : [];
  const sizes = clusterSizes(rowCount, duplicates);
  const shares = Float64Array.from(sizes, (size) => 1 / size);
  const lengths = partLengths(influence).map((length, k) => length * shares[k]!);
  const clips = clipFactors(lengths, rules.normQuantile);
  const factors = shares.map((share, k) => share * clips[k]!);
  const { scale, values: integers } = quantiseContrasts(influence, {
    factors,
    featureCount,
    max: MAX_DIRECT_ENTRY,
  });
  const width = featureCount * (labelCount - 1);
  const values = new Int16Array((rowCount + 1) * width);
  values.set(integers);
  if (rules.base !== undefined) {
    const parts =
      rules.baseBy === "terms" ? termParts(rows.map(({ content }) => contentOfRow(content))) : null;
    const divisors = parts === null ? sizes : Float64Array.from(sizes, (size, k) => size / parts[k]!);
    writeBase({ values, rowCount, labelCount, featureCount }, rules.base, divisors);
  }
  values.set(registeredLogits(recipe, parameters).values, rowCount * width);
  return { values, rowCount, labelCount, featureCount, scale };
}
