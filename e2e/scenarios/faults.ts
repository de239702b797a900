/** Faults one after the other on one rollup under load, then the audit. */

import { TestRandom } from "@openledger/foundation/testing/test-random";
import type { BackendName } from "@openledger/prover/backends";
import { Command, Option } from "commander";
import { audit } from "../audit/audit.ts";
import { type Fault, type FaultResult, type Injected, resultOf } from "../faults/fault.ts";
import { FAULTS } from "../faults/faults.ts";
import { SLOT_COUNTS } from "../world/circuits.ts";
import { createWorld, QUICK_FINALITY, type World } from "../world/world.ts";
import { count, keepOption, proverOption, scenario } from "./scenario.ts";
import { renderColumns } from "./table.ts";

interface FaultsOptions {
  readonly backend: BackendName;
  /** Operations that a batch has room for: one of `SLOT_COUNTS`. */
  readonly slots: number;
  readonly seed: number;
  /** Keeps logs and data there. */
  readonly keepIn: string | null;
  readonly tell: (text: string) => void;
}
type Plan = readonly (readonly [fault: Fault, tries: number])[];

export const faultsScenario = scenario<{
  readonly fault: readonly string[];
  readonly long?: true;
  readonly tries?: number;
  readonly prover: BackendName;
  readonly slots: string;
  readonly seed: string;
  readonly keep: string | null;
  readonly apart?: true;
}>(
  new Command("faults")
    .description("every fault against real processes and a real L1")
    .addOption(
      new Option("--fault <name...>", "all unless told").choices(FAULTS.map(({ name }) => name)).default(
        FAULTS.map(({ name }) => name),
        "all",
      ),
    )
    .addOption(new Option("--long", "more tries, each fault on a rollup of its own").conflicts("tries"))
    .option("--tries <n>", "how often each fault is made", count)
    .addOption(proverOption())
    .addOption(
      new Option("--slots <n>", "operations in a batch").choices(SLOT_COUNTS.map(String)).default("2"),
    )
    .option("--seed <n>", "of what is drawn", "1")
    .addOption(keepOption())
    .option("--apart", "each fault on a rollup of its own, instead of one after the other on one")
    .addHelpText(
      "after",
      `
Faults:
${FAULTS.map(({ defaultTries, description, holds, longTries, name }) => `  ${name.padEnd(20)} ${description} (${defaultTries} tries, --long ${longTries})\n${" ".repeat(22)} afterwards: ${holds}`).join("\n")}

The last line is JSON: {"drills": […]}. It ends with 1 on any loss.`,
    ),
  async ({ apart, fault: names, keep, long, prover, seed, slots, tries }, tell) => {
    const triesOf = ({ defaultTries, longTries }: Fault) => tries ?? (long ? longTries : defaultTries);
    const plan = FAULTS.filter(({ name }) => names.includes(name)).map((one) => [one, triesOf(one)] as const);
    const options = { backend: prover, slots: Number(slots), seed: Number(seed), keepIn: keep, tell };
    const results: FaultResult[] = [];
    // One world for all, or two where some need a database: then the counts of a row are those of all faults. Or one each.
    const withDatabase = plan.filter(([{ usesDatabase = false }]) => usesDatabase);
    const parts = [plan.filter((one) => !withDatabase.includes(one)), withDatabase];
    for (const part of apart || long ? plan.map((one) => [one]) : parts.filter(({ length }) => length > 0))
      results.push(...(await runFaults(part, options)));
    const problems = results.flatMap((one) => one.problems.map((problem) => `${one.fault}: ${problem}`));
    const facts = results.map(
      ({
        acknowledged,
        batchCount,
        behind,
        counts,
        doubled,
        fault,
        lost,
        maxRecoveryMs,
        recoveryMs,
        tries: made,
      }) => ({
        fault,
        tries: made,
        acknowledged,
        lost,
        doubled,
        recoveryMs,
        maxRecoveryMs,
        batchCount,
        ...behind,
        ...counts,
      }),
    );
    return {
      facts: { drills: facts },
      lines: [faultTable(results), ...problems],
      isGood: results.length > 0 && results.every(isClean),
    };
  },
);

/** Plays the faults, all of which need a database, or none. A fault that throws ends the run: the rest is not audited, and every row says so. */
export async function runFaults(faults: Plan, options: FaultsOptions): Promise<FaultResult[]> {
  const { seed, tell, ...declared } = options;
  const random = new TestRandom(seed);
  const injected: Injected[] = [];
  let running = faults[0]![0].name;
  const progress = (text: string) => tell(`${running}: ${text}`);
  let world: World | null = null;
  try {
    const hasDatabase = faults[0]![0].usesDatabase ?? false;
    world = await createWorld({
      ...declared,
      name: running,
      tell: progress,
      hasDatabase,
      // Commits of rows are to be final soon.
      ...(hasDatabase ? QUICK_FINALITY : {}),
    });
    world.traffic.start();
    for (const [fault, tries] of faults) {
      running = fault.name;
      progress(`begins, ${tries} tries`);
      injected.push(...(await fault.inject(world, { tries, random, progress })));
    }
    // Batches continue.
    await world.nextBatch();
    progress(`${world.traffic.acknowledged.length} acknowledged; waiting until L1 has all of it`);
    await world.settle();
    progress("all of it is final; verifying L1's history, and every receipt against it");
    const audited = await audit(world);
    return injected.map((row) => resultOf(row, audited));
  } catch (error) {
    const problem = `${running}: ${error instanceof Error ? error.message : String(error)}`;
    const acknowledged = world?.traffic.acknowledged.length ?? 0;
    const nothing = { acknowledged, batchCount: 0, doubled: 0, lost: 0 };
    const missing = { fault: running, tries: 0, recoveriesMs: [], logWords: [], problems: [] };
    return [...injected, missing].map((row) => resultOf(row, { ...nothing, problems: [problem] }));
  } finally {
    await world?.stop();
  }
}

export const isClean = ({ doubled, lost, problems }: FaultResult): boolean =>
  lost === 0 && doubled === 0 && problems.length === 0;

const COLUMNS = [
  ["fault", ({ fault }) => fault],
  ["tries", ({ tries }) => String(tries)],
  ["acknowledged", ({ acknowledged }) => String(acknowledged)],
  ["lost", ({ lost }) => String(lost)],
  ["doubled", ({ doubled }) => String(doubled)],
  ["batches", ({ batchCount }) => String(batchCount)],
  ["recovery, median ms", ({ recoveryMs }) => String(recoveryMs)],
  ["longest ms", ({ maxRecoveryMs }) => String(maxRecoveryMs)],
  ["log", ({ problems, logWords }) => [...logWords, ...(problems.length > 0 ? ["PROBLEMS"] : [])].join(" ")],
] as const satisfies readonly (readonly [string, (result: FaultResult) => string])[];

export const faultTable = (results: readonly FaultResult[]): string =>
  renderColumns([
    COLUMNS.map(([head]) => head),
    ...results.map((result) => COLUMNS.map(([, cell]) => cell(result))),
  ]);
