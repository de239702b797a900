/**
 * Forged settlements. Each is next to an honest one that the circuit takes. A forgery has no witness, or it proves elements
 * that are not L1's, or C is not the one that z was made of.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { settlementCircuitSpec } from "./circuit-registry.ts";
import { CircuitTester } from "./circuit-tester.ts";
import { drawInputs } from "./draw-scores.ts";
import { refusingStatements } from "./forgery-check.ts";
import { hashStatics } from "./leaf.ts";
import { invertAll } from "./montgomery-points.ts";
import { hashTagged, initPoseidon } from "./poseidon.ts";
import { FIELD_ORDER, TAG } from "./protocol.ts";
import { queryCommitment } from "./query.ts";
import { settlementHash } from "./rewards.ts";
import { settlementStatement } from "./settlement-data.ts";
import { type EpochToSettle, paymentChain, type SampledSettlement, settleEpoch } from "./settlement-model.ts";
import {
  acceptedWitness,
  CIRCUIT_ID,
  differingPlaces,
  epochOf,
  SMALL_SIZE,
  statedInputs,
  type WorldOptions,
} from "./settlement-world.ts";
import type { CircuitInputs } from "./witness-calculator.ts";

let tester: CircuitTester;
beforeAll(async () => {
  await initPoseidon();
  const { name, mainSource } = settlementCircuitSpec(SMALL_SIZE);
  tester = await CircuitTester.compile(name, mainSource);
});

const OPENS = "Settlement: isValid[k] * (drawReceipt[k] - opening[k].out) === 0;";
const LOOKUP = "Settlement: replay.lookup === lookupAfter[draws];";
const IDENTITY =
  "RowRewards: (gamma - slotCount) * (ofRows[rows - 1] - ofSlots[slots - 1]) === eta * rows - etaTotal;";
const STEP = "RowRewards: step * (step - 1) === 0;";
const RANGE = "RangeCheck: lowest * (lowest - 1) === 0;";
const SCORES = "EqualUpToSmallOrder:";

interface Honest {
  readonly epoch: EpochToSettle;
  readonly settled: SampledSettlement;
  readonly inputs: CircuitInputs;
}

/** Two payments of the same amount, so that each has one of the two draws; three slots; one padding row at least. */
const WORLD: WorldOptions = { seed: 6, rowCounts: [2, 3, 1], amountsWei: [10n ** 18n, 10n ** 18n, 1n] };

async function honest(options: WorldOptions = WORLD): Promise<Honest> {
  const epoch = epochOf(options);
  const settled = settleEpoch(epoch);
  await acceptedWitness(tester, settled);
  return { epoch, settled, inputs: statedInputs(settled).inputs };
}

const array = (inputs: CircuitInputs, name: string) => [...(inputs[name] as readonly bigint[])].map(BigInt);
const matrix = (inputs: CircuitInputs, name: string) => inputs[name] as readonly (readonly bigint[])[];
const withAt = (inputs: CircuitInputs, name: string, place: number, value: bigint): CircuitInputs => ({
  ...inputs,
  [name]: array(inputs, name).with(place, value),
});

async function expectNoWitness(inputs: CircuitInputs, at: string, what: string) {
  const outcome = await tester.calculateWitness(inputs).then(
    () => null,
    (error: { code: string; data: { trace: string[] } }) => error,
  );
  expect(outcome?.code, `${what}: has a witness`).toBe("CIR_WITNESS_REFUSED");
  expect(refusingStatements(outcome!.data.trace).join("\n"), what).toContain(at);
}
const expectOther = async ({ settled }: Honest, inputs: CircuitInputs, places: number[], what: string) =>
  expect(await differingPlaces(tester, inputs, settled.data, SMALL_SIZE.slots), what).toEqual(places);

/** The query and scores of draw `k` replaced by another query and its true scores. */
function withQuery({ epoch, inputs }: Honest, k: number, query: Int16Array): CircuitInputs {
  const other = drawInputs(epoch.features.matrix, query);
  const scores = Array.from({ length: SMALL_SIZE.rows }, (_, row) => other.scores[row] ?? 0n);
  return {
    ...inputs,
    queryBytes: matrix(inputs, "queryBytes").with(k, other.queryBytes.map(BigInt)),
    scores: matrix(inputs, "scores").with(k, scores),
    blindScore: array(inputs, "blindScore").with(k, other.blindScore),
  };
}

