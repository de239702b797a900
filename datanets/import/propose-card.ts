/**
 * Proposes what a card says of rows from a table of people's files: their kind, a table's fields, and the labels. The form of a
 * new Datanet and the preview command call it.
 */
import type { FieldType, RowKind } from "@openledger/attribution/rows/row-kinds";
import type { Card } from "../card/card.ts";
import type { Cell } from "./cell.ts";
import { textOfCell } from "./cell.ts";
import { type Choices, type Decision, Decisions, joinedQuestions, type Reading } from "./decision.ts";
import type { FileColumn, FileTable } from "./file-table.ts";
import { decideLanguages } from "./guess-language.ts";
import { proposedLabels } from "./label-readings.ts";
import {
  folderColumnOf,
  type ImportMapping,
  labelOrNull,
  proposeMapping,
  USUAL_LABEL_NAMES,
} from "./mapping.ts";
import { isMissingSpelling } from "./missing-values.ts";
import { rowNumbering } from "./row-numbers.ts";
import { tidyName } from "./twins.ts";

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
  /** Languages of the rows' texts, codes of ISO 639; empty where there are no sentences. */
  readonly languages: readonly string[];
  /** Which columns the rows are made of. */
  readonly mapping: Pick<ImportMapping, "columns" | "label">;
  /** Places where files and columns admit several readings: the table's, and those about what a column is. */
  readonly decisions: readonly Decision[];
}

/** Maximum labels of a proposal: a column of more different values is something else. */
const MAX_LABELS = 50;
/** Maximum labels of a card. A column of so many is one of labels if each comes several times. */
const MAX_CARD_LABELS = 200;
/** Maximum different values of a category, and their share of the rows: a column of more is a text. */
const MAX_CATEGORIES = 20;
const MAX_CATEGORY_SHARE = 1 / 2;

/**
 * @param chosen kind that somebody has chosen; null lets the columns decide
 * @param choices readings that somebody has chosen
 */
export function proposeCard(table: FileTable, chosen: RowKind | null, choices: Choices = {}): CardProposal {
  const decisions = new Decisions(choices);
  const columns = contentColumns(table, decisions);
  const content = { ...table, columns };
  const kind = chosen ?? kindOf(content, decisions);
  const labelColumn =
    kind === "image" ? labelColumnOfPictures(content, decisions) : labelColumnOf(content, kind);
  const own = labelColumn === undefined ? [] : proposedLabels(table, labelColumn.name, decisions);
  const texts = kind === "image" ? [] : rowTexts(table.records, columns, labelColumn);
  const languages = decideLanguages(texts, decisions);
  const all = () => joinedQuestions([...table.decisions, ...decisions.list]);
  if (kind !== "table") {
    const card = cardOf(kind, own);
    const { columns: mapped } = proposeMapping(card, content);
    const mapping = { columns: mapped, label: labelColumn?.name ?? null };
    return {
      kind,
      columns: [],
      fields: [],
      labels: own,
      targets: [],
      target: null,
      languages,
      mapping,
      decisions: all(),
    };
  }
  const fields = columns.flatMap((column) => {
    const type = typeOf(table, column);
    return type === null ? [] : [{ name: column.name, type }];
  });
  const targets = columns.flatMap((column) => {
    if (column === labelColumn) return [{ name: column.name, labels: own }];
    const values = valuesOf(table, column);
    return isClass(values.length, table.records.length) ? [{ name: column.name, labels: values }] : [];
  });
  // Without a column of labels, what is to be predicted is usually the last.
  const last = targets.find(({ name }) => name === columns.at(-1)?.name);
  const target = labelColumn?.name ?? last?.name ?? null;
  const labels = last !== undefined && target === last.name ? proposedLabels(table, target, decisions) : own;
  sayTellingColumns(table, fields, target, decisions);
  const withLabels = targets.map((one) => (one.name === target ? { name: one.name, labels } : one));
  const proposal = {
    ...{ kind, columns: fields, fields, labels: [], targets: withLabels, target: null },
    languages,
    ...{ mapping: { columns: {}, label: null }, decisions: all() },
  };
  return withTarget(proposal, target);
}

