/**
 * Part `small` of `npm run bench -- attribution`: what a model of the default says of rows that it has not seen, on small sets as people
 * bring them. Beside it stand the majority, plain logistic regression, and the default before inputs were chosen by
 * inner folds, all on the same folds. Influence is measured on one split.
 */
import { reservedBuckets } from "@openledger/attribution/features/direct-base";
import { chooseInputs } from "@openledger/attribution/inputs/choose-inputs";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { eachFold, foldsByLabel } from "@openledger/attribution/model/folds";
import { majorityOf, type PlainBaseline, plainBaseline } from "@openledger/attribution/model/plain-baseline";
import { confusionOf, type UnseenShares, unseenShares } from "@openledger/attribution/model/unseen-shares";
import { contentOf } from "@openledger/attribution/rows/row-content";
import { classifierRecipe } from "@openledger/models/tuning/recipe/recipe-presets";
import { type Corpus, usualRecipeOf } from "./corpora.ts";
import { measureDirect, REGISTERED } from "./direct-quality.ts";
import { labelsByRecipe, type Split } from "./held-out-accuracy.ts";
import type { PaidQuality } from "./paid-quality.ts";
import { openSmallSet, type SmallName } from "./small-sets.ts";

const FOLDS = 5;
/** Part of the rows that influence is measured on; the others are the questions. */
const TRAINED_PART = 0.8;
const MAX_QUESTIONS = 60;

export interface SmallSizes {
  /** Orders in which the rows are cut into folds. */
  readonly seedCount: number;
  /** Random halves that the model is trained on again; 0: no influence. */
  readonly subsetCount: number;
}

export const SMALL_SIZES = {
  full: { seedCount: 10, subsetCount: 32 },
  quick: { seedCount: 1, subsetCount: 0 },
} as const;

/** Mean over the seeds, and the least and largest of one seed. Shares of 1. */
interface Share {
  readonly mean: number;
  readonly range: readonly [low: number, high: number];
}

export interface SmallFigures {
  readonly rows: number;
  readonly labels: number;
  readonly accuracy: number;
  readonly accuracyRange: readonly [low: number, high: number];
  readonly macroRecall: number;
  readonly majority: number;
  readonly logistic: number;
  readonly logisticMacroRecall: number;
  readonly before: number;
  readonly ldsRegistered: number | null;
  readonly ldsExact: number | null;
  /** LDS of what rows are paid, by the card's base and by other rules. */
  readonly paid: PaidQuality | null;
}

const WAYS = ["accuracy", "before", "majority", "logistic"] as const;
type Way = (typeof WAYS)[number];

export async function measureSmall(
  name: SmallName,
  { seedCount, subsetCount }: SmallSizes,
  log: (line: string) => void,
): Promise<SmallFigures> {
  const corpus = openSmallSet(name);
  const { classes, rows, shape } = corpus;
  const labels = Int32Array.from(rows, ({ label }) => label);
  const contents = rows.map(({ input }) => contentOf(shape.kind, input));
  const baseline = await plainBaseline(shape, contents, labels, classes.length);
  const bySeed: Record<Way, Right>[] = [];
  for (let seed = 0; seed < seedCount; seed++) {
    bySeed.push(await sharesOfSeed(corpus, seed, { baseline, labels }));
    const { accuracy, logistic } = bySeed.at(-1)!;
    log(`seed ${seed + 1} of ${seedCount}: ${spelt(accuracy)}, logistic regression ${spelt(logistic)}`);
  }
  const meanOf = (way: Way) => shareOf(bySeed.map((one) => one[way].accuracy));
  const accuracy = meanOf("accuracy");
  return {
    rows: corpus.rows.length,
    labels: corpus.classes.length,
    accuracy: accuracy.mean,
    accuracyRange: accuracy.range,
    macroRecall: shareOf(bySeed.map((one) => one.accuracy.macroRecall)).mean,
    majority: meanOf("majority").mean,
    logistic: meanOf("logistic").mean,
    logisticMacroRecall: shareOf(bySeed.map((one) => one.logistic.macroRecall)).mean,
    before: meanOf("before").mean,
    ...(await influenceOf(corpus, subsetCount, log)),
  };
}

type Right = Pick<UnseenShares, "accuracy" | "macroRecall">;

interface Plain {
  readonly baseline: PlainBaseline;
  /** Class of each row. */
  readonly labels: Int32Array;
}

