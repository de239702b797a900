/** What a proving benchmark runs on: a key, a witness for it, and how long both took to make. */
import { mkdtemp, stat, symlink, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { sealedInputs, sealedStatement } from "@openledger/circuits/table/table-builder";
import { type TableShape, tableName } from "@openledger/circuits/table/table-shape";
import { RandomLedger } from "@openledger/circuits/testing/random-ledger";
import { fillTable } from "@openledger/circuits/testing/table-world";
import type { KeyMeta } from "@openledger/prover/internal/formats/key-meta";
import { hashKeyFile, readZkeyHeader } from "@openledger/prover/internal/formats/zkey-file";
import { openWitnessSource } from "@openledger/prover/internal/proving/witness-source";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";

/** A batch whose constraints fill most of each domain. Keys come from τ = a hash: no two points are equal. */
const SHAPE_OF_DOMAIN: Record<number, TableShape> = {
  16: { transfers: 1, members: 1, wide: 1, rows: 2, units: 1, low: 1, top: 1 },
  17: { transfers: 5, members: 1, wide: 3, rows: 6, units: 1, low: 1, top: 1 },
  18: { transfers: 8, members: 6, wide: 6, rows: 16, units: 6, low: 1, top: 2 },
  19: { transfers: 24, members: 16, wide: 11, rows: 34, units: 12, low: 1, top: 2 },
  20: { transfers: 60, members: 30, wide: 22, rows: 60, units: 20, low: 1, top: 2 },
};

export interface BenchCase {
  readonly circuit: ProvingCircuit;
  readonly wtnsPath: string;
  /** Of a foreign key not known: null. Linear ones are counted. */
  readonly constraints: number | null;
  readonly domainLog2: number;
  /** Calculating the witness and encoding it; null for a foreign one. */
  readonly witnessMs: number | null;
  /** The development setup; null where the key came from the cache or from elsewhere. */
  readonly setup: { readonly ms: number; readonly zkeyMb: number } | null;
}

/** @param folder for the witness, and for the key unless `isKeyCached` */
export async function ledgerCase(
  domainLog2: number,
  folder: string,
  isKeyCached: boolean,
): Promise<BenchCase> {
  const shape = SHAPE_OF_DOMAIN[domainLog2];
  if (shape === undefined) throw new Error(`sizes are ${Object.keys(SHAPE_OF_DOMAIN).join(", ")}`);
  const name = tableName(shape);
  await initPoseidon();
  console.log(`2^${domainLog2}: ${name}, compiling`);
  const compiled = await compileCircuit(circuitSpec(name));
  const { nonLinear, linear } = compiled.constraintCounts;
  const setupStartMs = performance.now();
  const circuit = await developmentSetup(compiled, isKeyCached ? {} : { cacheDir: join(folder, "keys") });
  const setupMs = performance.now() - setupStartMs;
  const zkeyMb = (await stat(circuit.zkeyPath)).size / 1e6;
  const setup = isKeyCached ? null : { ms: Math.round(setupMs), zkeyMb: Math.round(zkeyMb) };
  if (setup !== null)
    console.log(`  development setup: ${(setup.ms / 1000).toFixed(1)} s for a key of ${setup.zkeyMb} MB`);

  const sealed = fillTable(new RandomLedger(domainLog2, TREE_DEPTH), shape, 4 * shape.transfers);
  const inputs = sealedInputs(sealed, sealedStatement(sealed, 1n).z, TREE_DEPTH);
  const source = await openWitnessSource(circuit.wasmPath);
  const witnessStartMs = performance.now();
  const bytes = await source.calculate(inputs);
  const witnessMs = Math.round(performance.now() - witnessStartMs);
  await source.close();
  const wtnsPath = join(folder, `${name}.wtns`);
  await writeFile(wtnsPath, bytes);
  const constraints = nonLinear + linear;
  console.log(`  ${constraints} constraints, witness ${witnessMs} ms`);
  return { circuit, wtnsPath, constraints, domainLog2, witnessMs, setup };
}

/** A key and a witness of someone else's. Our back ends want the description that our own keys have: it is made here. */
export async function foreignCase(zkeyPath: string, wtnsPath: string, folder: string): Promise<BenchCase> {
  const { verificationKey, publicCount, fileBytes, domainSize } = await readZkeyHeader(zkeyPath);
  const keyFolder = await mkdtemp(join(folder, "foreign-"));
  const meta: KeyMeta = {
    name: basename(zkeyPath),
    contentHash: "",
    isDevelopment: false,
    setupVersion: 0,
    zkeyFile: basename(zkeyPath),
    zkeySha256: await hashKeyFile(zkeyPath),
    zkeyBytes: fileBytes,
    publicCount,
  };
  await symlink(resolve(zkeyPath), join(keyFolder, meta.zkeyFile));
  await writeFile(join(keyFolder, "meta.json"), JSON.stringify(meta));
  const circuit = {
    name: meta.name,
    wasmPath: "",
    zkeyPath: join(keyFolder, meta.zkeyFile),
    verificationKey,
    contentHash: "",
    isDevelopment: false,
  };
  const domainLog2 = Math.log2(domainSize);
  return { circuit, wtnsPath, constraints: null, domainLog2, witnessMs: null, setup: null };
}
