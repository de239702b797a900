/**
 * Deadline at which the open batch must be closed. Has no clock: the caller passes the time. batch-pipeline.ts
 * asks it; times are milliseconds since 1970.
 */
export class BatchDeadline {
  readonly #intervalMs: number;
  #firstOperationAtMs: number | null = null;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** An operation was executed in the open batch; only the first one since `clear` counts. */
  noteOperation(atMs: number): void {
    this.#firstOperationAtMs ??= atMs;
  }

  /** The batch was closed. */
  clear(): void {
    this.#firstOperationAtMs = null;
  }

  /** null while nothing waits to be closed. A clock that was set back never yields more than the interval. */
  remainingMs(nowMs: number): number | null {
    if (this.#firstOperationAtMs === null) return null;
    return Math.min(this.#intervalMs, Math.max(0, this.#firstOperationAtMs + this.#intervalMs - nowMs));
  }

  isDue(nowMs: number): boolean {
    return this.remainingMs(nowMs) === 0;
  }
}
