/**
 * Queue of the label tab: the row on the screen and the next one, which is fetched before its turn. A request has what is on the
 * page at that moment. Attack: by what was on it when it was last drawn, the host takes back a row that has just come, and gives
 * it twice.
 */
import type { LabelTurn } from "@openledger/client/datanets/row-schemas";
import { type ReadonlySignal, signal } from "@preact/signals";
import { askUntilAnswered } from "../../ledger/ask-again.ts";
import type { Problem } from "../../words/problem.tsx";

/** Rows on the page: the one on the screen, and the next, which is there when its turn comes. */
export const FETCHED_ROWS = 2;

export type QueueRow = LabelTurn["rows"][number];

export interface RowQueueState {
  /** The one on the screen first. */
  readonly rows: readonly QueueRow[];
  /** True if the host has no row for this labeller. */
  readonly isEmpty: boolean;
  /** Rows that other labellers have now, as the host told last. */
  readonly elsewhere: LabelTurn["held"];
  /** Why the last request brought no row. */
  readonly problem: Problem | null;
  /** True if the request is repeated by itself. */
  readonly isRepeated: boolean;
}

export class RowQueue {
  readonly #ask: (onPage: readonly string[]) => Promise<LabelTurn>;
  readonly #state = signal<RowQueueState>({
    rows: [],
    isEmpty: false,
    elsewhere: null,
    problem: null,
    isRepeated: false,
  });
  /** True if the host had no further row, beside those on the page. */
  #isLast = false;
  /** Ends the request that runs, or waits to be repeated; null if there is none. */
  #stop: (() => void) | null = null;

  /** @param ask requests one more row, by the digests of those on the page */
  constructor(ask: (onPage: readonly string[]) => Promise<LabelTurn>) {
    this.#ask = ask;
  }

  get state(): ReadonlySignal<RowQueueState> {
    return this.#state;
  }

  /** Requests rows until the page has enough, or the host has no more. */
  fill(): void {
    const { isEmpty, rows } = this.#state.value;
    const isEnough = rows.length === 0 ? isEmpty : this.#isLast || rows.length >= FETCHED_ROWS;
    if (isEnough || this.#stop !== null) return;
    this.#stop = askUntilAnswered(
      () => this.#ask(this.#state.value.rows.map(({ digest }) => digest)),
      (outcome) => {
        const isRepeated = outcome.state === "unanswered";
        if (!isRepeated) this.#stop = null;
        if (outcome.state !== "found") {
          this.#change({ problem: outcome.problem, isRepeated });
          return;
        }
        const { held, rows: fetched } = outcome.value;
        const rows = [...this.#state.value.rows, ...fetched];
        this.#isLast = fetched.length === 0;
        this.#change({ rows, isEmpty: rows.length === 0, elsewhere: held, problem: null, isRepeated });
        this.fill();
      },
    );
  }

  /** Requests a row at once, whatever the last request ended with, and those that were passed over as well. */
  again(): void {
    this.stop();
    this.#isLast = false;
    this.#change({ isEmpty: false });
    this.fill();
  }

  /** Takes the row off the screen. */
  next(): void {
    this.#change({ rows: this.#state.value.rows.slice(1) });
    this.fill();
  }

  /** Puts a row back on the screen. */
  putBack(row: QueueRow): void {
    this.#isLast = false;
    this.#change({ rows: [row, ...this.#state.value.rows], isEmpty: false });
  }

  /** Ends the request that runs. */
  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  #change(change: Partial<RowQueueState>): void {
    this.#state.value = { ...this.#state.value, ...change };
  }
}
