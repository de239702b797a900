/** Tests of the templates that the circuits of sharded settlements share: lists of shards and their link. */
import { beforeAll, describe, expect, it } from "vitest";
import { templatePath } from "../../compiler/template-files.ts";
import { hashTagged, initPoseidon } from "../../field/poseidon.ts";
import { ownersCommitment, shardOwners } from "../../ledger/rewards.ts";
import { TAG } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { inSlots } from "../../testing/settlement/shard-epochs.ts";
import { shardFeatures } from "../feature-commitment.ts";
import { padded } from "../settled-model.ts";
import { type ShardTerms, shardLink } from "./shard-link.ts";

const compile = async (file: string, template: string) => {
  const tester = await CircuitTester.compile(
    `${file}-${template.replace(/\W+/g, "-")}test`,
    `pragma circom 2.1.6;\ninclude "${templatePath(file)}";\ncomponent main = ${template};\n`,
  );
  expect(tester.constraintCount, template).toBe(recordedCount(template));
  return tester;
};

beforeAll(initPoseidon);

describe("the parts of settlements in shards", () => {
  it("list owners and rows of one to eight shards", async () => {
    const tester = await compile("shard-lists", "ShardOwners(8)");
    for (const shardCount of [1, 2, 5, 8]) {
      const shards = Array.from({ length: shardCount }, (_, s) => [s + 1, 2 ** 31]);
      const witness = await tester.calculateWitness({
        present: padded(Array<bigint>(shardCount).fill(1n), 8),
        rowTotals: padded(
          shards.map(([few, many]) => BigInt(few! + many!)),
          8,
        ),
        owners: padded(shards.map(shardOwners), 8),
      });
      expect(tester.readOutput(witness, "ownersCommitment")).toBe(ownersCommitment(inSlots(shards)));
      expect(tester.readOutput(witness, "shardCount")).toBe(BigInt(shardCount));
      const rows = shards.flat().reduce((sum, count) => sum + count, 0);
      expect(tester.readOutput(witness, "rowTotal")).toBe(BigInt(rows));
      expect(tester.tamper(witness)).toEqual([]);
    }
  });

  it("list features, and a list is no one's own commitment", async () => {
    const tester = await compile("shard-lists", "ShardFeatures(3)");
    for (const features of [
      [5n, 6n],
      [5n, 6n, 7n],
    ]) {
      const witness = await tester.calculateWitness({
        present: padded(
          features.map(() => 1n),
          3,
        ),
        shardCount: features.length,
        features: padded(features, 3),
      });
      expect(tester.readOutput(witness, "featuresCommitment")).toBe(shardFeatures(features));
    }
    expect(shardFeatures([5n])).toBe(5n);
    const listed = [2n, 5n, 6n, ...Array<bigint>(13).fill(0n)];
    expect(shardFeatures([5n, 6n])).toBe(hashTagged(TAG.shardFeatures, listed));
    expect(shardFeatures([5n, 6n])).not.toBe(hashTagged(TAG.features, [5n, 6n]));
  });

  it("hash all terms of a shard", async () => {
    const tester = await compile("shard-link", "ShardLink(4)");
    const draws = [1n, 2n, 3n, 4n].map((k) => ({
      isValid: k !== 2n,
      queryCommitment: 10n * k,
      positiveTotal: 10n * k + 1n,
      rewardPerUnit: 10n * k + 2n,
    }));
    const terms: ShardTerms = {
      featuresCommitment: 1n,
      ownersCommitment: 2n,
      oldSubroot: 3n,
      newSubroot: 4n,
      earnedWei: 5n,
      quantumWei: 6n,
      evenReward: 7n,
      draws,
    };
    const witness = await tester.calculateWitness({
      featuresCommitment: 1n,
      ownersCommitment: 2n,
      oldSubroot: 3n,
      newSubroot: 4n,
      earnedSum: 5n,
      quantum: 6n,
      muEven: 7n,
      queryCommitment: draws.map((draw) => draw.queryCommitment),
      positiveTotal: draws.map((draw) => draw.positiveTotal),
      mu: draws.map((draw) => draw.rewardPerUnit),
      isValid: draws.map((draw) => draw.isValid),
    });
    expect(tester.readOutput(witness, "link")).toBe(shardLink(terms));
    const order = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 10n, 11n, 12n, 0n, 0n, 22n, 30n, 31n];
    const first = hashTagged(TAG.shardLink, [4n + (0b1101n << 8n), ...order]);
    const rest = [32n, 40n, 41n, 42n, ...Array<bigint>(11).fill(0n)];
    expect(shardLink(terms)).toBe(hashTagged(TAG.shardLink, [first, ...rest]));
  });
});
