/** Requires that no back end's memory grows from proof to proof. */
import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { WitnessCalculator } from "@openledger/circuits/compiler/witness-calculator";
import { beforeAll, expect, test } from "vitest";
import { createProver } from "../backends.ts";
import { encodeWitness } from "../formats/wtns-file.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import { availableBackends } from "../testing/available-backends.fixtures.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import type { ProvingCircuit } from "./prover.ts";

const backends = await availableBackends();
const proofCount = 240;
const sampleEvery = 20;
const squareCount = 1200;
/**
 * Bytes that may be left after a proof: of the process, where pages come and go, less than one witness of 1,205 wires;
 * of this thread's heap and buffers almost nothing.
 */
const maxGrowth = { rss: 32 * 1024, heapUsed: 1024, arrayBuffers: 512 };

/** Maximum growth over the second half as a whole: an arena or two of the allocator, of all threads. */
const maxRssStepBytes = 48 * 2 ** 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
/** Proofs under which every thread collects all of its garbage: threads' heaps grow for long before they do. */
const collectingProofs = 5;

const folder = await scratchFolder();
let circuit: ProvingCircuit;
let witness: Uint8Array;

beforeAll(async () => {
  const compiled = await compileSample(squareCount);
  circuit = await developmentSetup(compiled, { cacheDir: folder });
  const calculator = new WitnessCalculator(await readFile(compiled.wasmPath));
  witness = encodeWitness(calculator.calculate({ x: 3n, w: 5n }));
});

/** The second half of the run: caches and pools fill in the first. */
const settled = (samples: readonly number[]) => samples.slice(Math.floor(samples.length / 2));

/**
 * Bytes a proof: the median of what came between one sample and the next. A leak is in every one of them; an allocator
 * that takes another arena, once, is in one.
 */
function growthOf(samples: readonly number[]): number {
  const steps = settled(samples).slice(1);
  const differences = steps.map((value, i) => value - settled(samples)[i]!).sort((a, b) => a - b);
  return differences[Math.floor(differences.length / 2)]! / sampleEvery;
}

test("growth is seen where there is some, and a single step is none", () => {
  const leak = Array.from({ length: 20 }, (_, i) => 1e8 + i * sampleEvery * 40_000 + (i % 3) * 1_000);
  expect(growthOf(leak)).toBeGreaterThan(maxGrowth.rss);
  const step = Array.from({ length: 20 }, (_, i) => (i < 14 ? 2.8e8 : 2.97e8) + (i % 2) * 10_000);
  expect(growthOf(step)).toBeLessThan(maxGrowth.rss);
});

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
      expect(growthOf(samples[what]), `${what}: ${samples[what]}`).toBeLessThan(maxGrowth[what]);
    const [first, last] = [settled(samples.rss)[0]!, samples.rss.at(-1)!];
    expect(last - first, `rss: ${samples.rss}`).toBeLessThan(maxRssStepBytes);
  },
  1_800_000,
);
