/** Test of the WASM prover with many proofs and threads; wasm-backend.test.ts has the rest. */
import { afterAll, describe, expect, test } from "vitest";
import { BackendWorld, inputs } from "../testing/backend-suite.fixtures.ts";
import { createWasmProver } from "./wasm-backend.ts";

const world = await BackendWorld.make();
const prover = createWasmProver({ threadCount: 2 });
afterAll(() => prover.close());

describe("createWasmProver", () => {
  test.each([1, 3])("proves with %i threads", async (threadCount) => {
    const own = createWasmProver({ threadCount });
    for (const target of [world.other, world.circuit])
      expect((await own.prove({ circuit: target, inputs })).publicSignals[1]).toBe(3n);
    await own.close();
    expect(own.threads).toEqual([]);
  });

  test.each([0, 1])("reports the death of thread %i as retryable, and starts others", async (thread) => {
    await prover.prove({ circuit: world.circuit, inputs });
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "prove") setImmediate(() => void prover.threads[thread]!.terminate());
    };
    await expect(prover.prove({ circuit: world.circuit, inputs }, { onProgress })).rejects.toMatchObject({
      code: "PRV_WORKER_DIED",
      isRetryable: true,
    });
    expect((await prover.prove({ circuit: world.circuit, inputs })).publicSignals[1]).toBe(3n);
  });

  test("many proofs do not make the process grow", async () => {
    const { circuit } = world;
    const witness = await world.makeWitness();
    const prove = async (count: number) => {
      for (let i = 0; i < count; i++) await prover.prove({ circuit, witness });
      return process.memoryUsage.rss();
    };
    const before = await prove(5);
    const after = await prove(15);
    expect(after - before).toBeLessThan(100 << 20);
  });
});
