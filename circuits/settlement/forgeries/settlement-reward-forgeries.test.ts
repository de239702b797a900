/** Forged rewards and statements: as settlement-draw-forgeries.test.ts, of rows, payees and what L1 compares. */
import { beforeAll, describe, expect, it } from "vitest";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { settlementHash } from "../../ledger/rewards.ts";
import {
  array,
  expectNoWitness,
  expectOther,
  honest,
  IDENTITY,
  loadSettlementTester,
  OPENS,
  pick,
  RANGE,
  STEP,
  tester,
  WORLD,
  withAt,
} from "../../testing/settlement/settlement-forgery-check.ts";
import {
  acceptedWitness,
  CIRCUIT_ID,
  SMALL_SIZE,
  statedInputs,
} from "../../testing/settlement/settlement-world.ts";
import { proofStatement } from "../settlement-data.ts";
import { settleEpoch } from "../settlement-rules.ts";

beforeAll(loadSettlementTester);

describe("rows and payees", () => {
  it("earn what their scores say, to the wei", async () => {
    const { inputs } = await honest();
    const [earned, remainder] = [array(inputs, "earned"), array(inputs, "remainder")];
    await expectNoWitness(withAt(inputs, "earned", 0, earned[0]! + 1n), IDENTITY, "a wei more");
    const moved = { earned: earned.with(0, earned[0]! + 1n).with(1, earned[1]! - 1n) };
    await expectNoWitness({ ...inputs, ...moved }, IDENTITY, "a wei from a neighbour");
    const carried = {
      earned: earned.with(0, earned[0]! - 1n),
      remainder: remainder.with(0, remainder[0]! + (1n << 40n)),
    };
    await expectNoWitness({ ...inputs, ...carried }, RANGE, "a wei hidden in the remainder");
    await expectNoWitness(withAt(inputs, "earned", 3, 1n), "(1 - present[m]) === 0;", "an absent payee");
    await expectNoWitness(
      withAt(inputs, "leaf", 3, 1n),
      "leaf[m] * (1 - present[m]) === 0;",
      "an absent leaf",
    );
    await expectNoWitness(withAt(inputs, "earned", 0, -1n), RANGE, "a negative amount");
  });

  it("have the owners of the version", async () => {
    const world = await honest();
    const { inputs } = world;
    const owner = array(inputs, "owner");
    expect(owner).toEqual([0n, 0n, 1n, 1n, 1n, 2n, 3n, 3n]);
    await expectNoWitness(withAt(inputs, "owner", 2, 0n), IDENTITY, "a row moved");
    await expectNoWitness(withAt(inputs, "owner", 1, 2n), STEP, "an owner that jumps");
    await expectNoWitness(withAt(inputs, "owner", 6, 2n), IDENTITY, "a padding row moved");
    // A consistent other table is another ownersCommitment, so other statics: no receipt of this model opens.
    const rowCounts = [3n, 2n, 1n, 0n];
    await expectNoWitness({ ...inputs, owner: owner.with(2, 0n), rowCounts }, OPENS, "another table");
    await expectNoWitness({ ...inputs, rowCounts }, OPENS, "other counts");
  });

  it("get equal parts only where no score is positive", async () => {
    const query = () => Int16Array.of(1, 3, 5, 7);
    const even = await honest({ ...WORLD, entry: () => -3, query });
    expect(even.settled.draws.every(({ isEven }) => isEven)).toBe(true);
    const nothing = { earned: [0n, 0n, 0n, 0n], remainder: [0n, 0n, 0n, 0n] };
    await expectNoWitness({ ...even.inputs, ...nothing }, IDENTITY, "nothing where all scores are negative");
    const some = await honest({ ...WORLD, entry: (row) => (row === 0 ? 3 : -3), query });
    expect(some.settled.earnedWei.slice(1)).toEqual([0n, 0n]);
    const equal = pick(even.inputs, ["earned", "remainder"]);
    await expectNoWitness({ ...some.inputs, ...equal }, IDENTITY, "equal parts where one score is positive");
  });
});

describe("the statement", () => {
  it("is of this model, this epoch, this split and these accrued amounts", async () => {
    const world = await honest();
    const { inputs } = world;
    const leaf = array(inputs, "leaf");
    const changes: [string, CircuitInputs, number[]][] = [
      ["another epoch", { epoch: (inputs.epoch as bigint) ^ 1n }, [0, 1]],
      ["another CloseEpoch", { closingBatch: (inputs.closingBatch as bigint) ^ 1n }, [0, 1]],
      ["another model id", { modelId: BigInt(inputs.modelId as number) ^ 1n }, [0, 1]],
      ["another old root", { leaf: leaf.with(0, leaf[0]! + (1n << 48n)) }, [0]],
      ["another contributor", { leaf: leaf.with(0, leaf[0]! ^ 1n) }, [0]],
    ];
    for (const [what, change, positions] of changes)
      await expectOther(world, { ...inputs, ...change }, positions, what);
    // Every valid receipt already binds what the statics bind.
    for (const name of ["payeeRoot", "origin", "predecessor", "ownerParts", "validatorParts"])
      await expectNoWitness({ ...inputs, [name]: BigInt(inputs[name] as bigint) ^ 1n }, OPENS, name);
    for (const [name, bits] of [
      ["modelId", 24n],
      ["epoch", 24n],
      ["closingBatch", 40n],
    ] as const)
      await expectNoWitness({ ...inputs, [name]: 1n << bits }, RANGE, `${name} of ${bits + 1n} bits`);
  });

  it("binds the statics without receipts too", async () => {
    const { epoch } = await honest();
    const voided = settleEpoch({ ...epoch, openingOf: () => undefined });
    await acceptedWitness(tester, voided);
    const { inputs } = statedInputs(voided);
    const at = { epoch, settled: voided, inputs };
    for (const name of ["payeeRoot", "origin", "predecessor", "validatorParts"])
      await expectOther(at, { ...inputs, [name]: BigInt(inputs[name] as bigint) ^ 1n }, [0], name);
    const owner = array(inputs, "owner").with(2, 0n);
    await expectOther(at, { ...inputs, owner, rowCounts: [3n, 2n, 1n, 0n] }, [0], "another table");
  });

  it("names each amount in J", async () => {
    const { settled } = await honest();
    const { terms, data } = settled;
    for (const field of ["ownerWei", "treasuryWei", "closed", "oldAccruedRoot", "newAccruedRoot"] as const)
      expect(settlementHash({ ...terms, [field]: terms[field] + 1n }), field).not.toBe(data.settlementHash);
  });

  it("has a C over what a challenge must not precede", async () => {
    const { settled } = await honest();
    const { statement } = statedInputs(settled);
    const [proof] = settled.proofs;
    const count = proof!.privateElements.length;
    expect(count).toBe(1 + 1 + 1 + 3 * SMALL_SIZE.draws);
    for (let i = 0; i < count; i++) {
      const changed = proof!.privateElements.with(i, proof!.privateElements[i]! + 1n);
      const other = proofStatement({ ...proof!, privateElements: changed }, CIRCUIT_ID);
      expect(other.commitment, `private element ${i}`).not.toBe(statement.commitment);
      expect(other.z, `private element ${i}`).not.toBe(statement.z);
    }
  });
});
