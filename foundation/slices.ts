/** Runs long work in slices, so that a page or a server does other things in between. The work is a generator that yields often. */

/** Milliseconds of work before others have a turn: less than a frame of 60 a second. */
const SLICE_MS = 12;

/** Work that yields the part of it that is done, 0 to 1, each time after a few milliseconds at most. */
export type Steps<Result> = Generator<number, Result, void>;

interface SliceOptions {
  /** Called after each slice with the part that is done, 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs work in slices of 12 ms. @throws the signal's reason; what the work throws */
export async function inSlices<Result>(
  work: Steps<Result>,
  { onProgress, signal }: SliceOptions = {},
): Promise<Result> {
  let begunAtMs = performance.now();
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return step.value;
    if (performance.now() - begunAtMs < SLICE_MS) continue;
    onProgress?.(step.value);
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    begunAtMs = performance.now();
  }
}

/** Runs work to its end at once. @throws what the work throws */
export function atOnce<Result>(work: Steps<Result>): Result {
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value;
}
