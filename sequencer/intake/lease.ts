/**
 * Whether this sequencer may acknowledge now. The lease is on L1 (contracts/lease); the bridge reports it with each block,
 * and this machine's clock tells when it ends. So a sequencer that cannot reach L1, or was paused, stops by itself.
 *
 * Bound on clocks: another machine takes the lease in a block whose time is not before the lease's end. Ethereum's clients
 * take no block from the future, but for half a second. Acknowledging stops a margin before the end by this clock, so it may
 * be behind by less than the margin. It is compared with every block: behind by half of the margin is too much already.
 */
import type { Logger } from "@openledger/foundation/logger";
import type { Metrics } from "../metrics.ts";
import { sequencerError } from "../sequencer-errors.ts";
import type { LedgerLog } from "../store/ledger-log.ts";
import { storeKeys } from "../store/store-keys.ts";
import { requirePlace, type StoredLease } from "../store/stored-lease.ts";

export const LEASE_MODES = ["off", "required"] as const;

export interface LeaseOptions {
  /** The log's. */
  readonly dataPath: string;
  readonly lease: (typeof LEASE_MODES)[number];
  readonly leaseMarginMs: number;
}

/** As L1 has it. */
interface LeaseReport {
  readonly epoch: number;
  readonly endsAtSeconds: number;
  readonly url: string;
}

/**
 * What an acknowledgement says of it. An answer that took longer than the time that was left may come from a machine that was
 * paused with the answer in its hand: anyone who gets one asks again.
 */
interface LeaseTerm {
  readonly epoch: number;
  /** Until the lease's end, the margin included. */
  readonly remainingMs: number;
}

interface LeaseModules {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "failover">;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

export class Lease {
  /** The epoch that this directory has taken; null where no lease is required. */
  readonly epoch: number | null;
  readonly #marginMs: number;
  readonly #modules: LeaseModules;
  #reported: LeaseReport | null = null;
  #successor: LeaseReport | null = null;
  #isClockBehind = false;

  /** @throws SEQ_LEASE_MISSING */
  static async load(options: LeaseOptions, log: LedgerLog, modules: LeaseModules): Promise<Lease> {
    if (options.lease === "off") return new Lease(null, options.leaseMarginMs, modules);
    const stored = await log.get<StoredLease>(storeKeys.lease);
    if (stored === undefined) {
      throw sequencerError(
        "SEQ_LEASE_MISSING",
        "SEQUENCER_LEASE is required, and this directory has taken none",
      );
    }
    requirePlace(stored, options.dataPath);
    return new Lease(stored.epoch, options.leaseMarginMs, modules);
  }

  private constructor(epoch: number | null, marginMs: number, modules: LeaseModules) {
    this.epoch = epoch;
    this.#marginMs = marginMs;
    this.#modules = modules;
    const { leaseLost, leaseSeconds } = modules.metrics.failover;
    leaseLost.set(0);
    leaseSeconds.set(epoch === null ? Number.POSITIVE_INFINITY : 0);
  }

  /** What the bridge read, and the time of L1's newest block. */
  note(report: LeaseReport | null, headTimestamp: number): void {
    if (this.epoch === null) return;
    const { clock, logger, metrics } = this.#modules;
    const behindMs = headTimestamp * 1_000 - clock();
    const isClockBehind = behindMs > this.#marginMs / 2;
    if (isClockBehind && !this.#isClockBehind)
      logger.error({ behindMs }, "this machine's clock is behind L1's: nothing is acknowledged");
    this.#isClockBehind = isClockBehind;
    if (report === null) return;
    if (report.epoch > this.epoch && this.#successor === null) {
      metrics.failover.leaseLost.set(1);
      logger.error({ ...report, ownEpoch: this.epoch }, "another machine has taken the lease");
    }
    if (report.epoch > this.epoch) this.#successor = report;
    else if (report.epoch === this.epoch) this.#reported = report;
  }

  /** Until when operations are acknowledged, by this machine's clock; `Infinity` where no lease is required. */
  get endMs(): number {
    if (this.epoch === null) return Number.POSITIVE_INFINITY;
    if (this.#successor !== null || this.#isClockBehind || this.#reported === null) return 0;
    return this.#reported.endsAtSeconds * 1_000 - this.#marginMs;
  }

  get isHeld(): boolean {
    return this.#modules.clock() < this.endMs;
  }

  /** Of what is acknowledged now; null where no lease is required. */
  get term(): LeaseTerm | null {
    if (this.epoch === null) return null;
    const remainingMs = Math.max(0, Math.floor(this.endMs + this.#marginMs - this.#modules.clock()));
    return { epoch: this.epoch, remainingMs };
  }

  /** As /health and the operator's route show it. */
  get facts() {
    const { epoch } = this;
    return { epoch, isHeld: this.isHeld, reported: this.#reported, successor: this.#successor };
  }

  /** @throws SEQ_LEASE_LOST */
  requireNotLost(): void {
    if (this.#successor === null) return;
    const { epoch, url } = this.#successor;
    throw sequencerError("SEQ_LEASE_LOST", `another machine acknowledges operations, in epoch ${epoch}`, {
      data: { epoch, url },
    });
  }

  /** To be called last of all before anything is promised. @throws SEQ_LEASE_LOST, SEQ_LEASE_ENDED */
  require(): void {
    this.requireNotLost();
    if (this.isHeld) return;
    throw sequencerError("SEQ_LEASE_ENDED", "the lease is not extended: nothing is promised now", {
      data: { epoch: this.epoch, isClockBehind: this.#isClockBehind },
    });
  }

  /** A few times a second. */
  tick(): void {
    if (this.epoch === null) return;
    const left = Math.max(0, this.endMs - this.#modules.clock());
    this.#modules.metrics.failover.leaseSeconds.set(left / 1_000);
  }
}
