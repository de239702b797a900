/** What a proving benchmark runs on: a key, a witness for it, and how long both took to make. */
import { mkdtemp, stat, symlink, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { BatchBuilder } from "@openledger/circuits/batch/batch";
import { batchStatement } from "@openledger/circuits/blob/batch-statement";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { batchInputs } from "@openledger/circuits/internal/batch/batch-inputs";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { RandomLedger } from "@openledger/circuits/testing/random-ledger";
import type { KeyMeta } from "@openledger/prover/internal/formats/key-meta";
import { hashKeyFile, readZkeyHeader } from "@openledger/prover/internal/formats/zkey-file";
import { openWitnessSource } from "@openledger/prover/internal/proving/witness-source";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";

/** A batch whose constraints fill most of each domain. Keys come from τ = a hash: no two points are equal. */
const SHAPE_OF_DOMAIN: Record<number, { narrow: number; wide: number }> = {
  16: { narrow: 0, wide: 2 },
  17: { narrow: 2, wide: 2 },
  18: { narrow: 8, wide: 4 },
  19: { narrow: 20, wide: 4 },
  20: { narrow: 40, wide: 8 },
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
  const name = `batch-${shape.narrow}-${shape.wide}`;
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

  const world = new RandomLedger(domainLog2, TREE_DEPTH);
  const builder = new BatchBuilder(world.ledger, world.opening(shape));
  for (let i = 0; i < shape.narrow; i++) builder.add(world.transfer());
  const closed = builder.close();
  const inputs = batchInputs(closed, batchStatement(closed.data, 1n).z, TREE_DEPTH);
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
