/**
 * Whether L1 has signed operations that this ledger does not: then their places are given away, and a preconfirmation would
 * promise one of them twice. The bridge names L1's place with each block. After a start nothing is taken before the first
 * time: the data directory may be empty, or older than L1.
 */

import { isSamePlace, type LedgerPlace } from "@openledger/circuits/ledger/ledger";
import type { Logger } from "@openledger/foundation/logger";
import type { RollupError } from "@openledger/foundation/rollup-error";
import type { Gauge } from "prom-client";
import type { BatchRegistry } from "../batches/batch-registry.ts";
import { sequencerError } from "../sequencer-errors.ts";

/** The bridge's word for a batch with signed operations that this ledger did not put there. */
const FOREIGN_SIGNED = "BRG_FOREIGN_SIGNED";

interface L1PlaceModules {
  readonly book: Pick<BatchRegistry, "finalNumber" | "closedNumber" | "positionAfter">;
  readonly logger: Logger;
  /** 1 while L1 has signed operations that this ledger does not. */
  readonly behindGauge: Gauge;
}

export class L1Place {
  readonly #modules: L1PlaceModules;
  #reported: LedgerPlace | null = null;
  #isBehind = false;

  constructor(modules: L1PlaceModules) {
    this.#modules = modules;
    modules.behindGauge.set(0);
  }

  /** Whether the bridge has named L1's place since the start. */
  get isKnown(): boolean {
    return this.#reported !== null;
  }

  /** L1 has signed operations that this ledger does not. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** As /health shows it. */
  get facts() {
    const { book } = this.#modules;
    return { l1: viewOf(this.#reported), own: viewOf(book.positionAfter(book.closedNumber)) };
  }

  /**
   * To be called while nothing rebuilds batches.
   * @param place absent: the bridge does not say, and what it said last holds
   * @param alarms the bridge's
   */
  note(place: LedgerPlace | null, alarms: readonly string[]): void {
    const { behindGauge, logger } = this.#modules;
    this.#reported = place ?? this.#reported;
    if (this.#reported === null) return;
    const isBehind = alarms.includes(FOREIGN_SIGNED) || !this.#hasSignedOf(this.#reported);
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    behindGauge.set(isBehind ? 1 : 0);
    if (isBehind) {
      const { code, message } = this.#behind();
      logger.error({ code, ...this.facts }, message);
    } else
      logger.warn(this.facts, "L1 has no signed operation any more that is not here: operations are taken");
  }

  /**
   * Others' batches hold no signed operations. So where L1's place is none of this ledger's, L1 counts as many of them as
   * this ledger does after some batch that both have. Whether it is the same batch, the bridge looks up; it says so by its alarm.
   */
  #hasSignedOf(l1: LedgerPlace): boolean {
    const { book } = this.#modules;
    const { closedNumber, finalNumber } = book;
    // A node that lags, or a reorganisation: what is final here was on L1.
    if (l1.batchNumber < finalNumber) return true;
    if (l1.batchNumber <= closedNumber && isSamePlace(book.positionAfter(l1.batchNumber), l1)) return true;
    for (let number = Math.min(closedNumber, l1.batchNumber - 1); number >= finalNumber; number--)
      if (book.positionAfter(number).opIndex === l1.opIndex) return true;
    return false;
  }

  /** @throws SEQ_L1_HEAD_UNKNOWN, SEQ_BEHIND_L1 */
  require(): void {
    if (!this.isKnown)
      throw sequencerError("SEQ_L1_HEAD_UNKNOWN", "the bridge has not told yet how far the ledger is on L1");
    if (this.#isBehind) throw this.#behind();
  }

  #behind(): RollupError {
    return sequencerError(
      "SEQ_BEHIND_L1",
      `L1 has signed operations that are not in this data directory: no operation is taken; ${RESTORE}`,
      { data: this.facts },
    );
  }
}

const RESTORE =
  "find the newest directory, or make one with openledger restore --from-full-node or --from-l1 (docs/how-to/operate.md)";

const viewOf = (place: LedgerPlace | null) =>
  place && { batchNumber: place.batchNumber, opIndex: place.opIndex };

/** A data directory without a batch or an entry, and a rollup that has batches. */
export function emptyStore(dataPath: string, l1: LedgerPlace): RollupError {
  return sequencerError(
    "SEQ_WRONG_DIRECTORY",
    `${dataPath} holds no ledger, and the rollup is at batch ${l1.batchNumber} on L1: is it the right directory, is its volume mounted? If the ledger is lost, ${RESTORE}`,
    { data: { reason: "store-empty", dataPath, l1: viewOf(l1) } },
  );
}
