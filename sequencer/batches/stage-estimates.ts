/** How long the stages of a batch take, as moving medians: for estimates shown to users, never for decisions. */
import type { BatchRecord } from "../store/batch-record.ts";
import { MovingMedian } from "./moving-median.ts";

/** Batches that an estimate looks back on. Guess. */
const WINDOW_SIZE = 20;

export class StageEstimates {
  private readonly seal: MovingMedian;
  private readonly prove: MovingMedian;
  private readonly post = new MovingMedian({ size: WINDOW_SIZE, fallback: 30_000 });
  private readonly finality = new MovingMedian({ size: WINDOW_SIZE, fallback: 180_000 });

  /** @param options.expectedProveMs until a batch was proven */
  constructor(options: { sealIntervalMs: number; expectedProveMs?: number }) {
    this.seal = new MovingMedian({ size: WINDOW_SIZE, fallback: options.sealIntervalMs });
    this.prove = new MovingMedian({ size: WINDOW_SIZE, fallback: options.expectedProveMs ?? 60_000 });
  }

  /**
   * Takes in what the store knows of the last batches, so that a restart forgets nothing.
   * @param read a batch by its number. @param lastNumber the newest sealed one
   */
  async recall(
    read: (number: number) => Promise<BatchRecord | undefined>,
    lastNumber: number,
  ): Promise<void> {
    for (let number = Math.max(1, lastNumber - WINDOW_SIZE + 1); number <= lastNumber; number++) {
      const batch = await read(number);
      // A foreign batch was neither sealed nor proven here.
      if (batch === undefined || batch.isForeign === true) continue;
      this.noteSealed(batch);
      if (batch.proof === null) continue;
      this.prove.add(batch.proof.provenAtMs - batch.sealedAtMs);
      if (batch.postedAtMs !== null) this.post.add(batch.postedAtMs - batch.proof.provenAtMs);
    }
  }

  noteSealed(batch: BatchRecord): void {
    this.seal.add(batch.sealedAtMs - batch.openedAtMs);
  }

  /** A batch reached a new status at this time. */
  noteStatus(batch: BatchRecord, nowMs: number): void {
    if (batch.status === "proven" && batch.proof !== null)
      this.prove.add(batch.proof.provenAtMs - batch.sealedAtMs);
    if (batch.status === "posted" && batch.proof !== null) this.post.add(nowMs - batch.proof.provenAtMs);
    if (batch.status === "final" && batch.postedAtMs !== null) this.finality.add(nowMs - batch.postedAtMs);
  }

  get medians(): { sealMs: number; proveMs: number; postMs: number; finalMs: number } {
    return {
      sealMs: this.seal.value,
      proveMs: this.prove.value,
      postMs: this.post.value,
      finalMs: this.finality.value,
    };
  }

  /** When the stages ahead are reached, if all goes as lately. @param batch null while the operation's batch is open */
  readyAtMs(
    openedAtMs: number,
    batch: BatchRecord | null,
    nowMs: number,
  ): Partial<Record<"sealed" | "proven" | "posted" | "final", number>> {
    const { sealMs, proveMs, postMs, finalMs } = this.medians;
    const from = (reachedAtMs: number | null, previousMs: number, durationMs: number) =>
      reachedAtMs ?? Math.max(nowMs, previousMs + durationMs);
    const sealed = from(batch?.sealedAtMs ?? null, openedAtMs, sealMs);
    const proven = from(batch?.proof?.provenAtMs ?? null, sealed, proveMs);
    const posted = from(batch?.postedAtMs ?? null, proven, postMs);
    const times = { sealed, proven, posted, final: from(null, posted, finalMs) };
    return Object.fromEntries(Object.entries(times).filter(([, atMs]) => atMs >= nowMs));
  }
}
