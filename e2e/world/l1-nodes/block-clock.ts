/** Makes a block each second and more on demand, one after the other: for nodes that do not by themselves. */

const BLOCK_MS = 1_000;

export class BlockClock {
  /** Error of a block that could not be made: no other comes after it. */
  failure: Error | null = null;
  readonly #make: () => Promise<unknown>;
  #last: Promise<unknown> = Promise.resolve();
  /** Number of requested blocks that are not made yet. */
  #pendingCount = 0;
  #timer: NodeJS.Timeout;

  constructor(make: () => Promise<unknown>) {
    this.#make = make;
    this.#timer = setInterval(() => {
      // Late ones are not made up for: a reorganisation would come behind them.
      if (this.#pendingCount > 0) return;
      this.mine(1).catch((error: Error) => {
        this.failure = error;
        clearInterval(this.#timer);
      });
    }, BLOCK_MS);
  }

  async mine(blocks: number): Promise<void> {
    this.#pendingCount += blocks;
    await this.alone(async () => {
      for (let i = 0; i < blocks; i++) await this.#make();
    }).finally(() => {
      this.#pendingCount -= blocks;
    });
  }

  /** No block is made meanwhile. */
  alone<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#last.then(act);
    this.#last = done.catch(() => {});
    return done;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
  }
}
