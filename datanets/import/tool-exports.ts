/**
 * Exports of labelling tools, as JSON: recognized by their rows, which become a table's lines with the labels as columns.
 * Label Studio, Argilla, doccano and Prodigy. What most rows are of decides the tool, and each row whether it is one of its.
 */
import { Numeral, parseExactJson } from "@openledger/foundation/exact-json";
import type { Cell } from "./cell.ts";
import type { Decisions } from "./decision.ts";
import type { FileRecord, ReadFile } from "./file-table.ts";
import { type FilePosition, refusalOf, unreadable } from "./refusal.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Row of an export as its values by column. `place` is for errors. */
type Flatten = (record: JsonObject, position: FilePosition) => Map<string, Cell>;

interface ToolExport {
  readonly name: string;
  /** True for a row that may be one of the tool's, whole or not. */
  isLike(record: JsonObject): boolean;
  /** Names what a row like the tool's lacks: `has no "answer"`; null for a whole one. */
  lacks(record: JsonObject): string | null;
  readonly flatten: Flatten;
  /** Name by which the rows of several people about one thing belong together; absent: each is its own. */
  groupOf?(record: JsonObject): string | null;
  /** True if rows like the tool's are nobody else's, also where none is whole. */
  readonly isSure?: boolean;
  /** True if a single row among others can be read as they are. */
  readonly isHarmless?: boolean;
}

const isWhole = (tool: ToolExport, record: JsonObject) => tool.isLike(record) && tool.lacks(record) === null;

/** Returns the tool that most rows are of; null if they are nobody's. */
function findTool(records: readonly JsonObject[]): ToolExport | null {
  const areMost = (matches: (record: JsonObject) => boolean) =>
    2 * records.filter(matches).length >= records.length;
  if (records.length === 0) return null;
  const whole = TOOLS.find((tool) => areMost((record) => isWhole(tool, record)));
  return (
    whole ?? TOOLS.find((tool) => tool.isSure === true && areMost((record) => tool.isLike(record))) ?? null
  );
}

/** Row of a file with its position. */
export interface ReadEntry {
  readonly position: FilePosition;
  readonly value: Readonly<Record<string, Cell>>;
}

/**
 * Reads rows: those of a tool's export as its tool means them, each other one as it is. What is a row of the tool as most
 * others are is decided by itself: an odd one is refused by its line.
 */
export const readRecords = (read: readonly ReadEntry[], file: string, decisions: Decisions): Records =>
  toolRecords(read, file, decisions) ?? plainRecords(read);

type Records = Pick<ReadFile, "columns" | "records" | "refused">;

/** Rows of a tool's export; null for those that are read as they are. */
function toolRecords(read: readonly ReadEntry[], file: string, decisions: Decisions): Records | null {
  const tool = findTool(read.map(({ value }) => value));
  const whyOdd = (value: JsonObject): string | null => {
    if (tool === null) {
      const other = TOOLS.find((one) => one.isHarmless !== true && isWhole(one, value));
      return other === undefined
        ? null
        : `it is a record of ${other.name}, and the others of the file are not`;
    }
    const lacks = tool.isLike(value) ? tool.lacks(value) : "is another record";
    return lacks === null ? null : `it ${lacks}, and the file is an export of ${tool.name}`;
  };
  const odd = new Map(
    read.flatMap((entry) => {
      const why = whyOdd(entry.value);
      return why === null ? [] : [[entry, why] as const];
    }),
  );
  if (tool === null && odd.size === 0) return null;
  if (decideTool(file, tool, read, odd, decisions) === "plain") return null;
  const refused = [...odd].map(([{ position }, why]) => refusalOf(unreadable(position, why), position));
  const records: FileRecord[] = [];
  for (const group of groupsOf(
    read.filter((entry) => !odd.has(entry)),
    tool,
  )) {
    const [{ position }] = group;
    try {
      const all = group.map(({ value }) => tool?.flatten(value, position) ?? new Map(Object.entries(value)));
      records.push({ ...position, values: merged(all, position) });
    } catch (error) {
      refused.push(refusalOf(error, position));
    }
  }
  return { columns: columnsOf(records), records, refused };
}

