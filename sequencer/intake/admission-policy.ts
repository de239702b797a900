/**
 * Admission mode, checked before anything else: the sequencer takes every operation, only those that lead out,
 * or none. sequencer.ts asks it.
 */

import { KIND, kindRule } from "@openledger/circuits/protocol";
import type { Logger } from "@openledger/foundation/logger";
import type { Gauge } from "prom-client";
import { type MalformedBatch, malformedOnL1 } from "../batches/from-l1/foreign-batch.ts";
import { sequencerError } from "../sequencer-errors.ts";
import type { L1Position } from "./l1-position.ts";

/** "sunset": the operator ends the rollup in order (docs/how-to/operate.md, "Ending a rollup"). */
export const ADMISSION_MODES = ["open", "sunset"] as const;
export type AdmissionMode = (typeof ADMISSION_MODES)[number];

/** Kinds that a sunset still takes: every kind by which deposited money moves on or out. */
const LEADS_OUT: ReadonlySet<number> = new Set([
  KIND.transfer,
  KIND.withdraw,
  KIND.setKey,
  KIND.revokeModel,
  KIND.closeEpoch,
  KIND.settle,
  KIND.claimRewards,
]);

interface AdmissionPolicyModules {
  readonly logger: Logger;
  /** Comparison with L1: whether L1 has signed operations that the ledger does not. */
  readonly place: Pick<L1Position, "differs" | "isKnown" | "require">;
  /** 1 while L1's ledger is frozen. */
  readonly frozenGauge: Gauge;
  /** 1 while L1 has a batch that breaks the ledger's rules. */
  readonly malformedGauge: Gauge;
}

export class AdmissionPolicy {
  readonly #setting: AdmissionMode;
  readonly #modules: AdmissionPolicyModules;
  #isL1Frozen = false;
  #malformed: MalformedBatch | null = null;

  constructor(setting: AdmissionMode, modules: AdmissionPolicyModules) {
    this.#setting = setting;
    this.#modules = modules;
    modules.frozenGauge.set(0);
    modules.malformedGauge.set(0);
  }

  get mode(): AdmissionMode | "frozen" | "malformed" | "behind" {
    if (this.#isL1Frozen) return "frozen";
    if (this.#malformed !== null) return "malformed";
    const { differs, isKnown } = this.#modules.place;
    return isKnown && !differs ? this.#setting : "behind";
  }

  /** Returns true while L1 may still take a batch of this sequencer. */
  get leadsToL1(): boolean {
    return !this.#isL1Frozen && this.#malformed === null && !this.#modules.place.differs;
  }

  /** Notes a freeze as L1's newest block has it; a reorganisation can still take it back. */
  noteFrozen(isFrozen: boolean): void {
    if (isFrozen === this.#isL1Frozen) return;
    this.#isL1Frozen = isFrozen;
    this.#modules.frozenGauge.set(isFrozen ? 1 : 0);
    const { logger } = this.#modules;
    if (isFrozen)
      logger.error({ code: "SEQ_FROZEN" }, "the rollup is frozen on L1: no operation is taken any more");
    else logger.warn({}, "L1 took the freeze back");
  }

  /** Notes the batch on L1 that breaks the ledger's rules; null where there is none, or none any more. */
  noteMalformed(malformed: MalformedBatch | null): void {
    if (malformed?.transactionHash === this.#malformed?.transactionHash) return;
    this.#malformed = malformed;
    const { logger, malformedGauge } = this.#modules;
    malformedGauge.set(malformed === null ? 0 : 1);
    if (malformed === null) logger.warn({}, "L1 has no malformed batch any more: operations are taken again");
    else {
      const { code, data, message } = malformedOnL1(malformed);
      logger.error({ code, ...data }, message);
    }
  }

  /** @throws SEQ_FROZEN, SEQ_BATCH_MALFORMED, SEQ_SUNSET, SEQ_L1_HEAD_UNKNOWN, SEQ_BEHIND_L1, SEQ_L1_LACKS_FINAL */
  require(kind: number): void {
    if (this.#isL1Frozen) {
      throw sequencerError("SEQ_FROZEN", "the rollup is frozen on L1; what is in it leaves by exits");
    }
    if (this.#malformed !== null) throw malformedOnL1(this.#malformed);
    this.#modules.place.require();
    if (this.#setting === "open" || LEADS_OUT.has(kind)) return;
    const { name } = kindRule(kind)!;
    throw sequencerError("SEQ_SUNSET", `the operator ends this rollup: no ${name} any more`, {
      data: { kind: name },
    });
  }
}
