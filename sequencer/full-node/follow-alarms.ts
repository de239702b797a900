/**
 * Alarms of a full node about the operator. Equivocations are signed facts: they are stored for good, each as a record
 * and as a file that `openledger verify preconfirmations` takes. The other alarms describe a state, and pass.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hex32 } from "@openledger/foundation/hex";
import type { Logger } from "@openledger/foundation/logger";
import {
  encodeEvidence,
  type PreconfirmationEvidence,
} from "@openledger/verifier/evidence/preconfirmation-evidence";
import type { PostedOperation } from "@openledger/verifier/replay/posted-operations";
import { Gauge, type Registry } from "prom-client";
import type { LedgerLog } from "../store/ledger-log.ts";
import { underPrefix } from "../store/store-keys.ts";

type EquivocationReason = "other-operation" | "two-preconfirmations" | "overdue";

/** A stored alarm: the preconfirmation, and its contradiction. */
interface Equivocation {
  readonly reason: EquivocationReason;
  readonly evidence: PreconfirmationEvidence;
  readonly posted: PostedOperation | null;
  readonly other: PreconfirmationEvidence | null;
  /** Block of L1 at which it was noticed. */
  readonly l1BlockNumber: number;
  readonly noticedAtMs: number;
}

/**
 * Alarms that pass. L1 or the sequencer does not answer or does not move; the sequencer's log does not execute, or has
 * another base; nobody takes L1's queue; L1 has a batch that breaks the ledger's rules, or one whose blob nobody gives.
 */
const PASSING_ALARMS = [
  "l1-stalled",
  "feed-stalled",
  "feed-differs",
  "queue-overdue",
  "batch-malformed",
  "blob-missing",
] as const;
type PassingAlarm = (typeof PASSING_ALARMS)[number];

export const ALARM_PREFIX = "follow-alarm";

export class FollowAlarms {
  readonly #equivocations: Equivocation[];
  readonly #passing = new Map<PassingAlarm, string>();
  readonly #modules: { log: LedgerLog; logger: Logger; evidencePath: string };
  readonly #gauge: Gauge<"kind">;

  /** Loads the alarms with the stored equivocations. */
  static async load(modules: {
    log: LedgerLog;
    logger: Logger;
    registry: Registry;
    evidencePath: string;
  }): Promise<FollowAlarms> {
    const stored = await modules.log.keyed<Equivocation>(underPrefix(ALARM_PREFIX));
    return new FollowAlarms(
      modules,
      stored.map(([, equivocation]) => equivocation),
    );
  }

  private constructor(
    { registry, ...modules }: Parameters<typeof FollowAlarms.load>[0],
    equivocations: Equivocation[],
  ) {
    this.#modules = modules;
    this.#equivocations = equivocations;
    this.#gauge = new Gauge({
      name: "rollup_full_node_alarm",
      help: "Alarms by kind: equivocations so far, 1 for the others while they last",
      labelNames: ["kind"],
      registers: [registry],
    });
    for (const kind of PASSING_ALARMS) this.#gauge.set({ kind }, 0);
    this.#gauge.set({ kind: "equivocation" }, equivocations.length);
  }

  get isQuiet(): boolean {
    return this.#equivocations.length === 0 && this.#passing.size === 0;
  }

  get all(): readonly Equivocation[] {
    return this.#equivocations;
  }

  /** Alarms about what stands still or differs now. */
  get passing(): { kind: PassingAlarm; why: string }[] {
    return [...this.#passing].map(([kind, why]) => ({ kind, why }));
  }

  /** Keeps an equivocation; the same one again changes nothing. */
  async keep(equivocation: Equivocation): Promise<void> {
    const key = keyOf(equivocation);
    if (this.#equivocations.some((known) => keyOf(known) === key)) return;
    this.#equivocations.push(equivocation);
    const { evidencePath, log, logger } = this.#modules;
    await log.write([{ key: `${ALARM_PREFIX}!${key}`, value: equivocation }]);
    const paths = await this.#writeFiles(equivocation, evidencePath);
    this.#gauge.set({ kind: "equivocation" }, this.#equivocations.length);
    const { evidence, posted, reason } = equivocation;
    logger.error(
      {
        reason,
        opIndex: evidence.preconfirmation.opIndex,
        operationHash: evidence.preconfirmation.operationHash,
        paths,
        posted,
      },
      "the sequencer has signed what is not so",
    );
  }

  async #writeFiles({ evidence, other }: Equivocation, folder: string): Promise<string[]> {
    await mkdir(folder, { recursive: true });
    const paths: string[] = [];
    for (const one of other === null ? [evidence] : [evidence, other]) {
      const { opIndex, operationHash } = one.preconfirmation;
      const path = join(folder, `${opIndex}-${operationHash.slice(2, 18)}.json`);
      await writeFile(path, encodeEvidence(one));
      paths.push(path);
    }
    return paths;
  }

  /** Raises or ends an alarm that passes. */
  set(kind: PassingAlarm, why: string | null): void {
    const known = this.#passing.get(kind);
    if ((known ?? null) === why) return;
    if (why === null) this.#passing.delete(kind);
    else this.#passing.set(kind, why);
    this.#gauge.set({ kind }, why === null ? 0 : 1);
    if (why === null) this.#modules.logger.info({ kind }, "alarm has ended");
    else if (known === undefined) this.#modules.logger.warn({ kind, why }, "alarm");
  }
}

const keyOf = ({ evidence, reason }: Equivocation) =>
  `${evidence.preconfirmation.opIndex}-${evidence.preconfirmation.operationHash}-${reason}`;

/** JSON of an equivocation in /v1/alarms and /health. */
export function equivocationView({ evidence, other, posted, ...facts }: Equivocation): object {
  return {
    ...facts,
    preconfirmation: JSON.parse(encodeEvidence(evidence)),
    other: other === null ? null : JSON.parse(encodeEvidence(other)),
    posted:
      posted === null
        ? null
        : {
            ...posted,
            amountCode: posted.amountCode.toString(),
            words: posted.words.map((word) => hex32(word)),
          },
  };
}
