/**
 * Loop of the automatic settler: runs turns at an interval in milliseconds, reports failures once, and tries again after growing
 * pauses. Its view is part of the server's status.
 */
import type { Bell } from "@openledger/bridge/operator/operator-events";
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import { pause, retry } from "@openledger/foundation/retry";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { Counter, Gauge, Registry } from "prom-client";
import { BaseError } from "viem";

export interface HelperLog {
  info(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface TurnFailure {
  readonly code: string;
  readonly message: string;
  readonly sinceMs: number;
  /** Turns in a row that failed. */
  readonly count: number;
}

/** Turns in a row that failed, and metrics of them. `nowMs` is the machine's clock. */
class TurnFailures {
  current: TurnFailure | null = null;
  readonly #nowMs: () => number;
  readonly #failing: Gauge;
  readonly #errors: Counter<"code">;

  constructor(registers: Registry[], nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#failing = new Gauge({
      name: "model_settling_failing_turns",
      help: "Turns in a row that failed; 0 while all is well",
      registers,
    });
    this.#errors = new Counter({
      name: "model_settling_errors_total",
      help: "Failed turns by code",
      labelNames: ["code"] as const,
      registers,
    });
  }

  /** @returns whether it is another failure than the last turn's */
  note(code: string, message: string): boolean {
    const before = this.current;
    const isSame = before?.code === code;
    const sinceMs = isSame ? before.sinceMs : this.#nowMs();
    this.current = { code, message, sinceMs, count: isSame ? before.count + 1 : 1 };
    this.#errors.inc({ code });
    this.#failing.set(this.current.count);
    return !isSame;
  }

  clear(): void {
    this.current = null;
    this.#failing.set(0);
  }
}

/**
 * Returns the part of a failure that strangers may read, since the model's server shows it to all. Attack: an L1
 * client's message has its node's URL, with the key of whoever pays for the node, and the request's body. Both are in
 * the log alone.
 */
function publicFailure(error: unknown): { readonly code: string; readonly message: string } {
  if (isRollupError(error)) return error;
  const text = error instanceof BaseError ? error.shortMessage : "";
  const isShown = text !== "" && !/:\/\/|0x[0-9a-f]{80}/i.test(text);
  return { code: "SRV_INTERNAL", message: isShown ? text : "an unforeseen failure; the log has it" };
}

/** Longest wait between two turns that fail. */
const MAX_BACKOFF_MS = 60_000;

/**
 * Turns until the signal, one after another; a turn that fails is tried again, ever less often, and never given up:
 * whatever is in the way (no fee in the model's balance, no ether, an opening that is missing) a human can mend meanwhile.
 * @param name of the helper, in its log
 */