async function sharesOfSeed(corpus: Corpus, seed: number, plain: Plain): Promise<Record<Way, Right>> {
  const { classes, name } = corpus;
  const { baseline, labels } = plain;
  const { folds } = foldsByLabel(Array.from(labels, String), FOLDS, `${name} ${seed}`);
  const pairs: Record<Way, [accepted: number, answered: number][]> = {
    accuracy: [],
    before: [],
    majority: [],
    logistic: [],
  };
  for (const { others, own } of eachFold(folds, FOLDS)) {
    const split = { train: [...others], test: [...own] };
    const recipe = await usualRecipeOf(corpus, trainedRows(corpus, split));
    const commonest = majorityOf(labels, others, classes.length);
    const answered: Record<Way, ArrayLike<number>> = {
      accuracy: await labelsByRecipe(corpus, split, recipe),
      before: await labelsByRecipe(corpus, split, await earlierRecipe(corpus, split, recipe)),
      majority: new Int32Array(own.length).fill(commonest),
      logistic: baseline.label(others, own),
    };
    for (const way of WAYS)
      for (const [k, i] of own.entries()) pairs[way].push([labels[i]!, answered[way][k]!]);
  }
  const rightOf = (way: Way) => unseenShares(confusionOf(classes.length, pairs[way]))!;
  return {
    accuracy: rightOf("accuracy"),
    before: rightOf("before"),
    majority: rightOf("majority"),
    logistic: rightOf("logistic"),
  };
}

const shareOf = (values: readonly number[]): Share => ({
  mean: values.reduce((sum, value) => sum + value, 0) / values.length,
  range: [Math.min(...values), Math.max(...values)],
});

const spelt = ({ accuracy, macroRecall }: Right) =>
  `${accuracy.toFixed(3)} (macro ${macroRecall.toFixed(3)})`;

const trainedRows = ({ rows }: Corpus, { train }: Split) => train.map((i) => rows[i]!);

/** The default before 0.6: inputs by the rows alone, all labels and all rows weigh the same. */
async function earlierRecipe(corpus: Corpus, split: Split, recipe: DirectRecipe): Promise<DirectRecipe> {
  const { classes, shape } = corpus;
  const rows = trainedRows(corpus, split);
  const contents = rows.map(({ input }) => contentOf(shape.kind, input));
  const room = { bucketCount: recipe.inputs.bucketCount, baseBuckets: reservedBuckets(recipe) };
  const inputs = await chooseInputs({ ...shape, labelCount: classes.length }, contents, room);
  const { model, ...earlier } = classifierRecipe({ inputs, classes, rowCount: rows.length });
  const { rowWeights: _, ...unweighed } = model;
  return { ...recipe, ...earlier, model: unweighed, rules: recipe.rules };
}

async function influenceOf(corpus: Corpus, subsetCount: number, log: (line: string) => void) {
  if (subsetCount === 0) return { ldsRegistered: null, ldsExact: null, paid: null };
  const order = new SeededRandom(`${corpus.name}/influence`).permutation(corpus.rows.length);
  const rowCount = Math.floor(TRAINED_PART * corpus.rows.length);
  const { paid, ways } = await measureDirect({
    corpus: { ...corpus, rows: Array.from(order, (i) => corpus.rows[i]!) },
    rowCount,
    queryCount: Math.min(MAX_QUESTIONS, corpus.rows.length - rowCount),
    subsetCount,
    withPaid: true,
    leaveOneOutCount: 0,
    bitCounts: [10],
    log,
  });
  if (paid !== null) log(paidLine(paid));
  const ldsOf = (way: string) => ways.find((one) => one.way === way)?.lds?.value ?? null;
  return { ldsRegistered: ldsOf(REGISTERED), ldsExact: ldsOf("exact"), paid };
}

/** "LDS of pay 0.677, of its scores 0.931; by a base of 0: 0.628 (even 0.628), 41 % unpaid; …" */
function paidLine({ byStrength, paid, scores, together }: PaidQuality): string {
  const strengths = byStrength.map(
    ({ even, lds, permille, unpaid }) =>
      `by a base of ${permille / 1_000}: ${lds.toFixed(3)} (even ${even.toFixed(3)}), ${(100 * unpaid).toFixed(0)} % unpaid`,
  );
  const sums = `16 answers added: ${together.added.toFixed(3)}, netted: ${together.netted.toFixed(3)}`;
  return `LDS of pay ${paid.toFixed(3)}, of its scores ${scores.toFixed(3)}; ${[...strengths, sums].join("; ")}`;
}
