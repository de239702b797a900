/** Of a model server's helper that works in turns: how a failing turn is told, and tried again. */
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
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

/** Turns in a row that failed, and metrics of them, whose names begin with `prefix`. `nowMs` is the machine's clock. */
class TurnFailures {
  current: TurnFailure | null = null;
  readonly #nowMs: () => number;
  readonly #failing: Gauge;
  readonly #errors: Counter<"code">;

  constructor(prefix: string, registers: Registry[], nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#failing = new Gauge({
      name: `${prefix}_failing_turns`,
      help: "Turns in a row that failed; 0 while all is well",
      registers,
    });
    this.#errors = new Counter({
      name: `${prefix}_errors_total`,
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
 * What strangers may read of it, since the model's server shows it to all. Attack: an L1 client's message has its node's URL,
 * with the key of the one who pays for the node, and the request's body. That is in the log alone.
 */
function publicFailure(error: unknown): { readonly code: string; readonly message: string } {
  if (isRollupError(error)) return error;
  const said = error instanceof BaseError ? error.shortMessage : "";
  const isShown = said !== "" && !/:\/\/|0x[0-9a-f]{80}/i.test(said);
  return { code: "SRV_INTERNAL", message: isShown ? said : "an unforeseen failure; the log has it" };
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
    readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  },
): Promise<void> {
  const { intervalMs, signal, sleep } = options;
  for (let failures = 0; !signal.aborted; ) {
    try {
      await helper.turn();
      if (failures > 0) log.info({ failures }, `${name} works again`);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = publicFailure(error);
      failures += 1;
      if (helper.report.noteFailure(code, message))
        log.error({ err: error }, `${name}: ${message} [${code}]`);
    }
    const waitMs =
      failures === 0 ? intervalMs : Math.min(MAX_BACKOFF_MS, intervalMs * 2 ** Math.min(failures, 6));
    await sleep(waitMs, signal);
  }
}

/** Where a helper stands, and since when this process has seen it there. */
interface StageView<Stage extends string = string> {
  readonly stage: Stage;
  readonly stageSinceMs: number;
  readonly failure: TurnFailure | null;
}

/** What a helper of one model tells of itself: a view for people and programs, and metrics. */
class StageReport<View extends StageView> {
  readonly #registry = new Registry();
  readonly declareMetric = declareMetrics(this.#registry);
  readonly #nowMs: () => number;
  readonly #failures: TurnFailures;
  readonly #stages: readonly View["stage"][];
  readonly #stage: Gauge<"stage">;
  #current: View;

  /** @param prefix of metrics' names @param about its stage, in metrics @param stages it starts in the first @param nowMs the machine's clock */
  constructor(
    { about, prefix, stages }: { prefix: string; about: string; stages: readonly View["stage"][] },
    first: Omit<View, keyof StageView>,
    nowMs: () => number,
  ) {
    this.#nowMs = nowMs;
    this.#stages = stages;
    this.#stage = this.declareMetric.gauge(`${prefix}_stage`, about, "stage");
    this.#failures = new TurnFailures(prefix, [this.#registry], nowMs);
    this.#current = { ...first, stage: stages[0]!, stageSinceMs: nowMs(), failure: null } as View;
  }

  view(): View {
    return this.#current;
  }

  /** In Prometheus' text format. */
  metrics(): Promise<string> {
    return this.#registry.metrics();
  }

  set(changed: Partial<Omit<View, "stageSinceMs" | "failure">>): void {
    const { stage = this.#current.stage } = changed as Partial<View>;
    const stageSinceMs = stage === this.#current.stage ? this.#current.stageSinceMs : this.#nowMs();
    this.#current = { ...this.#current, ...changed, stage, stageSinceMs };
    for (const known of this.#stages) this.#stage.set({ stage: known }, known === stage ? 1 : 0);
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
}

// What a model's automatic settling tells of itself: a view for people and programs, and metrics.

/** Where a model's epochs stand. Found from the ledger and L1 each time, never remembered. */
const SETTLING_STAGES = [
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

export interface SettlingView extends StageView<SettlingStage> {
  readonly modelId: number;
  /** The epoch that the stage is about; null before the first look. */
  readonly epoch: number | null;
  readonly paymentCount: number | null;
  /** Payments that make an epoch full. */
  readonly cap: number | null;
  /** When the open epoch is over, by L1's clock; null where it has no length, or none is open. */
  readonly overAtSeconds: number | null;
  /** Of the proof that runs, 0 to 100. */
  readonly provedPercent: number | null;
  /** The last settlement that L1 was seen to have. */
  readonly settled: { readonly epoch: number; readonly l1TransactionHash: string } | null;
}

const PROVE_BUCKETS_SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800];

export class SettlingReport extends StageReport<SettlingView> {
  readonly #epoch = this.declareMetric.gauge("model_settling_epoch", "The epoch that the stage is about");
  readonly #payments = this.declareMetric.gauge("model_settling_epoch_payments", "Payments in that epoch");
  readonly #closed = this.declareMetric.counter(
    "model_settling_closes_total",
    "Epochs that this process has closed",
  );
  readonly #sent = this.declareMetric.counter(
    "model_settling_settlements_total",
    "Settlements that this process has handed in",
  );
  readonly #proveSeconds = this.declareMetric.histogram(
    "model_settling_prove_seconds",
    "Witness and proof of a settlement",
    PROVE_BUCKETS_SECONDS,
  );

  constructor(modelId: number, nowMs: () => number = Date.now) {
    const about = "1 for the stage that the model's settling is in, 0 for the others";
    const first = { modelId, epoch: null, paymentCount: null, cap: null, overAtSeconds: null };
    super(
      { prefix: "model_settling", about, stages: SETTLING_STAGES },
      { ...first, provedPercent: null, settled: null },
      nowMs,
    );
    this.set({});
  }

  override set(changed: Partial<Omit<SettlingView, "modelId" | "stageSinceMs" | "failure">>): void {
    const before = this.view();
    const isProving = (changed.stage ?? before.stage) === "proving";
    super.set({
      ...changed,
      provedPercent: isProving ? (changed.provedPercent ?? before.provedPercent) : null,
    });
    this.#epoch.set(this.view().epoch ?? 0);
    this.#payments.set(this.view().paymentCount ?? 0);
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
