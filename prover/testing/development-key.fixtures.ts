/** Checks of a development key for circuits of any size. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { groth16, wtns } from "snarkjs";
import { expect } from "vitest";
import { readZkeyHeader } from "../formats/zkey-file.ts";
import { developmentSetup, developmentVerificationKey } from "../keys/development-setup.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { findAddon } from "./oracle.fixtures.ts";
import { compileSample } from "./sample-circuit.fixtures.ts";

async function proveWithSnarkjs(circuit: ProvingCircuit, inputs: object) {
  const witness: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await wtns.calculate(inputs, circuit.wasmPath, witness);
  const keyPath = join(dirname(circuit.zkeyPath), "verification-key.json");
  const key = JSON.parse(await readFile(keyPath, "utf8")) as object;
  return { key, ...(await groth16.prove(circuit.zkeyPath, witness)) };
}

/**
 * Makes the key below `folder`. Expects that snarkjs accepts a proof under it, and none of another statement.
 */
export async function expectKey(folder: string, squareCount: number, domainSize: number): Promise<void> {
  const circuit = await developmentSetup(await compileSample(squareCount), { cacheDir: folder });
  expect((await readZkeyHeader(circuit.zkeyPath)).domainSize).toBe(domainSize);
  const { key, proof, publicSignals } = await proveWithSnarkjs(circuit, { x: 3n, w: 5n });
  expect(await groth16.verify(key, publicSignals, proof)).toBe(true);
  const altered = [(BigInt(publicSignals[0]!) + 1n).toString(), publicSignals[1]!];
  expect(await groth16.verify(key, altered, proof)).toBe(false);
}

/** Expects the same bytes of WebAssembly and of every path of the native addon. */
export async function expectSameKeys(folder: string, squareCount: number): Promise<void> {
  const compiled = await compileSample(squareCount);
  const keys = await Promise.all(
    [null, ...findAddon().paths].map(async (path) => {
      const cacheDir = join(folder, `points-${path}`);
      const { zkeyPath } = await developmentSetup(compiled, { cacheDir, path, workerCount: 1 });
      return readFile(zkeyPath);
    }),
  );
  for (const key of keys) expect(key.equals(keys[0]!)).toBe(true);
}

/** Expects that the verification key made alone equals the whole key's, and is cached. */
export async function expectVerificationKey(folder: string, squareCount: number): Promise<void> {
  const compiled = await compileSample(squareCount);
  const cacheDir = join(folder, `verification-${squareCount}`);
  const alone = await developmentVerificationKey(compiled, { cacheDir });
  await expect(readFile(alone.zkeyPath)).rejects.toMatchObject({ code: "ENOENT" });
  const kept = await developmentVerificationKey(compiled, { cacheDir });
  const whole = await developmentSetup(compiled, { cacheDir });
  expect(alone.verificationKey).toEqual(whole.verificationKey);
  expect(kept.verificationKey).toEqual(whole.verificationKey);
  expect(alone.zkeyPath).toBe(whole.zkeyPath);
  const beside = await readFile(join(dirname(whole.zkeyPath), "verification-key.json"), "utf8");
  expect(await readFile(alone.verificationKeyPath, "utf8")).toBe(beside);
}
