import { attributionError } from "../attribution-errors.ts";
import { encodeRow, labelsOf, type RowKind } from "./row-content.ts";
import { encodeTextRow, type TextRow } from "./text-rows.ts";

/**
 * Rows with labels from a file: one JSON value a line, as docs/reference/attribution.md says, `{"label":"spam","text":"…"}` or
 * `{"label":"7","pixels":"…"}`; or rows of texts, without labels. How a line is spaced does not matter: rows are stored in their canonical form.
 * @throws ATT_ROW_INVALID naming the line
 */
export function rowsFromJsonLines(content: Uint8Array, path: string): Uint8Array[] {
  const lines = new TextDecoder().decode(content).split(/\r?\n/);
  return lines.flatMap((line, index) =>
    line.trim() === "" ? [] : [rowOfLine(line, `${path}:${index + 1}`)],
  );
}

function rowOfLine(line: string, place: string): Uint8Array {
  let row: Record<string, unknown>;
  try {
    row = JSON.parse(line) as Record<string, unknown>;
  } catch (cause) {
    throw attributionError("ATT_ROW_INVALID", `${place} is not JSON`, { cause });
  }
  if (row.label === undefined && (typeof row.text === "string" || typeof row.prompt === "string"))
    return encodeTextRow(row as TextRow);
  const kind: RowKind = typeof row.pixels === "string" ? "digit" : "email";
  const input = kind === "digit" ? row.pixels : row.text;
  const label = labelsOf(kind).indexOf(String(row.label));
  if (label < 0 || typeof input !== "string") {
    throw attributionError(
      "ATT_ROW_INVALID",
      `${place} needs a label (${labelsOf(kind).join(", ")}) and a text, or a digit and its pixels`,
    );
  }
  return encodeRow(kind, { label, input });
}
