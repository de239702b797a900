/**
 * Exports of labelling tools, as JSON: recognized by their fields; they become a table's lines with the labels as columns.
 * Label Studio, Argilla, doccano and Prodigy; also the conversations and instructions of chat models' training files.
 */
import { Numeral } from "@openledger/foundation/exact-json";
import type { Cell } from "./cell.ts";
import { type FilePosition, unreadable } from "./refusal.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Row of an export as its values by column. `place` is for errors. */
type Flatten = (record: JsonObject, position: FilePosition) => Map<string, Cell>;

interface ToolExport {
  readonly name: string;
  matches(record: JsonObject): boolean;
  readonly flatten: Flatten;
  /** Name by which the rows of several people about one thing belong together; absent: each is its own. */
  groupOf?(record: JsonObject): string | null;
}

/** How the rows of an export are read. */
export interface ToolRecords {
  readonly name: string;
  readonly flatten: Flatten;
  groupOf(record: JsonObject): string | null;
}

/** Returns how the rows of a tool's export are read; null if they are nobody's. */
export function findTool(records: readonly JsonObject[]): ToolRecords | null {
  if (records.length === 0) return null;
  const tool = TOOLS.find(({ matches }) => records.every(matches));
  return tool === undefined ? null : { groupOf: () => null, ...tool };
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Numeral);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** One value of a list of one, else the list; null of none. */
const single = (values: readonly unknown[]): Cell =>
  values.length === 0 ? null : ((values.length === 1 ? values[0] : values) as Cell);

/** A text that is equal for equal values. */
const sameText = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (part instanceof Numeral ? `number ${part}` : part)) ?? "";

/** Adds a column, under another name if its own is taken: a control may be called as a field of the data is. */
function addColumn(values: Map<string, Cell>, name: string, cell: Cell): void {
  values.set(values.has(name) ? `${name} (label)` : name, cell);
}

/** Returns the one answer of several people, null of none. @throws DNT_FILE_UNREADABLE if they differ */
export function agreed(answers: readonly Cell[], question: string, position: FilePosition): Cell {
  const distinct = new Map(answers.map((answer) => [sameText(answer), answer]));
  if (distinct.size <= 1) return answers[0] ?? null;
  const texts = [...distinct.keys()].slice(0, 3).join(", ").slice(0, 100);
  throw unreadable({ ...position, field: question }, `people differ about "${question}": ${texts}`);
}

// Label Studio: https://labelstud.io/guide/task_format
const labelStudio: ToolExport = {
  name: "Label Studio",
  matches: ({ annotations, data }) => isObject(data) && Array.isArray(annotations),
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
  matches: (record) =>
    ["annotation_id", "annotator", "lead_time"].every((name) => Object.hasOwn(record, name)),
  groupOf: ({ id }) => sameText(id),
  flatten: (record) => {
    const values = new Map<string, Cell>();
    for (const [name, value] of Object.entries(record)) {
      if (LABEL_STUDIO_OWN.has(name)) continue;
      values.set(
        name,
        isObject(value) && Array.isArray(value.choices) ? single(value.choices) : (value as Cell),
      );
    }
    return values;
  },
};
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
  matches: ({ fields, responses }) => isObject(fields) && isObject(responses),
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

/** Argilla's flat records: parallel lists a question, with drafts and what was discarded among them. */
const argillaFlat: ToolExport = {
  name: "Argilla",
  matches: (record) =>
    Object.hasOwn(record, "status") &&
    Object.keys(record).some((name) => Object.hasOwn(record, `${name}.users`)),
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
  matches: (record) => Object.hasOwn(record, "_input_hash") && Object.hasOwn(record, "answer"),
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
  matches: (record) =>
    typeof record.text === "string" && Array.isArray(record.label) && Object.hasOwn(record, "id"),
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

/** Instructions: https://github.com/tatsu-lab/stanford_alpaca#data-release */
const alpaca: ToolExport = {
  name: "Alpaca",
  matches: ({ instruction, input, output }) =>
    typeof instruction === "string" && typeof output === "string" && typeof input === "string",
  flatten: ({ input, instruction, output, ...others }) =>
    new Map<string, Cell>([
      ["prompt", input === "" ? (instruction as string) : `${instruction}\n\n${input}`],
      ["answer", output as string],
      ...Object.entries(others as Record<string, Cell>),
    ]),
};

/** Names of roles in conversations, as OpenAI's chat lines have them. */
const ROLES: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  assistant: "assistant",
  system: "system",
};

const shareGpt: ToolExport = {
  name: "ShareGPT",
  matches: ({ conversations }) =>
    Array.isArray(conversations) &&
    conversations.every((turn) => isObject(turn) && typeof turn.from === "string" && "value" in turn),
  flatten: ({ conversations, ...others }, position) => {
    const turns = listOf(conversations).filter(isObject);
    return chatOf(
      turns.map(({ from, value }) => ({
        role: ROLES[String(from).toLowerCase()] ?? String(from),
        content: value,
      })),
      others,
      { ...position, field: "conversations" },
    );
  },
};

const openAiChat: ToolExport = {
  name: "chat lines",
  matches: ({ messages }) =>
    Array.isArray(messages) && messages.every((turn) => isObject(turn) && typeof turn.role === "string"),
  flatten: ({ messages, ...others }, position) =>
    chatOf(listOf(messages).filter(isObject), others, { ...position, field: "messages" }),
};

/**
 * A conversation as the fields of a passage: a question with its answer, or messages.
 * @throws DNT_FILE_UNREADABLE for what no row has: tools, pictures, names, weights
 */
function chatOf(
  messages: readonly JsonObject[],
  others: JsonObject,
  position: FilePosition & { readonly field: string },
) {
  for (const message of messages) {
    const other = Object.entries(message).find(
      ([name, value]) => name !== "role" && name !== "content" && value !== null,
    );
    if (other !== undefined)
      throw unreadable(position, `a message has "${other[0]}", which a row cannot have`);
  }
  const turns = messages.map(({ content, role }) => ({
    role: String(role),
    content: textOfContent(content, position),
  }));
  const [question, answer, more] = turns;
  const isPair = question?.role === "user" && answer?.role === "assistant" && more === undefined;
  return new Map<string, Cell>([
    ...(isPair
      ? ([
          ["prompt", question.content],
          ["answer", answer.content],
        ] as const)
      : ([["messages", turns]] as const)),
    ...Object.entries(others as Record<string, Cell>),
  ]);
}

function textOfContent(content: unknown, position: FilePosition): string {
  if (typeof content === "string") return content;
  const parts = listOf(content);
  if (
    parts.length > 0 &&
    parts.every((part) => isObject(part) && part.type === "text" && typeof part.text === "string")
  )
    return parts.map((part) => (part as { readonly text: string }).text).join("");
  throw unreadable(position, "a message has content that is no text");
}

/** In the order in which they are tried: those with the most particular rows first. */
const TOOLS: readonly ToolExport[] = [
  labelStudio,
  labelStudioMin,
  argilla,
  argillaFlat,
  prodigy,
  doccano,
  shareGpt,
  openAiChat,
  alpaca,
];
