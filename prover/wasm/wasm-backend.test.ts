import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { groth16 } from "snarkjs";
import { describe, expect, test } from "vitest";
import { toSnarkjsKey } from "../formats/verification-key.ts";
import {
  circuit,
  copyOfKey,
  folder,
  inputs,
  makeWitness,
  other,
  prover,
  useWasmProver,
} from "../testing/wasm-prover.fixtures.ts";
import { createWasmProver } from "./wasm-backend.ts";

useWasmProver();

describe("createWasmProver", () => {
  test("proves from inputs what snarkjs verifies, and reports its stages, its times and what ran", async () => {
    const stages: string[] = [];
    const result = await prover.prove({ circuit, inputs }, { onProgress: ({ stage }) => stages.push(stage) });
    expect(stages).toEqual(["witness", "prove", "verify"]);
    expect(result.publicSignals[1]).toBe(3n);
    expect(result.backend).toBe("wasm");
    expect(result.timings.proveMs).toBeGreaterThanOrEqual(result.phaseMs.sumsMs);
    const { a, b, c } = result.proof;
    const text = (values: readonly bigint[]) => values.map(String);
    const proof = {
      pi_a: text([...a, 1n]),
      pi_b: [text(b[0]), text(b[1]), ["1", "0"]],
      pi_c: text([...c, 1n]),
      protocol: "groth16",
      curve: "bn128",
    };
    const signals = text(result.publicSignals);
    expect(await groth16.verify(toSnarkjsKey(circuit.verificationKey), signals, proof)).toBe(true);
  });

  test("refuses a witness that breaks a constraint: no invalid proof leaves", async () => {
    const witness = await makeWitness();
    witness[witness.length - 32]! ^= 1;
    await expect(prover.prove({ circuit, witness })).rejects.toMatchObject({ code: "PRV_PROOF_INVALID" });
  });

  test("refuses inputs without a witness", async () => {
    await expect(prover.prove({ circuit, inputs: { x: 3n, w: 0n } })).rejects.toMatchObject({
      code: "PRV_NO_WITNESS",
    });
  });

  test("refuses bytes that are no witness, one over another field, and one of another circuit", async () => {
    const witness = await makeWitness();
    const foreign = Uint8Array.from(witness);
    foreign[28]! ^= 1;
    for (const bytes of [witness.subarray(0, -1), witness.subarray(0, 20), foreign]) {
      await expect(prover.prove({ circuit, witness: bytes })).rejects.toMatchObject({
        code: "PRV_NO_WITNESS",
      });
    }
    await expect(prover.prove({ circuit: other, witness })).rejects.toMatchObject({ code: "PRV_NO_WITNESS" });
  });

  test("refuses a key that is missing, cut off, over another curve or of another protocol", async () => {
    const missing = { ...circuit, zkeyPath: join(folder, "nowhere.zkey") };
    const cut = await copyOfKey("cut");
    await truncate(cut.zkeyPath, (await readFile(cut.zkeyPath)).length - 100);
    const curve = await copyOfKey("curve");
    const bytes = await readFile(curve.zkeyPath);
    const protocolAt = 12 + 12;
    const primeAt = protocolAt + 4 + 12 + 4;
    bytes[primeAt]! ^= 2;
    await writeFile(curve.zkeyPath, bytes);
    const protocol = await copyOfKey("protocol");
    bytes[primeAt]! ^= 2;
    bytes[protocolAt] = 2;
    await writeFile(protocol.zkeyPath, bytes);
    for (const refused of [missing, cut, curve, protocol]) {
      await expect(prover.prove({ circuit: refused, inputs }), refused.zkeyPath).rejects.toMatchObject({
        code: "PRV_KEY_INVALID",
        data: { reason: expect.not.stringMatching(/^key-mismatch$/) },
      });
    }
  });

  test("cancels the running job in its middle, and proves the next one", async () => {
    const stop = new AbortController();
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "prove") setImmediate(() => stop.abort());
    };
    const running = prover.prove({ circuit, inputs }, { signal: stop.signal, onProgress });
    const queued = prover.prove({ circuit, inputs });
    await expect(running).rejects.toMatchObject({ code: "PRV_CANCELLED", isRetryable: true });
    expect((await queued).publicSignals[1]).toBe(3n);
  });

  test("cancels a job that still waits, without touching the running one", async () => {
    const stop = new AbortController();
    const running = prover.prove({ circuit, inputs });
    const queued = prover.prove({ circuit, inputs }, { signal: stop.signal });
    stop.abort();
    await expect(queued).rejects.toMatchObject({ code: "PRV_CANCELLED" });
    expect((await running).backend).toBe("wasm");
  });

  test("reports the death of a thread as retryable, and starts others", async () => {
    await prover.prove({ circuit, inputs });
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "prove") setImmediate(() => void prover.threads[1]!.terminate());
    };
    await expect(prover.prove({ circuit, inputs }, { onProgress })).rejects.toMatchObject({
      code: "PRV_WORKER_DIED",
      isRetryable: true,
    });
    expect((await prover.prove({ circuit, inputs })).publicSignals[1]).toBe(3n);
  });

  test("close ends running and waiting jobs", async () => {
    const closing = createWasmProver({ threadCount: 2 });
    const jobs = [closing.prove({ circuit, inputs }), closing.prove({ circuit, inputs })];
    const outcomes = Promise.allSettled(jobs);
    await closing.close();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "PRV_CLOSED" } });
    expect(closing.threads).toEqual([]);
    await expect(closing.prove({ circuit, inputs })).rejects.toMatchObject({ code: "PRV_CLOSED" });
  });
});
