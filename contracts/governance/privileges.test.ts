/** Holds the tables of privileges in docs/explanation/trust.md against every function of the contracts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Abi, Address, Hex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileContracts, contractsDir } from "../build/compile.ts";
import { type Fixture, startFixture } from "../testing/rollup-fixture.ts";

/** The contracts that a deployment consists of; the keys lie in one that has no code, and one without state reads headers. */
const DEPLOYED = ["Rollup", "OpenToken"] as const;
/** Opcodes by which a contract lets other code act for it, or ends. */
const FOREIGN_CODE: Readonly<Record<number, string>> = {
  242: "CALLCODE",
  244: "DELEGATECALL",
  255: "SELFDESTRUCT",
};
const PUSH1 = 0x60;
const PUSH32 = 0x7f;

const trustDoc = readFileSync(join(contractsDir, "../../docs/explanation/trust.md"), "utf8");

/** Cells of the rows of the docs' tables that begin with a name in backticks of this form. */
function documented(form: RegExp): string[] {
  return [...trustDoc.matchAll(/^\| `([^`]+)` \|/gm)].map((row) => row[1]!).filter((name) => form.test(name));
}

function writingFunctions(name: string, abi: Abi): string[] {
  return abi.flatMap((item) =>
    item.type === "function" && item.stateMutability !== "view" && item.stateMutability !== "pure"
      ? [`${name}.${item.name}`]
      : [],
  );
}

/** A row that ends with a star is about every function that begins so. */
function expectRows(rows: readonly string[], functions: readonly string[]): void {
  const covers = (row: string, name: string) =>
    row === name || (row.endsWith("*") && name.startsWith(row.slice(0, -1)));
  expect(functions.filter((name) => !rows.some((row) => covers(row, name)))).toEqual([]);
  expect(rows.filter((row) => !functions.some((name) => covers(row, name)))).toEqual([]);
}

/** Places in our sources that check the caller, as "File: function". */
function positionsThatAskWhoCalls(): string[] {
  const positions = new Set<string>();
  for (const file of readdirSync(contractsDir).filter((name) => name.endsWith(".sol"))) {
    let within = "";
    for (const line of readFileSync(join(contractsDir, file), "utf8").split("\n")) {
      within =
        /^\s*(?:function|modifier) (\w+)|^\s*(constructor)\b/.exec(line)?.slice(1).find(Boolean) ?? within;
      const code = line.replace(/\/\/.*$/, "");
      if (/\b(msg\.sender|tx\.origin|_msgSender|caller\(\)|origin\(\))/.test(code)) {
        positions.add(`${file}: ${within}`);
      }
    }
  }
  return [...positions].sort();
}

/** Opcodes of `code` that are in FOREIGN_CODE. Operands of PUSH are data. */
function foreignCode(code: Hex): string[] {
  const bytes = Buffer.from(code.slice(2), "hex");
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const opcode = bytes[at]!;
    const name = FOREIGN_CODE[opcode];
    if (name !== undefined) found.push(name);
    if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH1 + 1;
  }
  return found;
}

describe("privileges", () => {
  it("has a row in docs/explanation/trust.md for every function that writes, and no row for one that is not there", async () => {
    const contracts = await compileContracts();
    const functions = DEPLOYED.flatMap((name) => writingFunctions(name, contracts[name]!.abi));
    expect(functions).toContain("Rollup.submitBatches");
    expectRows(documented(/^(Rollup|OpenToken)\.\w+\*?$/), functions);
  });

  it.each(["governance", "bond"] as const)(
    "has a row with its test for every function of %s that writes, and none for one that is not there",
    async (set) => {
      const contracts = Object.entries(await compileContracts({ set }));
      // Abstract ones have no code; the token is the rollup's.
      const deployed = contracts.filter(([name, { bytecode }]) => bytecode !== "0x" && name !== "OpenToken");
      const functions = [...new Set(deployed.flatMap(([, { abi }]) => writingFunctions(set, abi)))];
      expect(functions.length).toBeGreaterThan(2);
      const rows = documented(new RegExp(`^${set}\\.\\w+\\*?$`));
      expectRows(rows, functions);
      for (const row of rows)
        expect(trustDoc.split(`\n| \`${row}\` |`)[1]).toMatch(/^.* \| `[\w./-]+\.test\.ts` \|\n/);
    },
  );

  it("has a row in docs/explanation/trust.md for every place that asks who calls", () => {
    expect(positionsThatAskWhoCalls()).toContain("Rollup.sol: submitBatches");
    expect(documented(/^\w+\.sol: \w+$/).sort()).toEqual(positionsThatAskWhoCalls());
  });

  it("knows no owner, role, pause, upgrade or mint, under any of the usual names", async () => {
    const contracts = await compileContracts();
    const names = DEPLOYED.flatMap((name) =>
      contracts[name]!.abi.flatMap((item) => (item.type === "function" ? [item.name] : [])),
    );
    expect(
      names.filter((name) => /^(owner|admin|pause|unpause|mint|upgrade|set[A-Z]|grant|renounce)/i.test(name)),
    ).toEqual([]);
  });
});

describe("deployed code", () => {
  let fixture: Fixture & { stop(): Promise<void> };
  beforeAll(async () => {
    fixture = await startFixture();
  });
  afterAll(() => fixture.stop());

  it("finds a delegated call where there is one", () => {
    expect(foreignCode("0x6001f4")).toEqual(["DELEGATECALL"]);
    expect(foreignCode("0x61f4f400")).toEqual([]);
  });

  it("runs no code but its own, and cannot be removed", async () => {
    for (const address of [fixture.deployment.rollup, fixture.deployment.token] satisfies Address[]) {
      const code = await fixture.client.getCode({ address });
      expect(code!.length).toBeGreaterThan(2_000);
      expect(foreignCode(code!)).toEqual([]);
    }
  });
});
