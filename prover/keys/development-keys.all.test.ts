/** Tests of development keys with sample circuits, checked by snarkjs. */
import { copyFile, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashKeyFile } from "../formats/zkey-file.ts";
import { expectKey, expectVerificationKey } from "../testing/development-key.fixtures.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { developmentSetup, developmentVerificationKey } from "./development-setup.ts";

const folder = await scratchFolder();

describe("developmentSetup", () => {
  // 2 public signals and the constant: 6 constraints would need a domain of 8 + 1.
  test.each([
    { squareCount: 3, domainSize: 8 },
    { squareCount: 4, domainSize: 16 },
  ])("makes a key for $squareCount squares whose proofs snarkjs accepts", ({ squareCount, domainSize }) =>
    expectKey(folder, squareCount, domainSize),
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
  test("is the whole key's, without it, and is kept: 4 squares", () => expectVerificationKey(folder, 4));

  test("takes no kept key where whoever verifies trusts none", async () => {
    const compiled = await compileSample(5);
    const cacheDir = join(folder, "planted");
    const right = await developmentVerificationKey(compiled, { cacheDir });
    const other = await developmentVerificationKey(await compileSample(3), { cacheDir });
    await copyFile(other.verificationKeyPath, right.verificationKeyPath);
    expect(await developmentVerificationKey(compiled, { cacheDir })).toMatchObject({
      verificationKey: other.verificationKey,
    });
    const again = await developmentVerificationKey(compiled, { cacheDir, trustsCachedKey: false });
    expect(again.verificationKey).toEqual(right.verificationKey);
  });
});
