/** Shares of unseen rows that a model labels right, with their interval. Trainings, the factory and pages show them. */

/** Number of rows by accepted label (row of the table) and answered one (column). @param judged places of both labels */
export function confusionOf(
  labelCount: number,
  judged: Iterable<readonly [accepted: number, answered: number]>,
) {
  const confusion = Array.from({ length: labelCount }, () => new Array<number>(labelCount).fill(0));
  for (const [accepted, answered] of judged) confusion[accepted]![answered]! += 1;
  return confusion;
}

/** Rows whose answered label is the accepted one. */
export const rightCount = (confusion: readonly (readonly number[])[]): number =>
  confusion.reduce((sum, counts, label) => sum + counts[label]!, 0);

/** Shares of 1 of the judged rows. */
export interface UnseenShares {
  readonly accuracy: number;
  /** 95 % interval of the accuracy, by Wilson's score. */
  readonly interval: readonly [low: number, high: number];
  /** Mean of the labels' recalls. */
  readonly macroRecall: number;
  /** Part of each label's rows that is labelled right, in the labels' order; null for a label without rows. */
  readonly recalls: readonly (number | null)[];
  /** Part of the rows with the commonest label. */
  readonly majority: number;
}

/** Baselines on the folds of a figure. */
export interface PlainFigures {
  /** Accuracy of plain logistic regression, and the rows that it labels right. */
  readonly logistic: number;
  readonly logisticCount: number;
  readonly logisticMacroRecall: number;
  /** Accuracy of the label that is commonest in the other folds, and the rows that have it. */
  readonly majority: number;
  readonly majorityCount: number;
}

/** Quantile of the normal distribution for 95 %. */
const Z = 1.959964;

/** @param confusion rows by accepted label and answered one; null without a row */
export function unseenShares(confusion: readonly (readonly number[])[]): UnseenShares | null {
  const sizes = confusion.map((counts) => counts.reduce((sum, count) => sum + count, 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total === 0) return null;
  const recalls = confusion.map((counts, label) =>
    sizes[label] === 0 ? null : counts[label]! / sizes[label]!,
  );
  const known = recalls.filter((recall) => recall !== null);
  const accuracy = rightCount(confusion) / total;
  return {
    accuracy,
    interval: wilson(accuracy, total),
    macroRecall: known.reduce((sum, recall) => sum + recall, 0) / known.length,
    recalls,
    majority: Math.max(...sizes) / total,
  };
}

/** Wilson's score interval of a share of `count` trials (Wilson 1927). */
export function wilson(share: number, count: number): [low: number, high: number] {
  const square = (Z * Z) / count;
  const middle = (share + square / 2) / (1 + square);
  const half = (Z / (1 + square)) * Math.sqrt((share * (1 - share)) / count + square / (4 * count));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
