/** What a prover of a slot table or of an exit can choose once z is known: every input and wire alone, and aliases. */
import { beforeAll, describe, expect, it } from "vitest";
import { leafExit } from "../../exit/leaf-exit.ts";
import { slotExit } from "../../exit/slot-exit.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import {
  leafExitCircuitSpec,
  slotExitCircuitSpec,
  slotTableCircuitSpec,
} from "../../registry/circuit-registry.ts";
import { freeInputs, type InputWidths, looseWires } from "../../testing/alias-check.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { exitInputs, exitWorld, MODEL_ID } from "../../testing/exit-world.ts";
import { epochOf, statedInputs } from "../../testing/settlement-world.ts";
import { defaultSplit, genesisOf } from "../slot-table-model.ts";

const SLOTS = 4;
const SHIFTS = [24, 40, 96];
const STATICS: InputWidths = {
  origin: [56],
  predecessor: [24, 88],
  shape: [15, 112],
  ownerParts: [16],
  validatorParts: [16, 16],
  present: [1],
};
const load = ({ name, mainSource }: { name: string; mainSource: string }) =>
  CircuitTester.compile(name, mainSource);

beforeAll(initPoseidon);

describe("SlotTable", () => {
  const WIDTHS: InputWidths = {
    ...STATICS,
    modelId: [24],
    epoch: [24, 24],
    sealBatch: [40, 48],
    cap: [16, 96],
    isGenesis: [1, 96],
    amount: [96],
    item: [96, 40, 96],
    remainder: [40],
  };
  it.each(["genesis", "default split"])(
    "under the honest z a prover of a %s chooses nothing",
    async (kind) => {
      const tester = await load(slotTableCircuitSpec(SLOTS));
      const { model, sealed } = epochOf({ seed: 5, rowCounts: [2, 3, 1] });
      const prepared =
        kind === "genesis"
          ? genesisOf(model, { circuit: 3, payments: 60 }, SLOTS)
          : defaultSplit(model, sealed, SLOTS);
      const { inputs } = statedInputs(prepared);
      expect(await freeInputs(tester, inputs, WIDTHS)).toEqual([]);
      // The inverse of an absent slot's count is free, and nothing reads it.
      const witness = await tester.calculateWitness(inputs);
      expect(looseWires(tester, witness, SHIFTS)).toEqual(["main.inverse[3]"]);
    },
  );
});

describe("exits", () => {
  const ledger = () => exitWorld(6, { rowCounts: [2, 3, 1], openAmount: 10n ** 18n + 7n, sealedWei: 3n });

  it("under the honest z a prover of a leaf's exit chooses nothing", async () => {
    const tester = await load(leafExitCircuitSpec());
    const inputs = exitInputs(leafExit(ledger(), MODEL_ID));
    expect(await freeInputs(tester, inputs, { idBits: [1] })).toEqual([]);
    const witness = await tester.calculateWitness(inputs);
    expect(looseWires(tester, witness, SHIFTS)).toEqual([]);
  });

  it("under the honest z a prover of a slot's exit chooses nothing", async () => {
    const tester = await load(slotExitCircuitSpec(SLOTS));
    const inputs = exitInputs(slotExit(ledger(), MODEL_ID, 1, 0, SLOTS));
    const widths: InputWidths = {
      ...STATICS,
      ...{ modelBits: [1], slotBits: [1], role: [1, 32], ownerBits: [1], isSealed: [1], otherId: [24, 24] },
      ...{ accruedWei: [120, 48], countersRest: [169, 1], openAmount: [96, 40], sealedWei: [96, 40] },
    };
    expect(await freeInputs(tester, inputs, widths)).toEqual([]);
    const witness = await tester.calculateWitness(inputs);
    expect(looseWires(tester, witness, SHIFTS)).toEqual([]);
  });
});
