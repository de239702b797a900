/** Synchronisation of the wasm back end's threads on their shared memory: a counter of tasks, and meeting points. */

/** Indices of the shared 32-bit words. */
const word = { arrived: 0, round: 1, next: 2 } as const;

/** The threads of one key, `size` of them, each with an instance on the same memory. */
export class ThreadTeam {
  readonly #words: Int32Array;
  readonly #size: number;

  constructor(buffer: SharedArrayBuffer, address: number, size: number) {
    this.#words = new Int32Array(buffer, address, 16);
    this.#size = size;
  }

  /** Resets the state after threads were ended. No thread may be at work. */
  reset(): void {
    this.#words.fill(0);
  }

  /** Waits until all threads have called it. The last one starts the numbers of `take` again. */
  meet(): void {
    const words = this.#words;
    const round = Atomics.load(words, word.round);
    if (Atomics.add(words, word.arrived, 1) === this.#size - 1) {
      Atomics.store(words, word.arrived, 0);
      Atomics.store(words, word.next, 0);
      Atomics.add(words, word.round, 1);
      Atomics.notify(words, word.round);
      return;
    }
    while (Atomics.load(words, word.round) === round) Atomics.wait(words, word.round, round);
  }

  /** The next number, from 0, that no thread has. */
  take(): number {
    return Atomics.add(this.#words, word.next, 1);
  }
}

/** The part of 0 to count - 1 that is the thread's. */
export function shareOf(count: number, thread: number, threadCount: number): [start: number, end: number] {
  return [Math.floor((count * thread) / threadCount), Math.floor((count * (thread + 1)) / threadCount)];
}
