/** Renewal of the prebuilt circuits and contracts for `npx tsx scripts/prebuild.ts`, so that a fresh clone needs no compiler. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CircuitSpec, compileCircuit } from "@openledger/circuits/compiler/compile";
import { packCircuit } from "@openledger/circuits/compiler/prebuilt";
import {
  CONTRACT_SETS,
  compileContracts,
  compilerInput,
  packContracts,
  prebuiltContractsDir,
  prebuiltContractsPath,
} from "@openledger/contracts/build/compile";
import { prebuiltCircuits, startCircuits } from "./prebuilt-circuits.ts";

/**
 * Compiles and packs the circuits that `npm start` needs, where they changed, and removes every other file. Circuits of tests are in no
 * file: the first test that needs one compiles it into the cache.
 */
export async function renewCircuits(say: (line: string) => void): Promise<void> {
  const specs = startCircuits();
  const packed = new Map(prebuiltCircuits().map(({ header, path }) => [path, header]));
  for (const path of packed.keys()) if (!specs.has(path)) rmSync(path);
  for (const [path, spec] of specs) {
    const header = packed.get(path);
    if (header !== undefined && (spec.keepSym !== true || header.sym !== undefined)) continue;
    const { byteCount, seconds } = await packOne(path, spec);
    say(`${spec.name}: ${byteCount.toLocaleString("en")} bytes, ${seconds.toFixed(1)} s`);
  }
}

async function packOne(path: string, spec: CircuitSpec) {
  const startedAtMs = Date.now();
  const compiled = await compileCircuit(spec);
  const { constraintCounts, contentHash, name, publicCount, wireCount } = compiled;
  const [r1cs, wasm] = await Promise.all([readFile(compiled.r1csPath), readFile(compiled.wasmPath)]);
  const sym = spec.keepSym === true ? await readFile(compiled.symPath) : null;
  const about = { name, contentHash, mainSource: spec.mainSource, constraintCounts, wireCount, publicCount };
  const bytes = packCircuit(about, { r1cs, wasm, sym });
  writeFileSync(path, bytes);
  return { byteCount: bytes.length, seconds: (Date.now() - startedAtMs) / 1000 };
}

/** Compiles and packs the contracts that changed, and removes files of others. */
export async function renewContracts(say: (line: string) => void): Promise<void> {
  mkdirSync(prebuiltContractsDir, { recursive: true });
  const current = new Set<string>();
  for (const set of CONTRACT_SETS) {
    const path = prebuiltContractsPath(set, (await compilerInput(set)).contentHash);
    current.add(path);
    if (readdirSync(prebuiltContractsDir).some((name) => join(prebuiltContractsDir, name) === path)) continue;
    const bytes = packContracts(await compileContracts({ set }));
    writeFileSync(path, bytes);
    say(`contracts of ${set}: ${bytes.length.toLocaleString("en")} bytes`);
  }
  for (const name of readdirSync(prebuiltContractsDir))
    if (!current.has(join(prebuiltContractsDir, name))) rmSync(join(prebuiltContractsDir, name));
}
