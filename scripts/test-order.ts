/** In which order `npm test` runs the files: one that takes minutes and begins last would leave all other cores idle. */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The longest first, but files that need the same circuits apart: begun together on a machine without a cache, both
 * would compile them. The closing lines of `npm test` name the slowest files of a run.
 */
export const LONGEST = [
  "scripts/devnet/devnet.test.ts",
  "prover/proving/memory-growth.test.ts",
  "web/factory.test.ts",
  "web/pages.test.ts",
  "circuits/batch/forgeries/slot-forgeries.test.ts",
  "scripts/commands/disputes/traced-epoch.test.ts",
  "scripts/settling/auto-settle.test.ts",
  "circuits/batch/batch.test.ts",
  "circuits/settlement/settlement-counts.test.ts",
  "scripts/drill/drill.test.ts",
  "scripts/commands/exit/exit.test.ts",
  "scripts/deploy/deploy.test.ts",
  "web/explorer.test.ts",
  "circuits/settlement/settlement.test.ts",
  "contracts/rollup/Exits.money.test.ts",
  "sequencer/api/prover-queue.test.ts",
  "prover/native/native-backend.test.ts",
  "circuits/batch/forgeries/batch-forgeries.test.ts",
];

/** Files of `LONGEST` in their order, then all others in Vitest's own. */
export default class extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    const rankOf = ({ moduleId, project }: TestSpecification) => {
      const rank = LONGEST.indexOf(relative(project.config.root, moduleId));
      return rank < 0 ? LONGEST.length : rank;
    };
    return others.sort((a, b) => rankOf(a) - rankOf(b));
  }
}
