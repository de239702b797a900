/** Tests of the templates that the exit circuits share: PathRead8, Pick, DefaultEarned and others. */
import { beforeAll, describe, expect, it } from "vitest";
import { templatePath } from "../compiler/template-files.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { initPoseidon } from "../field/poseidon.ts";
import { hashStatics, packBinding } from "../ledger/leaf.ts";
import { LedgerTree } from "../ledger/ledger-tree.ts";
import { packSplit } from "../ledger/rewards.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { SeededNumbers } from "../testing/settlement/settlement-world.ts";
import { earnedByDefault, exitStatement } from "./exit-statement.ts";

async function load(label: string, file: string): Promise<CircuitTester> {
  const name = label.replace(/[^A-Za-z0-9]+/g, "-").toLowerCase();
  const source = `pragma circom 2.1.6;\ninclude "${templatePath(file)}";\ncomponent main = ${label};\n`;
  const tester = await CircuitTester.compile(name, source);
  expect(tester.constraintCount).toBe(recordedCount(label));
  return tester;
}
const expectRefused = (tester: CircuitTester, inputs: CircuitInputs, message: string) =>
  expect(tester.calculateWitness(inputs), message).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });

const numbers = new SeededNumbers(41);
const digits = (value: number, count: number) =>
  Array.from({ length: count }, (_, i) => (BigInt(value) >> BigInt(i)) & 1n);

beforeAll(initPoseidon);

describe("PathRead8", () => {
  it("gives the root of every leaf of a tree, and refuses another child", async () => {
    const tester = await load("PathRead8(2, 2)", "path-read");
    const tree = new LedgerTree(2);
    for (const id of [0, 1, 7, 8, 62, 63]) tree.update(id, 1000n + BigInt(id));
    for (const id of [0, 7, 8, 63]) {
      const inputs = { idBits: digits(id, 6), leaf: 1000n + BigInt(id), children: tree.path(id) };
      const witness = await tester.calculateWitness(inputs);
      expect(tester.readOutput(witness, "root")).toBe(tree.root);
      expect(tester.tamper(witness)).toEqual([]);
      await expectRefused(tester, { ...inputs, leaf: 5n }, "another leaf");
      await expectRefused(tester, { ...inputs, idBits: digits(id ^ 8, 6) }, "another place");
    }
  });
});

describe("Pick", () => {
  it("reads every place, and 0 behind the last", async () => {
    for (const [count, bitCount] of [
      [1, 9],
      [5, 9],
      [512, 9],
      [8, 3],
    ] as const) {
      const tester = await load(`Pick(${count}, ${bitCount})`, "payee-exit");
      const values = Array.from({ length: count }, () => 1n + numbers.bits(250));
      for (const index of [0, 1, 2, 3, 4, 5, 6, 7, 255, 256, 510, 511]) {
        if (index >= 2 ** bitCount) continue;
        const witness = await tester.calculateWitness({ values, bits: digits(index, bitCount) });
        expect(tester.readOutput(witness, "out"), `${index} of ${count}`).toBe(values[index] ?? 0n);
        expect(tester.tamper(witness)).toEqual([]);
      }
    }
  });
});

describe("DefaultEarned", () => {
  const staticsOf = (rowTotal: bigint, ownerParts: bigint) => ({
    featuresCommitment: 0n,
    ownersCommitment: 0n,
    payeeRoot: 0n,
    binding: packBinding({
      datanetId: 0n,
      version: 1n,
      rowCount: rowTotal,
      predecessorId: 0n,
      drawBits: 0n,
      featureCount: 4n,
    }),
    split: packSplit({ ownerParts, validatorParts: 0n }),
  });
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await load("DefaultEarned()", "default-earned");
  });

  it("equals the rules, and no other quotient or remainder passes", async () => {
    const max = 2n ** 96n - 1n;
    for (const [amount, ownerParts, rowTotal, rowCount] of [
      [0n, 0n, 1n, 1],
      [1n, 62_259n, 1n, 1],
      [max, 0n, 1n, 1],
      [max, 62_259n, 2n ** 32n - 1n, 2 ** 32 - 1],
      [max, 5n, 2n ** 32n - 1n, 1],
      [numbers.bits(90), 20_000n, 3n, 0],
      [numbers.bits(90), 20_000n, 1_000_003n, 4_711],
    ] as const) {
      const witness = await tester.calculateWitness({ amount, ownerParts, rowTotal, rowCount });
      const statics = staticsOf(rowTotal, ownerParts);
      expect(hashStatics(statics)).toBeGreaterThan(0n);
      expect(tester.readOutput(witness, "earned")).toBe(earnedByDefault(statics, rowCount, amount));
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(tester.tamper(witness)).toEqual([]);
    }
  });

  it("refuses an amount of 97 bits and no rows", async () => {
    const inputs = { amount: 2n ** 96n - 1n, ownerParts: 0n, rowTotal: 2n, rowCount: 1n };
    await tester.calculateWitness(inputs);
    await expectRefused(tester, { ...inputs, amount: 2n ** 96n }, "97 bits");
    await expectRefused(tester, { ...inputs, rowTotal: 0n, rowCount: 0n }, "no rows");
  });

  it("refuses quotients that are off by one with the remainders that would fit", async () => {
    const inputs = { amount: 10n ** 18n, ownerParts: 7n, rowTotal: 1_000n, rowCount: 333n };
    const witness = await tester.calculateWitness(inputs);
    const read = (signal: string) => tester.readSignal(witness, `main.${signal}`);
    const lower = tester.forge(witness, { "main.mu": read("mu") - 1n, "main.rest": read("rest") + 1_000n });
    expect(tester.checkConstraints(lower)).not.toBeNull();
    const higher = tester.forge(witness, { "main.earned": read("earned") + 1n });
    expect(tester.checkConstraints(higher)).not.toBeNull();
  });
});

describe("ExitStatement", () => {
  it("has C and y of the model", async () => {
    const tester = await load("ExitStatement()", "exit-statement");
    const data = {
      root: numbers.bits(250),
      key: 7n,
      recipient: numbers.bits(160),
      amountWei: numbers.bits(96),
    };
    const { commitment, y, z } = exitStatement(data, 5n);
    const witness = await tester.calculateWitness({ ...data, z });
    expect(tester.readOutput(witness, "commitment")).toBe(commitment);
    expect(tester.readOutput(witness, "y")).toBe(y);
    expect(tester.tamper(witness)).toEqual([]);
  });
});
