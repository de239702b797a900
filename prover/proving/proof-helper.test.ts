import { beforeAll, expect, test } from "vitest";
import { developmentSetup } from "../keys/development-setup.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { createWasmProver } from "../wasm/wasm-backend.ts";
import { ProofHelper } from "./proof-helper.ts";
import type { ProvingCircuit } from "./prover.ts";

const folder = await scratchFolder();
let circuit: ProvingCircuit;
beforeAll(async () => {
  circuit = await developmentSetup(await compileSample(4), { cacheDir: folder });
});

test("a thread that is ended in the middle of a task fails it, and the next task has another thread", async () => {
  const prover = createWasmProver({ threadCount: 1 });
  const { proof, publicSignals } = await prover.prove({ circuit, inputs: { x: 3n, w: 5n } });
  await prover.close();
  const helper = new ProofHelper();
  for (let i = 0; i < 3; i++) {
    const ended = expect(helper.requireValid({ circuit }, proof, publicSignals)).rejects.toMatchObject({
      code: "PRV_WORKER_DIED",
    });
    helper.end();
    await ended;
    await helper.requireValid({ circuit }, proof, publicSignals);
  }
  await helper.close();
});

test("inputs without a witness, signals that are no numbers and a proof that does not verify are refused by their codes", async () => {
  const helper = new ProofHelper();
  for (const inputs of [{ x: 3n }, { x: "three", w: 5n }])
    await expect(helper.witnessOf({ circuit, inputs })).rejects.toMatchObject({ code: "PRV_NO_WITNESS" });
  const broken = { ...circuit, wasmPath: `${circuit.wasmPath}.gone` };
  await expect(helper.witnessOf({ circuit: broken, inputs: { x: 3n, w: 5n } })).rejects.toMatchObject({
    code: "PRV_PROVE_FAILED",
  });
  const prover = createWasmProver({ threadCount: 1 });
  const { proof, publicSignals } = await prover.prove({ circuit, inputs: { x: 3n, w: 5n } });
  await prover.close();
  const others = publicSignals.map((signal) => signal + 1n);
  await expect(helper.requireValid({ circuit }, proof, others)).rejects.toMatchObject({
    code: "PRV_PROOF_INVALID",
  });
  await helper.close();
});
