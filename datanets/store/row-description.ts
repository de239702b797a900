/**
 * Columns of the host's table of rows that are computed from a row's bytes by the Datanet's card: label, well-formedness,
 * search words.
 */
import type { Card } from "../card/card.ts";
import { viewRow } from "../rows/row-view.ts";
import { wordsOfText } from "./row-words.ts";

/** Description of a row by a card, as its columns have it. */
export interface RowDescription {
  /** null if the row has no label of its own. */
  readonly label: string | null;
  readonly isWellFormed: boolean;
  /** Words for `to_tsvector`. */
  readonly words: string;
}

export function describe(card: Pick<Card, "row" | "labels">, content: Uint8Array): RowDescription {
  const { isWellFormed, label, text } = viewRow(card, content);
  // A card's label with a NUL is none that anybody could search for.
  return { isWellFormed, label: label?.includes("\0") ? null : label, words: wordsOfText(text) };
}
