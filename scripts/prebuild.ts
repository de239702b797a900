/**
 * Renews circuits/prebuilt/, contracts/prebuilt/ and models/engine/kernels/prebuilt/: what changed is compiled and packed, what
 * no source has any more is removed. Run it after a change of a circuit, a contract or the models' kernels:
 * npx tsx scripts/prebuild.ts. Circuits of tests are compiled into .cache/circuits by the first test that needs them.
 * `--check` compiles everything and compares every byte. `--kernels` takes the models' kernels alone.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { checkCircuits, checkContracts } from "./prebuilt/check-prebuilt.ts";
import { checkKernels, renewKernels } from "./prebuilt/model-kernels.ts";
import { renewCircuits, renewContracts } from "./prebuilt/renew-prebuilt.ts";

const args = process.argv.slice(2).filter((arg) => arg !== "--kernels");
const unknown = args.filter((arg) => arg !== "--check");
if (unknown.length > 0) throw new Error(`prebuild.ts takes --check and --kernels, not ${unknown.join(" ")}`);
const onlyKernels = process.argv.includes("--kernels");
const say = (line: string) => console.log(line);
if (args.includes("--check")) {
  const cacheDir = await mkdtemp(join(repositoryRoot, ".cache/prebuilt-check-"));
  try {
    const different = checkKernels(say);
    if (!onlyKernels)
      different.push(...(await checkContracts(cacheDir, say)), ...(await checkCircuits(cacheDir, say)));
    for (const name of different) say(`differs: ${name}`);
    process.exitCode = different.length === 0 ? 0 : 1;
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
} else {
  renewKernels(say);
  if (!onlyKernels) {
    await renewContracts(say);
    await renewCircuits(say);
  }
}
