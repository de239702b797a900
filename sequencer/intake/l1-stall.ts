/**
 * Raises an alarm when L1 stands still, by the newest block that the bridge reports: without new blocks nothing is posted, and
 * no promise holds.
 */
import type { Logger } from "@openledger/foundation/logger";
import type { Gauge } from "prom-client";

interface L1StallModules {
  readonly clock: () => number;
  readonly logger: Logger;
  /** 1 while no new block of L1 was reported for `alarmMs`. */
  readonly gauge: Gauge;
}

export class L1Stall {
  readonly #alarmMs: number | null;
  readonly #modules: L1StallModules;
  #blockNumber = -1;
  #sinceMs: number;
  #isRaised = false;

  /** @param alarmMs null on a chain that mines only what is sent to it */
  constructor(alarmMs: number | null, modules: L1StallModules) {
    this.#alarmMs = alarmMs;
    this.#modules = modules;
    this.#sinceMs = modules.clock();
    modules.gauge.set(0);
  }

  /** Takes the bridge's report of L1's newest block. */
  note(blockNumber: number): void {
    if (blockNumber === this.#blockNumber) return;
    this.#blockNumber = blockNumber;
    this.#sinceMs = this.#modules.clock();
    this.look();
  }

  /** Raises or ends the alarm; to be called a few times a second. */
  look(): void {
    const { gauge, logger } = this.#modules;
    const isStalled = this.#alarmMs !== null && this.#stalledMs >= this.#alarmMs;
    if (isStalled === this.#isRaised) return;
    this.#isRaised = isStalled;
    gauge.set(isStalled ? 1 : 0);
    if (isStalled)
      logger.error(
        { code: "SEQ_L1_STALLED", ...this.#facts },
        "no new block of L1 is reported: the bridge is silent, or its Ethereum node stands still",
      );
    else logger.info(this.#facts, "L1 moves again");
  }

  /** Fields of `/health` about a stall; none while L1 moves. */
  get healthFacts(): object {
    return this.#isRaised ? { status: "l1-stalled", ...this.#facts } : {};
  }

  get #stalledMs(): number {
    return this.#modules.clock() - this.#sinceMs;
  }

  get #facts() {
    return {
      l1BlockNumber: this.#blockNumber === -1 ? null : this.#blockNumber,
      stalledMs: this.#stalledMs,
    };
  }
}
