/** Command `npm run drill -- SCENARIO`: plays a scenario with real processes, and prints its counts as JSON at the end. */
import { Command, CommanderError } from "commander";
import { clientsScenario } from "./scenarios/clients.ts";
import { faultsScenario } from "./scenarios/faults.ts";
import { gatewayScenario } from "./scenarios/gateway.ts";
import { operationsScenario } from "./scenarios/operator/operations.ts";
import type { Scenario } from "./scenarios/scenario.ts";

const SCENARIOS: readonly Scenario[] = [faultsScenario, operationsScenario, clientsScenario, gatewayScenario];
const USAGE_STATUS = 2;

const program = new Command("npm run drill --")
  .description("Scenarios, each on a rollup of real processes. --help after a name lists its options.")
  .helpCommand(false)
  .exitOverride();
for (const { command, run } of SCENARIOS)
  program.addCommand(command.exitOverride().action((options) => play(run, options as never)));

async function play(run: Scenario["run"], options: never): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  const startedAtMs = performance.now();
  const tell = (text: string) =>
    console.log(`${String(Math.round((performance.now() - startedAtMs) / 1000)).padStart(5)} s  ${text}`);
  try {
    for (const { facts, isGood, lines } of [await run(options, tell)].flat()) {
      for (const line of lines) console.log(line);
      console.log(JSON.stringify(facts));
      if (!isGood) process.exitCode = 1;
    }
  } catch (error) {
    console.error((error as Error)?.stack ?? String(error));
    process.exitCode = 1;
  }
}

try {
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : USAGE_STATUS;
}
// Handles of libraries that nobody closes must not keep it alive.
process.exit();
