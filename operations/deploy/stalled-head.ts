/** Several slots of Ethereum without a block. */
const STALLED_AFTER_MS = 60_000;

/** Says where L1 makes no blocks: a node that mines only what is sent to it never gives a transaction its confirmations. */
export class StalledHead {
  readonly #tell: (text: string) => void;
  readonly #nowMs: () => number;
  #block = -1n;
  #sinceMs = 0;
  #toldOf = -1n;

  constructor(tell: (text: string) => void, nowMs: () => number = Date.now) {
    this.#tell = tell;
    this.#nowMs = nowMs;
  }

  /** @param block the newest one */
  look(block: bigint): void {
    const nowMs = this.#nowMs();
    if (block !== this.#block) {
      this.#block = block;
      this.#sinceMs = nowMs;
    }
    if (this.#toldOf === block || nowMs - this.#sinceMs < STALLED_AFTER_MS) return;
    this.#toldOf = block;
    this.#tell(
      `block ${block} has been the newest for ${STALLED_AFTER_MS / 1_000} s: check that the node is in sync, or, where it mines only what is sent to it, ` +
        "let it make a block every few seconds",
    );
  }
}
