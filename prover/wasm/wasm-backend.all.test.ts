/** Many proofs, threads and keys of the WASM prover; wasm-backend.test.ts shows the rest of it. */
import { copyFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { verifyProof } from "../formats/verification-key.ts";
import {
  circuit,
  copyOfKey,
  inputs,
  makeWitness,
  other,
  prover,
  useWasmProver,
} from "../testing/wasm-prover.fixtures.ts";
import { createWasmProver } from "./wasm-backend.ts";

useWasmProver();

describe("createWasmProver", () => {
  test("two proofs of one witness differ, and both verify", async () => {
    const witness = await makeWitness();
    const proofs = [await prover.prove({ circuit, witness }), await prover.prove({ circuit, witness })];
    expect(proofs[0]!.proof.a).not.toEqual(proofs[1]!.proof.a);
    expect(proofs[0]!.proof.c).not.toEqual(proofs[1]!.proof.c);
    for (const { proof, publicSignals } of proofs)
      expect(verifyProof(circuit.verificationKey, proof, publicSignals)).toBe(true);
  });

  test.each([1, 3])("proves with %i threads", async (threadCount) => {
    const own = createWasmProver({ threadCount });
    for (const target of [other, circuit])
      expect((await own.prove({ circuit: target, inputs })).publicSignals[1]).toBe(3n);
    await own.close();
    expect(own.threads).toEqual([]);
  });

  test("refuses the key of another circuit, and reads a key again that changed", async () => {
    const foreign = await copyOfKey("foreign");
    expect((await prover.prove({ circuit: foreign, inputs })).backend).toBe("wasm");
    await copyFile(other.zkeyPath, foreign.zkeyPath);
    await expect(prover.prove({ circuit: foreign, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
    await copyFile(circuit.zkeyPath, foreign.zkeyPath);
    expect((await prover.prove({ circuit: foreign, inputs })).backend).toBe("wasm");
  });

  test.each([0, 1])("reports the death of thread %i as retryable, and starts others", async (thread) => {
    await prover.prove({ circuit, inputs });
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "prove") setImmediate(() => void prover.threads[thread]!.terminate());
    };
    await expect(prover.prove({ circuit, inputs }, { onProgress })).rejects.toMatchObject({
      code: "PRV_WORKER_DIED",
      isRetryable: true,
    });
    expect((await prover.prove({ circuit, inputs })).publicSignals[1]).toBe(3n);
  });

  test("many proofs do not make the process grow", async () => {
    const witness = await makeWitness();
    const prove = async (count: number) => {
      for (let i = 0; i < count; i++) await prover.prove({ circuit, witness });
      return process.memoryUsage.rss();
    };
    const before = await prove(5);
    const after = await prove(15);
    expect(after - before).toBeLessThan(100 << 20);
  });
});
