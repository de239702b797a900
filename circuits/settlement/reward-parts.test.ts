/** Tests of the templates of payees and rewards that the settlement circuits share. */
import { partOf } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import { templatePath, templateSource } from "../compiler/template-files.ts";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { hashStatics, packBinding } from "../ledger/leaf.ts";
import { accruedRoot, accruedSubroots, ownersCommitment, packSplit, payeeLeaf } from "../ledger/rewards.ts";
import { BINDING, TAG } from "../protocol.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { SeededNumbers } from "../testing/settlement/settlement-world.ts";

const compile = (file: string, template: string) =>
  CircuitTester.compile(
    `${file}-${template.replace(/\W+/g, "-")}test`,
    `pragma circom 2.1.6;\ninclude "${templatePath(file)}";\ncomponent main = ${template};\n`,
  );
const refuses = (promise: Promise<unknown>, message: string) =>
  expect(promise, message).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });
const padded = <T>(values: readonly T[], length: number, zero: T) =>
  Array.from({ length }, (_, i) => values[i] ?? zero);

beforeAll(initPoseidon);

describe("Payees", () => {
  const payees = 32;
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await compile("payees", `Payees(${payees})`);
  });
  const inputsOf = (counts: readonly number[], present = counts.map(() => 1)) => ({
    present: padded(present, payees, 0),
    rowCounts: padded(counts, payees, 0),
  });

  it("equals the rules for every number of payees", async () => {
    expect(tester.constraintCount).toBe(recordedCount(`Payees(${payees})`));
    const numbers = new SeededNumbers(4);
    for (let payeeCount = 1; payeeCount <= payees; payeeCount++) {
      const counts = Array.from({ length: payeeCount }, () => 1 + numbers.below(2 ** 31));
      const witness = await tester.calculateWitness(inputsOf(counts));
      expect(tester.readOutput(witness, "payeeCount")).toBe(BigInt(payeeCount));
      expect(tester.readOutput(witness, "rowTotal")).toBe(BigInt(counts.reduce((sum, n) => sum + n, 0)));
      expect(tester.readOutput(witness, "ownersCommitment"), `${payeeCount}`).toBe(ownersCommitment(counts));
    }
  });

  it("has no wire that could hold another value", async () => {
    for (const payeeCount of [3, 15, 16, 32]) {
      const witness = await tester.calculateWitness(inputsOf(Array(payeeCount).fill(7)));
      expect(tester.tamper(witness), `${payeeCount} payees`).toEqual([]);
    }
  });

  it("refuses no payee, a gap, a flag that is no bit, and rows of an absent payee", async () => {
    await tester.calculateWitness(inputsOf([4, 5]));
    await refuses(tester.calculateWitness(inputsOf([])), "no payee");
    await refuses(tester.calculateWitness(inputsOf([4, 0, 5], [1, 0, 1])), "a gap");
    await refuses(tester.calculateWitness(inputsOf([4, 5], [1, 2])), "no bit");
    await refuses(tester.calculateWitness(inputsOf([4, 5], [1])), "rows without payee");
  });
});

describe("RewardsSubtree", () => {
  it.each(partOf([1, 9, 16, 72], 2))("equals the rules for %i payees", async (payees) => {
    const tester = await compile("rewards-tree", `RewardsSubtree(${payees})`);
    const nodes = Math.ceil(payees / 8) + Math.ceil(payees / 64) + 1;
    expect(tester.constraintCount).toBe(804 * nodes);
    const numbers = new SeededNumbers(payees);
    const owners = Array.from({ length: payees }, () => ({
      contributorId: numbers.below(2 ** 24),
      validatorId: numbers.below(2 ** 24),
    }));
    for (const present of new Set([1, Math.ceil(payees / 2), payees])) {
      const before = Array.from({ length: present }, () => numbers.bits(119));
      const earned = Array.from({ length: present }, () => numbers.bits(96));
      const some = owners.slice(0, present);
      const witness = await tester.calculateWitness({
        leaf: padded(
          some.map((owner, m) => payeeLeaf(owner, before[m]!)),
          payees,
          0n,
        ),
        earned: padded(earned, payees, 0n),
      });
      expect(tester.readOutput(witness, "oldRoot")).toBe(accruedSubroots(some, before)[0]);
      const after = before.map((wei, m) => wei + earned[m]!);
      expect(tester.readOutput(witness, "newRoot")).toBe(accruedSubroots(some, after)[0]);
      if (payees <= 16) expect(tester.tamper(witness)).toEqual([]);
    }
  });
});

