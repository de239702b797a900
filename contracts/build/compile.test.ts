import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wholeTest } from "@openledger/foundation/testing/whole-run";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { preconfirmationBondImmutables } from "../bond/bond-abi.ts";
import { CONTRACT_SETS, compileContracts, contractsDir, pickContract } from "./compile.ts";
import {
  abiPath,
  bondAbiPath,
  governanceAbiPath,
  renderAbi,
  renderBondAbi,
  renderGovernanceAbi,
  renderUserAbi,
  userAbiPath,
} from "./generate-abi.ts";

/** EIP-170. */
const MAX_CODE_SIZE_BYTES = 24_576;
/** Bytes that a fix may add to any of the contracts. */
const ROOM_BYTES = 1_000;

const defaultCacheDir = join(contractsDir, "../../.cache/contracts");

let cacheDir: string;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "compile-test-"));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

describe("compileContracts", () => {
  test("takes what is in the cache under the hash of all sources", async () => {
    await compileContracts();
    // Nothing but a cache would answer with this.
    const planted = { Planted: { abi: [], bytecode: "0x", codeSizeBytes: 0 } };
    for (const name of await readdir(defaultCacheDir))
      await writeFile(join(cacheDir, name), JSON.stringify(planted));
    expect(await compileContracts({ cacheDir })).toEqual(planted);
  });

  test("makes contracts that a chain takes, with room for a mend", async () => {
    for (const set of CONTRACT_SETS)
      for (const [name, { codeSizeBytes }] of Object.entries(await compileContracts({ set })))
        expect(codeSizeBytes, name).toBeLessThanOrEqual(MAX_CODE_SIZE_BYTES - ROOM_BYTES);
  });
});

describe("pickContract", () => {
  test("refuses a name that no contract has", async () => {
    const contracts = await compileContracts();
    expect(() => pickContract(contracts, "Rolup")).toThrow(
      expect.objectContaining({
        code: "CON_COMPILE_FAILED",
        data: expect.objectContaining({ reason: "contract-unknown" }),
      }),
    );
  });
});

describe("bond-abi.ts", () => {
  test("is what npx tsx contracts/build/generate-abi.ts writes, with the code's places for immutables", async () => {
    expect(await readFile(bondAbiPath, "utf8")).toBe(await renderBondAbi(preconfirmationBondImmutables));
    const { bytecode, codeSizeBytes } = pickContract(
      await compileContracts({ set: "bond" }),
      "PreconfirmationBond",
    );
    const code = Buffer.from(bytecode.slice(-2 * codeSizeBytes), "hex");
    const places: number[] = [];
    const isPush = (at: number) => code[at]! >= 0x60 && code[at]! <= 0x7f;
    for (let at = 0; at < code.length; at += isPush(at) ? code[at]! - 0x5e : 1)
      if (code[at] === 0x7f && code.subarray(at + 1, at + 33).every((byte) => byte === 0))
        places.push(at + 1);
    expect(places).toEqual(
      Object.values(preconfirmationBondImmutables)
        .flat()
        .sort((a, b) => a - b),
    );
  });

  wholeTest("has the compiler's places for each immutable", async () => {
    expect(await readFile(bondAbiPath, "utf8")).toBe(await renderBondAbi());
  });
});

describe("governance-abi.ts", () => {
  test("is what npx tsx contracts/build/generate-abi.ts writes", async () => {
    expect(await readFile(governanceAbiPath, "utf8")).toBe(await renderGovernanceAbi());
  });
});

describe("rollup-abi.ts", () => {
  test("is what npx tsx contracts/build/generate-abi.ts writes", async () => {
    expect(await readFile(abiPath, "utf8")).toBe(await renderAbi());
    expect(await readFile(userAbiPath, "utf8")).toBe(await renderUserAbi());
  });
});
