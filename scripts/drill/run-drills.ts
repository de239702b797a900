import { TestRandom } from "@openledger/foundation/testing/test-random";
import type { BackendName } from "@openledger/prover/backends";
import { audit } from "./audit.ts";
import { DrillWorld } from "./drill-world.ts";
import { type Fault, type FaultResult, type Injected, resultOf } from "./fault.ts";
import { clockJumpFault } from "./faults/clock-jump.ts";
import { corruptStoreFault } from "./faults/corrupt-store.ts";
import { fullDiskFault } from "./faults/full-disk.ts";
import { killFault } from "./faults/kill.ts";
import { l1AnswersFault } from "./faults/l1-answers.ts";
import { baseFeeFault, droppedTransactionFault } from "./faults/pending-transaction.ts";
import { reorgFault } from "./faults/reorg.ts";
import { emptyDirectoryFault, oldBackupFault } from "./faults/wrong-directory.ts";

export const FAULTS: readonly Fault[] = [
  killFault,
  l1AnswersFault,
  droppedTransactionFault,
  baseFeeFault,
  reorgFault,
  fullDiskFault,
  corruptStoreFault,
  emptyDirectoryFault,
  oldBackupFault,
  clockJumpFault,
];

export interface DrillOptions {
  readonly backend: BackendName;
  /** Operations that a batch has room for: one of `DRILL_SLOT_COUNTS`. */
  readonly slots: number;
  readonly seed: number;
  /** Keeps logs and data there. */
  readonly keepIn: string | null;
  readonly progress: (text: string) => void;
}

/**
 * Faults one after the other on one world under load, then the audit. A fault that throws ends it: what is left is not
 * audited, and every row says so.
 */
export async function runDrill(
  faults: readonly (readonly [fault: Fault, tries: number])[],
  options: DrillOptions,
): Promise<FaultResult[]> {
  const { backend, keepIn, progress, seed, slots } = options;
  const random = new TestRandom(seed);
  const injected: Injected[] = [];
  let running = faults[0]![0].name;
  let world: DrillWorld | null = null;
  try {
    world = await DrillWorld.start({
      ...{ name: running, backend, slots, keepIn },
      tell: (text) => progress(`${running}: ${text}`),
    });
    world.traffic.start();
    for (const [fault, tries] of faults) {
      running = fault.name;
      progress(`${running}: begins, ${tries} tries`);
      injected.push(
        ...(await fault.inject(world, {
          tries,
          random,
          progress: (text) => progress(`${running}: ${text}`),
        })),
      );
    }
    // Batches continue.
    await world.nextBatch();
    progress(`${running}: ${world.traffic.acknowledged.length} acknowledged; waiting until L1 has all of it`);
    await world.settle();
    progress(`${running}: all of it is final; verifying L1's history, and every receipt against it`);
    const audited = await audit(world);
    return injected.map((row) => resultOf(row, audited));
  } catch (error) {
    const problem = `${running}: ${error instanceof Error ? error.message : String(error)}`;
    const acknowledged = world?.traffic.acknowledged.length ?? 0;
    const nothing = { acknowledged, batchCount: 0, doubled: 0, lost: 0 };
    const missing = { fault: running, tries: 0, recoveriesMs: [], said: [], problems: [] };
    return [...injected, missing].map((row) => resultOf(row, { ...nothing, problems: [problem] }));
  } finally {
    await world?.stop();
  }
}

export const isClean = ({ doubled, lost, problems }: FaultResult): boolean =>
  lost === 0 && doubled === 0 && problems.length === 0;
