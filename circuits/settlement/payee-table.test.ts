import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { initPoseidon } from "../field/poseidon.ts";
import { hashStatics, unpackBinding } from "../ledger/leaf.ts";
import {
  accruedRoot,
  accruedSubroots,
  activationHash,
  closedHash,
  packSplit,
  payeeRoot,
  settlementHash,
} from "../ledger/rewards.ts";
import { TREASURY_PARTS } from "../protocol.ts";
import { payeeTableCircuitSpec } from "../registry/circuit-registry.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import {
  acceptedWitness,
  differingPositions,
  epochOf,
  SeededNumbers,
  statedInputs,
} from "../testing/settlement/settlement-world.ts";
import { activationOf, defaultSplit } from "./payee-table-rules.ts";
import type { SettledModel } from "./settled-model.ts";
import { activationPayees, type SettlementData } from "./settlement-data.ts";
import { quantumBitsOf } from "./settlement-split.ts";

const PAYEES = 4;
const CAP = { circuit: 3, payments: 60 };
await initPoseidon();
const tester = await CircuitTester.compileSpec(payeeTableCircuitSpec(PAYEES));

const worldOf = (seed: number, rowCounts?: number[]) => epochOf({ seed, ...(rowCounts && { rowCounts }) });
const refuses = (inputs: CircuitInputs, message: string) =>
  expect(tester.calculateWitness(inputs), message).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });

/** Expects that the circuit, if it accepts the inputs, proves other elements than L1's at these positions. */
const expectOther = async (
  inputs: CircuitInputs,
  data: SettlementData,
  positions: readonly number[],
  what: string,
) => expect(await differingPositions(tester, inputs, data, PAYEES), what).toEqual(positions);

/** The inverses of absent payees' rows and of absent datanets' ids are free, and nothing else reads them. */
function expectNoFreeWire(witness: readonly bigint[], payeeCount: number) {
  const free = new Set(tester.tamper(witness).map(({ signal }) => signal));
  const absent = Array.from({ length: PAYEES - payeeCount }, (_, i) => `main.inverse[${payeeCount + i}]`);
  const ids = Array.from({ length: 5 }, (_, i) => `main.idInverse[${i}]`);
  expect(free).toEqual(new Set([...absent, ...ids]));
}

