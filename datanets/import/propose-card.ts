/**
 * Proposes what a card says of rows from a table of people's files: their kind, a table's fields, and the labels. The form of a
 * new Datanet calls it.
 */
import type { FieldType, RowKind } from "@openledger/attribution/rows/row-kinds";
import type { Card } from "../card/card.ts";
import type { FileColumn, FileTable } from "./file-table.ts";
import { labelOrNull, proposeMapping, USUAL_LABEL_NAMES } from "./mapping.ts";

interface ProposedField {
  readonly name: string;
  readonly type: FieldType;
}

export interface CardProposal {
  readonly kind: RowKind;
  /** Columns of a table, in the file's order; empty for other kinds. */
  readonly columns: readonly ProposedField[];
  /** Fields of a table's rows: its columns without that of the labels. */
  readonly fields: readonly ProposedField[];
  /** Values of the column of labels, in the order in which they come; empty if there is no such column. */
  readonly labels: readonly string[];
  /** Columns of a table that a model can learn from the others, with their values as labels. */
  readonly targets: readonly { readonly name: string; readonly labels: readonly string[] }[];
  /** The one of these that is the labels; null if none is. */
  readonly target: string | null;
}

/** Maximum labels of a proposal: a column of more different values is something else. */
const MAX_LABELS = 50;
/** Maximum different values of a category, and their share of the rows: a column of more is a text. */
const MAX_CATEGORIES = 20;
const MAX_CATEGORY_SHARE = 1 / 2;

/** @param chosen kind that somebody has chosen; null lets the columns decide */
export function proposeCard(table: FileTable, chosen: RowKind | null): CardProposal {
  const kind = chosen ?? kindOf(table);
  const labelColumn = labelColumnOf(table, kind);
  const labels = labelColumn === undefined ? [] : valuesOf(table, labelColumn);
  if (kind !== "table") return { kind, columns: [], fields: [], labels, targets: [], target: null };
  const columns = table.columns.map((column) => ({ name: column.name, type: typeOf(table, column) }));
  const targets = table.columns.flatMap((column) => {
    const values = valuesOf(table, column);
    const isTarget = column === labelColumn || isClass(values.length, table.records.length);
    return isTarget ? [{ name: column.name, labels: values }] : [];
  });
  const proposal = { kind, columns, fields: columns, labels: [], targets, target: null };
  // Without a column of labels, what is to be predicted is usually the last.
  const last = targets.find(({ name }) => name === columns.at(-1)?.name);
  return withTarget(proposal, labelColumn?.name ?? last?.name ?? null);
}

/** True for a column of few values, each of several rows: of more than one, so that there is something to learn. */
const isClass = (valueCount: number, recordCount: number) =>
  valueCount >= 2 && valueCount <= MAX_CATEGORIES && valueCount <= MAX_CATEGORY_SHARE * recordCount;

/** Proposal for a table whose labels are the values of another column; null makes every column a field. */
export const withTarget = (proposal: CardProposal, target: string | null): CardProposal => ({
  ...proposal,
  fields: proposal.columns.filter(({ name }) => name !== target),
  labels: proposal.targets.find(({ name }) => name === target)?.labels ?? [],
  target,
});

function kindOf(table: FileTable): RowKind {
  const { columns } = table;
  if (columns.some(({ type }) => type === "picture")) return "image";
  const passage: Pick<Card, "row" | "labels"> = {
    row: { kind: "passage", fields: [], maxBytes: 1 },
    labels: [],
  };
  const { answer, messages, prompt } = proposeMapping(passage, table).columns;
  if ((prompt != null && answer != null) || messages != null) return "passage";
  const label = labelColumnOf(table, "text");
  const contents = columns.filter((column) => column !== label);
  return contents.length === 1 && contents[0]!.type === "text" ? "text" : "table";
}

/**
 * Column of labels. Of a table only one that is called so: its other columns are fields. Of texts, whatever it is called, the
 * column of few values beside the one text.
 */
function labelColumnOf(table: FileTable, kind: RowKind): FileColumn | undefined {
  const names = kind === "table" ? ["label", "labels"] : USUAL_LABEL_NAMES;
  const found = names.flatMap((name) =>
    table.columns.filter((column) => column.name.trim().toLowerCase() === name),
  );
  const named = found.find((column) => {
    const { length } = valuesOf(table, column);
    return length > 0 && length <= MAX_LABELS;
  });
  return named ?? (kind === "text" ? classBesideText(table) : undefined);
}

/** Finds the column of labels: of two columns, one of texts and one of few names, the latter. */
function classBesideText(table: FileTable): FileColumn | undefined {
  const { columns, records } = table;
  if (columns.length !== 2 || columns.some(({ type }) => type !== "text" && type !== "boolean"))
    return undefined;
  const [classes, texts] = [true, false].map((isOne) =>
    columns.filter((column) => isClass(valuesOf(table, column).length, records.length) === isOne),
  );
  return classes!.length === 1 && texts![0]!.type === "text" ? classes![0] : undefined;
}

/** Different labels of a column. */
function valuesOf({ records }: FileTable, { name }: FileColumn): string[] {
  const labels = records.map(({ values }) => labelOrNull(values.get(name) ?? null));
  return [...new Set(labels.filter((label) => label !== null))];
}

function typeOf({ records }: FileTable, { name, type }: FileColumn): FieldType {
  if (type === "number" || type === "boolean") return type;
  const different = new Set(records.map(({ values }) => values.get(name) ?? null)).size;
  return different <= MAX_CATEGORIES && different <= MAX_CATEGORY_SHARE * records.length
    ? "category"
    : "text";
}
