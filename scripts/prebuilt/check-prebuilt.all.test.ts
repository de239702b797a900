import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repositoryRoot } from "../../circuits/compiler/compile.ts";
import { checkCircuits, checkContracts } from "./check-prebuilt.ts";

// Compiles all again: about ten CPU minutes.
const timeoutMs = 3_600_000;
let cacheDir: string;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(repositoryRoot, ".cache/prebuilt-check-"));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

test("every prebuilt circuit is what circom makes of the sources, byte for byte", {
  timeout: timeoutMs,
}, async () => {
  expect(await checkCircuits(cacheDir, console.log)).toEqual([]);
});

test("all prebuilt contracts are what solc makes of the sources", { timeout: timeoutMs }, async () => {
  expect(await checkContracts(cacheDir, console.log)).toEqual([]);
});
