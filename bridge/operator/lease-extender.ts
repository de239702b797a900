/**
 * The bridge's half of the lease: it tells the sequencer until when it may acknowledge, extends the lease in time, and signs
 * nothing under a new nonce without it.
 *
 * Why that fences: anyone who takes the lease uses up the account's next nonce for it. A transaction that this process signed
 * before has that nonce or a lower one, whatever it was stopped for in between, and L1 takes no nonce twice.
 */
import type { Logger } from "@openledger/foundation/logger";
import type { Address } from "viem";
import { bridgeError } from "../bridge-errors.ts";
import { encodeExtend, type LeaseContract, type LeaseState } from "../l1/lease-contract.ts";
import { type BridgeMetrics, clearAlarm, raiseAlarm } from "../metrics.ts";
import type { OperatorClient } from "./operator-client.ts";
import type { Errand } from "./publishing/publish-intent.ts";

interface LeaseExtenderOptions {
  readonly durationSeconds: number;
  /** Nothing is signed this long before the lease's end by this machine's clock. */
  readonly marginMs: number;
  /** Blocks, its own included, before a change of the lease counts. */
  readonly confirmations: number;
}

export interface LeaseExtenderModules {
  readonly lease: LeaseContract;
  readonly sequencer: Pick<OperatorClient, "leaseEpoch">;
  readonly logger: Logger;
  readonly metrics: BridgeMetrics;
  readonly nowMs?: () => number;
}

/** Extended once this part of its time is over: two more tries have room before the end. */
const EXTEND_AFTER_PART = 1 / 3;

export class LeaseExtender {
  readonly #options: LeaseExtenderOptions;
  readonly #modules: LeaseExtenderModules;
  readonly #nowMs: () => number;

  constructor(options: LeaseExtenderOptions, modules: LeaseExtenderModules) {
    this.#options = options;
    this.#modules = modules;
    this.#nowMs = modules.nowMs ?? Date.now;
  }

  /** The lease as it is deep enough to be built on. */
  confirmed(headNumber: number): Promise<LeaseState> {
    return this.#modules.lease.read(BigInt(Math.max(0, headNumber - this.#options.confirmations + 1)));
  }

  /** @returns the extension that is due; null where none is, or the lease is another machine's */
  async nextErrand(): Promise<Errand | null> {
    const { lease, metrics, sequencer } = this.#modules;
    const { durationSeconds } = this.#options;
    const [epoch, now] = await Promise.all([sequencer.leaseEpoch(), lease.read()]);
    metrics.leaseSeconds.set(Math.max(0, now.endsAtSeconds - this.#nowMs() / 1_000));
    if (epoch === null || now.epoch !== epoch) return null;
    const leftSeconds = now.endsAtSeconds - this.#nowMs() / 1_000;
    if (leftSeconds > durationSeconds * (1 - EXTEND_AFTER_PART)) return null;
    return { name: "extend the lease", to: lease.address, input: encodeExtend(epoch, durationSeconds) };
  }

  /**
   * To be called between reading a nonce and signing under it.
   * @throws BRG_LEASE_LOST where another machine has taken the lease, BRG_LEASE_ENDED where its time is over
   */
  async requireHeld(to: Address): Promise<void> {
    const { lease, logger, metrics, sequencer } = this.#modules;
    const [epoch, now] = await Promise.all([sequencer.leaseEpoch(), lease.read()]);
    if (epoch === null || now.epoch !== epoch) {
      raiseAlarm(metrics, "BRG_LEASE_LOST");
      logger.error({ epoch, now }, "the lease is another machine's: nothing is sent from here");
      throw bridgeError(
        "BRG_LEASE_LOST",
        `the lease is at epoch ${now.epoch}, this installation has ${epoch}`,
        {
          data: { epoch, leaseEpoch: now.epoch, url: now.url },
        },
      );
    }
    clearAlarm(metrics, "BRG_LEASE_LOST");
    // An extension of a past epoch is refused by the contract itself.
    if (to === lease.address) return;
    const endsAtMs = now.endsAtSeconds * 1_000;
    if (this.#nowMs() + this.#options.marginMs < endsAtMs) return;
    throw bridgeError("BRG_LEASE_ENDED", "the lease is over: it is extended before anything else is sent", {
      data: { epoch, endsAtSeconds: now.endsAtSeconds },
    });
  }
}
