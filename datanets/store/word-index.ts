/**
 * Merges the words of new rows into the index of words, beside uploads. PostgreSQL puts new words on a list that searches read
 * too, and merges it, when it is long, within the statement that makes it so: an upload would wait for it.
 */
import type { Queries } from "@openledger/foundation/database/queries";

/** Rows whose words are merged together: less would cost more for each. */
const MIN_ROWS = 2_000;

export class WordIndex {
  readonly #queries: Queries;
  #waitingRows = 0;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** Counts rows that this host has stored. */
  added(rowCount: number): void {
    this.#waitingRows += rowCount;
  }

  /** Merges the words that wait, where they are many. @returns true where as many have come meanwhile */
  async merge(): Promise<boolean> {
    if (this.#waitingRows < MIN_ROWS) return false;
    this.#waitingRows = 0;
    await this.#queries.query("select merge_words()");
    return this.#waitingRows >= MIN_ROWS;
  }
}
