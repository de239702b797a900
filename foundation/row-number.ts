/**
 * Two words for the place of a row. An *index* counts from 0: lists, circuits, signed records, the ledger's formats and all JSON
 * have it. A *row number* counts from 1: people read it in pages, commands and messages, and give it to commands.
 */
export const rowNumber = (index: number): number => index + 1;

/** Index of a row by the number that a person gives. */
export const rowIndex = (number: number): number => number - 1;
