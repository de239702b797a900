/** Reader of JSON: a list of objects, or an object a line. Numbers keep all their digits. */
import { Numeral, parseExactJson } from "@openledger/foundation/exact-json";
import type { Cell } from "./cell.ts";
import type { FileRecord, ReadFile } from "./file-table.ts";
import type { ImportBudget } from "./import-file.ts";
import { type FilePosition, type Refusal, refusalOf, unreadable } from "./refusal.ts";
import { agreed, findTool, type ToolRecords } from "./tool-exports.ts";

/**
 * Reads a file of JSON: a list, or lines, which some tools name `.json` too.
 * @throws DNT_FILE_UNREADABLE for what is neither: one object of everything would become one row
 */
export function readJson(text: string, file: string, budget: ImportBudget): ReadFile {
  const first = text.trimStart()[0];
  if (first === "[") return readList(text, file, budget);
  if (first !== "{" || !isOneValue(text)) return readJsonLines(text, file, budget);
  throw unreadable(
    { file, line: 0 },
    "it is one object: a list of objects is read, or lines with an object each (.jsonl)",
  );
}

function isOneValue(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function readList(text: string, file: string, budget: ImportBudget): ReadFile {
  const list = parseAt(text, { file, line: 0 }) as readonly unknown[];
  return tableOf(
    list.map((value, i) => ({ position: { file, line: i + 1, unit: "row" }, read: () => value })),
    file,
    budget,
  );
}

/** Reads JSON lines. A line that is none is refused by itself. @throws DNT_FILE_UNREADABLE over a limit */
export function readJsonLines(text: string, file: string, budget: ImportBudget): ReadFile {
  const lines = text.split(/\r?\n/).flatMap((json, i) => {
    const position: FilePosition = { file, line: i + 1 };
    return json.trim() === "" ? [] : [{ position, read: () => parseAt(json, position) }];
  });
  return tableOf(lines, file, budget);
}

interface Entry {
  readonly position: FilePosition;
  read(): unknown;
}

function tableOf(entries: readonly Entry[], file: string, budget: ImportBudget): ReadFile {
  budget.takeRecords(file, entries.length);
  const refused: Refusal[] = [];
  const read = entries.flatMap(({ position, read: value }) => {
    try {
      return [{ position, value: objectOf(value(), position) }];
    } catch (error) {
      refused.push(refusalOf(error, position));
      return [];
    }
  });
  const tool = findTool(read.map(({ value }) => value));
  const records: FileRecord[] = [];
  for (const group of groupsOf(read, tool)) {
    const [{ position }] = group;
    try {
      const all = group.map(({ value }) => tool?.flatten(value, position) ?? new Map(Object.entries(value)));
      records.push({ ...position, values: merged(all, position) });
    } catch (error) {
      refused.push(refusalOf(error, position));
    }
  }
  const columns = new Set(records.flatMap(({ values }) => [...values.keys()]));
  budget.requireColumns(file, columns.size);
  const notices = tool === null ? [] : [`${file}: read as an export of ${tool.name}`];
  return { columns: [...columns], records, refused, notices };
}

interface ReadEntry {
  readonly position: FilePosition;
  readonly value: Record<string, Cell>;
}
type Group = readonly [ReadEntry, ...ReadEntry[]];

/** Rows of one thing by several people, as a tool's export has them; otherwise each row by itself. */
function groupsOf(read: readonly ReadEntry[], tool: ToolRecords | null): readonly Group[] {
  const byName = new Map<string, [ReadEntry, ...ReadEntry[]]>();
  const groups: [ReadEntry, ...ReadEntry[]][] = [];
  for (const entry of read) {
    const name = tool?.groupOf(entry.value) ?? null;
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

function objectOf(value: unknown, position: FilePosition): Record<string, Cell> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Numeral)
    throw unreadable(position, "it is no object");
  return value as Record<string, Cell>;
}

function parseAt(json: string, position: FilePosition): unknown {
  try {
    return parseExactJson(json);
  } catch (cause) {
    const { message } = cause as Error;
    throw unreadable(position, message.includes("twice") ? message : "it is not JSON", cause);
  }
}
