import { SeededRandom } from "../../circuits/seeded-random.ts";
import type { BackendName } from "../../prover/backends.ts";
import type { Fault, FaultResult } from "./fault.ts";
import { killFault } from "./faults/kill.ts";

export const FAULTS: readonly Fault[] = [killFault];

export interface DrillOptions {
  /** All where empty. */
  readonly names: readonly string[];
  /** Instead of each fault's own number. */
  readonly tries: number | null;
  readonly backend: BackendName;
  readonly seed: number;
  /** Keeps logs and data there. */
  readonly folder: string | null;
  readonly progress: (fault: string, text: string) => void;
}

/** One fault after the other. One that throws becomes a row with a problem, and the others go on. */
export async function runDrills(options: DrillOptions): Promise<FaultResult[]> {
  const results: FaultResult[] = [];
  for (const fault of FAULTS) {
    if (options.names.length > 0 && !options.names.includes(fault.name)) continue;
    const tries = options.tries ?? fault.defaultTries;
    const progress = (text: string) => options.progress(fault.name, text);
    const { backend, folder } = options;
    const random = new SeededRandom(options.seed);
    const startedAtMs = performance.now();
    progress(`begins, ${tries} tries`);
    try {
      results.push(...(await fault.run({ tries, backend, folder, random, progress })));
    } catch (error) {
      results.push({
        fault: fault.name,
        tries,
        acknowledged: 0,
        lost: 0,
        doubled: 0,
        recoveryMs: 0,
        maxRecoveryMs: 0,
        batchCount: 0,
        said: [],
        problems: [error instanceof Error ? error.message : String(error)],
      });
    }
    progress(`ends after ${Math.round((performance.now() - startedAtMs) / 1000)} s`);
  }
  return results;
}

export const isClean = ({ doubled, lost, problems }: FaultResult): boolean =>
  lost === 0 && doubled === 0 && problems.length === 0;
