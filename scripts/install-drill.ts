/** `npm run install-drill`: an operator's first day, and what the doctor says of what breaks. The last line is JSON. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runInstallDrill } from "./drill/install-drill.ts";

const USAGE = `npm run install-drill -- [--ceremony] [--seconds N] [--keep FOLDER]

From an empty anvil: deploy with a dry run, kill it midway, go on; operator init; every process from its systemd unit or
compose service; traffic; openledger doctor before and after things are broken.

--ceremony: chain 1337 with the keys of a real ceremony of three contributions and a beacon (most of an hour at the first
time, then cached), instead of chain 31337 with development keys. --seconds: of traffic, 60 unless told.
--keep: everything stays in FOLDER.`;

const { values } = parseArgs({
  options: {
    ceremony: { type: "boolean", default: false },
    seconds: { type: "string", default: "60" },
    keep: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
if (values.help || !(seconds > 0)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const folder = values.keep ?? mkdtempSync(join(tmpdir(), "openledger-install-"));
const startedAtMs = performance.now();
const tell = (text: string) =>
  console.log(`${String(Math.round((performance.now() - startedAtMs) / 1000)).padStart(5)} s  ${text}`);
try {
  const result = await runInstallDrill({
    hasCeremony: values.ceremony,
    trafficMs: 1_000 * seconds,
    folder,
    tell,
  });
  console.log(JSON.stringify({ install: result }));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
process.exit();