export async function runTurns(
  name: string,
  helper: {
    turn(): Promise<void>;
    readonly report: { noteFailure(code: string, message: string): boolean };
  },
  log: HelperLog,
  options: {
    readonly intervalMs: number;
    readonly signal: AbortSignal;
    /** Ends the wait between two turns. */
    readonly bell?: Pick<Bell, "signal"> | undefined;
  },
): Promise<void> {
  const { bell, intervalMs, signal } = options;
  let failures = 0;
  const turn = async () => {
    await helper.turn();
    if (failures > 0) log.info({ failures }, `${name} works again`);
    failures = 0;
  };
  const noteFailure = (error: unknown) => {
    const { code, message } = publicFailure(error);
    failures += 1;
    if (helper.report.noteFailure(code, message)) log.error({ err: error }, `${name}: ${message} [${code}]`);
  };
  const waits = { firstWaitMs: 2 * intervalMs, maxWaitMs: MAX_BACKOFF_MS };
  try {
    while (!signal.aborted) {
      // Rung during the turn, it ends the wait at once.
      const rung = bell === undefined ? [] : [bell.signal];
      await retry(turn, { ...waits, signal, onRetry: noteFailure });
      await pause(intervalMs, signal, ...rung);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Stages of a model's epochs, found from the ledger and L1 each time, never remembered. */
export const SETTLING_STAGES = [
  "starting",
  /** The model has had no activation. */
  "not-ready",
  /** Payments come in; the epoch is neither full nor over. */
  "open",
  /** The epoch is full or over; its CloseEpoch is being sent. */
  "closing",
  /** Closed; L1 has not recorded the randomness. */
  "awaiting-randomness",
  /** The randomness was missed: the default split is allowed 14 days after the CloseEpoch. */
  "awaiting-default-split",
  "preparing",
  "proving",
  "sending",
  /** The sequencer has the settlement; its batch is not on L1. */
  "posting",
] as const;
export type SettlingStage = (typeof SETTLING_STAGES)[number];

export interface SettlingView {
  readonly stage: SettlingStage;
  /** Time at which this process first saw the epoch in the stage, in Unix milliseconds. */
  readonly stageSinceMs: number;
  readonly failure: TurnFailure | null;
  readonly modelId: number;
  /** The epoch that the stage is about; null before the first look. */
  readonly epoch: number | null;
  readonly paymentCount: number | null;
  /** Payments that make an epoch full. */
  readonly cap: number | null;
  /** End of the open epoch by L1's clock, in Unix seconds; null if it has no length, or none is open. */
  readonly overAtSeconds: number | null;
  /** Progress of the running proof, 0 to 100. */
  readonly provedPercent: number | null;
  /** Last settlement seen on L1. */
  readonly settled: { readonly epoch: number; readonly l1TransactionHash: string } | null;
}

const PROVE_BUCKETS_SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800];

/** A report of a model's automatic settling: a view for people and programs, and metrics. */
export class SettlingReport {
  readonly registry = new Registry();
  readonly #declareMetric = declareMetrics(this.registry);
  readonly #nowMs: () => number;
  readonly #failures: TurnFailures;
  readonly #stage = this.#declareMetric.gauge(
    "model_settling_stage",
    "1 for the stage that the model's settling is in, 0 for the others",
    "stage",
  );
  readonly #epoch = this.#declareMetric.gauge("model_settling_epoch", "The epoch that the stage is about");
  readonly #payments = this.#declareMetric.gauge("model_settling_epoch_payments", "Payments in that epoch");
  readonly #closed = this.#declareMetric.counter(
    "model_settling_closes_total",
    "Epochs that this process has closed",
  );
  readonly #sent = this.#declareMetric.counter(
    "model_settling_settlements_total",
    "Settlements that this process has handed in",
  );
  readonly #proveSeconds = this.#declareMetric.histogram(
    "model_settling_prove_seconds",
    "Witness and proof of a settlement",
    PROVE_BUCKETS_SECONDS,
  );
  #current: SettlingView;

  /** @param nowMs the machine's clock */
  constructor(modelId: number, nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
    this.#failures = new TurnFailures([this.registry], nowMs);
    this.#current = {
      stage: SETTLING_STAGES[0],
      stageSinceMs: nowMs(),
      failure: null,
      modelId,
      epoch: null,
      paymentCount: null,
      cap: null,
      overAtSeconds: null,
      provedPercent: null,
      settled: null,
    };
    this.set({});
  }

  view(): SettlingView {
    return this.#current;
  }

  /** Renders the metrics in Prometheus' text format. */
  metrics(): Promise<string> {
    return this.registry.metrics();
  }

  set(changed: Partial<Omit<SettlingView, "modelId" | "stageSinceMs" | "failure">>): void {
    const { stage = this.#current.stage } = changed;
    const stageSinceMs = stage === this.#current.stage ? this.#current.stageSinceMs : this.#nowMs();
    const provedPercent = stage === "proving" ? (changed.provedPercent ?? this.#current.provedPercent) : null;
    this.#current = { ...this.#current, ...changed, stage, stageSinceMs, provedPercent };
    for (const known of SETTLING_STAGES) this.#stage.set({ stage: known }, known === stage ? 1 : 0);
    this.#epoch.set(this.#current.epoch ?? 0);
    this.#payments.set(this.#current.paymentCount ?? 0);
  }

  /** @returns whether it is another failure than the last turn's */
  noteFailure(code: string, message: string): boolean {
    const isOther = this.#failures.note(code, message);
    this.#current = { ...this.#current, failure: this.#failures.current };
    return isOther;
  }

  noteSuccess(): void {
    this.#failures.clear();
    this.#current = { ...this.#current, failure: null };
  }

  noteClose(): void {
    this.#closed.inc();
  }

  noteProof(ms: number): void {
    this.#proveSeconds.observe(ms / 1000);
  }

  noteSettlement(): void {
    this.#sent.inc();
  }
}
