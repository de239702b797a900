/** Reader of a contributor's file: JSON lines to canonical rows. `openledger datanet contribute` calls it. */
import { parseExactJson } from "@openledger/foundation/exact-json";
import { lineWithoutFeed, textOfFile } from "@openledger/foundation/utf8";
import { attributionError } from "../attribution-errors.ts";
import { encodeTextRow, type TextRow } from "./text-rows.ts";

/**
 * Reads passages from a file: one JSON value a line, as docs/reference/attribution.md says, `{"text":"…"}` or
 * `{"prompt":"…","answer":"…"}`. How a line is spaced does not matter: rows are stored in their canonical form.
 * @param path named in errors, with the line
 * @throws ATT_ROW_INVALID naming the line
 */
export function rowsFromJsonLines(content: Uint8Array, path: string): Uint8Array[] {
  const lines = linesOf(content, path);
  return lines.flatMap((line, index) =>
    line.trim() === "" ? [] : [rowOfLine(line, { file: path, line: index + 1 })],
  );
}

/** Lines of a person's file. @throws ATT_ROW_INVALID where it is no UTF-8, or a line ends without a line feed */
export function linesOf(content: Uint8Array, path: string): string[] {
  let text: string;
  try {
    text = textOfFile(content);
  } catch (cause) {
    throw attributionError("ATT_ROW_INVALID", `${path} is no UTF-8: save it in that encoding`, {
      data: { file: path },
      cause,
    });
  }
  const line = lineWithoutFeed(text);
  if (line === null) return text.split(/\r?\n/);
  throw attributionError("ATT_ROW_INVALID", `${path}:${line} ends without a line feed`, {
    data: { file: path, line },
  });
}

function rowOfLine(json: string, place: { readonly file: string; readonly line: number }): Uint8Array {
  const invalid = (why: string, cause?: unknown) =>
    attributionError("ATT_ROW_INVALID", `${place.file}:${place.line} ${why}`, {
      data: { ...place, why },
      cause,
    });
  let row: Readonly<Record<string, unknown>> | null;
  try {
    row = parseExactJson(json) as Readonly<Record<string, unknown>> | null;
  } catch (cause) {
    const { message } = cause as Error;
    throw invalid(message.includes("twice") ? `is refused: ${message}` : "is not JSON", cause);
  }
  if (typeof row !== "object" || row === null) throw invalid("is no object");
  const { label, prompt, text } = row;
  if ((label ?? null) !== null) throw invalid("has a label: labels are signed beside a row, not in it");
  if (typeof text !== "string" && typeof prompt !== "string")
    throw invalid("needs a text, or a prompt and an answer");
  try {
    return encodeTextRow(row as TextRow);
  } catch (cause) {
    throw invalid(`is ${(cause as Error).message}`, cause);
  }
}
