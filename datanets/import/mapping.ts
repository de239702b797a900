/** Which column of a file is which field of a card's rows, and which is the contributor's label: what a file suggests, and what is missing. */
import type { Card } from "../card/card.ts";
import { labelOfCell } from "./cell.ts";
import type { FileColumn, FileTable } from "./file-table.ts";
import { FOLDER_COLUMN, PICTURE_COLUMN } from "./read-files.ts";
import { tidyName } from "./twins.ts";

export interface ImportMapping {
  /**
   * Column of each field; null leaves a table's field missing in every row. A passage's fields are `prompt` and `answer`,
   * `text` and `messages`, and each row has a prompt with its answer, a text, or messages.
   */
  readonly columns: Readonly<Record<string, string | null>>;
  /** Column of the contributor's label; null for rows without labels. */
  readonly label: string | null;
}

/** Fields that a row of the card takes from columns, in the order in which they are chosen. */
export function fieldsOfRow({ fields, kind }: Card["row"]): readonly string[] {
  switch (kind) {
    case "table":
      return fields.map(({ name }) => name);
    case "passage":
      return ["prompt", "answer", "text", "messages"];
    case "image":
      return [PICTURE_COLUMN];
    case "text":
      return ["text"];
    default:
      return kind satisfies never;
  }
}

/** Returns the fields that need a column and have none. */
export function missingFields(
  row: Card["row"],
  { columns }: Pick<ImportMapping, "columns">,
): readonly string[] {
  if (row.kind === "table") return fieldsOfRow(row).filter((name) => columns[name] === undefined);
  const missing = fieldsOfRow(row).filter((name) => (columns[name] ?? null) === null);
  if (row.kind !== "passage") return missing;
  const isPair = !missing.includes("prompt") && !missing.includes("answer");
  const isWhole = isPair || !missing.includes("text") || !missing.includes("messages");
  return isWhole ? [] : missing.filter((name) => name === "prompt" || name === "answer");
}

/** Returns the columns that no field and no label takes: their values are in no row. */
export function unusedColumns({ columns }: FileTable, mapping: ImportMapping): readonly string[] {
  const used = new Set([...Object.values(mapping.columns), mapping.label]);
  return columns.flatMap(({ name }) => (used.has(name) ? [] : [name]));
}

/** Other usual names of a field. */
const ALSO: ReadonlyMap<string, readonly string[]> = new Map([
  ["text", ["body", "content", "message", "sentence", "clause", "review"]],
  ["prompt", ["question", "instruction", "input", "query"]],
  ["answer", ["response", "completion", "output", "answers"]],
  ["label", ["labels", "category", "class", "tag", "target", FOLDER_COLUMN]],
]);
/** Usual names of the column of labels, the most usual first. */
export const USUAL_LABEL_NAMES: readonly string[] = ["label", ...ALSO.get("label")!];
/** Share of a column's values that are labels of the card, from which on it is suggested as the label. */
const LABEL_SHARE = 0.5;

/**
 * Suggests a mapping by names, types and the card's labels. What it does not find is not there: `missingFields` names it.
 */
export function proposeMapping(card: Pick<Card, "row" | "labels">, table: FileTable): ImportMapping {
  const { row } = card;
  const columns: Record<string, string> = {};
  const taken = new Set<string>();
  const take = (field: string, column: FileColumn | undefined) => {
    if (column === undefined) return;
    columns[field] = column.name;
    taken.add(column.name);
  };
  const free = () => table.columns.filter(({ name }) => !taken.has(name));
  for (const field of fieldsOfRow(row)) take(field, byName(field, free()));
  if (row.kind === "passage") {
    take(
      "messages",
      columns.messages === undefined ? free().find(({ type }) => type === "messages") : undefined,
    );
    for (const field of besideForm(table, columns)) {
      taken.delete(columns[field]!);
      delete columns[field];
    }
  }
  const label = proposeLabel(card, table, taken);
  const [only, second] = free().filter(({ name, type }) => name !== label && type === fieldType(row.kind));
  const [first] = missingFields(row, { columns });
  if (first !== undefined && only !== undefined && second === undefined && row.kind !== "table")
    take(row.kind === "passage" ? "text" : first, only);
  return { columns, label };
}

/** Returns the mapping that the contributor has chosen, with what the files suggest in place of what is open. */
export function completeMapping(
  card: Pick<Card, "row" | "labels">,
  table: FileTable,
  input: Partial<ImportMapping>,
): ImportMapping {
  const proposed = proposeMapping(card, table);
  return { ...proposed, ...input, columns: { ...proposed.columns, ...input.columns } };
}

const fieldType = (kind: Card["row"]["kind"]) => (kind === "image" ? "picture" : "text");

/** Fields of a passage that its other fields leave no position for: each row has one of the three forms. */
function besideForm(table: FileTable, columns: Readonly<Record<string, string>>): readonly string[] {
  const has = (field: string) => columns[field] !== undefined;
  const isPair = has("prompt") && has("answer");
  const conversations = table.columns.find(({ name }) => name === columns.messages);
  // Where every row has messages, a prompt repeats the first of them.
  if (conversations?.missingCount === 0) return ["prompt", "answer", "text"].filter(has);
  // Beside prompts and answers, what is called as a text often is something else.
  return isPair && columns.text !== undefined && columns.text !== "text" ? ["text"] : [];
}

/** The column of the field's name, or of another usual one. A name that is not quite it comes second. */
function byName(field: string, columns: readonly FileColumn[]): FileColumn | undefined {
  const likely = [field.toLowerCase(), ...(ALSO.get(field) ?? [])];
  const found = (name: string) => columns.find((column) => column.name.trim().toLowerCase() === name);
  return (
    columns.find(({ name }) => name === field) ?? likely.map(found).find((column) => column !== undefined)
  );
}

function proposeLabel(
  { labels }: Pick<Card, "labels">,
  { columns, records }: FileTable,
  taken: ReadonlySet<string>,
): string | null {
  // Twins of a label count here: the reader of labels asks about them.
  const formOf = (name: string) => tidyName(name).toLowerCase();
  const names = new Set(labels.map(({ name }) => formOf(name)));
  if (names.size === 0) return null;
  const found = columns.flatMap(({ name }) => {
    if (taken.has(name)) return [];
    let [known, other] = [0, 0];
    for (const { values } of records) {
      const label = labelOrNull(values.get(name) ?? null);
      if (label === null) continue;
      if (names.has(formOf(label))) known++;
      else other++;
    }
    const isUsual = USUAL_LABEL_NAMES.includes(name.trim().toLowerCase());
    if (known === 0 || (!isUsual && known < LABEL_SHARE * (known + other))) return [];
    return [{ name, share: known / (known + other), isUsual }];
  });
  const [best] = found.sort((a, b) => Number(b.isUsual) - Number(a.isUsual) || b.share - a.share);
  return best?.name ?? null;
}

/** Label in a cell; null for none, and for what is no label. */
export function labelOrNull(cell: Parameters<typeof labelOfCell>[0]): string | null {
  try {
    return labelOfCell(cell);
  } catch {
    return null;
  }
}