describe("payments", () => {
  it("cannot be omitted, repeated, reordered, altered or skipped", async () => {
    const world = await honest();
    const { inputs, epoch } = world;
    // A prover who drops the last payment must drop its amount too: another chain, another sealed epoch.
    const { payments, sealed } = epoch;
    await expectNoWitness(withAt(inputs, "active", 2, 0n), RANGE, "the last amount is not the sealed one");
    const receipts = array(inputs, "receipt");
    await expectOther(world, withAt(inputs, "receipt", 2, receipts[2]! + 1n), [0, 2], "another receipt");
    const packed = array(inputs, "packed");
    const repeated = {
      ...inputs,
      active: [1n, 1n, 1n, 1n],
      packed: packed.with(3, packed[2]!),
      receipt: receipts.with(3, receipts[2]!),
    };
    await expectOther(world, repeated, [0, 2], "a payment repeated");
    const payer = withAt(inputs, "packed", 2, packed[2]! ^ 1n);
    await expectOther(world, payer, [0, 2], "another payer");
    await expectNoWitness({ ...inputs, active: [1n, 0n, 1n, 0n] }, "PaymentReplay: ", "a gap");
    expect(payments.at(-1)!.cumulativeWei).toBe(sealed.amountWei);
  });

  it("have exactly the sealed amount", async () => {
    const world = await honest();
    await expectNoWitness({ ...world.inputs, amount: world.epoch.sealed.amountWei + 1n }, RANGE, "more");
    await expectNoWitness({ ...world.inputs, amount: world.epoch.sealed.amountWei - 1n }, RANGE, "less");
  });
});

