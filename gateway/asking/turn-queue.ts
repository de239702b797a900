/** Queue of one: works run one after another, and a bounded number waits. The asker has one of each model, and one of payments. */

export class TurnQueue {
  #last: Promise<unknown> = Promise.resolve();
  #entered = 0;

  /** Callers that have a slot. */
  get entered(): number {
    return this.#entered;
  }

  /** Takes a place for a work to come. @returns gives the place back; null where all are taken */
  enter(max: number): (() => void) | null {
    if (this.#entered >= max) return null;
    this.#entered++;
    return () => {
      this.#entered--;
    };
  }

  /** Runs the work once those before it have ended, whatever became of them. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