function decideTool(
  file: string,
  tool: ToolExport | null,
  read: readonly ReadEntry[],
  odd: ReadonlyMap<ReadEntry, string>,
  decisions: Decisions,
): string {
  const [first] = odd;
  return decisions.decide({
    ...{ kind: "tool-records", file, column: null, isUnclear: false },
    cells: first === undefined ? read.length : odd.size,
    seen: first === undefined ? tool!.name : sameText(first[0].value).replace(/"number ([^"]+)"/g, "$1"),
    readings: [
      { name: "tool", text: first === undefined ? `an export of ${tool!.name}` : `refused: ${first[1]}` },
      { name: "plain", text: "records with their columns as they are" },
    ],
  });
}

const columnsOf = (records: readonly FileRecord[]) => [
  ...new Set(records.flatMap(({ values }) => [...values.keys()])),
];

function plainRecords(read: readonly ReadEntry[]): Records {
  const records = read.map(({ position, value }) => ({
    ...position,
    values: new Map(Object.entries(value)),
  }));
  return { columns: columnsOf(records), records, refused: [] };
}

/** Columns that only tools' exports have, in tables too. */
const TOOL_COLUMN = /^(annotation_id|annotations|predictions|responses|_input_hash)$|\.responses\.users$/;

/** Reads the rows of a table as `readRecords` does, if a tool may have written it. */
export function readToolTable(read: ReadFile, file: string, decisions: Decisions): ReadFile {
  if (!read.columns.some((name) => TOOL_COLUMN.test(name))) return read;
  const entries = read.records.map(({ values, ...position }) => ({
    position,
    value: Object.fromEntries(values),
  }));
  const shaped = toolRecords(entries, file, decisions);
  return shaped === null ? read : { ...read, ...shaped, refused: [...read.refused, ...shaped.refused] };
}

type Group = readonly [ReadEntry, ...ReadEntry[]];

/** Rows of one thing by several people, as a tool's export has them; otherwise each row by itself. */
function groupsOf(read: readonly ReadEntry[], tool: ToolExport | null): readonly Group[] {
  const byName = new Map<string, [ReadEntry, ...ReadEntry[]]>();
  const groups: [ReadEntry, ...ReadEntry[]][] = [];
  for (const entry of read) {
    const name = tool?.groupOf?.(entry.value) ?? null;
    const known = name === null ? undefined : byName.get(name);
    if (known !== undefined) known.push(entry);
    else {
      const group: [ReadEntry, ...ReadEntry[]] = [entry];
      groups.push(group);
      if (name !== null) byName.set(name, group);
    }
  }
  return groups;
}

/** Values of all rows of one thing. @throws DNT_FILE_UNREADABLE if two of them differ in a column */
function merged(
  all: readonly ReadonlyMap<string, Cell>[],
  position: FilePosition,
): ReadonlyMap<string, Cell> {
  if (all.length === 1) return all[0]!;
  const values = new Map<string, Cell>();
  for (const own of all)
    for (const [name, cell] of own) {
      const known = values.get(name) ?? null;
      if (known !== null && cell !== null) agreed([known, cell], name, position);
      values.set(name, known ?? cell);
    }
  return values;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Numeral);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** One value of a list of one, else the list; null of none. */
const single = (values: readonly unknown[]): Cell =>
  values.length === 0 ? null : ((values.length === 1 ? values[0] : values) as Cell);

/** A text that is equal for equal values. */
const sameText = (value: unknown): string =>
  JSON.stringify(value, (_, part) => {
    if (part instanceof Numeral || typeof part === "bigint") return `number ${part}`;
    return part instanceof Uint8Array ? `${part.length} bytes` : part;
  }) ?? "";

/** Adds a column, under another name if its own is taken: a control may be called as a field of the data is. */
function addColumn(values: Map<string, Cell>, name: string, cell: Cell): void {
  values.set(values.has(name) ? `${name} (label)` : name, cell);
}

/** Returns the one answer of several people, null of none. @throws DNT_FILE_UNREADABLE if they differ */
function agreed(answers: readonly Cell[], question: string, position: FilePosition): Cell {
  const distinct = new Map(answers.map((answer) => [sameText(answer), answer]));
  if (distinct.size <= 1) return answers[0] ?? null;
  const texts = [...distinct.keys()].slice(0, 3).join(", ").slice(0, 100);
  throw unreadable({ ...position, field: question }, `people differ about "${question}": ${texts}`);
}

