import { beforeAll, expect, test } from "vitest";
import { developmentSetup } from "../keys/development-setup.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { createWasmProver } from "../wasm/wasm-backend.ts";
import { HelperThread } from "./helper-thread.ts";
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
  const thread = new HelperThread();
  const task = { kind: "verify", key: circuit.verificationKey, proof, publicSignals } as const;
  for (let i = 0; i < 3; i++) {
    const ended = expect(thread.run(task)).rejects.toThrow("ended");
    await thread.end();
    await ended;
    expect(await thread.run(task)).toEqual({ kind: "verify", isValid: true });
  }
  await thread.end();
});
