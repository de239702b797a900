/** Back-off of a watcher's failed tasks, in memory. Times are in Unix milliseconds. */
import { waitAfterMs } from "@openledger/foundation/retry";

/** First and longest wait between two tries. */
const WAITS = { firstWaitMs: 15_000, maxWaitMs: 3_600_000 };

export interface Failure {
  /** Time of the first of the failures in a row, in Unix milliseconds. */
  readonly sinceMs: number;
  readonly code: string;
  readonly text: string;
}

/** Failures by name, and the time of each one's next try: after 15 s, then twice as long each time, up to an hour. */
export class Retries {
  readonly #failures = new Map<string, Failure & { readonly nextMs: number; readonly count: number }>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  isDue(name: string): boolean {
    return (this.#failures.get(name)?.nextMs ?? 0) <= this.#nowMs();
  }

  /** @param untilMs not before then; default: the wait that comes next */
  fail(name: string, { code, text }: { code: string; text: string }, untilMs?: number): void {
    const nowMs = this.#nowMs();
    const known = this.#failures.get(name);
    const count = (known?.count ?? 0) + 1;
    const nextMs = untilMs ?? nowMs + waitAfterMs(count, WAITS);
    this.#failures.set(name, { sinceMs: known?.sinceMs ?? nowMs, code, text, nextMs, count });
  }

  succeed(name: string): void {
    this.#failures.delete(name);
  }

  get all(): [name: string, failure: Failure][] {
    return [...this.#failures];
  }

  /** Returns the failures that have lasted at least this long. */
  lastingFor(ms: number): [name: string, failure: Failure][] {
    return this.all.filter(([, { sinceMs }]) => this.#nowMs() - sinceMs >= ms);
  }
}