describe("an activation", () => {
  it("equals the rules, and what it posts is the payee table", async () => {
    expect(tester.constraintCount).toBe(recordedCount(`PayeeTable(${PAYEES})`));
    for (let seed = 1; seed <= 8; seed++) {
      const { model } = worldOf(seed);
      const activation = activationOf(model, CAP, PAYEES);
      const witness = await acceptedWitness(tester, activation);
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(activationPayees(activation.data.items)).toEqual(model.payees);
      const statics = hashStatics(model.statics);
      const terms = {
        modelId: model.modelId,
        statics,
        cap: CAP.payments,
        payeeRoot: payeeRoot(model.payees),
      };
      expect(activation.data.settlementHash).toBe(activationHash(terms));
      if (seed <= 4) expectNoFreeWire(witness, model.payees.length);
    }
  });

  it("refuses a table that is not that of the statics", async () => {
    const { model } = worldOf(5, [2, 3, 1]);
    const activation = activationOf(model, CAP, PAYEES);
    const { inputs } = statedInputs(activation);
    await tester.calculateWitness(inputs);
    const item = inputs.item as bigint[];
    const leaf = inputs.leaf as bigint[];
    await refuses({ ...inputs, item: item.with(0, item[0]! + 1n) }, "another contributor posted");
    await refuses({ ...inputs, item: item.with(0, item[0]! + (1n << 24n)) }, "another validator posted");
    await refuses({ ...inputs, item: item.with(0, item[0]! + (1n << 48n)) }, "another count posted");
    await refuses({ ...inputs, item: item.with(0, item[0]! + (1n << 80n)) }, "81 bits");
    const other = { item: item.with(0, item[0]! + 1n), leaf: leaf.with(0, leaf[0]! + 1n) };
    await refuses({ ...inputs, ...other }, "another payee root");
    const accrued = { leaf: leaf.with(0, leaf[0]! + (1n << 48n)) };
    await refuses({ ...inputs, ...accrued }, "something accrued before");
    const payees = [
      { ...model.payees[0]!, contributorId: Number((leaf[0]! + 1n) & 0xffffffn) },
      ...model.payees.slice(1),
    ];
    const subroots = accruedSubroots(payees, []);
    const payeeRootOf = {
      ...other,
      payeeRoot: payeeRoot(payees),
      oldSubroot: subroots,
      newSubroot: subroots,
    };
    await expectOther({ ...inputs, ...payeeRootOf }, activation.data, [0, 5], "other statics");
  });

  it("refuses a payee without rows, no payee, and rows of an absent one", async () => {
    const { model } = worldOf(5, [2, 3, 1]);
    const { inputs } = statedInputs(activationOf(model, CAP, PAYEES));
    const item = inputs.item as bigint[];
    const leaf = inputs.leaf as bigint[];
    await refuses({ ...inputs, present: [1, 1, 1, 1] }, "a payee without rows");
    await refuses({ ...inputs, present: [1, 1, 0, 0] }, "rows of an absent payee");
    await refuses({ ...inputs, present: [0, 0, 0, 0] }, "no payee");
    await refuses(
      { ...inputs, leaf: leaf.with(3, 7n), item: item.with(3, 7n) },
      "an absent payee with owners",
    );
    const zero = { item: item.with(2, item[2]! & 0xffffffffffffn), rowCounts: [2, 3, 0, 0] };
    await refuses({ ...inputs, ...zero }, "a posted slot without rows");
  });

  it("refuses more parts than there are, and takes all of them", async () => {
    const { model } = worldOf(5, [2, 3, 1]);
    const withOwner = (ownerParts: bigint): Omit<SettledModel, "accruedWei"> => ({
      ...model,
      statics: { ...model.statics, split: packSplit({ ownerParts, validatorParts: 65_535n }) },
    });
    await acceptedWitness(tester, activationOf(withOwner(65_536n - TREASURY_PARTS), CAP, PAYEES));
    const { inputs } = statedInputs(activationOf(withOwner(65_537n - TREASURY_PARTS), CAP, PAYEES));
    await refuses(inputs, "one part too many");
  });

  it("refuses fields of the other case, and binds cap and N", async () => {
    const { model } = worldOf(5, [2, 3, 1]);
    const activation = activationOf(model, CAP, PAYEES);
    const { inputs } = statedInputs(activation);
    for (const [field, value] of [
      ["epoch", 1n],
      ["closingBatch", 1n],
      ["chain", 5n],
      ["amount", 7n],
    ] as const)
      await refuses({ ...inputs, [field]: value }, field);
    await refuses({ ...inputs, cap: 1n << 16n }, "a cap of 17 bits");
    await expectOther({ ...inputs, cap: 61n }, activation.data, [0, 3], "cap");
    await expectOther({ ...inputs, origin: (inputs.origin as bigint) ^ 1n }, activation.data, [0], "datanet");
    await expectOther({ ...inputs, predecessor: 5n }, activation.data, [0], "predecessor");
    const shape = inputs.shape as bigint;
    await expectOther({ ...inputs, shape: shape ^ 1n }, activation.data, [0], "draws");
    await expectOther({ ...inputs, shape: shape ^ 8n }, activation.data, [0], "features");
    await expectOther({ ...inputs, featuresCommitment: 5n }, activation.data, [0], "features");
    // N is the sum of the counts, whatever the binding was.
    const binding = model.statics.binding + (1n << 56n);
    const statics = { ...model.statics, binding };
    expect(() => activationOf({ ...model, statics }, CAP, PAYEES)).toThrow(
      expect.objectContaining({ code: "CIR_SETTLEMENT_DIFFERS" }),
    );
    expect(unpackBinding(binding).rowCount).toBe(7n);
  });
});

