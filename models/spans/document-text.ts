import { decodeRow } from "@openledger/attribution/rows/row-content";
import { decodeTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import type { RowText } from "./evidence.ts";

/** A row's text in an index of this kind, as UTF-8. @throws ATT_ROW_INVALID where the row is of another kind */
export function documentText(content: Uint8Array, rowText: RowText): Uint8Array {
  if (rowText === "plain") return content;
  const text = rowText === "email" ? decodeRow("email", content).input : wholeText(decodeTextRow(content));
  return new TextEncoder().encode(text);
}
