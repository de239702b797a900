/**
 * Odds of each row's label by models of the other folds' rows: nobody's own rows vouch for them. The checks of
 * labels (cleaning/, datanet-check.ts) rank rows by them.
 */
import { exactExp } from "../maths/exact-math.ts";
import { selectRows } from "../maths/sparse-rows.ts";
import type { OnProgress } from "../progress.ts";
import { eachFold } from "./folds.ts";
import type { Examples, Model } from "./model.ts";
import type { TellingColumn } from "./telling-words.ts";
import { confusionOf, type PlainFigures, rightCount, type UnseenShares } from "./unseen-shares.ts";

export interface HeldOutOptions {
  /** Fold of each row, 0 … foldCount − 1; a row is judged by a model of all rows of other folds. */
  readonly folds: Int32Array;
  readonly foldCount: number;
  readonly classCount: number;
  /** Minimum rows in the other folds: with fewer no row is judged. */
  readonly minOthers?: number;
  /** Parameters at which training begins; the model's own start if not given. */
  readonly start?: Float64Array;
  /** Stage "held-out", in folds. */
  readonly onProgress?: OnProgress;
}

export interface HeldOut {
  /** Probability of the row's label divided by that of the likeliest other label; +∞ only by rounding. */
  readonly odds: Float64Array;
  /** The likeliest label; of equally likely ones the first. */
  readonly predicted: Int32Array;
  /** 1 where a model can judge: the other folds have two labels at least, the row's among them. Else odds are 1. */
  readonly isJudged: Uint8Array;
}

/** Figures of models on rows that they were not trained on. */
export interface HeldOutFigures extends Partial<Pick<UnseenShares, "interval" | "macroRecall" | "recalls">> {
  /** Rows that a model could judge. */
  readonly rowCount: number;
  /** Part of them whose label is the likeliest one. */
  readonly accuracy: number;
  /** Plain baselines on the same rows and folds (unseen-figures.ts); null where they are not computed. */
  readonly plain?: PlainFigures | null;
  /** Folds of the rows, where these figures are those of a model. */
  readonly foldCount?: number;
  /** True where all rows of a contributor are in one fold; near copies always are. */
  readonly isByContributor?: boolean;
  /** Columns that number the rows, or tell the label by themselves. Absent: not looked for. */
  readonly telling?: readonly TellingColumn[];
  /** Labels of the rows and columns of the table. */
  readonly labels: readonly string[];
  /** Number of rows by accepted label (row of the table) and likeliest label (column). */
  readonly confusion: readonly (readonly number[])[];
}

/** Figures of held-out rows; null where no row was judged. */
export function heldOutFigures(
  { isJudged, predicted }: HeldOut,
  labels: Int32Array,
  names: readonly string[],
): HeldOutFigures | null {
  const positions = Array.from(labels, (label, i) => [label, predicted[i]!] as const);
  const confusion = confusionOf(
    names.length,
    positions.filter((_, i) => isJudged[i] === 1),
  );
  const rowCount = isJudged.reduce((sum, one) => sum + one, 0);
  if (rowCount === 0) return null;
  return { rowCount, accuracy: rightCount(confusion) / rowCount, labels: [...names], confusion };
}

/** Deterministic to the bit. */
export function heldOut(model: Model, examples: Examples, options: HeldOutOptions): HeldOut {
  const { inputs, labels } = examples;
  const { classCount, foldCount, folds, minOthers = 2, start } = options;
  const out: HeldOut = {
    odds: new Float64Array(labels.length).fill(1),
    predicted: labels.slice(),
    isJudged: new Uint8Array(labels.length),
  };
  for (const { fold, others, own: mine } of eachFold(folds, foldCount)) {
    options.onProgress?.({ stage: "held-out", done: fold, total: foldCount });
    const known = new Set(others.map((i) => labels[i]!));
    const judged = mine.filter((i) => known.has(labels[i]!));
    // A label that only its own fold has cannot be contradicted by a model that has never seen it.
    if (others.length < minOthers || known.size < 2 || judged.length === 0) continue;
    const parameters = model.train(examples, {
      indices: others,
      ...(start === undefined ? {} : { start }),
    });
    const judgedInputs = selectRows(inputs, judged);
    const losses = Array.from({ length: classCount }, (_, label) =>
      model.losses(parameters, { inputs: judgedInputs, labels: new Int32Array(judged.length).fill(label) }),
    );
    for (const [k, i] of judged.entries()) {
      const own = labels[i]!;
      let best = own === 0 ? 1 : 0;
      for (let c = 0; c < classCount; c++) if (c !== own && losses[c]![k]! < losses[best]![k]!) best = c;
      const lead = losses[best]![k]! - losses[own]![k]!;
      out.odds[i] = exactExp(lead);
      // Of two that are as likely the first: were it the row's own, a model that knows nothing would be right everywhere.
      out.predicted[i] = lead > 0 || (lead === 0 && own < best) ? own : best;
      out.isJudged[i] = 1;
    }
  }
  options.onProgress?.({ stage: "held-out", done: foldCount, total: foldCount });
  return out;
}
