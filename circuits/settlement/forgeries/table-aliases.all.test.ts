/**
 * Choices that a prover of a payee table or of an exit may try once z is known: every input and wire alone,
 * and aliases.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { leafExit, payeeExit } from "../../exit/exit-statement.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import {
  leafExitCircuitSpec,
  payeeExitCircuitSpec,
  payeeTableCircuitSpec,
} from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { exitInputs, exitWorld, MODEL_ID } from "../../testing/exit-world.ts";
import { freeInputs, type InputWidths, looseWires } from "../../testing/forgeries/alias-check.ts";
import { statedInputs } from "../../testing/settlement/settlement-world.ts";
import { shardedEpochOf } from "../../testing/settlement/shard-epochs.ts";
import { activationOf, defaultSplit } from "../payee-table-rules.ts";

const PAYEES = 4;
const SHIFTS = [24, 40, 96];
const STATICS: InputWidths = {
  origin: [56],
  predecessor: [24, 88],
  shape: [15, 112],
  further: [24],
  ownerParts: [16],
  validatorParts: [16, 16],
  present: [1],
};
const load = ({ name, mainSource }: { name: string; mainSource: string }) =>
  CircuitTester.compile(name, mainSource);

beforeAll(initPoseidon);

describe("PayeeTable", () => {
  const WIDTHS: InputWidths = {
    ...STATICS,
    modelId: [24],
    epoch: [24, 24],
    closingBatch: [40, 48],
    cap: [16, 96],
    isActivation: [1, 96],
    place: [1, 100],
    shardPresent: [1, 103],
    shardRows: [32, 64, 96],
    earnedTotal: [96],
    amount: [96],
    item: [96, 40, 96],
    remainder: [40],
  };
  it.each([
    ["an activation", [[2, 3, 1]]],
    ["a default split", [[2, 3, 1]]],
    ["a shard's activation", [[2, 3, 1], [4]]],
    ["a shard's default split", [[2, 3, 1], [4]]],
  ])("under the honest z a prover of %s chooses nothing", async (kind, shards) => {
    const tester = await load(payeeTableCircuitSpec(PAYEES));
    const { model, closed } = shardedEpochOf(shards, { seed: 5 });
    const prepared = kind.endsWith("activation")
      ? activationOf(model, { circuit: 3, payments: 60 }, PAYEES)
      : defaultSplit(model, closed, PAYEES);
    const { inputs } = statedInputs(prepared);
    expect(await freeInputs(tester, inputs, WIDTHS)).toEqual([]);
    // The inverses of an absent payee's count and of absent datanets' ids are free, and nothing reads them.
    const witness = await tester.calculateWitness(inputs);
    const loose = looseWires(tester, witness, SHIFTS).filter(
      (signal) => !signal.startsWith("main.idInverse"),
    );
    expect(loose).toEqual(["main.inverse[3]"]);
  });
});

describe("exits", () => {
  const ledger = () => exitWorld(6, { rowCounts: [2, 3, 1], openAmount: 10n ** 18n + 7n, closedWei: 3n });

  it("under the honest z a prover of a leaf's exit chooses nothing", async () => {
    const tester = await load(leafExitCircuitSpec());
    const inputs = exitInputs(leafExit(ledger(), MODEL_ID));
    expect(await freeInputs(tester, inputs, { idBits: [1] })).toEqual([]);
    const witness = await tester.calculateWitness(inputs);
    expect(looseWires(tester, witness, SHIFTS)).toEqual([]);
  });

  it("under the honest z a prover of a payee's exit chooses nothing", async () => {
    const tester = await load(payeeExitCircuitSpec(PAYEES));
    const inputs = exitInputs(payeeExit(ledger(), MODEL_ID, 1, 0, PAYEES));
    const widths: InputWidths = {
      ...STATICS,
      modelBits: [1],
      payeeBits: [1],
      role: [1, 32],
      shardPresent: [1],
      shardRows: [32, 64, 96],
      ownerBits: [1],
      isClosed: [1],
      otherId: [24, 24],
      accruedWei: [120, 48],
      openAmount: [96, 40],
      closedWei: [96, 40],
    };
    expect(await freeInputs(tester, inputs, widths)).toEqual([]);
    const witness = await tester.calculateWitness(inputs);
    expect(looseWires(tester, witness, SHIFTS)).toEqual([]);
  });
});
