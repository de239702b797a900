/** `npm run drill`: every fault against real processes and a real L1. Exit code 1 on any loss. */
import { parseArgs } from "node:util";
import { BACKEND_NAMES, type BackendName } from "../prover/backends.ts";
import { FAULTS, isClean, runDrills } from "./drill/run-drills.ts";
import { tableOf } from "./drill/table.ts";

const USAGE = `npm run drill -- [--fault NAME]… [--tries N] [--prover ${BACKEND_NAMES.join("|")}] [--seed N] [--keep FOLDER]

${FAULTS.map(({ defaultTries, description, name }) => `  ${name.padEnd(20)} ${description} (${defaultTries} tries)`).join("\n")}

--keep: logs and data of every fault stay in FOLDER. The last line is JSON: {"drills": […]}.`;

const { values } = parseArgs({
  options: {
    fault: { type: "string", multiple: true, default: [] },
    tries: { type: "string" },
    prover: { type: "string", default: "wasm" },
    seed: { type: "string", default: "1" },
    keep: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const unknown = values.fault.filter((name) => !FAULTS.some((fault) => fault.name === name));
const isBackend = (name: string): name is BackendName => (BACKEND_NAMES as readonly string[]).includes(name);
const tries = values.tries === undefined ? null : Number(values.tries);
if (
  values.help ||
  unknown.length > 0 ||
  !isBackend(values.prover) ||
  (tries !== null && !(Number.isInteger(tries) && tries > 0))
) {
  console.log(unknown.length > 0 ? `there is no fault ${unknown.join(", ")}\n\n${USAGE}` : USAGE);
  process.exit(values.help ? 0 : 2);
}
const startedAtMs = performance.now();
const results = await runDrills({
  names: values.fault,
  tries,
  backend: values.prover,
  seed: Number(values.seed),
  folder: values.keep ?? null,
  progress: (fault, text) =>
    console.log(
      `${String(Math.round((performance.now() - startedAtMs) / 1000)).padStart(5)} s  ${fault}: ${text}`,
    ),
});
console.log(tableOf(results));
for (const { fault, problems } of results)
  for (const problem of problems) console.log(`${fault}: ${problem}`);
const facts = results.map(
  ({ acknowledged, batchCount, doubled, fault, lost, maxRecoveryMs, recoveryMs, tries }) => ({
    fault,
    tries,
    acknowledged,
    lost,
    doubled,
    recoveryMs,
    maxRecoveryMs,
    batchCount,
  }),
);
console.log(JSON.stringify({ drills: facts }));
process.exit(results.length > 0 && results.every(isClean) ? 0 : 1);
