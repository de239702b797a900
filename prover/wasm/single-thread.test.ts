/**
 * Test of the prover in a page that is opened from the disk: without SharedArrayBuffer, and from bytes alone.
 */
import { readFile } from "node:fs/promises";
import { groth16 } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { fieldBytes } from "../formats/bn254-numbers.ts";
import { toSnarkjsKey } from "../formats/verification-key.ts";
import { readZkeyHeader } from "../formats/zkey-file.ts";
import { g1Bytes, layOutZkey, zkeySection } from "../formats/zkey-layout.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import type { SingleThreadCircuit } from "./single-thread.ts";

const scratch = await scratchFolder();
let proving: ProvingCircuit;
let circuit: SingleThreadCircuit;
let proveInThisThread: typeof import("./single-thread.ts").proveInThisThread;
beforeAll(async () => {
  proving = await developmentSetup(await compileSample(300), { cacheDir: scratch });
  const [zkey, program] = await Promise.all([readFile(proving.zkeyPath), readFile(proving.wasmPath)]);
  circuit = { name: "sample", zkey, program };
  // Whatever was loaded before has made up its mind about shared memory.
  vi.resetModules();
  vi.stubGlobal("SharedArrayBuffer", undefined);
  ({ proveInThisThread } = await import("./single-thread.ts"));
}, 300_000);
afterAll(async () => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

const snarkjsProof = ({ a, b, c }: Awaited<ReturnType<typeof proveInThisThread>>["proof"]) => ({
  pi_a: [...a.map(String), "1"],
  pi_b: [...b.map((pair) => pair.map(String)), ["1", "0"]],
  pi_c: [...c.map(String), "1"],
  protocol: "groth16",
  curve: "bn128",
});

describe("a proof in one thread without shared memory", () => {
  test("is one that snarkjs verifies, and no other statement's", async () => {
    const stages: string[] = [];
    const { createKernelMemory } = await import("./kernels/kernel-module.ts");
    expect(createKernelMemory(1).buffer).toBeInstanceOf(ArrayBuffer);
    const { proof, publicSignals } = await proveInThisThread(circuit, { x: 3n, w: 5n }, (stage) =>
      stages.push(stage),
    );
    expect(stages).toEqual(["key", "witness", "prove", "verify"]);
    expect(publicSignals[1]).toBe(3n);
    const key = toSnarkjsKey(proving.verificationKey);
    const shown = snarkjsProof(proof) as unknown as Parameters<typeof groth16.verify>[2];
    expect(await groth16.verify(key, publicSignals.map(String), shown)).toBe(true);
    expect(await groth16.verify(key, [String(publicSignals[0]), "4"], shown)).toBe(false);
  });

  test("is not made of inputs without a witness, a key that is cut off or has another domain, or another circuit's program", async () => {
    const prove = (changed: Partial<SingleThreadCircuit>, inputs: Record<string, bigint>) =>
      proveInThisThread({ ...circuit, ...changed }, inputs, () => {});
    await expect(prove({}, { x: 3n, w: 0n })).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });
    await expect(prove({}, { x: 3n })).rejects.toMatchObject({ code: "CIR_INPUT_MISMATCH" });
    const cut = circuit.zkey.subarray(0, circuit.zkey.length - 1);
    await expect(prove({ zkey: cut }, { x: 3n, w: 5n })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: expect.not.stringMatching(/^key-mismatch$/) },
    });
    const header = await readZkeyHeader(proving.zkeyPath);
    const { byteCounts, positions } = layOutZkey(header);
    const hEnd = positions[zkeySection.h]! + byteCounts[zkeySection.h]!;
    const odd = Buffer.concat([circuit.zkey.subarray(0, hEnd - g1Bytes), circuit.zkey.subarray(hEnd)]);
    odd.writeUInt32LE(header.domainSize - 1, positions[zkeySection.header]! + 2 * (4 + fieldBytes) + 8);
    odd.writeUInt32LE(byteCounts[zkeySection.h]! - g1Bytes, positions[zkeySection.h]! - 8);
    await expect(prove({ zkey: odd }, { x: 3n, w: 5n })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "its domain is no power of two" },
    });
    const other = await readFile((await compileSample(20)).wasmPath);
    await expect(prove({ program: other }, { x: 3n, w: 5n })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: expect.stringMatching(/^the witness has \d+ values/) },
    });
  });
});
