/** State of the operator's own processes as they report it, for /v1/status and the pages. */
import type { operatorNotice } from "@openledger/circuits/wire/sequencer-answers";
import type { z } from "zod";

/** Last contact of the operator's own processes, and their reports. A restart begins with none. */
export class OperatorEvents {
  readonly #clock: () => number;
  #bridge: { readonly heardAtMs: number; readonly alarms: readonly string[] } | null = null;
  #prover: { readonly heardAtMs: number; readonly name: string } | null = null;
  /** Notice to the readers of the pages. */
  notice: z.output<typeof operatorNotice> = null;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * Notes a report of the bridge, which sends one with every block of L1. @param alarms codes of errors that wait for a
   * human there
   */
  fromBridge(alarms: readonly string[]): void {
    this.#bridge = { heardAtMs: this.#clock(), alarms };
  }

  /** Notes a sign of life of the prover. It asks for work all the time, but not while it proves. */
  fromProver(name: string): void {
    this.#prover = { heardAtMs: this.#clock(), name };
  }

  /** Operator's processes in /v1/status. */
  get view() {
    return { bridge: this.#bridge, prover: this.#prover, notice: this.notice };
  }
}
