/**
 * Figure of a classifier: rows that models like it label right without having seen them, beside plain baselines, as whole numbers. It
 * follows from recipe and rows alone, so that everyone gets the same; shares and intervals are derived. Trainings write it beside the
 * model, its leaf signs it (datanets/records/signed-figure.ts), `verify model` computes it again.
 */
import { MAX_LABELS } from "@openledger/circuits/ledger/direct-query";
import { z } from "zod";
import type { HeldOutFigures } from "./held-out-odds.ts";
import { invalidFile, type ModelFiles, parseJson } from "./model-manifest.ts";
import { wilson } from "./unseen-shares.ts";

/** File beside a model's files. It is not in the manifest: who answers or checks answers does not need it. */
export const FIGURE_FILE = "figure.json";
/** Maximum number of folds: each takes a training. */
const MAX_FOLDS = 20;

const count = z.int().min(0).max(0xffff_ffff);

/**
 * Fields of the figure. Near copies are in one fold (honest-folds.ts), which the recipe's seed draws. Another way of making folds or
 * baselines is another format.
 */
export const figureSchema = z
  .strictObject({
    foldCount: z.int().min(2).max(MAX_FOLDS),
    /** True where all rows of a contributor are in one fold. */
    isByContributor: z.boolean(),
    /** Judged rows by their label, in the recipe's order, and how many of them the models of the other folds label right. */
    labels: z
      .array(z.strictObject({ label: z.string().min(1).max(60), rowCount: count, rightCount: count }))
      .min(2)
      .max(MAX_LABELS),
    /** Judged rows whose label is the commonest one of the other folds. */
    majorityCount: count,
    /** Judged rows that plain logistic regression on the other folds labels right. */
    logisticCount: count,
  })
  .refine(({ labels }) => labels.every(({ rightCount, rowCount }) => rightCount <= rowCount), {
    error: "has a label with more right rows than rows",
  })
  .refine(({ labels }) => new Set(labels.map(({ label }) => label)).size === labels.length, {
    error: "has a label twice",
  })
  .refine(
    (figure) => {
      const { rowCount } = sumsOf(figure);
      return rowCount > 0 && Math.max(figure.majorityCount, figure.logisticCount) <= rowCount;
    },
    { error: "counts other rows than its labels have" },
  );
export type ModelFigure = z.output<typeof figureSchema>;

/** Judged rows of all labels, and those that are labelled right. */
export function sumsOf({ labels }: Pick<ModelFigure, "labels">): { rowCount: number; rightCount: number } {
  const sum = (of: "rowCount" | "rightCount") => labels.reduce((total, label) => total + label[of], 0);
  return { rowCount: sum("rowCount"), rightCount: sum("rightCount") };
}

/** Figure of held-out rows; null where none were judged. */
export function figureOf(found: HeldOutFigures | null | undefined): ModelFigure | null {
  if (found?.plain == null || found.foldCount === undefined) return null;
  const { confusion, foldCount, isByContributor = false, labels, plain } = found;
  return {
    foldCount,
    isByContributor,
    labels: labels.map((label, i) => ({
      label,
      rowCount: confusion[i]!.reduce((sum, one) => sum + one, 0),
      rightCount: confusion[i]![i]!,
    })),
    majorityCount: plain.majorityCount,
    logisticCount: plain.logisticCount,
  };
}

/** A number of a figure that two computations give differently. */
export interface FigureDifference {
  /** Path of the field, as "labels.2.rightCount". */
  readonly field: string;
  readonly published: string;
  readonly computed: string;
}

/** The first number that differs; null for the same figure. Whole numbers are compared: every machine gets the same. */
export function figureDifference(published: ModelFigure, computed: ModelFigure): FigureDifference | null {
  const [ours, theirs] = [fieldsOf(computed), fieldsOf(published)];
  for (const field of new Set([...theirs.keys(), ...ours.keys()])) {
    const [one, other] = [theirs.get(field) ?? "nothing", ours.get(field) ?? "nothing"];
    if (one !== other) return { field, published: one, computed: other };
  }
  return null;
}

function fieldsOf({ labels, ...others }: ModelFigure): Map<string, string> {
  const ofLabels = labels.flatMap((label, i) =>
    Object.entries(label).map(([name, value]) => [`labels.${i}.${name}`, String(value)] as const),
  );
  return new Map([
    ...Object.entries(others).map(([name, value]) => [name, String(value)] as const),
    ...ofLabels,
  ]);
}

/** "right on 82 of 120 unseen rows (60 to 76 %); counting labels 43 %, plain logistic regression 71 %" */
export function figureWords(figure: ModelFigure): string {
  const { rightCount, rowCount } = sumsOf(figure);
  const [low, high] = wilson(rightCount / rowCount, rowCount);
  const percent = (share: number) => Math.round(100 * share);
  const baseline = (right: number) => `${percent(right / rowCount)} %`;
  return `right on ${rightCount} of ${rowCount} unseen rows (${percent(low)} to ${percent(high)} %); counting labels ${baseline(figure.majorityCount)}, plain logistic regression ${baseline(figure.logisticCount)}`;
}

/** Reads the figure beside a model's files; null where there is none. @throws ATT_MODEL_FILE_INVALID */
export function decodeFigure(files: ModelFiles): ModelFigure | null {
  const bytes = files.get(FIGURE_FILE);
  if (bytes === undefined) return null;
  const parsed = figureSchema.safeParse(parseJson(bytes, FIGURE_FILE));
  if (parsed.success) return parsed.data;
  throw invalidFile(FIGURE_FILE, z.prettifyError(parsed.error));
}
