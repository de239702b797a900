import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type CompiledCircuit, compileCircuit, repositoryRoot } from "@openledger/circuits/compiler/compile";
import { afterAll } from "vitest";

/**
 * A tiny circuit for tests: y = x^(2^squareCount) + w^2 with x public. It has squareCount + 2 constraints
 * and 2 public signals, and no witness where w is 0.
 */
export function sampleSource(squareCount: number): string {
  return `pragma circom 2.1.6;
template Sample(n) {
  signal input x;
  signal input w;
  signal output y;
  signal power[n + 1];
  signal inverse <-- w == 0 ? 0 : 1 / w;
  inverse * w === 1;
  power[0] <== x;
  for (var i = 0; i < n; i++) power[i + 1] <== power[i] * power[i];
  y <== w * w + power[n];
}
component main {public [x]} = Sample(${squareCount});
`;
}

export function compileSample(squareCount: number): Promise<CompiledCircuit> {
  return compileCircuit({ name: `sample-${squareCount}`, mainSource: sampleSource(squareCount) });
}

/** A new folder below .cache, for the test to fill and to remove. */
async function makeScratchFolder(): Promise<string> {
  await mkdir(join(repositoryRoot, ".cache"), { recursive: true });
  return mkdtemp(join(repositoryRoot, ".cache/prover-test-"));
}

/** The same, removed after the file's tests and their own hooks; and with it the threads that snarkjs leaves behind. */
export async function scratchFolder(): Promise<string> {
  const folder = await makeScratchFolder();
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await (globalThis as { curve_bn128?: { terminate(): Promise<void> } }).curve_bn128?.terminate();
  });
  return folder;
}
