/** The WASM prover with the keys of two sample circuits, for the tests of it. */
import { cp, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { wtns } from "snarkjs";
import { afterAll, beforeAll } from "vitest";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { createWasmProver } from "../wasm/wasm-backend.ts";
import { compileSample, makeScratchFolder } from "./sample-circuit.fixtures.ts";

export const inputs = { x: 3n, w: 5n };
export const prover = createWasmProver({ threadCount: 2 });
/** For the keys; removed at the end. */
export let folder: string;
export let circuit: ProvingCircuit;
export let other: ProvingCircuit;

/** A file of such tests calls this before them. */
export function useWasmProver(): void {
  beforeAll(async () => {
    folder = await makeScratchFolder();
    circuit = await developmentSetup(await compileSample(600), { cacheDir: folder });
    other = await developmentSetup(await compileSample(4), { cacheDir: folder });
  });
  afterAll(async () => {
    await prover.close();
    await rm(folder, { recursive: true, force: true });
  });
}

/** A copy of the circuit's key folder, to damage. */
export async function copyOfKey(name: string): Promise<ProvingCircuit> {
  await cp(dirname(circuit.zkeyPath), join(folder, name), { recursive: true });
  return { ...circuit, zkeyPath: join(folder, name, basename(circuit.zkeyPath)) };
}

export async function makeWitness(): Promise<Uint8Array> {
  const output: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await wtns.calculate(inputs, circuit.wasmPath, output);
  return output.data!;
}
