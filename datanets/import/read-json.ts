/** Reader of JSON: a list of objects, or an object a line. Numbers keep all their digits. */
import { Numeral, parseExactJson } from "@openledger/foundation/exact-json";
import type { Cell } from "./cell.ts";
import type { FileRecord, ReadFile } from "./file-table.ts";
import type { ImportBudget } from "./import-file.ts";
import { type Place, type Refusal, refusalOf, unreadable } from "./refusal.ts";

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
    list.map((value, i) => ({ place: { file, line: i + 1, unit: "row" }, read: () => value })),
    file,
    budget,
  );
}

/** Reads JSON lines. A line that is none is refused by itself. @throws DNT_FILE_UNREADABLE over a limit */
export function readJsonLines(text: string, file: string, budget: ImportBudget): ReadFile {
  const lines = text.split(/\r?\n/).flatMap((json, i) => {
    const place: Place = { file, line: i + 1 };
    return json.trim() === "" ? [] : [{ place, read: () => parseAt(json, place) }];
  });
  return tableOf(lines, file, budget);
}

interface Entry {
  readonly place: Place;
  read(): unknown;
}

function tableOf(entries: readonly Entry[], file: string, budget: ImportBudget): ReadFile {
  budget.takeRecords(file, entries.length);
  const columns = new Set<string>();
  const records: FileRecord[] = [];
  const refused: Refusal[] = [];
  for (const { place, read } of entries) {
    try {
      const values = new Map(Object.entries(objectOf(read(), place)));
      for (const name of values.keys()) columns.add(name);
      records.push({ ...place, values });
    } catch (error) {
      refused.push(refusalOf(error, place));
    }
  }
  budget.requireColumns(file, columns.size);
  return { columns: [...columns], records, refused, notices: [] };
}

function objectOf(value: unknown, place: Place): Record<string, Cell> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Numeral)
    throw unreadable(place, "it is no object");
  return value as Record<string, Cell>;
}

function parseAt(json: string, place: Place): unknown {
  try {
    return parseExactJson(json);
  } catch (cause) {
    const { message } = cause as Error;
    throw unreadable(place, message.includes("twice") ? message : "it is not JSON", cause);
  }
}
