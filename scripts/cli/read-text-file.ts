/** Files that people name on the command line, as text, JSON or JSON lines; a file that cannot be read is an error of usage. */
import { readFile } from "node:fs/promises";
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { textOfFile } from "@openledger/foundation/utf8";
import { commandError } from "./cli-errors.ts";

/** Reads a person's file as text. @throws CMD_USAGE if it cannot be read, or is no UTF-8 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw commandError("CMD_USAGE", `cannot read ${path}`, { cause });
  });
  try {
    return textOfFile(bytes);
  } catch (cause) {
    throw commandError("CMD_USAGE", `${path} is no UTF-8: save it in that encoding`, { cause });
  }
}

/** @throws CMD_USAGE also where it is no JSON, or an object has a name twice */
export const readJsonFile = async (path: string): Promise<unknown> =>
  jsonAt(path, await readTextFile(path), { file: path });

/** An object a line. @throws CMD_USAGE naming the line */
export async function readJsonLines(path: string): Promise<object[]> {
  const lines = (await readTextFile(path)).split(/\r?\n/);
  return lines.flatMap((json, i) => {
    if (json.trim() === "") return [];
    const position = `${path}:${i + 1}`;
    const data = { file: path, line: i + 1 };
    const value = jsonAt(position, json, data);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return [value];
    throw commandError("CMD_USAGE", `${position} is no object`, { data });
  });
}

function jsonAt(position: string, json: string, data: object): unknown {
  try {
    return parseStrictJson(json);
  } catch (cause) {
    throw commandError("CMD_USAGE", `${position} is no JSON: ${(cause as Error).message}`, {
      data: { ...data },
      cause,
    });
  }
}
