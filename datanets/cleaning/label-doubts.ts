/**
 * Finds doubtful labels and outliers among a Datanet's rows, by models of other contributors' rows. check-rows.ts adds them to
 * its findings, which the host shows to reviewers.
 */

import { labelIssues } from "@openledger/attribution/cleaning/label-issues";
import { selectRows } from "@openledger/attribution/maths/sparse-rows";
import { judgedRows } from "@openledger/attribution/model/judged-rows";
import type { Card } from "../card/card.ts";
import { type Finding, makeFinding } from "./finding.ts";
import type { RowToCheck } from "./row-to-check.ts";

/** Outliers are rows more unlike the others than this many thousandths of them. Fewer rows than the minimum have none. */
const OUTLIER_PERMILLE = 990;
const MIN_ROWS = 50;
/** Odds of one to one: above, another label is likelier. */
const CONTRADICTED = 0.5;

/** Rows of the model that judges a row, by what it was not trained on. */
const OTHERS = {
  contributor: "the other contributors' rows",
  row: "other rows, the contributor's own among them,",
} as const;

/**
 * Labels that a model of other contributors' rows contradicts (with fewer than five contributors, of other rows), and rows unlike all
 * others. Rows that no model reads are not judged, and no label that the model hardly ever finds is contradicted. Labels are the accepted ones, else the contributors'; rows without
 * one have no part where enough others have one.
 */
export async function doubtLabels(card: Card, rows: readonly RowToCheck[]): Promise<Finding[]> {
  const { inputs, positions: all } = await judgedRows(
    card.row,
    rows.map(({ content }) => content),
  );
  const labelled = all.filter((i) => knownLabel(rows[i]!) !== null);
  const isLabelled = labelled.length >= MIN_ROWS;
  const positions = isLabelled ? labelled : all;
  if (positions.length < MIN_ROWS) return [];
  const knownLabels = positions.map((i) => knownLabel(rows[i]!));
  const names: (string | null)[] = isLabelled ? [...new Set(knownLabels)].sort() : [null];
  const labels = Int32Array.from(knownLabels, (label) => (isLabelled ? names.indexOf(label) : 0));
  const owners = positions.map((i) => rows[i]!.contributorId);
  const chosen = new Set(positions);
  const judged = selectRows(
    inputs,
    [...all.keys()].filter((k) => chosen.has(all[k]!)),
  );
  const issues = labelIssues(judged, labels, { owners });
  const percent = Math.round(100 * issues.accuracy);
  const outlierRank = ranks(issues.outlier);
  const contradictionRank = ranks(issues.contradiction);
  const influenceRank = ranks(issues.selfInfluence);
  return positions.flatMap((i, k) => {
    const row = rows[i]!;
    const found: Finding[] = [];
    if (issues.contradiction[k]! > CONTRADICTED && issues.isKnown[labels[k]!]!) {
      const [label, other] = [names[labels[k]!]!, names[issues.predicted[k]!]!];
      found.push(
        makeFinding("contradicted-label", row, {
          label,
          said: other,
          by: "model",
          without: issues.without,
          rankPermille: contradictionRank[k]!,
          influencePermille: influenceRank[k]!,
          detail: `its label is ${label}, a model of ${OTHERS[issues.without]} says ${other}; it is right about ${percent} % of the rows`,
        }),
      );
    }
    if (outlierRank[k]! >= OUTLIER_PERMILLE)
      found.push(
        makeFinding("outlier", row, {
          rankPermille: outlierRank[k]!,
          detail: "its contents are unlike those of the other rows",
        }),
      );
    return found;
  });
}

/** The accepted label, else the contributor's. */
export const knownLabel = ({ acceptedLabel, label }: RowToCheck): string | null => acceptedLabel ?? label;

/** Returns the share of values below each value, in thousandths. */
function ranks(values: Float64Array): Int32Array {
  const sorted = values.slice().sort();
  return Int32Array.from(values, (value) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return Math.floor((1_000 * low) / sorted.length);
  });
}
