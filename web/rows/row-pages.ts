/**
 * Rows of one search for the rows tab, fetched from the host a page at a time: those that are near stay, and a page that
 * follows a known one goes on from it.
 */
import type { HostedRow, RowsPage } from "@openledger/client/datanets/row-schemas";

/** Rows of one request to the host. */
export const PAGE_ROWS = 100;
/** Pages that stay in memory. */
const MAX_PAGES = 60;

/** @param page.after `next` of the page before, if it is known */
export type AskPage = (page: { at: number; after?: number; limit: number }) => Promise<RowsPage>;

export class RowPages {
  readonly #ask: AskPage;
  readonly #onChange: () => void;
  readonly #pages = new Map<number, { readonly rows: readonly HostedRow[]; readonly next: number | null }>();
  readonly #asked = new Set<number>();
  #wanted: readonly number[] = [];
  #isOver = false;
  total: number | null = null;
  /** False where more rows match than the host counts: pages show those that are counted. */
  isTotalExact = true;
  /** The newest rows, which the host does not find yet. */
  undescribedCount = 0;
  failure: unknown = null;

  constructor(ask: AskPage, onChange: () => void) {
    this.#ask = ask;
    this.#onChange = onChange;
  }

  /** undefined until its page has come. */
  row(index: number): HostedRow | undefined {
    return this.#pages.get(Math.floor(index / PAGE_ROWS))?.rows[index % PAGE_ROWS];
  }

  /** Fetches the missing rows between two places. Drops an earlier request that is no longer needed. */
  want(first: number, end: number): void {
    const from = Math.floor(first / PAGE_ROWS);
    const last = Math.floor(Math.max(first, end - 1) / PAGE_ROWS);
    this.#wanted = Array.from({ length: last - from + 1 }, (_, i) => from + i);
    void this.#fetch();
  }

  stop(): void {
    this.#isOver = true;
  }

  /**
   * Fetches one page after another: a scroll bar that is dragged over 100,000 rows requests the place where it stops.
   */
  async #fetch(): Promise<void> {
    if (this.#asked.size > 0) return;
    for (;;) {
      const page = this.#wanted.find((one) => !this.#pages.has(one));
      if (page === undefined || this.#isOver) return;
      this.#asked.add(page);
      try {
        const after = this.#pages.get(page - 1)?.next ?? undefined;
        const location = { at: page * PAGE_ROWS, limit: PAGE_ROWS };
        const { isTotalExact, next, rows, total, undescribedCount } = await this.#ask(
          after === undefined ? location : { ...location, after },
        );
        this.total = total;
        this.isTotalExact = isTotalExact;
        this.undescribedCount = undescribedCount;
        this.failure = null;
        this.#pages.set(page, { rows, next });
        const oldest = [...this.#pages.keys()].find((one) => !this.#wanted.includes(one));
        if (this.#pages.size > MAX_PAGES && oldest !== undefined) this.#pages.delete(oldest);
      } catch (error) {
        this.failure = error;
        this.#wanted = [];
      } finally {
        this.#asked.delete(page);
      }
      if (!this.#isOver) this.#onChange();
    }
  }
}
