/**
 * The case that `npm run bench -- prove` proves: a batch's circuit and key, a witness, and the milliseconds that both
 * took to make. prove.ts makes one for each size.
 */
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { closedInputs, closedStatement } from "@openledger/circuits/table/table-builder";
import { type TableShape, tableName } from "@openledger/circuits/table/table-shape";
import { RandomLedger } from "@openledger/circuits/testing/random-ledger";
import { fillTable } from "@openledger/circuits/testing/table-world";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { openWitnessSource } from "@openledger/prover/proving/witness-source";

/** A batch whose constraints fill most of each domain. Keys come from τ = a hash: no two points are equal. */
const SHAPE_OF_DOMAIN: Record<number, TableShape> = {
  16: { transfers: 1, members: 1, wide: 1, rows: 2, units: 1, low: 1, top: 1 },
  17: { transfers: 5, members: 1, wide: 3, rows: 6, units: 1, low: 1, top: 1 },
  18: { transfers: 10, members: 6, wide: 5, rows: 20, units: 6, low: 1, top: 2 },
  19: { transfers: 24, members: 16, wide: 10, rows: 34, units: 12, low: 1, top: 2 },
  20: { transfers: 60, members: 30, wide: 20, rows: 60, units: 20, low: 1, top: 2 },
  21: { transfers: 116, members: 58, wide: 42, rows: 116, units: 38, low: 1, top: 2 },
  22: { transfers: 236, members: 118, wide: 86, rows: 236, units: 78, low: 1, top: 2 },
};

export interface BenchCase {
  readonly circuit: ProvingCircuit;
  readonly wtnsPath: string;
  /** Linear ones are counted. */
  readonly constraints: number;
  readonly domainLog2: number;
  /** Calculating the witness and encoding it. */
  readonly witnessMs: number;
  /** The development setup; null if the key came from the cache. */
  readonly setup: { readonly ms: number; readonly zkeyMb: number } | null;
}

/** @param folder for the witness, and for the key unless `isKeyCached` */
export async function ledgerCase(
  domainLog2: number,
  folder: string,
  isKeyCached: boolean,
): Promise<BenchCase> {
  const batch = await ledgerCircuit(domainLog2);
  const setupStartMs = performance.now();
  const circuit = await developmentSetup(
    batch.compiled,
    isKeyCached ? {} : { cacheDir: join(folder, "keys") },
  );
  const setupMs = performance.now() - setupStartMs;
  const zkeyMb = (await stat(circuit.zkeyPath)).size / 1e6;
  const setup = isKeyCached ? null : { ms: Math.round(setupMs), zkeyMb: Math.round(zkeyMb) };
  if (setup !== null)
    console.log(`  development setup: ${(setup.ms / 1000).toFixed(1)} s for a key of ${setup.zkeyMb} MB`);

  const { bytes, witnessMs } = await ledgerWitness(batch);
  const wtnsPath = join(folder, `${batch.compiled.name}.wtns`);
  await writeFile(wtnsPath, bytes);
  const { constraints } = batch;
  console.log(`  ${constraints} constraints, witness ${witnessMs} ms`);
  return { circuit, wtnsPath, constraints, domainLog2, witnessMs, setup };
}

export interface LedgerCircuit {
  readonly domainLog2: number;
  readonly shape: TableShape;
  readonly compiled: CompiledCircuit;
  /** Linear ones are counted. */
  readonly constraints: number;
}

/** Compiles the circuit of a batch that fills most of the domain. */
export async function ledgerCircuit(domainLog2: number): Promise<LedgerCircuit> {
  const shape = SHAPE_OF_DOMAIN[domainLog2];
  if (shape === undefined) throw new Error(`sizes are ${Object.keys(SHAPE_OF_DOMAIN).join(", ")}`);
  const name = tableName(shape);
  await initPoseidon();
  console.log(`2^${domainLog2}: ${name}, compiling`);
  const compiled = await compileCircuit(circuitSpec(name));
  const { nonLinear, linear } = compiled.constraintCounts;
  const constraints = nonLinear + linear;
  if (constraints >= 2 ** domainLog2)
    throw new Error(`${name} has ${constraints} constraints, too many for 2^${domainLog2}`);
  return { domainLog2, shape, compiled, constraints };
}

/** Fills the batch with random operations and calculates its witness, a .wtns file's bytes. */
export async function ledgerWitness({
  domainLog2,
  shape,
  compiled,
}: LedgerCircuit): Promise<{ bytes: Uint8Array; witnessMs: number }> {
  const closed = fillTable(new RandomLedger(domainLog2, TREE_DEPTH), shape, 4 * shape.transfers);
  const inputs = closedInputs(closed, closedStatement(closed, 1n).z, TREE_DEPTH);
  const source = await openWitnessSource(compiled.wasmPath);
  const startedAtMs = performance.now();
  const bytes = await source.calculate(inputs);
  const witnessMs = Math.round(performance.now() - startedAtMs);
  await source.close();
  return { bytes, witnessMs };
}
