/** Parts of a text or a passage as columns of a table of rows. */
import { contentOfRow } from "@openledger/attribution/rows/salted-rows";
import { decodeTextRow } from "@openledger/attribution/rows/text-rows";
import type { Card } from "@openledger/datanets/card/card";

/** Characters of a field. */
export const SHOWN_CHARACTERS = 240;

/** Parts of a passage by name; the beginning of any other row. A text is whole, whatever it looks like. */
export function partsOf(
  { row: { kind } }: Pick<Card, "row">,
  row: Uint8Array,
): Readonly<Record<string, string>> {
  if (kind !== "passage") return { text: textExcerpt(row) };
  try {
    const passage = decodeTextRow(row);
    if (!("messages" in passage)) return passage;
    return { messages: passage.messages.map(({ content, role }) => `${role}: ${content}`).join("\n") };
  } catch {
    // No passage: its bytes are what there is to see.
    return { text: textExcerpt(row) };
  }
}

/** Beginning of a row's bytes as text. */
export function textExcerpt(row: Uint8Array): string {
  const text = new TextDecoder().decode(contentOfRow(row).subarray(0, 4 * SHOWN_CHARACTERS));
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
}
