import { copyFile, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { groth16, wtns } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashKeyFile, readZkeyHeader } from "../formats/zkey-file.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { compileSample, makeScratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { developmentSetup, developmentVerificationKey } from "./development-setup.ts";

let folder: string;
beforeAll(async () => {
  folder = await makeScratchFolder();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await (globalThis as { curve_bn128?: { terminate(): Promise<void> } }).curve_bn128?.terminate();
});

async function proveWithSnarkjs(circuit: ProvingCircuit, inputs: object) {
  const witness: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await wtns.calculate(inputs, circuit.wasmPath, witness);
  const keyPath = join(dirname(circuit.zkeyPath), "verification-key.json");
  const key = JSON.parse(await readFile(keyPath, "utf8")) as object;
  return { key, ...(await groth16.prove(circuit.zkeyPath, witness)) };
}

describe("developmentSetup", () => {
  // 2 public signals and the constant: 6 constraints would need a domain of 8 + 1.
  test.each([
    { squareCount: 1, domainSize: 8 },
    { squareCount: 3, domainSize: 8 },
    { squareCount: 4, domainSize: 16 },
    { squareCount: 600, domainSize: 1024 },
  ])(
    "makes a key for $squareCount squares whose proofs snarkjs accepts",
    async ({ squareCount, domainSize }) => {
      const circuit = await developmentSetup(await compileSample(squareCount), { cacheDir: folder });
      expect((await readZkeyHeader(circuit.zkeyPath)).domainSize).toBe(domainSize);
      const { key, proof, publicSignals } = await proveWithSnarkjs(circuit, { x: 3n, w: 5n });
      expect(await groth16.verify(key, publicSignals, proof)).toBe(true);
      const altered = [(BigInt(publicSignals[0]!) + 1n).toString(), publicSignals[1]!];
      expect(await groth16.verify(key, altered, proof)).toBe(false);
    },
  );

  test("makes the same bytes twice, whatever the number of workers", async () => {
    const compiled = await compileSample(600);
    const one = await developmentSetup(compiled, { cacheDir: join(folder, "one"), workerCount: 1 });
    const three = await developmentSetup(compiled, { cacheDir: join(folder, "three"), workerCount: 3 });
    expect(await hashKeyFile(three.zkeyPath)).toBe(await hashKeyFile(one.zkeyPath));
  });

  test("gives each circuit another delta, and says in name and description that the key is insecure", async () => {
    const small = await developmentSetup(await compileSample(3), { cacheDir: folder });
    const large = await developmentSetup(await compileSample(4), { cacheDir: folder });
    expect(small.verificationKey.delta).not.toEqual(large.verificationKey.delta);
    expect(small.verificationKey.beta).toEqual(large.verificationKey.beta);
    expect(small.zkeyPath).toMatch(/\.INSECURE-DEVELOPMENT\.zkey$/);
    expect(small.isDevelopment).toBe(true);
    const meta = JSON.parse(await readFile(join(dirname(small.zkeyPath), "meta.json"), "utf8")) as object;
    expect(meta).toMatchObject({ isDevelopment: true, contentHash: small.contentHash });
  });

  test("takes a key from the cache, and reports progress up to the total otherwise", async () => {
    const compiled = await compileSample(5);
    const stages = new Map<string, number>();
    const onProgress = (progress: { stage: string; done: number; total: number }) => {
      stages.set(progress.stage, progress.done / progress.total);
    };
    await developmentSetup(compiled, { cacheDir: folder, onProgress });
    expect([...stages]).toEqual([
      ["constraints", 1],
      ["points", 1],
      ["hash", 1],
    ]);
    stages.clear();
    await developmentSetup(compiled, { cacheDir: folder, onProgress });
    expect(stages.size).toBe(0);
  });
});

describe("developmentVerificationKey", () => {
  test.each([1, 4, 600])("is the whole key's, without it, and is kept: %i squares", async (squareCount) => {
    const compiled = await compileSample(squareCount);
    const cacheDir = join(folder, `verification-${squareCount}`);
    const alone = await developmentVerificationKey(compiled, { cacheDir });
    await expect(readFile(alone.zkeyPath)).rejects.toMatchObject({ code: "ENOENT" });
    const kept = await developmentVerificationKey(compiled, { cacheDir });
    const whole = await developmentSetup(compiled, { cacheDir });
    expect(alone.verificationKey).toEqual(whole.verificationKey);
    expect(kept.verificationKey).toEqual(whole.verificationKey);
    expect(alone.zkeyPath).toBe(whole.zkeyPath);
    const beside = await readFile(join(dirname(whole.zkeyPath), "verification-key.json"), "utf8");
    expect(await readFile(alone.verificationKeyPath, "utf8")).toBe(beside);
  });

  test("takes no kept key where whoever verifies trusts none", async () => {
    const compiled = await compileSample(5);
    const cacheDir = join(folder, "planted");
    const right = await developmentVerificationKey(compiled, { cacheDir });
    const other = await developmentVerificationKey(await compileSample(3), { cacheDir });
    await copyFile(other.verificationKeyPath, right.verificationKeyPath);
    expect(await developmentVerificationKey(compiled, { cacheDir })).toMatchObject({
      verificationKey: other.verificationKey,
    });
    const again = await developmentVerificationKey(compiled, { cacheDir, isKeptOneTrusted: false });
    expect(again.verificationKey).toEqual(right.verificationKey);
  });
});
