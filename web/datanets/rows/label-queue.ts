/**
 * Rows of one labeller that are on the label tab: the one on the screen, and the next, which is fetched before its turn. Others get
 * the rest.
 */
import type { LabelTurn } from "@openledger/client/datanets/row-schemas";
import { type ReadonlySignal, signal } from "@preact/signals";

/** The row on the screen and the next: no more are reserved. */
export const FETCHED_ROWS = 2;

export type QueueRow = LabelTurn["rows"][number];

export class LabelQueue {
  readonly #ask: (onPage: readonly string[]) => Promise<readonly QueueRow[]>;
  readonly #rows = signal<readonly QueueRow[]>([]);
  readonly #isEmpty = signal(false);
  #filling: Promise<void> | null = null;

  /** @param ask requests one more row; `onPage` has the digests of those on the page */
  constructor(ask: (onPage: readonly string[]) => Promise<readonly QueueRow[]>) {
    this.#ask = ask;
  }

  /** The row on the screen is the first. */
  get rows(): ReadonlySignal<readonly QueueRow[]> {
    return this.#rows;
  }

  /** True if the page has no row, and the host has none either. */
  get isEmpty(): ReadonlySignal<boolean> {
    return this.#isEmpty;
  }

  /** Fetches rows, one request after another, until the page has enough or the host has no more. @throws what `ask` throws */
  fill(): Promise<void> {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = null;
    });
    return this.#filling;
  }

  async #fill(): Promise<void> {
    let isLast = false;
    while (this.#rows.value.length < FETCHED_ROWS && !isLast) {
      const onPage = this.#rows.value.map(({ digest }) => digest);
      const found = await this.#ask(onPage);
      // Meanwhile rows may have been labelled: the page is asked about again where none is left.
      this.#rows.value = [...this.#rows.value, ...found];
      isLast = found.length === 0 && (this.#rows.value.length > 0 || onPage.length === 0);
    }
    this.#isEmpty.value = this.#rows.value.length === 0;
  }

  /** Goes on to the next row. @throws what `fill` throws */
  next(): Promise<void> {
    this.#rows.value = this.#rows.value.slice(1);
    return this.fill();
  }

  /** Shows a row again, before all others. */
  putBack(row: QueueRow): void {
    this.#isEmpty.value = false;
    this.#rows.value = [row, ...this.#rows.value];
  }

  /** Asks the host again, where it had no row. @throws what `fill` throws */
  again(): Promise<void> {
    this.#isEmpty.value = false;
    return this.fill();
  }
}
