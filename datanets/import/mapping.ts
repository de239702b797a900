/** Which column of a file is which field of a card's rows, and which is the contributor's label: what a file suggests, and what is missing. */
import type { Card } from "../card/card.ts";
import { type Cell, labelOfCell } from "./cell.ts";
import { isConversation } from "./conversations.ts";
import type { FileColumn, FileTable } from "./file-table.ts";
import { FOLDER_COLUMN, FOLDER_OF_FILE, PICTURE_COLUMN } from "./join-pictures.ts";
import { tidyName } from "./twins.ts";

export interface ImportMapping {
  /**
   * Column of each field; null leaves a table's field missing in every row. A passage's fields are `prompt` and `answer`,
   * `text` and `messages`, and each row has a prompt with its answer, a text, or messages. `context` is what a prompt is about,
   * `system` a system message.
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
      return ["prompt", "answer", "text", "messages", "context", "system"];
    case "image":
      return [PICTURE_COLUMN];
    case "text":
      return ["text"];
    default:
      return kind satisfies never;
  }
}

/** Column of a field; undefined for none. A field may be called as a property that all objects have: "constructor". */
export const columnOf = (columns: ImportMapping["columns"], field: string): string | null | undefined =>
  Object.hasOwn(columns, field) ? columns[field] : undefined;

/** Returns the fields that need a column and have none. */
export function missingFields(
  row: Card["row"],
  { columns }: Pick<ImportMapping, "columns">,
): readonly string[] {
  if (row.kind === "table") return fieldsOfRow(row).filter((name) => columnOf(columns, name) === undefined);
  const missing = fieldsOfRow(row).filter((name) => (columnOf(columns, name) ?? null) === null);
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
  ["messages", ["conversations", "conversation"]],
  ["context", ["input"]],
  ["system", ["system_prompt", "system prompt"]],
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
  const found = new Map<string, string>();
  const taken = new Set<string>();
  const take = (field: string, column: FileColumn | undefined) => {
    if (column === undefined) return;
    found.set(field, column.name);
    taken.add(column.name);
  };
  const free = () => table.columns.filter(({ name }) => !taken.has(name));
  if (row.kind === "passage") takePassage(table, found, take, free);
  else for (const field of fieldsOfRow(row)) take(field, byName(field, free()));
  if (row.kind === "image" && !found.has(PICTURE_COLUMN)) take(PICTURE_COLUMN, pictureColumns(table)[0]);
  const label = proposeLabel(card, table, taken);
  const [only, second] = free().filter(({ name, type }) => name !== label && type === fieldType(row.kind));
  const [first] = missingFields(row, { columns: Object.fromEntries(found) });
  if (first !== undefined && only !== undefined && second === undefined && row.kind !== "table")
    take(row.kind === "passage" ? "text" : first, only);
  return { columns: Object.fromEntries(found), label };
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

/** Columns of pictures, the one that is called so first. */
export function pictureColumns({ columns }: FileTable): readonly FileColumn[] {
  const found = columns.filter(
    ({ name, type }) => type === "picture" || (type === "mixed" && name === PICTURE_COLUMN),
  );
  return found.sort((a, b) => Number(b.name === PICTURE_COLUMN) - Number(a.name === PICTURE_COLUMN));
}

/** Column of the folders that pictures lie in; null if there is none. */
export function folderColumnOf({ columns }: FileTable): string | null {
  const has = (name: string) => columns.some((column) => column.name === name);
  return [FOLDER_OF_FILE, FOLDER_COLUMN].find(has) ?? null;
}

/** Takes the columns of a passage's parts. Each row has one of the forms: passage-rows.ts says which. */
function takePassage(
  table: FileTable,
  found: ReadonlyMap<string, string>,
  take: (field: string, column: FileColumn | undefined) => void,
  free: () => readonly FileColumn[],
): void {
  const conversations = free().filter((column) => isOfConversations(table, column));
  const named = free().filter(({ name }) => name.trim().toLowerCase() === "messages");
  const chosen = conversations.find(({ name }) => name.trim().toLowerCase() === "chosen");
  take("messages", named[0] ?? byName("messages", conversations) ?? chosen ?? conversations[0]);
  for (const field of ["prompt", "answer"]) take(field, byName(field, free()));
  const isPair = found.has("prompt") && found.has("answer");
  // Beside these, what is called as a text often is something else.
  if (isPair || found.has("messages"))
    take(
      "text",
      free().find(({ name }) => name === "text"),
    );
  else take("text", byName("text", free()));
  // What a question is about needs a question.
  if (isPair) take("context", byName("context", free()));
  if (isPair || found.has("messages")) take("system", byName("system", free()));
}

/** True for a column most of whose cells are conversations: as lists, or as their JSON where its name says so. */
export function isOfConversations({ records }: FileTable, { name, type }: FileColumn): boolean {
  if (type === "messages") return true;
  const isNamed = ALSO.get("messages")!.includes(name.trim().toLowerCase());
  if (type !== "mixed" && type !== "list" && !(type === "text" && isNamed)) return false;
  const cells = records.flatMap(({ values }) => [values.get(name) ?? null].filter((cell) => cell !== null));
  const isOne = (cell: Cell) =>
    isConversation(cell) || (typeof cell === "string" && /^\s*\[\s*\{/.test(cell));
  return 2 * cells.filter(isOne).length >= cells.length && cells.length > 0;
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
  table: FileTable,
  taken: ReadonlySet<string>,
): string | null {
  const { columns, records } = table;
  const folder = folderColumnOf(table);
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
    return [{ name, share: known / (known + other), isUsual, isFolder: name === folder }];
  });
  // Who writes a table beside folders says in it what the folders do not say.
  const [best] = found.sort(
    (a, b) =>
      Number(a.isFolder) - Number(b.isFolder) || Number(b.isUsual) - Number(a.isUsual) || b.share - a.share,
  );
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
