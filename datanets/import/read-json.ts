/** Reader of JSON: a list of objects, or an object a line. Numbers keep all their digits. */
import { Numeral, parseExactJson } from "@openledger/foundation/exact-json";
import type { Cell } from "./cell.ts";
import type { Decisions } from "./decision.ts";
import type { ReadFile } from "./file-table.ts";
import type { ImportBudget } from "./import-file.ts";
import { type FilePosition, type Refusal, refusalOf, unreadable } from "./refusal.ts";
import { readRecords } from "./tool-exports.ts";

/**
 * Reads a file of JSON: a list, or lines, which some tools name `.json` too.
 * @throws DNT_FILE_UNREADABLE for what is neither: one object of everything would become one row
 */
export function readJson(text: string, file: string, budget: ImportBudget, decisions: Decisions): ReadFile {
  const first = text.trimStart()[0];
  if (first === "[") return readList(text, file, budget, decisions);
  if (first !== "{" || !isOneValue(text)) return readJsonLines(text, file, budget, decisions);
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

function readList(text: string, file: string, budget: ImportBudget, decisions: Decisions): ReadFile {
  const list = parseAt(text, { file, line: 0 }) as readonly unknown[];
  return tableOf(
    list.map((value, i) => ({ position: { file, line: i + 1, unit: "row" }, read: () => value })),
    file,
    budget,
    decisions,
  );
}

/** Reads JSON lines. A line that is none is refused by itself. @throws DNT_FILE_UNREADABLE over a limit */
export function readJsonLines(
  text: string,
  file: string,
  budget: ImportBudget,
  decisions: Decisions,
): ReadFile {
  const lines = text.split(/\r?\n/).flatMap((json, i) => {
    const position: FilePosition = { file, line: i + 1 };
    return json.trim() === "" ? [] : [{ position, read: () => parseAt(json, position) }];
  });
  return tableOf(lines, file, budget, decisions);
}

interface Entry {
  readonly position: FilePosition;
  read(): unknown;
}

function tableOf(
  entries: readonly Entry[],
  file: string,
  budget: ImportBudget,
  decisions: Decisions,
): ReadFile {
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
  const { refused: odd, ...shaped } = readRecords(read, file, decisions);
  budget.requireColumns(file, shaped.columns.length);
  return { ...shaped, refused: [...refused, ...odd], notices: [] };
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