/** Texts of each record: its cells of texts, and those of conversations. */
function rowTexts(
  records: FileTable["records"],
  columns: readonly FileColumn[],
  labels: FileColumn | undefined,
): string[] {
  const types = new Set(["text", "messages", "mixed"]);
  const names = columns.flatMap((column) =>
    types.has(column.type) && column !== labels ? [column.name] : [],
  );
  return records.map(({ values }) =>
    names
      .flatMap((name) => {
        const cell = values.get(name) ?? null;
        if (typeof cell === "string") return [cell];
        if (!Array.isArray(cell)) return [];
        return cell.flatMap((message: unknown) => {
          const { content, value } = (message ?? {}) as {
            readonly content?: unknown;
            readonly value?: unknown;
          };
          return [content, value].filter((text) => typeof text === "string");
        });
      })
      .join("\n"),
  );
}

/** True for a column of few values, each of several rows: of more than one, so that there is something to learn. */
const isClass = (valueCount: number, recordCount: number) =>
  valueCount >= 2 && valueCount <= MAX_CATEGORIES && valueCount <= MAX_CATEGORY_SHARE * recordCount;

/** Proposal for a table whose labels are the values of another column; null makes every column a field. */
export function withTarget(proposal: CardProposal, target: string | null): CardProposal {
  const fields = proposal.columns.filter(({ name }) => name !== target);
  return {
    ...proposal,
    fields,
    labels: proposal.targets.find(({ name }) => name === target)?.labels ?? [],
    target,
    mapping: { columns: Object.fromEntries(fields.map(({ name }) => [name, name])), label: target },
  };
}

const cardOf = (kind: RowKind, labels: readonly string[]): Pick<Card, "row" | "labels"> => ({
  row: { kind, fields: [], maxBytes: 1 },
  labels: labels.map((name) => ({ name, description: "" })),
});

/** Cells of a column as texts; null for missing ones and for what is no text. */
function cellTexts({ records }: FileTable, { name }: FileColumn): (string | null)[] {
  return records.map(({ values }) => textOrNull(values.get(name) ?? null));
}

function textOrNull(cell: Cell): string | null {
  if (cell === null || cell === "") return null;
  try {
    return textOfCell(cell);
  } catch {
    return typeof cell === "number" ? String(cell) : null;
  }
}

/** Columns without those that only number or name the records, and those that cannot be read. */
function contentColumns(table: FileTable, decisions: Decisions): readonly FileColumn[] {
  const { columns, records } = table;
  const left = columns.filter((column) => {
    const subject = { kind: "columns-left-out" as const, file: null, column: column.name };
    if (column.lossy !== null) {
      decisions.decide({
        ...{ ...subject, cells: records.length - column.missingCount, seen: column.name, isUnclear: false },
        readings: [{ name: "left-out", text: `left out: it ${column.lossy}` }],
      });
      return false;
    }
    const cells = cellTexts(table, column);
    const numbering = rowNumbering(column.name, cells);
    if (numbering === null) return true;
    const why = numbering === "id" ? "it names the records" : "it numbers the records";
    const readings: [Reading, Reading] = [
      { name: "left-out", text: `left out: ${why}` },
      { name: "field", text: "a column like the others" },
    ];
    // Years go up by one as well.
    if (numbering === "count")
      readings.unshift({ name: "field", text: "a column like the others, although it numbers the records" });
    const name = decisions.decide({
      ...{ ...subject, cells: cells.length, seen: cells[0] ?? "", isUnclear: false },
      readings: [readings[0], readings[1]],
    });
    return name === "field";
  });
  // A file of ids alone has nothing else.
  return left.length === 0 ? columns : left;
}

/** Says which columns tell the label by themselves, as the outcome under another name does. */
function sayTellingColumns(
  { records }: FileTable,
  fields: readonly ProposedField[],
  target: string | null,
  decisions: Decisions,
): void {
  if (target === null) return;
  for (const { name, type } of fields) {
    if (name === target || (type !== "category" && type !== "boolean")) continue;
    const labelOf = new Map<string, string>();
    let count = 0;
    const isTelling = records.every(({ values }) => {
      const value = textOrNull(values.get(name) ?? null);
      const label = labelOrNull(values.get(target) ?? null);
      if (value === null || label === null) return true;
      count++;
      const known = labelOf.get(value);
      if (known === undefined) labelOf.set(value, label);
      return known === undefined || known === label;
    });
    const labelCount = new Set(labelOf.values()).size;
    // By chance, few records of many values would do so too.
    if (!isTelling || labelCount < 2 || count < 5 * labelOf.size) continue;
    const [[value, label]] = labelOf as unknown as [[string, string]];
    decisions.decide({
      ...{ kind: "columns-left-out", file: null, column: name, cells: count, seen: value, isUnclear: false },
      readings: [{ name: "field", text: `a field, which alone tells the label: "${value}" is "${label}"` }],
    });
  }
}

