/**
 * Rows of passages, one by one: a prompt with its answer, as Alpaca and Dolly have them with what the prompt is about, a text,
 * or a conversation. No row decides how another is read.
 */
import { type ChatMessage, encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { type Cell, textOfCell } from "./cell.ts";
import { turnsOfCell } from "./conversations.ts";
import type { Decisions, Reading } from "./decision.ts";
import type { FileRecord, FileTable } from "./file-table.ts";
import { inField } from "./in-field.ts";
import { type ImportMapping, isOfConversations } from "./mapping.ts";
import { unreadable } from "./refusal.ts";
import { tidyName } from "./twins.ts";

export interface PassageReader {
  /** Mapping without the columns that are left out of all rows. */
  readonly mapping: ImportMapping;
  /** @throws DNT_FILE_UNREADABLE, ATT_ROW_INVALID */
  rowOf(record: FileRecord): Uint8Array;
}

type Part = "prompt" | "answer" | "text" | "messages" | "context" | "system";
type CellOf = (record: FileRecord, part: Part) => Cell;

/** Parts of a row that say the same as a conversation beside them, or something else. */
const BESIDE = ["prompt", "answer", "text"] as const;

/** Decides how a table's rows become passages. */
export function passageReader(
  table: FileTable,
  proposed: ImportMapping,
  decisions: Decisions,
): PassageReader {
  const mapping = chooseConversations(table, proposed, decisions);
  const columnOf = (part: Part) => mapping.columns[part] ?? null;
  const cellOf: CellOf = ({ values }, part) => {
    const column = columnOf(part);
    const cell = column === null ? null : (values.get(column) ?? null);
    return cell === "" ? null : cell;
  };
  const { records } = table;
  const beside = decideBeside(records, cellOf, columnOf, decisions);
  const left = new Set<Part>();
  for (const part of ["context", "system"] as const)
    if (decidePart(part, records, cellOf, columnOf, decisions) === "left-out") left.add(part);
  sayRepeated(records, cellOf, columnOf("text"), decisions);
  for (const part of BESIDE) if (isUnused(part, records, cellOf, beside)) left.add(part);
  const used: CellOf = (record, part) => (left.has(part) ? null : cellOf(record, part));
  const columns = Object.entries(mapping.columns).filter(([part]) => !left.has(part as Part));
  return {
    mapping: { ...mapping, columns: Object.fromEntries(columns) },
    rowOf: (record) => rowOf(record, used, beside),
  };
}

/** True if some rows have a part, and each row of them is the conversation beside it. */
function isUnused(
  part: (typeof BESIDE)[number],
  records: readonly FileRecord[],
  cellOf: CellOf,
  beside: Beside,
): boolean {
  const having = records.filter((record) => cellOf(record, part) !== null);
  return (
    having.length > 0 &&
    having.every((record) => {
      if (cellOf(record, "messages") === null) return false;
      return beside === "messages" || !otherParts(record, cellOf).includes(part);
    })
  );
}

/** Names of columns of conversations that leave no question what a row is: of two answers, the chosen one. */
const MAIN_CONVERSATIONS = new Set(["messages", "conversations", "conversation", "chosen"]);

/** Decides which of several conversations in a line is the row. */
function chooseConversations(table: FileTable, mapping: ImportMapping, decisions: Decisions): ImportMapping {
  const all = table.columns.filter((column) => isOfConversations(table, column));
  const own = all.find(({ name }) => name === mapping.columns.messages);
  const several = table.records.filter(
    ({ values }) => all.filter(({ name }) => (values.get(name) ?? null) !== null).length > 1,
  );
  if (own === undefined || several.length === 0) return mapping;
  const readings = [own, ...all.filter((column) => column !== own)].map(
    ({ name }): Reading => ({ name, text: `a row is the conversation of "${name}", and no other` }),
  );
  const messages = decisions.decide({
    ...{ kind: "conversation-turns", file: null, column: own.name, cells: several.length },
    seen: readings.map(({ name }) => name).join(", "),
    readings: readings as [Reading],
    isUnclear: !MAIN_CONVERSATIONS.has(tidyName(own.name).toLowerCase()),
  });
  return { ...mapping, columns: { ...mapping.columns, messages } };
}

type Beside = "messages" | "system" | "pair";

const BESIDE_TEXTS: Readonly<Record<Beside, string>> = {
  messages: "left out: the row is the conversation beside it",
  system: "the system message of the conversation beside it",
  pair: "a prompt with its answer: the conversation beside it is left out",
};

/** Decides what a prompt, an answer or a text is that a conversation beside it does not repeat. */
function decideBeside(
  records: readonly FileRecord[],
  cellOf: CellOf,
  columnOf: (part: Part) => string | null,
  decisions: Decisions,
): Beside {
  const found = records.flatMap((record) => otherParts(record, cellOf).map((part) => ({ record, part })));
  const [first] = found;
  if (first === undefined) return "messages";
  const hasAnswer = found.some(({ part }) => part === "answer");
  const hasPrompt = found.some(({ part }) => part === "prompt");
  const names: Beside[] = ["messages"];
  if (hasPrompt && !hasAnswer) names.push("system");
  if (hasAnswer) names.push("pair");
  const readings = names.map((name): Reading => ({ name, text: BESIDE_TEXTS[name] }));
  const files = new Set(found.map(({ record }) => record.file));
  return decisions.decide({
    kind: "conversation-turns",
    file: files.size === 1 ? first.record.file : null,
    column: columnOf(first.part),
    cells: new Set(found.map(({ record }) => record)).size,
    seen: shown(cellOf(first.record, first.part)),
    readings: readings as [Reading],
    isUnclear: true,
  }) as Beside;
}

/** Returns the parts beside a row's conversation that none of its turns says; none without a conversation. */
function otherParts(record: FileRecord, cellOf: CellOf): readonly Part[] {
  const messages = cellOf(record, "messages");
  if (messages === null) return [];
  const turns = orNull(() => turnsOfCell(messages));
  if (turns === null) return [];
  return BESIDE.filter((part) => {
    const cell = cellOf(record, part);
    if (cell === null) return false;
    const text = orNull(() => textOfCell(cell).trim());
    if (text === null) return true;
    const contents = turns.map(({ content }) => content.trim());
    return part === "text" ? !contents.every((one) => text.includes(one)) : !contents.includes(text);
  });
}

const PART_READINGS: Readonly<Record<"context" | "system", Reading>> = {
  context: { name: "in-prompt", text: "part of the prompt, below what is asked" },
  system: { name: "system-message", text: "a system message before the question" },
};

/** Decides whether what a prompt is about, or a system message, is part of the row. */
function decidePart(
  part: "context" | "system",
  records: readonly FileRecord[],
  cellOf: CellOf,
  columnOf: (part: Part) => string | null,
  decisions: Decisions,
): string | null {
  const column = columnOf(part);
  const having = records.filter((record) => cellOf(record, part) !== null);
  const [first] = having;
  if (column === null || first === undefined) return null;
  // Alpaca's instruction has an input, and Dolly's a context. Beside a question, who knows.
  const nameOf = (one: Part) => tidyName(columnOf(one) ?? "").toLowerCase();
  const isChosen = !["context", "input"].includes(nameOf(part));
  const isKnown = part === "system" || isChosen || nameOf("prompt") === "instruction";
  return decisions.decide({
    ...{ kind: "conversation-turns", file: null, column, cells: having.length },
    seen: shown(cellOf(first, part)),
    readings: [PART_READINGS[part], { name: "left-out", text: "left out of the row" }],
    isUnclear: !isKnown,
  });
}

/** True if a row's text is its prompt and answer once more, as Alpaca's fourth column is. */
function isRepeated(record: FileRecord, cellOf: CellOf): boolean {
  const [text, prompt, answer] = (["text", "prompt", "answer"] as const).map((part) =>
    orNull(() => textOfCell(cellOf(record, part)).trim()),
  );
  if (text == null || prompt == null || answer == null) return false;
  return text.includes(prompt) && text.includes(answer);
}

function sayRepeated(
  records: readonly FileRecord[],
  cellOf: CellOf,
  column: string | null,
  decisions: Decisions,
): void {
  const repeated = records.filter(
    (record) => cellOf(record, "messages") === null && isRepeated(record, cellOf),
  );
  const [first] = repeated;
  if (first === undefined) return;
  decisions.decide({
    ...{ kind: "columns-left-out", file: null, column, cells: repeated.length, isUnclear: false },
    seen: shown(cellOf(first, "text")),
    readings: [{ name: "left-out", text: "left out: it repeats the prompt and the answer" }],
  });
}

function rowOf(record: FileRecord, cellOf: CellOf, beside: Beside): Uint8Array {
  const { values: _, ...position } = record;
  const textField = (field: Part) => inField({ ...position, field }, () => textOfCell(cellOf(record, field)));
  const has = (part: Part) => cellOf(record, part) !== null;
  const refuseBeside = (field: Part, what: string) => {
    throw unreadable({ ...position, field }, `it has ${what} beside "${field}": leave one of them out`);
  };
  const others = otherParts(record, cellOf);
  if (has("messages") && (others.length === 0 || beside !== "pair")) {
    if (has("context")) refuseBeside("context", "messages");
    const turns = inField({ ...position, field: "messages" }, () => turnsOfCell(cellOf(record, "messages")));
    const asked = beside === "system" && others.includes("prompt") ? [textField("prompt")] : [];
    const systems = [...(has("system") ? [textField("system")] : []), ...asked];
    if (systems.length > 1) refuseBeside("system", "a prompt for a system message");
    const [system] = systems;
    const isThere = turns[0]?.role === "system";
    if (system !== undefined && isThere && turns[0]!.content.trim() !== system.trim())
      refuseBeside(asked.length > 0 ? "prompt" : "system", "a system message");
    return encodeTurns(
      system === undefined || isThere ? turns : [{ role: "system", content: system }, ...turns],
    );
  }
  if (has("text") && !isRepeated(record, cellOf)) {
    for (const field of ["prompt", "answer"] as const) if (has(field)) refuseBeside(field, "a text");
    return encodeTextRow({ text: textField("text") });
  }
  const asked = has("prompt") || !has("context") ? [textField("prompt")] : [];
  const prompt = [...asked, ...(has("context") ? [textField("context")] : [])].join("\n\n");
  const pair: ChatMessage[] = [
    { role: "user", content: prompt },
    { role: "assistant", content: textField("answer") },
  ];
  return encodeTurns(has("system") ? [{ role: "system", content: textField("system") }, ...pair] : pair);
}

/** Encodes turns: a question with its answer alone is a prompt with an answer. */
function encodeTurns(turns: readonly ChatMessage[]): Uint8Array {
  const [question, answer, more] = turns;
  const isPair = question?.role === "user" && answer?.role === "assistant" && more === undefined;
  return encodeTextRow(isPair ? { prompt: question.content, answer: answer.content } : { messages: turns });
}

const shown = (cell: Cell): string => orNull(() => textOfCell(cell)) ?? JSON.stringify(cell, notBig) ?? "";
const notBig = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

function orNull<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch {
    return null;
  }
}
