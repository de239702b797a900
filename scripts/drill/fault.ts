import type { TestRandom } from "@openledger/foundation/testing/test-random";
import type { Audit } from "./audit.ts";
import type { DrillWorld } from "./drill-world.ts";

export interface FaultContext {
  /** How often the fault is made. */
  readonly tries: number;
  readonly random: TestRandom;
  readonly progress: (text: string) => void;
}

/** What a fault did, before the audit. */
export interface Injected {
  readonly fault: string;
  readonly tries: number;
  /** Of each try, from the fault's end until the system works as before; fewer where a try's next fault came first. */
  readonly recoveriesMs: readonly number[];
  /** What the system said of it: codes of its logs. */
  readonly said: readonly string[];
  /** What it did and must not. */
  readonly problems: readonly string[];
  /** Where the sequencer was behind L1: how often it was asked for a promise, and how many it gave. */
  readonly behind?: { readonly questions: number; readonly promises: number };
}

export interface Fault {
  readonly name: string;
  readonly description: string;
  readonly defaultTries: number;
  /** With --long. */
  readonly longTries: number;
  /** Tries of the short version in `npm test`; 0: left out there. */
  readonly shortTries: number;
  /** Makes the fault on a world under load, and leaves one that works. @throws where it does not recover */
  inject(world: DrillWorld, context: FaultContext): Promise<readonly Injected[]>;
}

/** One row of the table. */
export interface FaultResult extends Pick<Audit, "acknowledged" | "batchCount" | "doubled" | "lost"> {
  readonly fault: string;
  readonly tries: number;
  readonly recoveryMs: number;
  readonly maxRecoveryMs: number;
  readonly said: readonly string[];
  readonly problems: readonly string[];
  readonly behind?: Injected["behind"];
}

export function resultOf(injected: Injected, audited: Audit): FaultResult {
  const { acknowledged, batchCount, doubled, lost } = audited;
  const { behind, fault, problems, recoveriesMs, said, tries } = injected;
  const sorted = [...recoveriesMs].sort((a, b) => a - b);
  return {
    fault,
    tries,
    acknowledged,
    lost,
    doubled,
    batchCount,
    recoveryMs: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
    maxRecoveryMs: Math.round(sorted.at(-1) ?? 0),
    said,
    problems: [...problems, ...audited.problems],
    ...(behind === undefined ? {} : { behind }),
  };
}

/** Codes among these that a process has named since its log was forgotten. */
export function codesSaid(process: { hasSaid(text: string): boolean }, codes: readonly string[]): string[] {
  return codes.filter((code) => process.hasSaid(code));
}
