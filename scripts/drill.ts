/** `npm run drill`: every fault against real processes and a real L1. Exit code 1 on any loss. */
import { parseArgs } from "node:util";
import { BACKEND_NAMES, type BackendName } from "@openledger/prover/backends";
import { DRILL_SLOT_COUNTS } from "./drill/drill-circuit.ts";
import type { Fault, FaultResult } from "./drill/fault.ts";
import { FAULTS, isClean, runDrill } from "./drill/run-drills.ts";
import { tableOf } from "./drill/table.ts";

const USAGE = `npm run drill -- [--fault NAME]… [--long | --tries N] [--prover ${BACKEND_NAMES.join("|")}] [--slots ${DRILL_SLOT_COUNTS.join("|")}] [--seed N] [--keep FOLDER] [--apart]

${FAULTS.map(({ defaultTries, description, longTries, name }) => `  ${name.padEnd(20)} ${description} (${defaultTries} tries, --long ${longTries})`).join("\n")}

--slots: operations in a batch, 2 unless told. --keep: logs and data of every fault stay in FOLDER. --apart: each fault on a rollup of its own, instead of one after the other on one; --long does that too. The last line is JSON: {"drills": […]}.`;

const { values } = parseArgs({
  options: {
    fault: { type: "string", multiple: true, default: [] },
    long: { type: "boolean", default: false },
    tries: { type: "string" },
    prover: { type: "string", default: "wasm" },
    slots: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    keep: { type: "string" },
    apart: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const unknown = values.fault.filter((name) => !FAULTS.some((fault) => fault.name === name));
const isBackend = (name: string): name is BackendName => (BACKEND_NAMES as readonly string[]).includes(name);
const slots = Number(values.slots);
const tries = values.tries === undefined ? null : Number(values.tries);
if (
  values.help ||
  unknown.length > 0 ||
  !isBackend(values.prover) ||
  !DRILL_SLOT_COUNTS.includes(slots) ||
  (values.long && tries !== null) ||
  (tries !== null && !(Number.isInteger(tries) && tries > 0))
) {
  console.log(unknown.length > 0 ? `there is no fault ${unknown.join(", ")}\n\n${USAGE}` : USAGE);
  process.exit(values.help ? 0 : 2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const startedAtMs = performance.now();
const progress = (text: string) =>
  console.log(`${String(Math.round((performance.now() - startedAtMs) / 1000)).padStart(5)} s  ${text}`);
const results: FaultResult[] = [];
const wanted = FAULTS.filter(({ name }) => values.fault.length === 0 || values.fault.includes(name));
const triesOf = ({ defaultTries, longTries }: Fault) => tries ?? (values.long ? longTries : defaultTries);
const plans = wanted.map((fault) => [fault, triesOf(fault)] as const);
const options = {
  backend: values.prover,
  slots,
  seed: Number(values.seed),
  keepIn: values.keep ?? null,
  progress,
};
// One world for all: then the counts of a row are those of all faults. Or one each.
for (const plan of values.apart || values.long ? plans.map((one) => [one]) : [plans])
  results.push(...(await runDrill(plan, options)));
console.log(tableOf(results));
for (const { fault, problems } of results)
  for (const problem of problems) console.log(`${fault}: ${problem}`);
const facts = results.map(
  ({ acknowledged, batchCount, behind, doubled, fault, lost, maxRecoveryMs, recoveryMs, tries }) => ({
    fault,
    tries,
    acknowledged,
    lost,
    doubled,
    recoveryMs,
    maxRecoveryMs,
    batchCount,
    ...behind,
  }),
);
console.log(JSON.stringify({ drills: facts }));
process.exit(results.length > 0 && results.every(isClean) ? 0 : 1);
