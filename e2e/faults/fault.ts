/** Interface of the faults that the drills make (kills, full disks, clock jumps …), and the form of their results. */
import type { TestRandom } from "@openledger/foundation/testing/test-random";
import type { Audit } from "../audit/audit.ts";
import type { World } from "../world/world.ts";
import type { DatabaseAudit } from "../world/world-database.ts";

export interface FaultContext {
  /** Number of times that the fault is made. */
  readonly tries: number;
  readonly random: TestRandom;
  readonly progress: (text: string) => void;
}

/** Result of a fault, before the audit. */
export interface Injected {
  readonly fault: string;
  readonly tries: number;
  /** Recovery times, from the fault's end until the system works as before; one a try, or fewer if a try's next fault came first. */
  readonly recoveriesMs: readonly number[];
  /** Error codes and phrases in the logs of the faulty processes. */
  readonly logWords: readonly string[];
  /** Forbidden effects, in words. */
  readonly problems: readonly string[];
  /** Requests for a promise while the sequencer was behind L1, and the promises that it gave. */
  readonly behind?: { readonly questions: number; readonly promises: number };
  /** Rows, labels, answers and payments that were acknowledged, and what is there of them. */
  readonly counts?: DatabaseAudit["counts"];
}

export interface Fault {
  readonly name: string;
  /** Description of the fault. */
  readonly description: string;
  /** Conditions that hold after it, beside the audit. */
  readonly holds: string;
  readonly defaultTries: number;
  /** Tries with --long. */
  readonly longTries: number;
  /** Tries of the short version in `npm test`; 0: not part of it. */
  readonly shortTries: number;
  /** True: it is made on a world with a database. */
  readonly usesDatabase?: boolean;
  /** Makes the fault on a world under load, and leaves one that works. @throws if it does not recover */
  inject(world: World, context: FaultContext): Promise<readonly Injected[]>;
}

/** One row of the table. */
export interface FaultResult extends Pick<Audit, "acknowledged" | "batchCount" | "doubled" | "lost"> {
  readonly fault: string;
  readonly tries: number;
  readonly recoveryMs: number;
  readonly maxRecoveryMs: number;
  readonly logWords: readonly string[];
  readonly problems: readonly string[];
  readonly behind?: Injected["behind"];
  readonly counts?: Injected["counts"];
}

export function resultOf(injected: Injected, audited: Audit): FaultResult {
  const { acknowledged, batchCount, doubled, lost } = audited;
  const { behind, counts, fault, problems, recoveriesMs, logWords, tries } = injected;
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
    logWords,
    problems: [...problems, ...audited.problems],
    ...(behind === undefined ? {} : { behind }),
    ...(counts === undefined ? {} : { counts }),
  };
}

/** Codes among these that a process has named since its log was forgotten. */
export function logWordsOf(
  process: { hasLogged(text: string): boolean },
  codes: readonly string[],
): string[] {
  return codes.filter((code) => process.hasLogged(code));
}
