/** Outcome of comparing a model's inputs with those that its rows give (compare-inputs.ts), and its words in commands and pages. */

/**
 * Outcome of a comparison. "others": the recipe counts other things than its rows give. "not-compared": the reader may not read the
 * rows.
 * @internal
 */
export type InputsFound = "of-rows" | "others" | "not-compared";

/** Words about a comparison: a sentence's part, of "its", the model's. @internal */
export const inputsWords = (found: InputsFound): string =>
  ({
    "of-rows": "its inputs are those that the rows give",
    others:
      "its inputs are not those that the rows give: its owner chose what counts of each row, and so who is paid; ask why before you approve it or pay",
    "not-compared": "its inputs were not compared with those that its rows give",
  })[found];
