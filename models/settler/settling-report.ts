/** What a model's automatic settling tells of itself: a view for people and programs, and metrics. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { type TurnFailure, TurnFailures } from "./turn-report.ts";

/** Where a model's epochs stand. Found from the ledger and L1 each time, never remembered. */
const SETTLING_STAGES = [
  "starting",
  /** The model has had no genesis. */
  "not-ready",
  /** Payments come in; the epoch is neither full nor over. */
  "open",
  /** The epoch is full or over; its Seal is being sent. */
  "sealing",
  /** Sealed; L1 has not recorded the randomness. */
  "awaiting-randomness",
  /** The randomness was missed: the default split is allowed 14 days after the Seal. */
  "awaiting-default-split",
  "preparing",
  /** L1 takes its draws only once claims of their queries stand. */
  "awaiting-claims",
  "proving",
  "sending",
  /** The sequencer has the settlement; its batch is not on L1. */
  "posting",
] as const;
export type SettlingStage = (typeof SETTLING_STAGES)[number];

export interface SettlingView {
  readonly modelId: number;
  readonly stage: SettlingStage;
  /** When this stage was first seen by this process. */
  readonly stageSinceMs: number;
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
  readonly failure: TurnFailure | null;
}

const PROVE_BUCKETS_SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800];

/** Of one model; `nowMs` is the machine's clock. */
export class SettlingReport {
  #current: SettlingView;
  readonly #nowMs: () => number;
  readonly #failures: TurnFailures;
  readonly #registry = new Registry();
  readonly #registers = [this.#registry];
  readonly #stage = new Gauge({
    name: "model_settling_stage",
    help: "1 for the stage that the model's settling is in, 0 for the others",
    labelNames: ["stage"] as const,
    registers: this.#registers,
  });
  readonly #epoch = new Gauge({
    name: "model_settling_epoch",
    help: "The epoch that the stage is about",
    registers: this.#registers,
  });
  readonly #payments = new Gauge({
    name: "model_settling_epoch_payments",
    help: "Payments in that epoch",
    registers: this.#registers,
  });
  readonly #sealed = new Counter({
    name: "model_settling_seals_total",
    help: "Epochs that this process has sealed",
    registers: this.#registers,
  });
  readonly #sent = new Counter({
    name: "model_settling_settlements_total",
    help: "Settlements that this process has handed in",
    registers: this.#registers,
  });
  readonly #proveSeconds = new Histogram({
    name: "model_settling_prove_seconds",
    help: "Witness and proof of a settlement",
    buckets: PROVE_BUCKETS_SECONDS,
    registers: this.#registers,
  });

  constructor(modelId: number, nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
    this.#failures = new TurnFailures("model_settling", this.#registers, nowMs);
    this.#current = {
      modelId,
      stage: "starting",
      stageSinceMs: nowMs(),
      epoch: null,
      paymentCount: null,
      cap: null,
      overAtSeconds: null,
      provedPercent: null,
      settled: null,
      failure: null,
    };
    this.set({});
  }

  view(): SettlingView {
    return this.#current;
  }

  /** In Prometheus' text format. */
  metrics(): Promise<string> {
    return this.#registry.metrics();
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

  noteSeal(): void {
    this.#sealed.inc();
  }

  noteProof(ms: number): void {
    this.#proveSeconds.observe(ms / 1000);
  }

  noteSettlement(): void {
    this.#sent.inc();
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
