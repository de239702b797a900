/** Of a model server's helper that works in turns: how a failing turn is told, and tried again. */

import { isRollupError } from "@openledger/foundation/rollup-error";
import { Counter, Gauge, type Registry } from "prom-client";
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
export class TurnFailures {
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
 * with the key of whoever pays for the node, and the request's body. That is in the log alone.
 */
function publicFailure(error: unknown): { readonly code: string; readonly message: string } {
  if (isRollupError(error)) return error;
  const said = error instanceof BaseError ? error.shortMessage : "";
  const isShown = said !== "" && !/:\/\/|0x[0-9a-f]{80}/i.test(said);
  return { code: "CMD_INTERNAL", message: isShown ? said : "an unforeseen failure; the log has it" };
}

/** Longest wait between two turns that fail. */
const MAX_BACKOFF_MS = 60_000;

/**
 * Turns until the signal, one after another; a turn that fails is tried again, ever less often, and never given up:
 * whatever stands in the way (no fee in the model's balance, no ether, an opening that is missing) a human can mend meanwhile.
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