// Label Studio: https://labelstud.io/guide/task_format
const labelStudio: ToolExport = {
  name: "Label Studio",
  isLike: ({ data }) => isObject(data),
  lacks: ({ annotations }) => (Array.isArray(annotations) ? null : 'has no "annotations"'),
  flatten: ({ annotations, data }, position) => {
    const values = new Map(Object.entries(data as Record<string, Cell>));
    const valid = listOf(annotations)
      .filter(isObject)
      .filter(({ was_cancelled: isCancelled }) => isCancelled !== true);
    const truths = valid.filter(({ ground_truth: isTruth }) => isTruth === true);
    const answers = new Map<string, Cell[]>();
    for (const { result } of truths.length > 0 ? truths : valid) {
      const regions = new Map<string, unknown[]>();
      for (const region of listOf(result).filter(isObject)) {
        const name = String(region.from_name ?? region.type);
        regions.set(name, [...(regions.get(name) ?? []), ...regionValues(region)]);
      }
      for (const [name, found] of regions) answers.set(name, [...(answers.get(name) ?? []), single(found)]);
    }
    for (const [name, cells] of answers) addColumn(values, name, agreed(cells, name, position));
    return values;
  },
};

/** Tasks that nobody has annotated: what a model predicts is no label. */
const labelStudioPredictions: ToolExport = {
  name: "Label Studio with predictions alone, which are no labels",
  isLike: ({ data }) => isObject(data),
  lacks: ({ annotations, predictions }) => {
    if (annotations !== undefined && annotations !== null) return "has annotations";
    return Array.isArray(predictions) ? null : 'has no "predictions"';
  },
  flatten: ({ data }) => new Map(Object.entries(data as Record<string, Cell>)),
};

/** Values of one result: the choices; of a span or a box the whole value, which is no label of a row. */
function regionValues({ type, value }: JsonObject): readonly unknown[] {
  if (!isObject(value)) return [];
  switch (type) {
    case "choices":
      return listOf(value.choices);
    case "textarea":
      return Array.isArray(value.text) ? value.text : [value.text];
    case "rating":
      return [value.rating];
    case "number":
      return [value.number];
    default:
      return [value];
  }
}

/** A flat export of one row an annotation: a task with several of them is in it several times. */
const labelStudioMin: ToolExport = {
  name: "Label Studio (JSON-MIN)",
  isLike: (record) => LABEL_STUDIO_MARKS.some((name) => Object.hasOwn(record, name)),
  lacks: (record) => {
    const missing = LABEL_STUDIO_MARKS.find((name) => !Object.hasOwn(record, name));
    return missing === undefined ? null : `has no "${missing}"`;
  },
  groupOf: ({ id }) => sameText(id),
  flatten: (record) => {
    const values = new Map<string, Cell>();
    for (const [name, value] of Object.entries(record)) {
      if (LABEL_STUDIO_OWN.has(name)) continue;
      const choices = choicesOf(value);
      values.set(name, choices === null ? (value as Cell) : single(choices));
    }
    return values;
  },
};
const LABEL_STUDIO_MARKS = ["annotation_id", "annotator", "lead_time"];

/** Several choices of a control, which its CSV has as a text; null for what is none. */
function choicesOf(value: unknown): readonly unknown[] | null {
  if (isObject(value)) return Array.isArray(value.choices) ? value.choices : null;
  if (typeof value !== "string" || !value.startsWith('{"choices"')) return null;
  try {
    return choicesOf(parseExactJson(value));
  } catch {
    return null;
  }
}
const LABEL_STUDIO_OWN = new Set([
  "id",
  "annotation_id",
  "annotator",
  "lead_time",
  "created_at",
  "updated_at",
]);

