import { spawn } from "node:child_process";
import { copyFile, cp, readFile, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { wtns } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyProof } from "../formats/verification-key.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { createSnarkjsProver } from "./snarkjs-backend.ts";

const inputs = { x: 3n, w: 5n };
const prover = createSnarkjsProver();
const folder = await scratchFolder();
let circuit: ProvingCircuit;
let other: ProvingCircuit;

beforeAll(async () => {
  circuit = await developmentSetup(await compileSample(600), { cacheDir: folder });
  other = await developmentSetup(await compileSample(4), { cacheDir: folder });
});
afterAll(() => prover.close());

/** A copy of the circuit's key folder, to damage. */
async function copyOfKey(name: string): Promise<ProvingCircuit> {
  await cp(dirname(circuit.zkeyPath), join(folder, name), { recursive: true });
  return { ...circuit, zkeyPath: join(folder, name, basename(circuit.zkeyPath)) };
}

async function makeWitness(): Promise<Uint8Array> {
  const output: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await wtns.calculate(inputs, circuit.wasmPath, output);
  return output.data!;
}

describe("createSnarkjsProver", () => {
  test("proves from inputs, and reports its stages, its times and what ran", async () => {
    const stages: string[] = [];
    const result = await prover.prove({ circuit, inputs }, { onProgress: ({ stage }) => stages.push(stage) });
    expect(stages).toEqual(["witness", "prove", "verify"]);
    expect(result.publicSignals[1]).toBe(3n);
    expect(result.backend).toBe("snarkjs");
    expect(result.timings.proveMs).toBeGreaterThan(0);
    expect(verifyProof(circuit.verificationKey, result.proof, result.publicSignals)).toBe(true);
    expect(verifyProof(circuit.verificationKey, result.proof, [result.publicSignals[0]!, 4n])).toBe(false);
  });

  test("proves from a witness file's bytes", async () => {
    const result = await prover.prove({ circuit, witness: await makeWitness() });
    expect(result.publicSignals[1]).toBe(3n);
  });

  test("refuses a witness that breaks a constraint: no invalid proof leaves", async () => {
    const witness = await makeWitness();
    witness[witness.length - 32]! ^= 1;
    await expect(prover.prove({ circuit, witness })).rejects.toMatchObject({ code: "PRV_PROOF_INVALID" });
  });

  test("refuses inputs without a witness and passes on what circom says", async () => {
    await expect(prover.prove({ circuit, inputs: { x: 3n, w: 0n } })).rejects.toMatchObject({
      code: "PRV_NO_WITNESS",
      message: expect.stringContaining("Sample"),
    });
    await expect(prover.prove({ circuit, inputs: { x: 3n } })).rejects.toMatchObject({
      code: "PRV_NO_WITNESS",
    });
  });

  test("refuses bytes that are no witness, and the witness of another circuit", async () => {
    const cut = (await makeWitness()).subarray(0, -1);
    await expect(prover.prove({ circuit, witness: cut })).rejects.toMatchObject({ code: "PRV_NO_WITNESS" });
    await expect(prover.prove({ circuit: other, witness: await makeWitness() })).rejects.toMatchObject({
      code: "PRV_NO_WITNESS",
    });
  });

  test("cancels the running job by ending its process, and proves the next one", async () => {
    const stop = new AbortController();
    const running = prover.prove(
      { circuit, inputs },
      { signal: stop.signal, onProgress: () => stop.abort() },
    );
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
    expect((await running).backend).toBe("snarkjs");
  });

  test("reports a process that dies as retryable, and starts another one", async () => {
    const kill = () => void process.kill(prover.workerPid!, "SIGKILL");
    await expect(prover.prove({ circuit, inputs }, { onProgress: kill })).rejects.toMatchObject({
      code: "PRV_WORKER_DIED",
      isRetryable: true,
    });
    expect((await prover.prove({ circuit, inputs })).backend).toBe("snarkjs");
  });

  test("refuses a key that is missing or cut off", async () => {
    const missing = { ...circuit, zkeyPath: join(folder, "nowhere.zkey") };
    await expect(prover.prove({ circuit: missing, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: expect.not.stringMatching(/^key-mismatch$/) },
    });
    const cut = await copyOfKey("cut");
    await truncate(cut.zkeyPath, (await readFile(cut.zkeyPath)).length - 100);
    await expect(prover.prove({ circuit: cut, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: expect.not.stringMatching(/^key-mismatch$/) },
    });
  });

  test("refuses a key whose bytes are not the described ones, also after it was used", async () => {
    const changed = await copyOfKey("changed");
    expect((await prover.prove({ circuit: changed, inputs })).backend).toBe("snarkjs");
    const bytes = await readFile(changed.zkeyPath);
    bytes[bytes.length - 200]! ^= 1;
    await writeFile(changed.zkeyPath, bytes);
    await expect(prover.prove({ circuit: changed, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
  });

  test("refuses the key of another circuit", async () => {
    const foreign = await copyOfKey("foreign");
    await copyFile(other.zkeyPath, foreign.zkeyPath);
    await expect(prover.prove({ circuit: foreign, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
    const { zkeyPath } = other;
    await expect(prover.prove({ circuit: { ...circuit, zkeyPath }, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
    const { verificationKey } = other;
    await expect(prover.prove({ circuit: { ...circuit, verificationKey }, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
  });

  test("close ends running and waiting jobs", async () => {
    const closing = createSnarkjsProver();
    const jobs = [closing.prove({ circuit, inputs }), closing.prove({ circuit, inputs })];
    const outcomes = Promise.allSettled(jobs);
    await closing.close();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "PRV_CLOSED" } });
    expect(closing.workerPid).toBeNull();
    await expect(closing.prove({ circuit, inputs })).rejects.toMatchObject({ code: "PRV_CLOSED" });
  });

  test("runs under tsx from any working directory, and an idle prover does not hold the process", async () => {
    const backendUrl = new URL("./snarkjs-backend.ts", import.meta.url).href;
    const text = (value: unknown) =>
      JSON.stringify(value, (_key, field: unknown) => (typeof field === "bigint" ? `${field}n` : field));
    const script = `
      const { createSnarkjsProver } = await import(${JSON.stringify(backendUrl)});
      const circuit = JSON.parse(${JSON.stringify(text(circuit))}, (_key, field) =>
        typeof field === "string" && /^\\d+n$/.test(field) ? BigInt(field.slice(0, -1)) : field);
      const result = await createSnarkjsProver().prove({ circuit, inputs: { x: 3n, w: 5n } });
      console.log(result.publicSignals[1].toString());`;
    const child = spawn(
      process.execPath,
      ["--import", import.meta.resolve("tsx"), "--input-type=module", "--eval", script],
      { cwd: tmpdir(), stdio: ["ignore", "pipe", "inherit"], timeout: 120_000 },
    );
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const status = await new Promise((settle) => child.once("close", settle));
    expect({ status, output }).toEqual({ status: 0, output: "3\n" });
  });
});
