/** Requires that prebuilt circuits, contracts and kernels of models belong to today's sources. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  CONTRACT_SETS,
  compilerInput,
  prebuiltContractsDir,
  prebuiltContractsPath,
} from "@openledger/contracts/build/compile";
import { expect, test, vi } from "vitest";
import { checkKernels, hashSources, kernelSources, readRecord } from "./model-kernels.ts";
import { prebuiltCircuits, startCircuits } from "./prebuilt-circuits.ts";

const renew = "run npx tsx scripts/prebuild.ts";

test("prebuilt circuits are those that npm start needs, of today's sources, and no test's", () => {
  const there = prebuiltCircuits();
  const needed = [...startCircuits().keys()].map((path) => basename(path));
  expect(there.map(({ path }) => basename(path)).sort(), renew).toEqual(needed.sort());
  expect(
    there.filter(({ isCurrent }) => !isCurrent).map(({ header }) => header.name),
    renew,
  ).toEqual([]);
  const symbolsOf = new Map(there.map(({ header, path }) => [path, header.sym !== undefined]));
  const missing = [...startCircuits()].filter(
    ([path, { keepSym = false }]) => !(symbolsOf.get(path) ?? false) && (keepSym || !symbolsOf.has(path)),
  );
  expect(
    missing.map(([path]) => basename(path)),
    renew,
  ).toEqual([]);
});

test("prebuilt contracts are those of today's sources", async () => {
  const inputs = await Promise.all(CONTRACT_SETS.map((set) => compilerInput(set)));
  const expected = CONTRACT_SETS.map((set, i) =>
    basename(prebuiltContractsPath(set, inputs[i]!.contentHash)),
  );
  expect(readdirSync(prebuiltContractsDir).sort(), renew).toEqual(expected.sort());
});

test("prebuilt kernels of models are those of today's sources", () => {
  expect(readRecord().sources, renew).toBe(hashSources());
  // A change of any header makes them stale.
  expect(kernelSources().map((path) => basename(path))).toEqual([
    "wasm.cpp",
    "lane-kernels.h",
    "kernel-table.h",
    "lanes.h",
    "serving-kernels.h",
    "block-kernels.h",
    "pair-kernels.h",
  ]);
});

test("a check of the kernels names the compiler that is missing, and that nothing was compiled", () => {
  const folder = mkdtempSync(join(tmpdir(), "no-compiler-"));
  try {
    vi.stubEnv("PATH", folder);
    const lines: string[] = [];
    expect(checkKernels((line) => lines.push(line))).toEqual([]);
    expect(lines).toEqual([
      expect.stringContaining("NOT compiled, only hashes compared: there is no wasm-ld-16"),
    ]);
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});
