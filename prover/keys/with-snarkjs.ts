/**
 * Ends the threads of snarkjs. Its first step makes them, with the curve BN254, and never ends them, so a process that used it would not
 * exit. Keys and ceremonies run every step of snarkjs inside `withSnarkjs`.
 */

const scope = globalThis as { curve_bn128?: { terminate(): Promise<void> } | null };
let stepCount = 0;

/**
 * Runs work that may call snarkjs. Its threads end when no such work runs any more. Making the curve again takes a third of a second of
 * CPU, so run several steps as one work.
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
