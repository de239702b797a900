/**
 * Columns of the host's table of rows that are computed from a row's bytes by the Datanet's card: well-formedness and search
 * words.
 */
import type { Card } from "../card/card.ts";
import { viewRow } from "../rows/row-view.ts";
import { wordsOfText } from "./row-words.ts";

/** Description of a row by a card, as its columns have it. */
export interface RowDescription {
  readonly isWellFormed: boolean;
  /** Words for `to_tsvector`. */
  readonly words: string;
}

export function describe(card: Pick<Card, "row" | "labels">, content: Uint8Array): RowDescription {
  const { isWellFormed, text } = viewRow(card, content);
  return { isWellFormed, words: wordsOfText(text) };
}
