import { copyFile, cp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { groth16, wtns } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toSnarkjsKey } from "../formats/verification-key.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { findAddon, moduli, splitNumbers } from "../testing/oracle.fixtures.ts";
import { compileSample, makeScratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { loadNativeAddon } from "./native-addon.ts";
import { createNativeProver, type NativeProver, randomScalar } from "./native-backend.ts";

const { addon, paths } = findAddon();
const inputs = { x: 3n, w: 5n };

describe("loadNativeAddon", () => {
  test("reports an addon that is not there with what to do about it", () => {
    expect(() => loadNativeAddon("/nowhere/bn254-prover.node")).toThrowError(
      expect.objectContaining({
        code: "PRV_NATIVE_UNAVAILABLE",
        message: expect.stringContaining("node prover/native/build.js"),
      }),
    );
  });
});

describe("randomScalar", () => {
  test("is below r, differs from call to call and reaches the top bits", () => {
    const scalars = Array.from({ length: 400 }, () => splitNumbers(randomScalar())[0]!);
    expect(scalars.every((scalar) => scalar < moduli.scalar)).toBe(true);
    expect(new Set(scalars).size).toBe(400);
    expect(scalars.filter((scalar) => scalar > moduli.scalar / 2n).length).toBeGreaterThan(120);
  });
});

describe.skipIf(addon === null)("createNativeProver", () => {
  let folder: string;
  const circuits = new Map<number, ProvingCircuit>();
  const provers: NativeProver[] = [];
  const createProver = (options: Parameters<typeof createNativeProver>[0] = {}) => {
    const prover = createNativeProver(options);
    provers.push(prover);
    return prover;
  };

  beforeAll(async () => {
    folder = await makeScratchFolder();
    for (const squareCount of [1, 4, 600])
      circuits.set(
        squareCount,
        await developmentSetup(await compileSample(squareCount), { cacheDir: folder }),
      );
  });
  afterAll(async () => {
    await Promise.all(provers.map((prover) => prover.close()));
    await rm(folder, { recursive: true, force: true });
  });

  async function copyOfKey(name: string): Promise<ProvingCircuit> {
    const circuit = circuits.get(600)!;
    await cp(dirname(circuit.zkeyPath), join(folder, name), { recursive: true });
    return { ...circuit, zkeyPath: join(folder, name, basename(circuit.zkeyPath)) };
  }

  async function makeWitness(): Promise<Uint8Array> {
    const output: { type: "mem"; data?: Uint8Array } = { type: "mem" };
    await wtns.calculate(inputs, circuits.get(600)!.wasmPath, output);
    return output.data!;
  }

  for (const path of paths) {
    test(`${path}: snarkjs accepts its proofs, of circuits of all sizes, and no two are equal`, async () => {
      const prover = createProver({ path });
      for (const circuit of circuits.values()) {
        const stages: string[] = [];
        const first = await prover.prove(
          { circuit, inputs },
          { onProgress: ({ stage }) => stages.push(stage) },
        );
        const second = await prover.prove({ circuit, inputs });
        expect(stages).toEqual(["witness", "prove", "verify"]);
        expect(first).toMatchObject({ backend: "native", path });
        expect(first.publicSignals[1]).toBe(3n);
        expect(first.proof.a).not.toEqual(second.proof.a);
        expect(first.proof.b).not.toEqual(second.proof.b);
        expect(first.proof.c).not.toEqual(second.proof.c);
        const { a, b, c } = first.proof;
        const text = (pair: readonly bigint[]) => pair.map(String);
        const proof = {
          protocol: "groth16",
          curve: "bn128",
          pi_a: [...text(a), "1"],
          pi_b: [text(b[0]), text(b[1]), ["1", "0"]],
          pi_c: [...text(c), "1"],
        } as unknown as Parameters<typeof groth16.verify>[2];
        const key = toSnarkjsKey(circuit.verificationKey);
        expect(await groth16.verify(key, text(first.publicSignals), proof)).toBe(true);
      }
    });
  }

  test("proves on one thread and on three, from a witness file's bytes", async () => {
    for (const threadCount of [1, 3]) {
      const prover = createProver({ threadCount });
      const result = await prover.prove({ circuit: circuits.get(600)!, witness: await makeWitness() });
      expect(result.publicSignals[1]).toBe(3n);
      expect(result.phaseMs.sums).toBeGreaterThan(0);
    }
  });

  test("refuses a witness that breaks a constraint: no invalid proof leaves", async () => {
    const witness = await makeWitness();
    witness[witness.length - 32]! ^= 1;
    await expect(createProver().prove({ circuit: circuits.get(600)!, witness })).rejects.toMatchObject({
      code: "PRV_PROOF_INVALID",
    });
  });

  test("refuses bytes that are no witness, one of another circuit, and values that are not below r", async () => {
    const prover = createProver();
    const circuit = circuits.get(600)!;
    const witness = await makeWitness();
    const large = new Uint8Array(witness);
    large.fill(0xff, large.length - 32);
    for (const wrong of [witness.subarray(0, -1), witness.subarray(0, 40), new Uint8Array(0), large])
      await expect(prover.prove({ circuit, witness: wrong })).rejects.toMatchObject({
        code: "PRV_NO_WITNESS",
      });
    await expect(prover.prove({ circuit: circuits.get(4)!, witness })).rejects.toMatchObject({
      code: "PRV_NO_WITNESS",
    });
  });

  test("refuses inputs without a witness, inputs that are missing, and inputs that are no numbers", async () => {
    const prover = createProver();
    const circuit = circuits.get(600)!;
    for (const wrong of [{ x: 3n, w: 0n }, { x: 3n }, { x: 3n, w: "five" }])
      await expect(
        prover.prove({ circuit, inputs: wrong }),
        JSON.stringify(Object.keys(wrong)),
      ).rejects.toMatchObject({
        code: "PRV_NO_WITNESS",
      });
    expect((await prover.prove({ circuit, inputs })).publicSignals[1]).toBe(3n);
  });

  test("reports a witness calculator that is missing as a failure of the prover", async () => {
    const circuit = { ...circuits.get(600)!, wasmPath: join(folder, "nowhere.wasm") };
    await expect(createProver().prove({ circuit, inputs })).rejects.toMatchObject({
      code: "PRV_PROVE_FAILED",
    });
  });

  test("cancels the running job and those that wait, and proves the next one", async () => {
    const prover = createProver();
    const circuit = circuits.get(600)!;
    for (const stage of ["witness", "prove", "verify"]) {
      const stop = new AbortController();
      const running = prover.prove(
        { circuit, inputs },
        { signal: stop.signal, onProgress: (progress) => progress.stage === stage && stop.abort() },
      );
      const waiting = prover.prove({ circuit, inputs }, { signal: stop.signal });
      const next = prover.prove({ circuit, inputs });
      for (const cancelled of [running, waiting])
        await expect(cancelled, stage).rejects.toMatchObject({ code: "PRV_CANCELLED", isRetryable: true });
      expect((await next).publicSignals[1], stage).toBe(3n);
    }
  });

  test("close ends running and waiting jobs", async () => {
    const prover = createProver();
    const circuit = circuits.get(600)!;
    const outcomes = Promise.allSettled([
      prover.prove({ circuit, inputs }),
      prover.prove({ circuit, inputs }),
    ]);
    await prover.close();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "PRV_CLOSED" } });
    await expect(prover.prove({ circuit, inputs })).rejects.toMatchObject({ code: "PRV_CLOSED" });
  });

  test("refuses a key that is cut off, changed after its first use, or another circuit's", async () => {
    const prover = createProver();
    const cut = await copyOfKey("cut");
    await truncate(cut.zkeyPath, (await readFile(cut.zkeyPath)).length - 100);
    await expect(prover.prove({ circuit: cut, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: expect.not.stringMatching(/^key-mismatch$/) },
    });
    const changed = await copyOfKey("changed");
    expect((await prover.prove({ circuit: changed, inputs })).backend).toBe("native");
    const bytes = await readFile(changed.zkeyPath);
    bytes[bytes.length - 200]! ^= 1;
    await writeFile(changed.zkeyPath, bytes);
    await expect(prover.prove({ circuit: changed, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
    const foreign = await copyOfKey("foreign");
    await copyFile(circuits.get(4)!.zkeyPath, foreign.zkeyPath);
    await expect(prover.prove({ circuit: foreign, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
  });

  test("a mapped key's proofs are the same bytes as a resident one's, whatever the pieces, and it says which it was", async () => {
    const circuit = circuits.get(600)!;
    const witness = await makeWitness();
    const [r, s] = [randomScalar(), randomScalar()];
    for (const path of paths) {
      const proofs: string[] = [];
      for (const pieceSize of [0, 1, 7, 256, 100_000]) {
        const { key } = await addon!.loadKey(circuit.zkeyPath, path, 3, pieceSize);
        const { proof } = await addon!.prove(key, witness, r, s, new Uint8Array(8));
        proofs.push(Buffer.from(proof).toString("hex"));
        addon!.releaseKey(key);
      }
      expect(new Set(proofs).size, path).toBe(1);
    }
    for (const keyMemory of ["resident", "mapped"] as const)
      expect((await createProver({ keyMemory }).prove({ circuit, witness })).keyMemory).toBe(keyMemory);
    expect((await createProver().prove({ circuit, witness })).keyMemory).toBe("resident");
  });

  test("a mapped key whose file changes is refused, with and without the check of keys in between", async () => {
    const circuit = await copyOfKey("mapped");
    const prover = createProver({ keyMemory: "mapped" });
    expect((await prover.prove({ circuit, inputs })).keyMemory).toBe("mapped");
    const { key } = await addon!.loadKey(circuit.zkeyPath, "auto", 1, 64);
    const bytes = await readFile(circuit.zkeyPath);
    bytes[bytes.length - 200]! ^= 1;
    await writeFile(circuit.zkeyPath, bytes);
    const proof = addon!.prove(key, await makeWitness(), randomScalar(), randomScalar(), new Uint8Array(8));
    await expect(proof).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      message: "it changed while it was in use",
    });
    await expect(prover.prove({ circuit, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
  });

  test("keeps as many keys as it may, and loads the others again", async () => {
    const prover = createProver({ maxKeyCount: 1 });
    for (const squareCount of [600, 4, 600])
      expect((await prover.prove({ circuit: circuits.get(squareCount)!, inputs })).publicSignals[1]).toBe(3n);
  });
});

describe.skipIf(addon === null)("loadKey", () => {
  test("refuses every truncation and foreign section size of a key by itself", async () => {
    const folder = await makeScratchFolder();
    try {
      const circuit = await developmentSetup(await compileSample(4), { cacheDir: folder });
      const bytes = await readFile(circuit.zkeyPath);
      const path = join(folder, "damaged.zkey");
      const damaged = [0, 3, 11, 12, 20, 30, 100, 400, 800, 2000, bytes.length - 80].map((size) =>
        bytes.subarray(0, size),
      );
      // Magic number, section count, each byte of the header's field and sizes.
      for (const at of [0, 8, 28, 40, 45, 76, 112, 116, 120, 123]) {
        const copy = Buffer.from(bytes);
        copy[at]! ^= 0xff;
        damaged.push(copy);
      }
      for (const [i, content] of damaged.entries()) {
        await writeFile(path, content);
        for (const pieceSize of [0, 64])
          await expect(addon!.loadKey(path, "portable", 1, pieceSize), `damage ${i}`).rejects.toMatchObject({
            code: "PRV_KEY_INVALID",
            message: expect.not.stringContaining("hash"),
          });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
