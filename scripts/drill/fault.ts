import type { SeededRandom } from "../../circuits/seeded-random.ts";
import type { BackendName } from "../../prover/backends.ts";
import type { Audit } from "./audit.ts";

export interface FaultContext {
  /** How often the fault is made. */
  readonly tries: number;
  readonly backend: BackendName;
  readonly random: SeededRandom;
  /** Where the processes' logs are kept; null: nowhere. */
  readonly folder: string | null;
  readonly progress: (text: string) => void;
}

/** One row of the table. */
export interface FaultResult {
  readonly fault: string;
  readonly tries: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  /** Median of the tries, from the fault's end until the system works as before. */
  readonly recoveryMs: number;
  readonly maxRecoveryMs: number;
  readonly batchCount: number;
  /** What the system said of it: codes of its logs. */
  readonly said: readonly string[];
  readonly problems: readonly string[];
}

export interface Fault {
  readonly name: string;
  /** For --help and the table's head. */
  readonly description: string;
  readonly defaultTries: number;
  /** Tries of the short version in `npm test`; 0: left out there. */
  readonly shortTries: number;
  /** @throws where the system did not recover, or a drill's own steps failed */
  run(context: FaultContext): Promise<readonly FaultResult[]>;
}

export function resultOf(
  fault: string,
  tries: number,
  recoveriesMs: readonly number[],
  audited: Audit,
  said: readonly string[] = [],
): FaultResult {
  const { acknowledged, batchCount, doubled, lost, problems } = audited;
  const sorted = [...recoveriesMs].sort((a, b) => a - b);
  return {
    fault,
    tries,
    acknowledged,
    lost,
    doubled,
    recoveryMs: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
    maxRecoveryMs: Math.round(sorted.at(-1) ?? 0),
    batchCount,
    said,
    problems,
  };
}
