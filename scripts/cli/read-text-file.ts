import { readFile } from "node:fs/promises";
import { textOfFile } from "@openledger/foundation/utf8";
import { commandError } from "./cli-errors.ts";

/** A person's file as text. @throws CMD_USAGE where it cannot be read, or is no UTF-8 */
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

/** @throws CMD_USAGE also where it is no JSON */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw commandError("CMD_USAGE", `${path} is no JSON: ${(cause as Error).message}`, { cause });
  }
}
