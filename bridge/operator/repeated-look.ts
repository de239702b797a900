interface RepeatedLookOptions {
  /** How many looks it takes, each at another block. */
  readonly looks: number;
  /** How far the last block is behind the first. */
  readonly blocks: number;
}

/**
 * Nothing is final after one look: Ethereum nodes behind one address lag behind each other, and some are on a fork that
 * ends. What is seen again and again, at blocks some way apart, is believed.
 */
export class RepeatedLook {
  readonly #options: RepeatedLookOptions;
  readonly #seen = new Map<string, { firstBlock: bigint; lastBlock: bigint; count: number }>();

  constructor(options: RepeatedLookOptions) {
    this.#options = options;
  }

  /** Another look, at this block. One at a block that is not newer does not count. @returns whether it is believed */
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

  /** Something else was seen: what was noted before says nothing. */
  forget(what: string): void {
    this.#seen.delete(what);
  }
}