describe("draws", () => {
  it("follow the seed of L1", async () => {
    const world = await honest();
    const seed = world.settled.data.seed;
    // A seed that draws the same payments is another element; one that draws others has no witness.
    await expectOther(world, { ...world.inputs, seed: seed ^ 1n }, [4], "another seed");
    const amountsWei = [1n, 10n ** 18n];
    const edge = await honest({ ...WORLD, amountsWei, randomness: 2n ** 100n });
    expect(edge.settled.draws[0]!.paymentIndex).toBe(1);
    await expectNoWitness({ ...edge.inputs, seed: 0n }, RANGE, "a seed that draws payment 0");
  });

  it("take the payment that holds the point, and one of the chain", async () => {
    const world = await honest();
    const { inputs } = world;
    // Both draws on payment 0, with consistent hits: draw 1's point is not there.
    const same = { ...inputs, hits: [2n, 0n, 0n, 0n] };
    for (const name of ["drawBefore", "drawAfter", "drawReceipt"]) {
      const values = array(inputs, name);
      (same as Record<string, unknown>)[name] = [values[0]!, values[0]!];
    }
    await expectNoWitness(same, RANGE, "the first payment twice");
    await expectNoWitness(withAt(inputs, "drawReceipt", 1, 5n), OPENS, "a receipt of nobody");
    const voided = { ...withAt(inputs, "drawReceipt", 1, 5n), isValid: [1n, 0n] };
    await expectNoWitness(voided, LOOKUP, "a void draw of nobody's payment");
    await expectNoWitness({ ...inputs, hits: [1n, 0n, 1n, 0n] }, LOOKUP, "hits of another payment");
  });

  it("cannot be chosen after z", async () => {
    const world = await honest();
    const { inputs, settled } = world;
    const { z, commitment } = statedInputs(settled).statement;
    // z known, a void draw of a payment that does not exist: its receipt makes the tuple that of payment 1.
    const [before, after] = [array(inputs, "drawBefore")[1]!, array(inputs, "drawAfter")[1]!];
    const f = before + z * after + z * z * array(inputs, "drawReceipt")[1]!;
    const invented = after + ((10n ** 17n) << 24n);
    const receipt = modulo((f - before - z * invented) * inverse(z * z));
    const forged: CircuitInputs = {
      ...inputs,
      drawAfter: array(inputs, "drawAfter").with(1, invented),
      drawReceipt: array(inputs, "drawReceipt").with(1, receipt),
      isValid: [1n, 0n],
    };
    const weights = settleEpoch({
      ...world.epoch,
      openingOf: (i) => (i === 1 ? undefined : world.epoch.openingOf(i)),
    });
    const adapted = { ...forged, earned: weights.inputs.earned!, remainder: weights.inputs.remainder! };
    // With the totals of the void settlement and this z the circuit is satisfied: only C tells.
    const honestVoid = await tester.calculateWitness({ ...weights.inputs, z });
    const witness = await tester.calculateWitness(adapted);
    expect(tester.checkConstraints(witness)).toBeNull();
    expect(witness[1]).not.toBe(commitment);
    expect(witness[1]).not.toBe(honestVoid[1]);
    // Under the z that its own C gives, there is no witness.
    const elements = [...weights.privateElements];
    const at = elements.length - 3;
    const own = settlementStatement(
      weights.data,
      SMALL_SIZE.slots,
      elements.with(at + 1, invented).with(at + 2, receipt),
      CIRCUIT_ID,
    );
    expect(witness[1]).toBe(own.commitment);
    await expectNoWitness({ ...adapted, z: own.z }, LOOKUP, "the same draws under their own z");
  });

  it("need the query of the receipt, and its true scores", async () => {
    const world = await honest();
    const { inputs } = world;
    await expectNoWitness(withQuery(world, 0, Int16Array.of(1, 1, 1, 1)), OPENS, "another query");
    const scores = matrix(inputs, "scores");
    const better = { ...inputs, scores: scores.with(0, scores[0]!.with(0, 1000n)) };
    await expectNoWitness(better, SCORES, "a better score");
    const bytes = matrix(inputs, "queryBytes")[0]!.map(BigInt);
    for (const byte of [256n, bytes[0]! + 256n, -1n])
      await expectNoWitness(
        { ...inputs, queryBytes: matrix(inputs, "queryBytes").with(0, bytes.with(0, byte)) },
        "Query",
        `byte ${byte}`,
      );
    await expectNoWitness(withAt(inputs, "salt", 0, 7n), OPENS, "another salt");
    await expectNoWitness(withAt(inputs, "answerHash", 0, 7n), OPENS, "another answer");
  });

  it("need a receipt for this model and this payer", async () => {
    // Receipts that another model's statics, or another payer, went into are opened honestly otherwise.
    for (const [what, statics, payerShift] of [
      ["another model", 1n, 0n],
      ["another payer", 0n, 1n],
    ] as const) {
      const world = await honest();
      const { epoch } = world;
      const opening = epoch.openingOf(0)!;
      const [payment] = epoch.payments;
      const receiptOf = (staticsHash: bigint, payer: bigint) => {
        const commitment = queryCommitment(opening.query);
        return hashTagged(TAG.receipt, [staticsHash, payer, opening.answerHash, commitment, opening.salt]);
      };
      const staticsHash = hashStatics(epoch.model.statics);
      expect(receiptOf(staticsHash, BigInt(payment!.payerId)), what).toBe(payment!.receipt);
      const receipt = receiptOf(staticsHash + statics, BigInt(payment!.payerId) + payerShift);
      const payments = epoch.payments.with(0, { ...payment!, receipt });
      const sealed = { ...epoch.sealed, chain: paymentChain(payments) };
      const other = { ...epoch, payments, sealed };
      expect(() => settleEpoch(other), what).toThrow(
        expect.objectContaining({ code: "CIR_SETTLEMENT_DIFFERS" }),
      );
      // Void it can be settled; valid it cannot, with the opening and everything else as it was.
      const voided = settleEpoch({ ...other, openingOf: (i) => (i === 0 ? undefined : epoch.openingOf(i)) });
      await acceptedWitness(tester, voided);
      const { inputs } = statedInputs(voided);
      const claimed = {
        ...inputs,
        ...pick(world.inputs, [
          "answerHash",
          "salt",
          "queryBytes",
          "scores",
          "blindScore",
          "earned",
          "remainder",
        ]),
        isValid: [1n, 1n],
      };
      await expectNoWitness(claimed, OPENS, what);
    }
  });

  it("show L1 how many of them are void", async () => {
    const world = await honest();
    const voided = settleEpoch({
      ...world.epoch,
      openingOf: (i) => (i === 0 ? undefined : world.epoch.openingOf(i)),
    });
    await acceptedWitness(tester, voided);
    // The same inputs, called valid: not without the opening.
    const { inputs } = statedInputs(voided);
    await expectNoWitness({ ...inputs, isValid: [1n, 1n] }, OPENS, "void called valid");
    await expectNoWitness({ ...inputs, isValid: [2n, 1n] }, "isValid[k] * (1 - isValid[k]) === 0;", "no bit");
    // A valid draw called void is possible: L1 sees another J, another count, another burned amount, other items.
    await expectOther(world, inputs, [0, 1, 3, 5, 6], "valid called void");
  });
});

