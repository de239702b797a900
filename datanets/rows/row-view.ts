/**
 * Reads a row's bytes by the card's kind of row, for search and display: its text, and whether it is well formed. The bytes themselves stay as they were committed.
 */
import { pictureTypeOf } from "@openledger/attribution/pictures/picture-type";
import type { RowNotes } from "@openledger/attribution/rows/noted-rows";
import { inputOf } from "@openledger/attribution/rows/row-content";
import { contentOfRow, hasNotes, notesOfRow } from "@openledger/attribution/rows/salted-rows";
import { decodeTableRow, type FieldValue, tableText } from "@openledger/attribution/rows/table-rows";
import { decodeTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import type { Card } from "../card/card.ts";

export interface RowView {
  /** Text for search and people: of a table its fields by name, of a picture its notes; empty for a picture without notes. */
  readonly text: string;
  /** Values of a table's fields, in the card's order. */
  readonly values?: readonly FieldValue[];
  /** false: the bytes are not of the card's kind. They are stored and shown all the same. */
  readonly isWellFormed: boolean;
}

const MALFORMED: RowView = { text: "", isWellFormed: false };

/** Never throws: what is in a row is its contributor's choice. */
export function viewRow(card: Pick<Card, "row">, row: Uint8Array): RowView {
  const content = contentOfRow(row);
  const { kind } = card.row;
  const notes = notesOfRow(row);
  if (kind === "image")
    return {
      text: notes === null ? "" : notesText(notes),
      isWellFormed: pictureTypeOf(content) !== null && (notes !== null) === hasNotes(row),
    };
  // Notes are of pictures alone.
  if (hasNotes(row)) return MALFORMED;
  if (kind === "passage") {
    try {
      return { text: wholeText(decodeTextRow(content)), isWellFormed: true };
    } catch {
      return MALFORMED;
    }
  }
  if (kind === "table") return viewTable(card, content);
  const text = utf8(content);
  return text === null ? MALFORMED : { text, isWellFormed: true };
}

/** Notes of a picture, a line each: "file: heron.jpg". */
const notesText = ({ file, values }: RowNotes): string =>
  [...(file === null ? [] : [["file", file] as const]), ...values]
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");

/** Returns the prompt that a row gives a model; null if the row is malformed or holds nothing that a model reads. */
export function promptOf(card: Pick<Card, "row">, content: Uint8Array): string | null {
  const { kind } = card.row;
  const { isWellFormed, text } = viewRow(card, content);
  if (!isWellFormed) return null;
  if (kind === "passage") return text === "" ? null : text;
  try {
    return inputOf(kind, content);
  } catch {
    return null;
  }
}

function viewTable({ row }: Pick<Card, "row">, content: Uint8Array): RowView {
  try {
    const values = decodeTableRow(row.fields, content);
    return { text: tableText(row.fields, values), values, isWellFormed: true };
  } catch {
    return MALFORMED;
  }
}

/** null if the bytes are no UTF-8. */
export function utf8(content: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}
