/** Parser of rows that a person uploads to the factory as JSON lines, to try a base on them. dataset-store.ts calls it. */
import { encodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { factoryError } from "../../model-errors.ts";

/** Rows as they are trained on: each line's JSON in its canonical form. @throws SRV_BAD_REQUEST naming the line, from 1 on */
export function uploadedRows(jsonl: string): Uint8Array[] {
  const invalid = (why: string, line: number, cause?: unknown) =>
    factoryError("SRV_BAD_REQUEST", line === 0 ? why : `line ${line} ${why}`, {
      data: { fields: ["jsonl"], line },
      cause,
    });
  const lines = jsonl.replace(/^\ufeff/, "").split(/\r?\n/);
  const rows = lines.flatMap((json, i) => {
    if (json.trim() === "") return [];
    const line = i + 1;
    let value: Partial<Record<"text" | "prompt" | "answer", unknown>> | null;
    try {
      value = parseStrictJson(json) as typeof value;
    } catch (cause) {
      throw invalid(`is no JSON: ${(cause as Error).message}`, line, cause);
    }
    const isRow =
      typeof value?.text === "string" ||
      (typeof value?.prompt === "string" && typeof value.answer === "string");
    if (!isRow) throw invalid("has neither a text nor a prompt and an answer", line);
    try {
      return [encodeTextRow(value as TextRow)];
    } catch (cause) {
      throw invalid(`is ${(cause as Error).message}`, line, cause);
    }
  });
  if (rows.length === 0) throw invalid("there is no row", 0);
  return rows;
}
