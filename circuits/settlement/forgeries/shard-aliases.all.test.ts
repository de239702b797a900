/**
 * Choices that a prover of a sharded settlement's proofs may try once z is known: every input and wire alone,
 * and aliases.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { shardCircuitSpec, shardedCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { freeInputs, type InputWidths, looseWires } from "../../testing/forgeries/alias-check.ts";
import { statedInputs, statedProof } from "../../testing/settlement/settlement-world.ts";
import {
  DIRECT_SETTLING_SIZE,
  directShardedEpochOf,
  SETTLING_SIZE,
  shardedEpochOf,
} from "../../testing/settlement/shard-epochs.ts";
import { settleShards } from "../shards/settle-shards.ts";

const SHIFTS = [24, 32, 40, 64, 96];
const WIDTHS: InputWidths = {
  modelId: [24],
  epoch: [24, 24],
  closingBatch: [40, 24, 48],
  amount: [96, 24],
  origin: [56],
  predecessor: [24, 88],
  further: [120, 127],
  ownerParts: [16],
  validatorParts: [16, 16],
  shardPresent: [1],
  shardRows: [32, 32, 64, 96],
  present: [1],
  active: [1],
  isValid: [1, 8, 128],
  earned: [40, 40, 48],
  remainder: [40, 80],
  hits: [2],
  queryBytes: [8],
  answeredClass: [1, 16],
};
/** Epoch of two shards out of three; draw 0 is void; a row, a payee's place and a payment are absent. */
const settledOf = () =>
  settleShards(
    shardedEpochOf(
      [
        [2, 1],
        [1, 1],
      ],
      {
        seed: 6,
        amountsWei: [10n ** 18n, 10n ** 18n],
        query: (i) => (i === 0 ? null : Int16Array.of(1, -3, 5)),
      },
    ),
  );

beforeAll(initPoseidon);

describe("under the honest z", { timeout: 300_000 }, () => {
  it("a prover of the draws chooses an absent payment and a void draw's opening, nothing else", async () => {
    const tester = await CircuitTester.compileSpec(shardedCircuitSpec(SETTLING_SIZE));
    const { inputs } = statedInputs(settledOf());
    const free = await freeInputs(tester, inputs, WIDTHS);
    expect(free.sort()).toEqual([
      "answerHash.0",
      "packed.2",
      "queryCommitment.0",
      "receipt.2",
      "salt.0",
      "shardPositive.0.0",
      "shardPositive.1.0",
    ]);
    const witness = await tester.calculateWitness(inputs);
    const loose = looseWires(tester, witness, SHIFTS);
    expect(loose.filter((signal) => !signal.endsWith(".equal.inverse"))).toEqual([]);
  });

  it("a prover of a shard chooses hints of scores, nothing else", async () => {
    const tester = await CircuitTester.compileSpec(shardCircuitSpec(SETTLING_SIZE));
    const { inputs } = statedProof(settledOf().shards[1]!);
    const free = await freeInputs(tester, inputs, WIDTHS);
    expect(free.filter((name) => !/^(scores|blindScore)\./.test(name))).toEqual([]);
    const witness = await tester.calculateWitness(inputs);
    expect(looseWires(tester, witness, SHIFTS)).toEqual([]);
  });

  it("nor does a prover of a direct model's shard", async () => {
    const tester = await CircuitTester.compileSpec(shardCircuitSpec(DIRECT_SETTLING_SIZE));
    // Draw 0 is void, draw 1 has no positive score.
    const options = {
      seed: 6,
      amountsWei: [10n ** 18n, 10n ** 18n],
      entry: (row: number) => (row === 5 ? 1 : 2),
      terms: (payment: number) => (payment === 0 ? null : [3, 3, 9]),
    };
    const settled = settleShards(directShardedEpochOf([[2, 1], [2]], options));
    expect(settled.draws.map(({ isEven }) => isEven)).toEqual([false, true]);
    const { inputs } = statedProof(settled.shards[1]!);
    const free = await freeInputs(tester, inputs, WIDTHS);
    expect(free.filter((name) => !/^(scores|blindScore|logitDigits)\./.test(name))).toEqual([]);
    const witness = await tester.calculateWitness(inputs);
    expect(looseWires(tester, witness, SHIFTS)).toEqual([]);
  });
});
