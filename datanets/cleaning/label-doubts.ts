/**
 * Finds doubtful labels and outliers among a Datanet's rows, by models of other contributors' rows. check-rows.ts adds them to
 * its findings, which the host shows to reviewers.
 */
import { labelIssues } from "@openledger/attribution/cleaning/label-issues";
import { type SparseRows, sparseRows } from "@openledger/attribution/maths/sparse-rows";
import { POOLED_DIGIT_SIDE } from "@openledger/attribution/rows/digit-pixels";
import { hashedTerms } from "@openledger/attribution/rows/hashed-terms";
import { decodeRow, inputRows } from "@openledger/attribution/rows/row-content";
import type { Card } from "../card/card.ts";
import type { RowView } from "../rows/row-view.ts";
import { type Finding, makeFinding } from "./finding.ts";
import type { RowToCheck } from "./row-to-check.ts";

/** Hash buckets of the scores, as measured in docs/explanation/attribution-methods.md, "Wrong labels and cleaning". */
const BUCKETS = 512;
/** Outliers are rows more unlike the others than this many thousandths of them. Fewer rows than the minimum have none. */
const OUTLIER_PERMILLE = 990;
const MIN_ROWS = 50;
/** Odds of one to one: above, another label is likelier. */
const CONTRADICTED = 0.5;

/**
 * Labels that a model of other contributors' rows contradicts, and rows unlike all others. Rows are of a kind that models are
 * known for: texts by their words, digits by their pixels. Labels are the accepted ones, else the contributors'; rows without
 * one have no part where enough others have one.
 */
export function doubtLabels(card: Card, rows: readonly RowToCheck[], views: readonly RowView[]): Finding[] {
  if (card.row.kind === "image") return [];
  const all = [...rows.keys()].filter((i) => views[i]!.isWellFormed);
  const labelled = all.filter((i) => knownLabel(rows[i]!, views[i]!) !== null);
  const isLabelled = labelled.length >= MIN_ROWS;
  const places = isLabelled ? labelled : all;
  if (places.length < MIN_ROWS) return [];
  const knownLabels = places.map((i) => knownLabel(rows[i]!, views[i]!));
  const names: (string | null)[] = isLabelled ? [...new Set(knownLabels)].sort() : [null];
  const labels = Int32Array.from(knownLabels, (label) => (isLabelled ? names.indexOf(label) : 0));
  const owners = places.map((i) => rows[i]!.contributorId);
  const issues = labelIssues(inputsOf(card, places, rows, views), labels, { owners });
  const outlierRank = ranks(issues.outlier);
  const contradictionRank = ranks(issues.contradiction);
  const influenceRank = ranks(issues.selfInfluence);
  return places.flatMap((i, k) => {
    const row = rows[i]!;
    const found: Finding[] = [];
    if (issues.contradiction[k]! > CONTRADICTED) {
      const [label, other] = [names[labels[k]!]!, names[issues.predicted[k]!]!];
      found.push(
        makeFinding("contradicted-label", row, {
          label,
          said: other,
          by: "model",
          rankPermille: contradictionRank[k]!,
          influencePermille: influenceRank[k]!,
          detail: `its label is ${label}, a model of the other contributors' rows says ${other}`,
        }),
      );
    }
    if (outlierRank[k]! >= OUTLIER_PERMILLE)
      found.push(
        makeFinding("outlier", row, {
          rankPermille: outlierRank[k]!,
          detail: "its words or pixels are unlike those of the other rows",
        }),
      );
    return found;
  });
}

/** The contributor's label: in kinds that still have one in the row, that one unless a record says otherwise. */
export const ownLabel = ({ label }: RowToCheck, view: RowView): string | null => label ?? view.label;

/** The accepted label, else the contributor's. */
export const knownLabel = (row: RowToCheck, view: RowView): string | null =>
  row.acceptedLabel ?? ownLabel(row, view);

function inputsOf(
  card: Card,
  places: readonly number[],
  rows: readonly RowToCheck[],
  views: readonly RowView[],
): SparseRows {
  if (card.row.kind === "digit") {
    const inputs = places.map((i) => decodeRow("digit", rows[i]!.content).input);
    return inputRows({ kind: "digit", side: POOLED_DIGIT_SIDE }, inputs);
  }
  const encoder = new TextEncoder();
  return sparseRows(
    BUCKETS,
    places.map((i) => hashedTerms(encoder.encode(views[i]!.text), BUCKETS)),
  );
}

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
