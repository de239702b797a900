/** A row as one line for people: `openledger datanet check` and `openledger rewards why` print it. */
import { contentOfRow } from "./salted-rows.ts";
import { decodeTextRow, isTextRow, wholeText } from "./text-rows.ts";

/**
 * A row of any kind as people read it, on one line: a text's beginning, or the size of what is no text.
 */
export function rowLine(content: Uint8Array, maxCharacters: number): string {
  return rowText(content).replace(/\s+/g, " ").trim().slice(0, maxCharacters);
}

/** A row of any kind as people read it: its text, a table's fields by name, or the size of what is no text. */
export function rowText(row: Uint8Array): string {
  const content = contentOfRow(row);
  try {
    if (isTextRow(content)) return wholeText(decodeTextRow(content));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
    return fieldsLine(text) ?? text;
  } catch {
    return isTextRow(content)
      ? new TextDecoder().decode(content)
      : `${content.length.toLocaleString("en")} bytes that are no text`;
  }
}

/** Fields of a table's row by name, without those that are missing; null for any other text. */
function fieldsLine(text: string): string | null {
  if (!text.startsWith("{")) return null;
  try {
    const fields = Object.entries(JSON.parse(text) as Record<string, unknown>);
    if (fields.some(([, value]) => typeof value === "object" && value !== null)) return null;
    return fields.flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`])).join(", ");
  } catch {
    return null;
  }
}
