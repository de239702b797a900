import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProver } from "../backends.ts";
import { verifyProof } from "../formats/verification-key.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { type ProofProgress, proveWithProgress } from "./prove-with-progress.ts";
import type { Prover, ProvingCircuit } from "./prover.ts";

const folder = await scratchFolder();
let circuit: ProvingCircuit;
let prover: Prover;

beforeAll(async () => {
  circuit = await developmentSetup(await compileSample(600), { cacheDir: folder });
  prover = await createProver("wasm");
});
afterAll(async () => {
  await prover?.close();
});

describe("proveWithProgress", () => {
  test("gives a valid proof and percentages that never fall and end at 100", async () => {
    const seen: ProofProgress[] = [];
    const job = { circuit, inputs: { x: 3n, w: 5n } };
    const options = {
      tickMs: 5,
      expectedMs: 20,
      onProgress: (progress: ProofProgress) => seen.push(progress),
    };
    const result = await proveWithProgress(prover, job, options);
    expect(verifyProof(circuit.verificationKey, result.proof, result.publicSignals)).toBe(true);
    expect([...new Set(seen.map(({ stage }) => stage))]).toEqual(["witness", "prove", "verify"]);
    const percents = seen.map(({ percent }) => percent);
    expect(percents).toEqual([...percents].sort((x, y) => x - y));
    expect(percents[0]).toBe(0);
    expect(percents.at(-1)).toBe(100);
    expect(percents.filter((percent) => percent > 100)).toEqual([]);
  });

  test("never says 100 for a proof that was not made, and stops telling", async () => {
    const percents: number[] = [];
    const job = { circuit, inputs: { x: 3n, w: 0n } };
    const options = { tickMs: 1, onProgress: ({ percent }: ProofProgress) => percents.push(percent) };
    await expect(proveWithProgress(prover, job, options)).rejects.toMatchObject({ code: "PRV_NO_WITNESS" });
    expect(percents).not.toContain(100);
    const told = percents.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(percents).toHaveLength(told);
  });
});
