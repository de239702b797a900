/** Requires that prebuilt circuits and contracts belong to today's sources. */
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import {
  CONTRACT_SETS,
  compilerInput,
  prebuiltContractsDir,
  prebuiltContractsPath,
} from "@openledger/contracts/build/compile";
import { expect, test } from "vitest";
import { prebuiltCircuits, startCircuits } from "./prebuilt-circuits.ts";

const renew = "run npx tsx scripts/prebuild.ts";

test("prebuilt circuits are those of today's sources, and npm start needs no other", () => {
  const there = prebuiltCircuits();
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
  const wanted = CONTRACT_SETS.map((set, i) => basename(prebuiltContractsPath(set, inputs[i]!.contentHash)));
  expect(readdirSync(prebuiltContractsDir).sort(), renew).toEqual(wanted.sort());
});