describe("rows and slots", () => {
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
    await expectNoWitness(withAt(inputs, "earned", 3, 1n), "(1 - present[m]) === 0;", "an absent slot");
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
      ["another Seal", { sealBatch: (inputs.sealBatch as bigint) ^ 1n }, [0, 1]],
      ["another model id", { modelId: BigInt(inputs.modelId as number) ^ 1n }, [0, 1]],
      ["another old root", { leaf: leaf.with(0, leaf[0]! + (1n << 48n)) }, [0]],
      ["another contributor", { leaf: leaf.with(0, leaf[0]! ^ 1n) }, [0]],
    ];
    for (const [what, change, places] of changes)
      await expectOther(world, { ...inputs, ...change }, places, what);
    // What the statics bind is bound by every valid receipt already.
    for (const name of ["slotRoot", "origin", "predecessor", "ownerParts", "validatorParts"])
      await expectNoWitness({ ...inputs, [name]: BigInt(inputs[name] as bigint) ^ 1n }, OPENS, name);
    for (const [name, bits] of [
      ["modelId", 24n],
      ["epoch", 24n],
      ["sealBatch", 40n],
    ] as const)
      await expectNoWitness({ ...inputs, [name]: 1n << bits }, RANGE, `${name} of ${bits + 1n} bits`);
  });

  it("binds the statics without receipts too", async () => {
    const { epoch } = await honest();
    const voided = settleEpoch({ ...epoch, openingOf: () => undefined });
    await acceptedWitness(tester, voided);
    const { inputs } = statedInputs(voided);
    const at = { epoch, settled: voided, inputs };
    for (const name of ["slotRoot", "origin", "predecessor", "validatorParts"])
      await expectOther(at, { ...inputs, [name]: BigInt(inputs[name] as bigint) ^ 1n }, [0], name);
    const owner = array(inputs, "owner").with(2, 0n);
    await expectOther(at, { ...inputs, owner, rowCounts: [3n, 2n, 1n, 0n] }, [0], "another table");
  });

  it("names each amount in J", async () => {
    const { settled } = await honest();
    const { terms, data } = settled;
    for (const field of ["ownerWei", "treasuryWei", "sealed", "oldAccruedRoot", "newAccruedRoot"] as const)
      expect(settlementHash({ ...terms, [field]: terms[field] + 1n }), field).not.toBe(data.settlementHash);
  });

  it("has a C over what a challenge must not precede", async () => {
    const { settled } = await honest();
    const { statement } = statedInputs(settled);
    const count = settled.privateElements.length;
    expect(count).toBe(1 + 1 + 1 + 3 * SMALL_SIZE.draws);
    for (let i = 0; i < count; i++) {
      const changed = settled.privateElements.with(i, settled.privateElements[i]! + 1n);
      const other = settlementStatement(settled.data, SMALL_SIZE.slots, changed, CIRCUIT_ID);
      expect(other.commitment, `private element ${i}`).not.toBe(statement.commitment);
      expect(other.z, `private element ${i}`).not.toBe(statement.z);
    }
  });
});

function modulo(value: bigint): bigint {
  return ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
}
const inverse = (value: bigint) => invertAll([modulo(value)])[0]!;
function pick(inputs: CircuitInputs, names: readonly string[]): CircuitInputs {
  return Object.fromEntries(names.map((name) => [name, inputs[name]!]));
}
