/**
 * Forged payments and draws. Each is next to an honest settlement that the circuit takes. A forgery has no witness, or it
 * proves elements that are not L1's, or C is not the one that z was made of.
 */

import { invertAll } from "@openledger/foundation/modular";
import { beforeAll, describe, expect, it } from "vitest";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { hashTagged } from "../../field/poseidon.ts";
import { hashStatics } from "../../ledger/leaf.ts";
import { queryCommitment } from "../../ledger/model-query.ts";
import { FIELD_ORDER, TAG } from "../../protocol.ts";
import {
  array,
  expectNoWitness,
  expectOther,
  type Honest,
  honest,
  LOOKUP,
  loadSettlementTester,
  matrix,
  OPENS,
  pick,
  RANGE,
  SCORES,
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
import { paymentChain } from "../divide-epoch.ts";
import { drawInputs } from "../scores/draw-scores.ts";
import { proofStatement } from "../settlement-data.ts";
import { settleEpoch } from "../settlement-rules.ts";

beforeAll(loadSettlementTester);

const modulo = (value: bigint) => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
const inverse = (value: bigint) => invertAll([modulo(value)], FIELD_ORDER)[0]!;

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
    // A prover who drops the last payment must drop its amount too: another chain, another closed epoch.
    const { payments, closed } = epoch;
    await expectNoWitness(withAt(inputs, "active", 2, 0n), RANGE, "the last amount is not the closed one");
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
    expect(payments.at(-1)!.cumulativeWei).toBe(closed.amountWei);
  });

  it("have exactly the closed amount", async () => {
    const world = await honest();
    await expectNoWitness({ ...world.inputs, amount: world.epoch.closed.amountWei + 1n }, RANGE, "more");
    await expectNoWitness({ ...world.inputs, amount: world.epoch.closed.amountWei - 1n }, RANGE, "less");
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
    const voided = weights.proofs[0]!;
    const adapted = { ...forged, earned: voided.inputs.earned!, remainder: voided.inputs.remainder! };
    // With the totals of the void settlement and this z the circuit is satisfied: only C tells.
    const honestVoid = await tester.calculateWitness({ ...voided.inputs, z });
    const witness = await tester.calculateWitness(adapted);
    expect(tester.checkConstraints(witness)).toBeNull();
    expect(witness[1]).not.toBe(commitment);
    expect(witness[1]).not.toBe(honestVoid[1]);
    // Under the z that its own C gives, there is no witness.
    const elements = [...voided.privateElements];
    const at = elements.length - 3;
    const own = proofStatement(
      { ...voided, privateElements: elements.with(at + 1, invented).with(at + 2, receipt) },
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
      const closed = { ...epoch.closed, chain: paymentChain(payments) };
      const other = { ...epoch, payments, closed };
      expect(() => settleEpoch(other), what).toThrow(
        expect.objectContaining({ code: "CIR_SETTLEMENT_DIFFERS" }),
      );
      // It can be settled as void. It cannot be settled as valid, with the opening and everything else as it was.
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
    await expectOther(world, inputs, [0, 1, 3, 5], "valid called void");
  });
});
