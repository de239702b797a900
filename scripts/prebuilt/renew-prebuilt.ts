/** Renewal of the prebuilt circuits and contracts for `npx tsx scripts/prebuild.ts`, so that a fresh clone needs no compiler. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type CircuitSpec,
  compileCircuit,
  hashCircuit,
  repositoryRoot,
} from "@openledger/circuits/compiler/compile";
import { packCircuit, prebuiltPath } from "@openledger/circuits/compiler/prebuilt";
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
 * Compiles and packs what changed of the prebuilt circuits and what `npm start` needs, and removes what is not current.
 * @param names of circuits in the cache to pack besides, as tests compile them
 */
export async function renewCircuits(names: readonly string[], say: (line: string) => void): Promise<void> {
  const specs = new Map<string, CircuitSpec>();
  const want = (spec: CircuitSpec) => {
    const path = prebuiltPath(spec.name, hashCircuit(spec.mainSource));
    if (specs.get(path)?.keepSym !== true) specs.set(path, spec);
  };
  const there = prebuiltCircuits();
  for (const { header, hasSources, isCurrent, mainSource, path } of there) {
    if (!isCurrent) rmSync(path);
    if (!hasSources)
      say(`${header.name}: its sources moved. Run its test, then npx tsx scripts/prebuild.ts ${header.name}`);
    else want({ name: header.name, mainSource, keepSym: header.sym !== undefined });
  }
  for (const spec of startCircuits().values()) want(spec);
  for (const spec of cachedSpecs(names)) want(spec);
  const packed = new Map(there.filter(({ isCurrent }) => isCurrent).map((file) => [file.path, file.header]));
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

/** Circuits of these names that the cache holds, made of today's sources. */
function cachedSpecs(names: readonly string[]): CircuitSpec[] {
  const cacheDir = join(repositoryRoot, ".cache/circuits");
  return names.flatMap((name) => {
    // A circuit composed of parts has no source of its own.
    const entries = readdirSync(cacheDir).filter(
      (entry) => entry.slice(0, -25) === name && existsSync(join(cacheDir, entry, "circuit.circom")),
    );
    const sources = entries.map((entry) => readFileSync(join(cacheDir, entry, "circuit.circom"), "utf8"));
    const current = sources.filter(
      (source, i) => entries[i] === `${name}-${hashCircuit(source).slice(0, 24)}`,
    );
    if (current.length === 0) throw new Error(`the cache has no circuit ${name} of today's sources`);
    return current.map((mainSource) => ({ name, mainSource, keepSym: true }));
  });
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