describe("RewardsTop", () => {
  it.each(partOf([1, 3, 8], 2))("equals the rules for %i shards", async (shards) => {
    const tester = await compile("rewards-tree", `RewardsTop(${shards})`);
    expect(tester.constraintCount).toBe(804);
    const payees = Array.from({ length: 512 * (shards - 1) + 2 }, (_, m) => ({
      contributorId: m,
      validatorId: 7,
    }));
    const [before, after] = [payees.map(() => 5n), payees.map((_, m) => 5n + BigInt(m))] as const;
    const [oldSubroot, newSubroot] = [before, after].map((wei) =>
      accruedSubroots(payees, wei).slice(0, shards),
    ) as [bigint[], bigint[]];
    const witness = await tester.calculateWitness({ oldSubroot, newSubroot });
    expect(tester.readOutput(witness, "oldRoot")).toBe(accruedRoot(payees, before));
    expect(tester.readOutput(witness, "newRoot")).toBe(accruedRoot(payees, after));
  });

  it("knows the hashes of empty subtrees", () => {
    const source = templateSource("rewards-tree");
    const constants = /var empty\[4\] = \[([^\]]+)\]/
      .exec(source)![1]!
      .split(",")
      .map((text) => BigInt(text));
    const above = (node: bigint) => hashTagged(TAG.payeeNode, Array<bigint>(8).fill(node));
    expect(constants).toEqual([0n, above(0n), above(above(0n)), above(above(above(0n)))]);
  });
});

describe("ModelStatics", () => {
  it("equals the rules and refuses fields that run into their neighbours", async () => {
    const tester = await compile("model-statics", "ModelStatics()");
    expect(tester.constraintCount).toBe(recordedCount("ModelStatics()"));
    const opening = {
      datanetId: 3n,
      version: 2n ** 32n - 1n,
      rowCount: 2n ** 32n - 1n,
      predecessorId: 9n,
      drawBits: 7n,
      featureCount: 2n ** 12n - 1n,
      furtherDatanets: [4, 2 ** 24 - 1, 6, 7, 2 ** 24 - 1],
    };
    const inputs = {
      featuresCommitment: 11n,
      ownersCommitment: 12n,
      payeeRoot: 13n,
      rowTotal: opening.rowCount,
      origin: opening.datanetId | (opening.version << 24n),
      predecessor: opening.predecessorId,
      shape: opening.drawBits | (opening.featureCount << 3n),
      further: packBinding(opening) >> BINDING.further,
      ownerParts: 40_000n,
      validatorParts: 65_535n,
    };
    const witness = await tester.calculateWitness(inputs);
    const { featuresCommitment, ownersCommitment: owners, payeeRoot } = inputs;
    const binding = packBinding(opening);
    const split = packSplit({ ownerParts: 40_000n, validatorParts: 65_535n });
    const statics = { featuresCommitment, ownersCommitment: owners, payeeRoot, binding, split };
    expect(tester.readOutput(witness, "statics")).toBe(hashStatics(statics));
    expect(tester.tamper(witness)).toEqual([]);
    // Each moves one unit between neighbours: the packed value, and so the hash, stays the same.
    const moved = [
      { origin: inputs.origin + 2n ** 56n, rowTotal: inputs.rowTotal - 1n },
      { rowTotal: inputs.rowTotal + 2n ** 32n, predecessor: inputs.predecessor - 1n },
      { predecessor: inputs.predecessor + 2n ** 24n, shape: inputs.shape - 1n },
      { ownerParts: inputs.ownerParts + 2n ** 16n, validatorParts: inputs.validatorParts - 1n },
      { ownerParts: inputs.ownerParts - 2n ** 16n, validatorParts: inputs.validatorParts + 1n },
    ];
    for (const change of moved)
      await refuses(tester.calculateWitness({ ...inputs, ...change }), `${Object.keys(change)}`);
  });
});