describe("a default split", () => {
  it("equals the rules and pays the epoch to the wei", async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const { model, closed } = worldOf(seed);
      const split = defaultSplit(model, closed, PAYEES);
      const witness = await acceptedWitness(tester, split);
      expect(tester.checkConstraints(witness)).toBeNull();
      const { ownerWei, treasuryWei } = split.terms;
      const earned = split.earnedWei.reduce((sum, wei) => sum + wei, 0n);
      expect([ownerWei, earned + treasuryWei + split.data.burnedWei]).toEqual([0n, closed.amountWei]);
      expect(treasuryWei).toBeGreaterThanOrEqual((closed.amountWei * TREASURY_PARTS) >> 16n);
      if (seed <= 4) expectNoFreeWire(witness, model.payees.length);
    }
  });

  it("gives every payee its rows' part, rounded down", () => {
    const amounts = fc.bigInt(1n, 2n ** 96n - 1n);
    const counts = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(amounts, counts, (amountWei, rowCounts) => {
        const { model, closed } = worldOf(3, rowCounts);
        const split = defaultSplit(model, { ...closed, amountWei }, PAYEES);
        const rows = BigInt(rowCounts.reduce((sum, count) => sum + count, 0));
        const ownerWei = (amountWei * (model.statics.split & 0xffffn)) >> 16n;
        const rewardWei = amountWei - ownerWei - ((amountWei * TREASURY_PARTS) >> 16n);
        for (const [m, count] of rowCounts.entries()) {
          // Rounding to quanta, and μ to 2^-40 of one, costs a payee of all rows less than two, a smaller one its part and one.
          const exact = (rewardWei * BigInt(count)) / rows;
          const lostWei = exact - split.earnedWei[m]!;
          expect(lostWei >= 0n && lostWei <= 2n << quantumBitsOf(amountWei)).toBe(true);
        }
      }),
      { numRuns: runs(20) },
    );
  });

  it("takes the largest amount, one row and one payee", async () => {
    const { model, closed } = worldOf(9, [1]);
    const amountWei = 2n ** 96n - 1n;
    await acceptedWitness(tester, defaultSplit(model, { ...closed, amountWei }, PAYEES));
    await acceptedWitness(tester, defaultSplit(model, { ...closed, amountWei: 1n }, PAYEES));
  });

  it("refuses other amounts, and proves other elements for another epoch, chain or old root", async () => {
    const { model, closed } = worldOf(5, [2, 3, 1]);
    const split = defaultSplit(model, closed, PAYEES);
    const { inputs } = statedInputs(split);
    const item = inputs.item as bigint[];
    const remainder = inputs.remainder as bigint[];
    await refuses({ ...inputs, item: item.with(0, item[0]! + 1n) }, "a quantum more");
    const beyond = { item: item.with(0, item[0]! + (1n << 40n)), remainder: remainder.with(0, 0n) };
    await refuses({ ...inputs, ...beyond }, "41 bits");
    const carried = {
      item: item.with(0, item[0]! - 1n),
      remainder: remainder.with(0, remainder[0]! + (1n << 40n)),
    };
    await refuses({ ...inputs, ...carried }, "a quantum less, as a remainder");
    await refuses({ ...inputs, cap: 1n }, "a cap");
    const leaf = inputs.leaf as bigint[];
    const [old, now] = [model.accruedWei, split.newAccruedWei].map((accruedWei) =>
      accruedSubroots(model.payees, accruedWei.with(0, accruedWei[0]! + 1n)),
    ) as [bigint[], bigint[]];
    const oldRoot = { leaf: leaf.with(0, leaf[0]! + (1n << 48n)), oldSubroot: old, newSubroot: now };
    const changes: [string, CircuitInputs, number[]][] = [
      ["another epoch", { epoch: closed.epoch ^ 1n }, [0, 1]],
      ["another CloseEpoch", { closingBatch: closed.closingBatch ^ 1n }, [0, 1]],
      ["another chain", { chain: closed.chain + 1n }, [0, 2]],
      ["another model", { modelId: BigInt(model.modelId) ^ 1n }, [0, 1]],
      ["another old root", oldRoot, [0]],
      ["another split", { validatorParts: (inputs.validatorParts as bigint) ^ 1n }, [0]],
    ];
    for (const [what, change, positions] of changes)
      await expectOther({ ...inputs, ...change }, split.data, positions, what);
  });

  it("binds every term of J", async () => {
    const { model, closed } = worldOf(5, [2, 3, 1]);
    const { terms, data } = defaultSplit(model, closed, PAYEES);
    expect(terms.closed).toBe(closedHash(hashStatics(model.statics), closed));
    expect(terms.oldAccruedRoot).toBe(accruedRoot(model.payees, model.accruedWei));
    for (const field of ["ownerWei", "treasuryWei", "closed", "oldAccruedRoot", "newAccruedRoot"] as const)
      expect(settlementHash({ ...terms, [field]: terms[field] + 1n }), field).not.toBe(data.settlementHash);
  });
});

describe("payee-table-rules", () => {
  it("refuses what does not fit or is not bound", () => {
    const { model, closed } = worldOf(5, [2, 3, 1]);
    const numbers = new SeededNumbers(1);
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(() => defaultSplit(model, closed, 2)).toThrow(code("CIR_SETTLEMENT_SIZE"));
    expect(() => activationOf(model, CAP, 2)).toThrow(code("CIR_SETTLEMENT_SIZE"));
    const payees = model.payees.with(0, { ...model.payees[0]!, rowCount: 3 });
    expect(() => defaultSplit({ ...model, payees }, closed, PAYEES)).toThrow(code("CIR_SETTLEMENT_DIFFERS"));
    const owners = model.payees.with(0, { ...model.payees[0]!, contributorId: numbers.below(99) });
    expect(() => activationOf({ ...model, payees: owners }, CAP, PAYEES)).toThrow(
      code("CIR_SETTLEMENT_DIFFERS"),
    );
    for (const payeeCount of [0, 513, 1.5])
      expect(() => payeeTableCircuitSpec(payeeCount), `${payeeCount}`).toThrow(code("CIR_SETTLEMENT_SIZE"));
  });
});
