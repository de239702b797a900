/**
 * Positions (numbers among all signed operations) for which the sequencer signs no preconfirmation, because it may have promised
 * them to other operations. A second signature for one position costs the operator's bond (contracts/bond/), whatever the reason.
 * Operations in these positions are executed and acknowledged without a signature. sequencer.ts asks before it signs.
 *
 * Two cases make such positions:
 * 1. A dropped operation moves all later ones to the position before (batches/from-l1/rebase.ts).
 * 2. A directory made from L1 or from a full node lacks acknowledgements that nobody else has seen. Their number is at most what the
 *    batches hold that may wait for L1 (`maxUnpostedOperations`).
 *
 * A full node records the positions whose signature it did not see, so a directory made from its copy has them, too.
 */
import type { BatchShape } from "@openledger/circuits/protocol";
import type { LedgerLog } from "./ledger-log.ts";
import { type StoreWrite, storeKeys } from "./store-keys.ts";

interface PositionRange {
  readonly from: number;
  /** First position after the range; null until a sequencer starts on a restored directory and bounds it. */
  readonly end: number | null;
}

export class UnpromisedPositions {
  #all: readonly PositionRange[];

  private constructor(all: readonly PositionRange[]) {
    this.#all = all;
  }

  static async load(log: LedgerLog): Promise<UnpromisedPositions> {
    return new UnpromisedPositions(
      (await log.get<readonly PositionRange[]>(storeKeys.unpromisedPositions)) ?? [],
    );
  }

  has(opIndex: number): boolean {
    return this.#all.some(({ end, from }) => opIndex >= from && (end === null || opIndex < end));
  }

  /**
   * Adds a range of positions. @param end null for all positions from there on, until a start bounds them
   * @returns the write that makes it durable; store it together with the writes that move the operations
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
  value: [{ from: opIndex, end: null }] satisfies readonly PositionRange[],
});
