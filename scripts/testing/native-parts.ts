/**
 * Setup before all tests: builds every kernel that this processor can run, since tests compare them. `npm ci` builds the fastest alone.
 * Where nothing has changed it takes a third of a second.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export function setup(): void {
  const build = fileURLToPath(new URL("../../prover/native/build.js", import.meta.url));
  execFileSync(process.execPath, [build, "--all", "--optional"], { stdio: ["ignore", "ignore", "inherit"] });
}
