import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { afterAll, describe, expect, test } from "vitest";
import { developmentSetup } from "../keys/development-setup.ts";
import { ProofHelper } from "../proving/proof-helper.ts";
import { BackendWorld, inputs, testBackend } from "../testing/backend-suite.fixtures.ts";
import { findAddon, moduli, splitNumbers } from "../testing/oracle.fixtures.ts";
import { loadNativeAddon, type NativeKey } from "./native-addon.ts";
import { createNativeProver, type NativeProver, randomScalar } from "./native-backend.ts";

const { addon, paths } = findAddon();
const world = await BackendWorld.make();

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
  const provers: NativeProver[] = [];
  const createProver = (options: Parameters<typeof createNativeProver>[0] = {}) => {
    const prover = createNativeProver(options);
    provers.push(prover);
    return prover;
  };
  afterAll(() => Promise.all(provers.map((prover) => prover.close())));

  for (const path of paths)
    describe(path, () => {
      testBackend(world, "native", () => createNativeProver({ path }));

      test("is what ran", async () => {
        expect(await createProver({ path }).prove({ circuit: world.other, inputs })).toMatchObject({ path });
      });
    });

  test("proves on one thread and on three, from a witness file's bytes", async () => {
    for (const threadCount of [1, 3]) {
      const prover = createProver({ threadCount });
      const result = await prover.prove({ circuit: world.circuit, witness: await world.makeWitness() });
      expect(result.publicSignals[1]).toBe(3n);
      expect(result.phaseMs.sums).toBeGreaterThan(0);
    }
  });

  test("refuses inputs without a witness, inputs that are missing, and inputs that are no numbers", async () => {
    const prover = createProver();
    const { circuit } = world;
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
    const circuit = { ...world.circuit, wasmPath: join(world.folder, "nowhere.wasm") };
    await expect(createProver().prove({ circuit, inputs })).rejects.toMatchObject({
      code: "PRV_PROVE_FAILED",
    });
  });

  test("cancels the running job and those that wait, and proves the next one", async () => {
    const prover = createProver();
    const { circuit } = world;
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

  test("a mapped key's proofs are the same bytes as a resident one's, whatever the pieces, and it says which it was", async () => {
    const { circuit } = world;
    const witness = await world.makeWitness();
    const [r, s] = [randomScalar(), randomScalar()];
    for (const path of paths) {
      const proofs: string[] = [];
      for (const pieceSize of [0, 1, 7, 256, 100_000]) {
        const { key } = await addon!.loadKey(circuit.zkeyPath, path, 3, pieceSize);
        const { proof } = await addon!.prove(key, witness, r, s, new Uint8Array(32), new Uint8Array(8));
        proofs.push(Buffer.from(proof).toString("hex"));
        addon!.releaseKey(key);
      }
      expect(new Set(proofs).size, path).toBe(1);
    }
    for (const keyMemory of ["resident", "mapped"] as const)
      expect((await createProver({ keyMemory }).prove({ circuit, witness })).keyMemory).toBe(keyMemory);
    expect((await createProver().prove({ circuit, witness })).keyMemory).toBe("resident");
  });

  test("leaves r out only for a private wire that stands once in A and never in B, and no other input is touched", async () => {
    const mainSource = `pragma circom 2.1.6;
template Blinded() {
  signal input blinding; signal input onRight; signal input squared; signal input twice; signal input shown; signal input z;
  signal output y;
  signal one <== blinding * z; signal right <== z * onRight; signal square <== squared * squared;
  signal first <== twice * z; signal second <== twice * first; signal last <== shown * z;
  y <== square + second;
}
component main {public [z, shown]} = Blinded();
`;
    const circuit = await developmentSetup(await compileCircuit({ name: "sample-blinded", mainSource }), {
      cacheDir: world.folder,
    });
    const input = { blinding: 101n, onRight: 102n, squared: 103n, twice: 104n, shown: 105n, z: 106n };
    const prover = createProver();
    // Our own input of this name is its caller's in a circuit that is not composed: r stays.
    const proofs = [
      await prover.prove({ circuit, inputs: input }),
      await prover.prove({ circuit, inputs: input }),
    ];
    for (const { phaseMs } of proofs) expect(phaseMs.sumB1).toBeGreaterThan(0);
    expect(proofs[0]!.proof.a).not.toEqual(proofs[1]!.proof.a);
    const helper = new ProofHelper();
    const witness = await helper.witnessOf({ circuit, inputs: input });
    await helper.close();
    const number = (value: bigint) => {
      const bytes = new Uint8Array(32);
      bytes[0] = Number(value);
      return bytes;
    };
    for (const pieceSize of [0, 7]) {
      const { key } = await addon!.loadKey(circuit.zkeyPath, "auto", 2, pieceSize);
      const isLeftOut = async (ofWitness: bigint) => {
        const [r, s] = [randomScalar(), randomScalar()];
        const made = await addon!.prove(key, witness, r, s, number(ofWitness), new Uint8Array(8));
        return made.times.sumB1 === 0;
      };
      expect(await isLeftOut(input.blinding)).toBe(true);
      for (const other of [0n, input.onRight, input.squared, input.twice, input.shown, input.z, 99n])
        expect(await isLeftOut(other), String(other)).toBe(false);
      addon!.releaseKey(key);
    }
  });

  test("a mapped key whose file changes is refused, with and without the check of keys in between", async () => {
    const circuit = await world.copyOfKey("mapped");
    const prover = createProver({ keyMemory: "mapped" });
    expect((await prover.prove({ circuit, inputs })).keyMemory).toBe("mapped");
    const { key } = await addon!.loadKey(circuit.zkeyPath, "auto", 1, 64);
    const bytes = await readFile(circuit.zkeyPath);
    bytes[bytes.length - 200]! ^= 1;
    await writeFile(circuit.zkeyPath, bytes);
    const proof = addon!.prove(
      key,
      await world.makeWitness(),
      randomScalar(),
      randomScalar(),
      new Uint8Array(32),
      new Uint8Array(8),
    );
    await expect(proof).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      message: "it changed while it was in use",
    });
    await expect(prover.prove({ circuit, inputs })).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
  });

  test("a resident key has B in G1 from its first proof with r on, and refuses a file that changed before", async () => {
    const circuit = await world.copyOfKey("late");
    const witness = await world.makeWitness();
    const [r, s] = [randomScalar(), randomScalar()];
    const proveBy = (key: NativeKey) =>
      addon!.prove(key, witness, r, s, new Uint8Array(32), new Uint8Array(8));
    const load = async () => (await addon!.loadKey(circuit.zkeyPath, "auto", 1, 0)).key;
    const [early, late] = [await load(), await load()];
    const { proof } = await proveBy(early);
    const bytes = await readFile(circuit.zkeyPath);
    bytes[bytes.length - 200]! ^= 1;
    await writeFile(circuit.zkeyPath, bytes);
    for (let i = 0; i < 2; i++)
      await expect(proveBy(late)).rejects.toMatchObject({
        code: "PRV_KEY_INVALID",
        message: "it changed while it was in use",
      });
    expect((await proveBy(early)).proof).toEqual(proof);
  });

  test("keeps as many keys as it may, and loads the others again", async () => {
    const prover = createProver({ maxKeyCount: 1 });
    for (const circuit of [world.circuit, world.other, world.circuit])
      expect((await prover.prove({ circuit, inputs })).publicSignals[1]).toBe(3n);
  });
});

describe.skipIf(addon === null)("loadKey", () => {
  test("refuses every truncation and foreign section size of a key by itself", async () => {
    const bytes = await readFile(world.other.zkeyPath);
    const path = join(world.folder, "damaged.zkey");
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
  });
});
