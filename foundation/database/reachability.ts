import type { Database } from "./database.ts";

/** Time for which the last look holds. */
const KNOWN_MS = 1_000;

/** Whether a database answers, asked once a second at most, however often a process's health is asked for. */
export class Reachability {
  readonly #database: Pick<Database, "isReachable">;
  #known = { atMs: Number.NEGATIVE_INFINITY, isReachable: Promise.resolve(true) };

  constructor(database: Pick<Database, "isReachable">) {
    this.#database = database;
  }

  isReachable(): Promise<boolean> {
    const atMs = performance.now();
    if (atMs - this.#known.atMs >= KNOWN_MS)
      this.#known = { atMs, isReachable: this.#database.isReachable() };
    return this.#known.isReachable;
  }
}
