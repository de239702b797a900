/** A row as one line for people: `openledger datanet check` and `openledger rewards why` print it. */
import { decodeRow, labelsOf } from "./row-content.ts";
import { decodeTextRow, isTextRow, wholeText } from "./text-rows.ts";

/**
 * A row of any kind as people read it, on one line: a mail's label and beginning, a digit's label, a text's beginning.
 * @throws ATT_ROW_INVALID
 */
export function rowLine(content: Uint8Array, maxCharacters: number): string {
  const begin = (text: string) => text.replace(/\s+/g, " ").trim().slice(0, maxCharacters);
  if (isTextRow(content)) return begin(wholeText(decodeTextRow(content)));
  const kind = new TextDecoder().decode(content).includes('"pixels":') ? "digit" : "email";
  const { input, label } = decodeRow(kind, content);
  const name = labelsOf(kind)[label]!;
  return kind === "digit" ? name : `${name}: ${begin(input)}`;
}