function kindOf(table: FileTable, decisions: Decisions): RowKind {
  const { columns } = table;
  if (columns.some(({ type }) => type === "picture")) return "image";
  const { answer, messages, prompt } = proposeMapping(cardOf("passage", []), table).columns;
  if ((prompt != null && answer != null) || messages != null) return "passage";
  const label = labelColumnOf(table, "text");
  const others = columns.filter((column) => column !== label);
  const dates = others.filter(({ type }) => type === "date");
  const contents = others.filter(({ type }) => type !== "date");
  const [content] = contents;
  if (contents.length !== 1 || content!.type !== "text") return "table";
  // Of one text with a date, the date is left out, unless a person wants both.
  const areLeftOut = dates.map(
    ({ name }) =>
      decisions.decide({
        ...{ kind: "columns-left-out", file: null, column: name, isUnclear: false },
        cells: table.records.length,
        seen: name,
        readings: [
          { name: "left-out", text: "left out: a row is the text" },
          { name: "field", text: "a field of a table" },
        ],
      }) === "left-out",
  );
  return areLeftOut.every(Boolean) ? "text" : "table";
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
    const isMany = length <= MAX_CARD_LABELS && length <= MAX_CATEGORY_SHARE * table.records.length;
    return length > 0 && (length <= MAX_LABELS || isMany);
  });
  return named ?? (kind === "text" ? classBesideText(table) : undefined);
}

/**
 * Column of pictures' labels: one of a table that is called so; else one of few values, or the folder. Where both are there, nobody
 * knows which is meant.
 */
function labelColumnOfPictures(table: FileTable, decisions: Decisions): FileColumn | undefined {
  const { columns, records } = table;
  const folderName = folderColumnOf(table);
  const folder = columns.find(({ name }) => name === folderName);
  const own = { ...table, columns: columns.filter((column) => column !== folder) };
  const named = labelColumnOf(own, "image");
  if (named !== undefined) return named;
  const classes = own.columns.filter(
    (column) => column.type === "text" && isClass(valuesOf(table, column).length, records.length),
  );
  const [first, second] = classes;
  if (folder === undefined || valuesOf(table, folder).length < 2)
    return first !== undefined && second === undefined ? first : folder;
  if (first === undefined) return folder;
  const all = [folder, ...classes];
  const name = decisions.decide({
    ...{ kind: "label-source", file: null, column: null, cells: records.length, isUnclear: true },
    seen: all.map((column) => valuesOf(table, column)[0]!).join(", "),
    readings: all.map(
      (column): Reading => ({
        name: column.name,
        text: column === folder ? "the label is the folder" : `the label is what "${column.name}" says`,
      }),
    ) as [Reading],
  });
  return all.find((column) => column.name === name);
}

/** Finds the column of labels: of two columns, one of texts and one of few names, the latter. */
function classBesideText(table: FileTable): FileColumn | undefined {
  const { records } = table;
  const columns = table.columns.filter(({ type }) => type !== "date");
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
  return [...new Set(labels.flatMap((label) => (label === null || label === "" ? [] : [tidyName(label)])))];
}

/** Type of a field for a column; null for one whose values no field holds. */
function typeOf(table: FileTable, column: FileColumn): FieldType | null {
  const { type } = column;
  if (type === "number" || type === "boolean") return type;
  // Days since 1970-01-01.
  if (type === "date") return "number";
  if (type === "picture" || type === "messages" || type === "list" || type === "object") return null;
  const texts = cellTexts(table, column);
  const different = new Set(texts.filter((text) => text === null || !isMissingSpelling(text))).size;
  return different <= MAX_CATEGORIES && different <= MAX_CATEGORY_SHARE * table.records.length
    ? "category"
    : "text";
}
