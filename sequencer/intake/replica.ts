/**
 * The standby on another machine: it reads the log along, and says with each question up to which operation it has it on its
 * disk. Where it is required, nothing is acknowledged before that. So it can take over without losing a promise: what it does
 * not have, nobody was promised.
 */
import { randomBytes } from "node:crypto";
import type { Metrics } from "../metrics.ts";
import { sequencerError } from "../sequencer-errors.ts";
import type { LedgerLog } from "../store/ledger-log.ts";

export const REPLICA_MODES = ["off", "required"] as const;

export interface ReplicaOptions {
  readonly replica: (typeof REPLICA_MODES)[number];
  readonly replicaTimeoutMs: number;
}

interface ReplicaModules {
  readonly log: LedgerLog;
  readonly metrics: Pick<Metrics, "failover">;
  readonly clock: () => number;
  /** Signed operations that were executed. */
  readonly executedCount: () => number;
}

export class Replica {
  readonly isRequired: boolean;
  readonly #timeoutMs: number;
  readonly #modules: ReplicaModules;
  /** Entries have the same numbers after a restart, and may be others. */
  readonly #startId = randomBytes(8).toString("hex");
  #confirmedGeneration = "";
  #confirmedCount = 0;
  #heardAtMs: number | null = null;
  readonly #waiting = new Set<() => void>();
  readonly #askers = new Set<() => void>();

  constructor(options: ReplicaOptions, modules: ReplicaModules) {
    this.isRequired = options.replica === "required";
    this.#timeoutMs = options.replicaTimeoutMs;
    this.#modules = modules;
  }

  /** Changes whenever entries that were there are replaced: what was confirmed before counts for nothing then. */
  get generation(): string {
    return `${this.#startId}-${this.#modules.log.rewriteCount}`;
  }

  #isConfirmed(opIndex: number): boolean {
    return this.#confirmedGeneration === this.generation && opIndex < this.#confirmedCount;
  }

  /** The standby has the first `operationCount` signed operations, as the log of that generation has them. */
  note(operationCount: number, generation: string): void {
    this.#heardAtMs = this.#modules.clock();
    if (generation !== this.generation) return;
    this.#confirmedGeneration = generation;
    this.#confirmedCount = operationCount;
    for (const look of this.#waiting) look();
  }

  /** Resolves once the standby has the operation. @throws SEQ_REPLICA_SILENT after the time-out */
  async confirmed(opIndex: number): Promise<void> {
    for (const ask of this.#askers) ask();
    if (!this.isRequired || this.#isConfirmed(opIndex)) return;
    await new Promise<void>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = () => {
        if (!this.#isConfirmed(opIndex)) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(this.#silent(opIndex));
      }, this.#timeoutMs);
      this.#waiting.add(look);
    });
  }

  /** @throws SEQ_REPLICA_SILENT where the operation is not confirmed */
  require(opIndex: number): void {
    if (this.isRequired && !this.#isConfirmed(opIndex)) throw this.#silent(opIndex);
  }

  /** Before anything is executed: what piles up here is promised to nobody. @throws SEQ_REPLICA_SILENT */
  requireHeard(): void {
    if (!this.isRequired) return;
    const silentMs = this.#modules.clock() - (this.#heardAtMs ?? Number.NEGATIVE_INFINITY);
    if (silentMs > this.#timeoutMs) throw this.#silent(null);
  }

  #silent(opIndex: number | null) {
    return sequencerError("SEQ_REPLICA_SILENT", "the standby has not confirmed the operation", {
      data: { opIndex, confirmedCount: this.#confirmedCount },
    });
  }

  /** Resolves when an operation is durable here, or after the time. */
  async news(waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#askers.delete(end);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      this.#askers.add(end);
    });
  }

  /** A few times a second. */
  tick(): void {
    if (this.#heardAtMs === null && !this.isRequired) return;
    const { clock, executedCount, metrics } = this.#modules;
    this.#heardAtMs ??= clock();
    metrics.failover.replicaSilentSeconds.set((clock() - this.#heardAtMs) / 1_000);
    const confirmed = this.#confirmedGeneration === this.generation ? this.#confirmedCount : 0;
    metrics.failover.replicaLag.set(Math.max(0, executedCount() - confirmed));
  }
}
