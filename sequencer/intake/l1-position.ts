/**
 * Detects that L1 and this ledger do not belong together, so that no operation is taken then: compares the batches and
 * operations that L1 has, as the bridge reports them with each block, with those of the ledger. Trouble "behind": L1 has signed
 * operations that this ledger does not. Their places are taken, and a preconfirmation would promise one of them twice. Trouble
 * "lacks-final": this ledger has final batches that L1 has not. Then L1 is another one, or another rollup is on it, and no
 * batch behind them can ever be posted. After a start no operation is taken before the first report: the data directory may be
 * empty, or older than L1.
 */

import { isSamePosition, type LedgerPosition } from "@openledger/circuits/ledger/ledger";
import type { Logger } from "@openledger/foundation/logger";
import type { RollupError } from "@openledger/foundation/rollup-error";
import type { Gauge } from "prom-client";
import type { BatchRegistry } from "../batches/batch-registry.ts";
import { sequencerError } from "../sequencer-errors.ts";

/** Alarm code of the bridge for a batch with signed operations that this ledger did not put there. */
const FOREIGN_SIGNED = "BRG_FOREIGN_SIGNED";

interface L1PositionModules {
  readonly registry: Pick<BatchRegistry, "finalNumber" | "closedNumber" | "positionAfter">;
  readonly logger: Logger;
  /** 1 while L1 has signed operations that this ledger does not. */
  readonly behindGauge: Gauge;
  /** 1 while L1 lacks a batch that was final on it. */
  readonly lacksFinalGauge: Gauge;
}

/** Facts that the bridge reports beside L1's place. */
export interface L1Report {
  readonly alarms: readonly string[];
  /** Number of the block at which L1 has this position. */
  readonly blockNumber: number;
  /** Blocks after which the bridge counts a batch as final; null where it does not report them. */
  readonly finalityDepthBlocks: number | null;
  /** L1's block with the last final batch; null where this ledger does not know it. */
  readonly finalBlock: number | null;
}

type Trouble = "behind" | "lacks-final";

export class L1Position {
  readonly #modules: L1PositionModules;
  #reported: LedgerPosition | null = null;
  #trouble: Trouble | null = null;

  constructor(modules: L1PositionModules) {
    this.#modules = modules;
    modules.behindGauge.set(0);
    modules.lacksFinalGauge.set(0);
  }

  /** True once the bridge has named L1's place since the start. */
  get isKnown(): boolean {
    return this.#reported !== null;
  }

  /** True while L1 and this ledger do not belong together: no batch that is made now could be posted. */
  get differs(): boolean {
    return this.#trouble !== null;
  }

  /** Further fields of /health; empty where L1 and this ledger agree. */
  get healthFacts(): object {
    return this.#trouble === null ? {} : { status: this.#trouble, ...this.#facts };
  }

  get #facts() {
    const { registry } = this.#modules;
    return {
      l1: viewOf(this.#reported),
      own: viewOf(registry.positionAfter(registry.closedNumber)),
      finalBatch: registry.finalNumber,
    };
  }

  /**
   * Compares L1's place with this ledger's. Call it while nothing rebuilds batches.
   * @param place null: the bridge names none, and its last position holds
   */
  note(position: LedgerPosition | null, report: L1Report): void {
    const { behindGauge, lacksFinalGauge, logger } = this.#modules;
    this.#reported = position ?? this.#reported;
    if (this.#reported === null) return;
    const lacksFinal =
      position === null ? this.#trouble === "lacks-final" : this.#lacksFinal(position, report);
    const isBehind = report.alarms.includes(FOREIGN_SIGNED) || !this.#hasSignedOf(this.#reported);
    const trouble = lacksFinal ? "lacks-final" : isBehind ? "behind" : null;
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    behindGauge.set(trouble === "behind" ? 1 : 0);
    lacksFinalGauge.set(trouble === "lacks-final" ? 1 : 0);
    if (trouble === null) logger.warn(this.#facts, "L1 and this ledger agree again: operations are taken");
    else {
      const { code, message } = this.#error();
      logger.error({ code, ...this.#facts }, message);
    }
  }

  /**
   * Returns true if L1 lacks this ledger's last final batch. A batch is final once its block is so deep that neither a
   * node that lags nor a reorganisation is below it. So L1 lacks it where the node is at or past that block, or further
   * before it than finality.
   */
  #lacksFinal({ batchNumber }: LedgerPosition, report: L1Report): boolean {
    if (batchNumber >= this.#modules.registry.finalNumber) return false;
    const { blockNumber, finalBlock, finalityDepthBlocks } = report;
    if (finalBlock === null || blockNumber >= finalBlock) return true;
    return finalityDepthBlocks !== null && blockNumber < finalBlock - finalityDepthBlocks;
  }

  /**
   * Returns true if this ledger has L1's signed operations. Others' batches hold none. So where L1's place is none of
   * this ledger's, L1 counts as many of them as this ledger does after some batch that both have. The bridge looks up
   * whether it is the same batch, and reports a difference by its alarm.
   */
  #hasSignedOf(l1: LedgerPosition): boolean {
    const { registry } = this.#modules;
    const { closedNumber, finalNumber } = registry;
    // The node lags; `#lacksFinal` tells one apart that does not.
    if (l1.batchNumber < finalNumber) return true;
    if (l1.batchNumber <= closedNumber && isSamePosition(registry.positionAfter(l1.batchNumber), l1))
      return true;
    for (let number = Math.min(closedNumber, l1.batchNumber - 1); number >= finalNumber; number--)
      if (registry.positionAfter(number).opIndex === l1.opIndex) return true;
    return false;
  }

  /** @throws SEQ_L1_HEAD_UNKNOWN, SEQ_BEHIND_L1, SEQ_L1_LACKS_FINAL */
  require(): void {
    if (!this.isKnown)
      throw sequencerError("SEQ_L1_HEAD_UNKNOWN", "the bridge has not told yet how far the ledger is on L1");
    if (this.#trouble !== null) throw this.#error();
  }

  #error(): RollupError {
    if (this.#trouble === "lacks-final")
      return sequencerError("SEQ_L1_LACKS_FINAL", LACKS_FINAL, { data: this.#facts });
    return sequencerError(
      "SEQ_BEHIND_L1",
      `L1 has signed operations that are not in this data directory: no operation is taken; ${RESTORE}`,
      { data: this.#facts },
    );
  }
}

const RESTORE =
  "find the newest directory, or make one with openledger restore --from-full-node or --from-l1 (docs/how-to/operate.md)";

const LACKS_FINAL =
  "L1 lacks batches that were final on it: no operation is taken; is this the rollup's own directory, and its L1's own node (docs/how-to/runbook.md#l1lacksfinal)?";

const viewOf = (position: LedgerPosition | null) =>
  position && { batchNumber: position.batchNumber, opIndex: position.opIndex };

/** Error for a data directory without a batch or an entry, while the rollup has batches. */
export function emptyStore(dataPath: string, l1: LedgerPosition): RollupError {
  return sequencerError(
    "SEQ_WRONG_DIRECTORY",
    `${dataPath} holds no ledger, and the rollup is at batch ${l1.batchNumber} on L1: is it the right directory, is its volume mounted? If the ledger is lost, ${RESTORE}`,
    { data: { reason: "store-empty", dataPath, l1: viewOf(l1) } },
  );
}
