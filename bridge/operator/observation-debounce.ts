/**
 * Debounce of what the publisher reads on L1, by blocks instead of time: batch-publisher.ts gives up a nonce or
 * a batch only after the same observation at several blocks.
 */

interface ObservationDebounceOptions {
  /** Minimum observations, each at another block. */
  readonly looks: number;
  /** Minimum blocks between the first observation and the last. */
  readonly blocks: number;
}

/**
 * Accepts an observation only after it was repeated at blocks some way apart. One read decides nothing: Ethereum nodes
 * behind one address lag behind each other, and some are on a fork that ends.
 */
export class ObservationDebounce {
  readonly #options: ObservationDebounceOptions;
  readonly #seen = new Map<string, { firstBlock: bigint; lastBlock: bigint; count: number }>();

  constructor(options: ObservationDebounceOptions) {
    this.#options = options;
  }

  /**
   * Notes an observation at this block. One at a block that is not newer does not count. @returns true once it is
   * accepted
   */
  note(what: string, blockNumber: bigint): boolean {
    const look = this.#seen.get(what) ?? { firstBlock: blockNumber, lastBlock: -1n, count: 0 };
    if (blockNumber > look.lastBlock) {
      look.lastBlock = blockNumber;
      look.count += 1;
    }
    this.#seen.set(what, look);
    const { blocks, looks } = this.#options;
    return look.count >= looks && look.lastBlock - look.firstBlock >= BigInt(blocks);
  }

  /** Forgets earlier observations after a contrary one. */
  forget(what: string): void {
    this.#seen.delete(what);
  }
}
