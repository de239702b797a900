/** Queue of one: works run one after another, and a bounded number waits. The asker has one of each model, and one of payments. */

export class TurnQueue {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Works that wait or run. */
  get length(): number {
    return this.#waiting;
  }

  /** Runs the work once those before it have ended, whatever became of them. */
  run<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const turn = this.#last.then(work).finally(() => {
      this.#waiting--;
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
