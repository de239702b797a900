/** The curve of snarkjs and its threads, which it makes with the first step and leaves behind: they would hold the process. */

const scope = globalThis as { curve_bn128?: { terminate(): Promise<void> } | null };
let stepCount = 0;

/**
 * Runs work that may call snarkjs, and ends its threads behind the last of all such works. To make the curve takes a third of a
 * second of CPU, so that a work of several steps is better one work.
 */
export async function withSnarkjs<T>(work: () => Promise<T>): Promise<T> {
  stepCount += 1;
  try {
    return await work();
  } finally {
    stepCount -= 1;
    if (stepCount === 0) await scope.curve_bn128?.terminate();
  }
}
