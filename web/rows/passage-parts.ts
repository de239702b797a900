/** Parts of a passage with their names, so that a labeller sees where a question ends and its answer begins. */
import { decodeTextRow } from "@openledger/attribution/rows/text-rows";

export interface PassagePart {
  readonly name: string;
  readonly text: string;
}

/** Returns prompt and answer, or messages by their roles; null for a bare text, and for what is no passage. */
export function passageParts(content: Uint8Array): readonly PassagePart[] | null {
  try {
    const row = decodeTextRow(content);
    if ("messages" in row) return row.messages.map(({ content: text, role }) => ({ name: role, text }));
    if ("text" in row) return null;
    return [
      { name: "prompt", text: row.prompt },
      { name: "answer", text: row.answer },
    ];
  } catch {
    // A stranger's bytes: they are shown as they are.
    return null;
  }
}
