/** How a column of labels is read: which texts are the same label, and which are no label. */
import type { Card } from "../card/card.ts";
import { CellError } from "./cell.ts";
import { twinReadings } from "./column-readings.ts";
import type { Decisions } from "./decision.ts";
import type { FileTable } from "./file-table.ts";
import { labelOrNull } from "./mapping.ts";
import { isMissingSpelling } from "./missing-values.ts";
import { findTwins, joinedNames, type Twins, tidyName } from "./twins.ts";

/** Label of a card that a cell's text stands for; null for none. */
export type LabelOf = (text: string | null) => string | null;

/** Refusal of a label, whose message names it by itself. */
export class LabelError extends CellError {}

/** Texts of a column of labels, with the cells that have each. */
function countLabels({ records }: Pick<FileTable, "records">, column: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { values } of records) {
    const label = labelOrNull(values.get(column) ?? null);
    if (label !== null) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return counts;
}

const totalOf = (texts: readonly string[], counts: ReadonlyMap<string, number>) =>
  texts.reduce((sum, text) => sum + (counts.get(text) ?? 0), 0);

/** Counts of names without blanks around them, each in one Unicode form. */
function tidyCounts(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const tidy = new Map<string, number>();
  for (const [text, count] of counts) tidy.set(tidyName(text), (tidy.get(tidyName(text)) ?? 0) + count);
  return tidy;
}

/**
 * Decides how a column's texts are read as a card's labels. A text that is none of them is refused by the reader.
 * @param column null for rows without labels
 */
export function labelReader(
  { labels }: Pick<Card, "labels">,
  table: Pick<FileTable, "records">,
  column: string | null,
  decisions: Decisions,
): LabelOf {
  const names = new Set(labels.map(({ name }) => name));
  const byTidy = new Map(labels.map(({ name }) => [tidyName(name), name]));
  const known = (text: string) => (names.has(text) ? text : byTidy.get(tidyName(text)));
  const counts = column === null ? new Map<string, number>() : countLabels(table, column);
  const other = new Map([...counts].filter(([text]) => known(text) === undefined));
  if (column !== null) sayTidied(column, counts, known, decisions);
  const missing = [...other.keys()].filter(isMissingSpelling);
  if (missing.length > 0)
    decisions.decide({
      ...{ kind: "missing-values", file: null, column, cells: totalOf(missing, counts), seen: missing[0]! },
      readings: [{ name: "missing", text: "a row without a label" }],
      isUnclear: false,
    });
  const twins = findTwins(tidyCounts(other), new Set(byTidy.keys()));
  const isSame = twins !== null && decideTwins(column, twins, decisions) === "same";
  return (text) => {
    if (text === null) return null;
    const own = known(text) ?? (isSame ? byTidy.get(twins.sameAs.get(tidyName(text)) ?? "") : undefined);
    if (own !== undefined) return own;
    if (isMissingSpelling(text)) return null;
    throw new LabelError(`"${text.slice(0, 60)}" is no label of the card`);
  };
}

function sayTidied(
  column: string,
  counts: ReadonlyMap<string, number>,
  known: (text: string) => string | undefined,
  decisions: Decisions,
): void {
  const untidy = [...counts.keys()].filter((text) => known(text) !== undefined && known(text) !== text);
  const [first] = untidy;
  if (first === undefined) return;
  decisions.decide({
    ...{ kind: "label-twins", file: null, column, cells: totalOf(untidy, counts), seen: first },
    readings: [{ name: "tidy", text: `the label "${known(first)}"` }],
    isUnclear: false,
  });
}

const decideTwins = (column: string | null, { cells, seen }: Twins, decisions: Decisions) =>
  decisions.decide({
    ...{ kind: "label-twins", file: null, column, cells, seen: seen[0], isUnclear: true },
    readings: twinReadings(seen),
  });

/** Decides which labels the texts of a column are, where no card says it; in the order in which they come. */
export function proposedLabels(
  table: Pick<FileTable, "records">,
  column: string,
  decisions: Decisions,
): readonly string[] {
  const raw = countLabels(table, column);
  const untidy = [...raw.keys()].filter((text) => tidyName(text) !== text);
  const counts = tidyCounts(raw);
  const subject = { file: null, column };
  const missing = [...counts.keys()].filter(isMissingSpelling);
  const isMissing =
    missing.length > 0 &&
    decisions.decide({
      ...{ ...subject, kind: "missing-values", cells: totalOf(missing, counts), seen: missing[0]! },
      readings: [
        { name: "missing", text: "a row without a label" },
        { name: "value", text: "a label of its own" },
      ],
      isUnclear: missing.some((text) => text !== ""),
    }) === "missing";
  const kept = new Map(
    [...counts].filter(([text]) => text !== "" && !(isMissing && isMissingSpelling(text))),
  );
  const twins = findTwins(kept);
  const joined = joinedNames(new Set(kept.keys()));
  if (twins === null && untidy.length > 0)
    decisions.decide({
      ...{ ...subject, kind: "label-twins", cells: totalOf(untidy, raw), seen: untidy[0]!, isUnclear: false },
      readings: [{ name: "tidy", text: `the label "${tidyName(untidy[0]!)}"` }],
    });
  if (twins !== null && decideTwins(column, twins, decisions) === "same")
    for (const name of twins.sameAs.keys()) kept.delete(name);
  if (twins === null && joined.size > 0) {
    const [seen] = joined;
    const name = decisions.decide({
      ...{ ...subject, kind: "label-twins", cells: totalOf([...joined], counts), isUnclear: true },
      seen: seen!,
      readings: [
        { name: "different", text: "a label of its own" },
        { name: "several", text: "several labels of one row, which is refused: a row has one" },
      ],
    });
    if (name === "several") for (const one of joined) kept.delete(one);
  }
  return [...kept.keys()];
}
