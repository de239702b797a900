/**
 * Columns of the host's table of rows that are computed from a row's bytes by the Datanet's card: well-formedness, search
 * words, and values of a table.
 */
import type { Card } from "../card/card.ts";
import { viewRow } from "../rows/row-view.ts";
import { type RowValues, rowValuesOf } from "./row-values.ts";
import { wordsOfText } from "./row-words.ts";

/** Description of a row by a card, as its columns have it. */
export interface RowDescription {
  readonly isWellFormed: boolean;
  /** Words for `to_tsvector`. */
  readonly words: string;
  /** Values of a table's row; null for every other one. */
  readonly values: RowValues | null;
}

export function describe(card: Pick<Card, "row" | "labels">, content: Uint8Array): RowDescription {
  const view = viewRow(card, content);
  return {
    isWellFormed: view.isWellFormed,
    words: wordsOfText(view.text),
    values: rowValuesOf(card.row, view),
  };
}