// Argilla 2: https://docs.argilla.io/latest/how_to_guides/import_export
const argilla: ToolExport = {
  name: "Argilla",
  isLike: ({ fields }) => isObject(fields),
  lacks: ({ responses }) => (isObject(responses) ? null : 'has no "responses"'),
  flatten: ({ fields, metadata, responses }, position) => {
    const values = new Map(Object.entries(fields as Record<string, Cell>));
    for (const [name, value] of Object.entries(isObject(metadata) ? metadata : {}))
      addColumn(values, `metadata.${name}`, value as Cell);
    for (const [question, source] of Object.entries(responses as JsonObject)) {
      const submitted = listOf(source)
        .filter(isObject)
        .filter(({ status }) => status === undefined || status === null || status === "submitted");
      const cells = submitted.map(({ value }) => value as Cell);
      addColumn(values, question, agreed(cells, question, position));
    }
    return values;
  },
};

const RESPONSES = ".responses";

/** Argilla's flat rows: parallel lists a question, with drafts and what was discarded among them. */
const argillaFlat: ToolExport = {
  name: "Argilla",
  isLike: (record) => Object.hasOwn(record, "status"),
  lacks: (record) =>
    Object.keys(record).some((name) => Object.hasOwn(record, `${name}.users`)) ? null : "has no responses",
  flatten: (record, position) => {
    const values = new Map<string, Cell>();
    const questions = Object.keys(record).flatMap((name) =>
      name.endsWith(RESPONSES) ? [name.slice(0, -RESPONSES.length)] : [],
    );
    const isOwn = (name: string) =>
      ["id", "status", "_server_id"].includes(name) ||
      questions.some(
        (question) => name.startsWith(`${question}.responses`) || name.startsWith(`${question}.suggestion`),
      );
    for (const [name, value] of Object.entries(record)) if (!isOwn(name)) values.set(name, value as Cell);
    for (const question of questions) {
      const states = listOf(record[`${question}.responses.status`]);
      const cells = listOf(record[`${question}.responses`]).filter(
        (_, i) => (states[i] ?? "submitted") === "submitted",
      );
      addColumn(values, question, agreed(cells as Cell[], question, position));
    }
    return values;
  },
};

// Prodigy: https://prodi.gy/docs/api-interfaces
const prodigy: ToolExport = {
  name: "Prodigy",
  isSure: true,
  isLike: (record) => Object.hasOwn(record, "_input_hash"),
  lacks: ({ answer }) => (typeof answer === "string" ? null : 'has no "answer"'),
  groupOf: ({ _input_hash: hash }) => sameText(hash),
  flatten: (record, position) => {
    const { accept, answer, label, meta } = record;
    const values = new Map<string, Cell>();
    for (const [name, value] of Object.entries(record)) {
      if (name.startsWith("_") || PRODIGY_OWN.has(name)) continue;
      values.set(name, value as Cell);
    }
    for (const [name, value] of Object.entries(isObject(meta) ? meta : {}))
      addColumn(values, `meta.${name}`, value as Cell);
    // Who ignores or rejects says what a label is not.
    const isAccepted = answer === "accept";
    const chosen = Array.isArray(accept) ? single(accept) : ((label ?? null) as Cell);
    if (isAccepted && chosen === null && listOf(record.spans).length > 0)
      throw unreadable({ ...position, field: "spans" }, "it has labels of parts, and a row has one label");
    values.set("label", isAccepted ? chosen : null);
    return values;
  },
};
const PRODIGY_OWN = new Set([
  "accept",
  "answer",
  "label",
  "meta",
  "options",
  "tokens",
  "spans",
  "priority",
  "score",
]);

// doccano: https://doccano.github.io/doccano/tutorial
const doccano: ToolExport = {
  name: "doccano",
  isHarmless: true,
  isLike: (record) => typeof record.text === "string" && Object.hasOwn(record, "id"),
  lacks: ({ label }) => (Array.isArray(label) ? null : 'has no list "label"'),
  flatten: (record, position) => {
    const { label } = record;
    if (listOf(label).some(Array.isArray))
      throw unreadable({ ...position, field: "label" }, "it has labels of parts, and a row has one label");
    const values = new Map(Object.entries(record as Record<string, Cell>));
    values.delete("Comments");
    values.set("label", single(listOf(label)));
    return values;
  },
};

/** In the order in which they are tried: those with the most particular rows first. */
const TOOLS: readonly ToolExport[] = [
  labelStudio,
  labelStudioPredictions,
  labelStudioMin,
  argilla,
  argillaFlat,
  prodigy,
  doccano,
];
