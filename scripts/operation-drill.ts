/** `npm run operation-drill`: everything that an operator does, once, from an empty chain. The last line is JSON. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BACKEND_NAMES } from "@openledger/prover/backends";
import { runOperationDrill } from "./drill/operation/operation-drill.ts";
import { Steps } from "./drill/operation/steps.ts";

const USAGE = `npm run operation-drill -- [--minutes N] [--prover ${BACKEND_NAMES.join("|")}] [--development] [--keep FOLDER]

On an empty anvil with chain id 1337, which counts as public: keys of a ceremony with three contributions; openledger deploy,
dry run first; operator init for a leader and its spare; every process as its unit starts it; traffic; a second prover through
Redis, killed and replaced; a handover to the spare by the lease's commands, under traffic; the doctor before and after. At
the end the ledger is rebuilt from L1 alone, and every promise is looked up there.

--minutes: traffic before the handover, 10 unless told. The ceremony takes minutes at the first time, and is cached then.
--development: chain 31337 with development keys instead, for a look at the rest of it.
--keep: everything stays in FOLDER, logs among it. Needs redis-server or valkey-server. Exit code 1 on any failure.`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    prover: { type: "string", default: "wasm" },
    development: { type: "boolean", default: false },
    keep: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
if (values.help || !(minutes > 0) || !BACKEND_NAMES.some((name) => name === values.prover)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const folder = values.keep ?? mkdtempSync(join(tmpdir(), "openledger-operation-"));
const steps = new Steps((line) => console.log(line));
try {
  const result = await runOperationDrill({
    ...{ folder, steps },
    trafficMs: 60_000 * minutes,
    backend: values.prover,
    hasCeremony: !values.development,
  });
  console.log(["", ...steps.summary(), JSON.stringify({ operation: result })].join("\n"));
} catch (error) {
  console.log(["", ...steps.summary()].join("\n"));
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
process.exit();
