/**
 * Estimates how long the stages of a batch take, as moving medians of the last ones: for times shown to users, never for
 * decisions.
 */
import type { StoredBatch } from "../../store/stored-batch.ts";
import { MovingMedian } from "./moving-median.ts";

/** Batches that an estimate looks back on. Guess. */
const WINDOW_SIZE = 20;

export class StageEstimates {
  readonly #close: MovingMedian;
  readonly #prove: MovingMedian;
  readonly #post = new MovingMedian({ size: WINDOW_SIZE, fallback: 30_000 });
  readonly #finality = new MovingMedian({ size: WINDOW_SIZE, fallback: 180_000 });

  /** @param options.expectedProveMs until a batch was proven */
  constructor(options: { closeIntervalMs: number; expectedProveMs?: number }) {
    this.#close = new MovingMedian({ size: WINDOW_SIZE, fallback: options.closeIntervalMs });
    this.#prove = new MovingMedian({ size: WINDOW_SIZE, fallback: options.expectedProveMs ?? 60_000 });
  }

  /**
   * Takes in what the store knows of the last batches, so that a restart forgets nothing.
   * @param read a batch by its number. @param lastNumber the newest closed one
   */
  async recall(
    read: (number: number) => Promise<StoredBatch | undefined>,
    lastNumber: number,
  ): Promise<void> {
    for (let number = Math.max(1, lastNumber - WINDOW_SIZE + 1); number <= lastNumber; number++) {
      const batch = await read(number);
      // A foreign batch was neither closed nor proven here.
      if (batch === undefined || batch.isForeign === true) continue;
      this.noteClosed(batch);
      if (batch.proof === null) continue;
      this.#prove.add(batch.proof.provenAtMs - batch.closedAtMs);
      if (batch.postedAtMs !== null) this.#post.add(batch.postedAtMs - batch.proof.provenAtMs);
    }
  }

  noteClosed(batch: StoredBatch): void {
    this.#close.add(batch.closedAtMs - batch.openedAtMs);
  }

  /** A batch reached a new status at this time. */
  noteStatus(batch: StoredBatch, nowMs: number): void {
    if (batch.status === "proven" && batch.proof !== null)
      this.#prove.add(batch.proof.provenAtMs - batch.closedAtMs);
    if (batch.status === "posted" && batch.proof !== null) this.#post.add(nowMs - batch.proof.provenAtMs);
    if (batch.status === "final" && batch.postedAtMs !== null) this.#finality.add(nowMs - batch.postedAtMs);
  }

  get medians(): { closeMs: number; proveMs: number; postMs: number; finalMs: number } {
    return {
      closeMs: this.#close.value,
      proveMs: this.#prove.value,
      postMs: this.#post.value,
      finalMs: this.#finality.value,
    };
  }

  /**
   * Estimates when the next stages are reached, in milliseconds, from the last batches. @param batch null while the
   * operation's batch is open
   */
  readyAtMs(
    openedAtMs: number,
    batch: StoredBatch | null,
    nowMs: number,
  ): Partial<Record<"closed" | "proven" | "posted" | "final", number>> {
    const { closeMs, proveMs, postMs, finalMs } = this.medians;
    const from = (reachedAtMs: number | null, previousMs: number, durationMs: number) =>
      reachedAtMs ?? Math.max(nowMs, previousMs + durationMs);
    const closed = from(batch?.closedAtMs ?? null, openedAtMs, closeMs);
    const proven = from(batch?.proof?.provenAtMs ?? null, closed, proveMs);
    const posted = from(batch?.postedAtMs ?? null, proven, postMs);
    const times = { closed, proven, posted, final: from(null, posted, finalMs) };
    return Object.fromEntries(Object.entries(times).filter(([, atMs]) => atMs >= nowMs));
  }
}
