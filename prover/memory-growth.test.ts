import { rm } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WitnessCalculator } from "../circuits/witness-calculator.ts";
import { availableBackends } from "./available-backends.fixtures.ts";
import { createProver } from "./backends.ts";
import { developmentSetup } from "./development-setup.ts";
import type { ProvingCircuit } from "./prover.ts";
import { compileSample, makeScratchFolder } from "./sample-circuit.fixtures.ts";
import { encodeWitness } from "./wtns-file.ts";

const backends = await availableBackends();
const proofCount = 1000;
const sampleEvery = 50;
const squareCount = 1200;
/**
 * Bytes that may be left after a proof: of the process, where pages come and go, less than one witness of 1,205 wires;
 * of this thread's heap and buffers almost nothing.
 */
const maxSlope = { rss: 32 * 1024, heapUsed: 1024, arrayBuffers: 512 };

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
/** Proofs under which every thread collects all of its garbage: threads' heaps grow for long before they do. */
const collectingProofs = 5;

let folder: string;
let circuit: ProvingCircuit;
let witness: Uint8Array;

beforeAll(async () => {
  folder = await makeScratchFolder();
  const compiled = await compileSample(squareCount);
  circuit = await developmentSetup(compiled, { cacheDir: folder });
  const calculator = await WitnessCalculator.load(compiled.wasmPath);
  witness = encodeWitness(calculator.calculate({ x: 3n, w: 5n }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Bytes a proof by least squares, over the second half of the run: caches and pools fill in the first. */
function slopeOf(samples: readonly number[]): number {
  const settled = samples.slice(Math.floor(samples.length / 2));
  const middle = (settled.length - 1) / 2;
  const mean = settled.reduce((sum, value) => sum + value, 0) / settled.length;
  let [covariance, variance] = [0, 0];
  for (const [i, value] of settled.entries()) {
    covariance += (i - middle) * (value - mean);
    variance += (i - middle) ** 2;
  }
  return covariance / variance / sampleEvery;
}

test.each(backends)(
  `${proofCount} proofs do not make the process grow: %s`,
  async (name) => {
    const prover = await createProver(name);
    const samples = { rss: [] as number[], heapUsed: [] as number[], arrayBuffers: [] as number[] };
    for (let i = 1; i <= proofCount; i++) {
      if (i % sampleEvery === sampleEvery - collectingProofs) setFlagsFromString("--gc-global");
      await prover.prove({ circuit, witness });
      if (i % sampleEvery !== 0) continue;
      setFlagsFromString("--no-gc-global");
      collectGarbage();
      const usage = process.memoryUsage();
      for (const what of ["rss", "heapUsed", "arrayBuffers"] as const) samples[what].push(usage[what]);
    }
    await prover.close();
    for (const what of ["rss", "heapUsed", "arrayBuffers"] as const)
      expect(slopeOf(samples[what]), `${what}: ${samples[what]}`).toBeLessThan(maxSlope[what]);
  },
  1_800_000,
);
