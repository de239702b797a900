import type { operatorNotice } from "@openledger/circuits/wire/operator-api";
import type { z } from "zod";

/** When the operator's own processes were heard last, and what they said of themselves. A restart has heard nothing yet. */
export class OperatorNews {
  readonly #clock: () => number;
  #bridge: { readonly heardAtMs: number; readonly alarms: readonly string[] } | null = null;
  #prover: { readonly heardAtMs: number; readonly name: string } | null = null;
  /** For the readers of the pages. */
  notice: z.output<typeof operatorNotice> = null;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** It reports with every block of L1. @param alarms codes of what waits for a human there */
  fromBridge(alarms: readonly string[]): void {
    this.#bridge = { heardAtMs: this.#clock(), alarms };
  }

  /** It asks for work all the time, but not while it proves. */
  fromProver(name: string): void {
    this.#prover = { heardAtMs: this.#clock(), name };
  }

  /** As /v1/status shows it. */
  get view() {
    return { bridge: this.#bridge, prover: this.#prover, notice: this.notice };
  }
}
