/**
 * Places (numbers among all signed operations) for which this sequencer signs no preconfirmation, because it may have promised
 * them to other operations. A second signature for one position takes the operator's bond (contracts/bond/), whatever the reason.
 *
 * There are two ways to such positions. A dropped operation moves all behind it one position forward (batches/from-l1/rebase.ts).
 * And a directory made from L1 or from a full node lacks acknowledgements that nobody else has seen; how many there may
 * have been is bounded by the batches that may wait for L1.
 *
 * Full nodes mark the positions for which they saw no signature, so that a directory made from theirs has them, too.
 *
 * Operations in these positions are executed and acknowledged like others, without a signature.
 */
import type { BatchShape } from "@openledger/circuits/protocol";
import type { LedgerLog } from "./ledger-log.ts";
import { type StoreWrite, storeKeys } from "./store-keys.ts";

interface Offsets {
  readonly from: number;
  /** First place behind them; null in a directory that no sequencer has started on since it was made. */
  readonly end: number | null;
}

export class UnpromisedPositions {
  #all: readonly Offsets[];

  private constructor(all: readonly Offsets[]) {
    this.#all = all;
  }

  static async load(log: LedgerLog): Promise<UnpromisedPositions> {
    return new UnpromisedPositions((await log.get<readonly Offsets[]>(storeKeys.unpromisedPositions)) ?? []);
  }

  has(opIndex: number): boolean {
    return this.#all.some(({ end, from }) => opIndex >= from && (end === null || opIndex < end));
  }

  /**
   * Adds places at once. @param end null: all from there on, until a start bounds them
   * @returns the write that makes it durable; it has to go with what moves the operations
   */
  add(from: number, end: number | null): StoreWrite {
    const last = this.#all.at(-1);
    // A full node adds one position after the other.
    if (last?.end === from) this.#all = [...this.#all.slice(0, -1), { from: last.from, end }];
    else this.#all = [...this.#all, { from, end }];
    return this.#write;
  }

  /** Bounds the positions of a restored directory. @returns null where there is nothing to bound */
  bound(maxCount: number): StoreWrite | null {
    if (this.#all.every(({ end }) => end !== null)) return null;
    this.#all = this.#all.map(({ end, from }) => ({ from, end: end ?? from + maxCount }));
    return this.#write;
  }

  get #write(): StoreWrite {
    return { key: storeKeys.unpromisedPositions, value: this.#all };
  }
}

/**
 * Maximum signed operations that L1 may lack, where so many batches may: theirs, and the open one's. Queue entries open
 * further batches, whose signed operations count, too.
 */
export const maxUnpostedOperations = (maxUnpostedBatches: number, { narrow, wide }: BatchShape): number =>
  (maxUnpostedBatches + 1) * (narrow + wide);

/** Write for a directory whose ledger may lack acknowledged operations from this position on. */
export const unpromisedFrom = (opIndex: number): StoreWrite => ({
  key: storeKeys.unpromisedPositions,
  value: [{ from: opIndex, end: null }] satisfies readonly Offsets[],
});
