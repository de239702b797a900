/**
 * Attack: an epoch is settled after its seed is known, and circuits with another number of draws draw other
 * payments by the same seed, so a free choice of circuit would be a choice of draws. The model's statics name
 * its number of draws and of features. The test has two circuits that differ only in their draws, and a model
 * of the one.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { hashStatics, packBinding, unpackBinding } from "../../ledger/leaf.ts";
import { queryCommitment, receiptHash } from "../../ledger/model-query.ts";
import { closedHash, settlementHash } from "../../ledger/rewards.ts";
import { settlementCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import {
  acceptedWitness,
  differingPositions,
  epochOf,
  SMALL_SIZE,
  statedInputs,
} from "../../testing/settlement/settlement-world.ts";
import { type FeatureEpoch, paymentChain } from "../divide-epoch.ts";
import { settleEpoch } from "../settlement-rules.ts";
import { misfitOf, modelShape } from "../settlement-size.ts";

const OTHER_SIZE = { ...SMALL_SIZE, draws: 1 };
let other: CircuitTester;

beforeAll(async () => {
  await initPoseidon();
  other = await CircuitTester.compileSpec(settlementCircuitSpec(OTHER_SIZE));
});

/** An epoch of a model for SMALL_SIZE, and the same one by a model that differs in its number of draws alone. */
function twins(): { own: FeatureEpoch; alien: FeatureEpoch } {
  const own = epochOf({ seed: 6, rowCounts: [2, 3, 1], amountsWei: [10n ** 18n, 10n ** 18n, 1n] });
  const { statics } = own.model;
  const binding = packBinding({ ...unpackBinding(statics.binding), drawBits: 0n });
  const alien = { ...own, size: OTHER_SIZE, model: { ...own.model, statics: { ...statics, binding } } };
  return { own, alien };
}

/** The epoch with receipts for its own statics, where they were for the twin's. */
function withOwnReceipts(epoch: FeatureEpoch): FeatureEpoch {
  const statics = hashStatics(epoch.model.statics);
  const payments = epoch.payments.map((payment, i) => {
    const { query, ...secrets } = epoch.openingOf(i)!;
    const { payerId } = payment;
    const receipt = receiptHash({ statics, payerId, ...secrets, queryCommitment: queryCommitment(query) });
    return { ...payment, receipt };
  });
  return { ...epoch, payments, closed: { ...epoch.closed, chain: paymentChain(payments) } };
}

describe("a settlement circuit of another number of draws", () => {
  it("is refused by the model of the circuit, and by what compares sizes", () => {
    const { own } = twins();
    expect(settleEpoch(own).draws).toHaveLength(2);
    expect(() => settleEpoch({ ...own, size: OTHER_SIZE })).toThrow(
      expect.objectContaining({
        code: "CIR_SETTLEMENT_DIFFERS",
        data: { what: "draws", given: "1", bound: "2" },
      }),
    );
    const shape = modelShape(own.model.statics, own.model.payees);
    expect(misfitOf(SMALL_SIZE, shape)).toBeNull();
    expect(misfitOf(OTHER_SIZE, shape)).toEqual({ what: "draws", given: 2, has: 1 });
    for (const [what, has] of [
      ["rows", 5],
      ["payees", 2],
      ["features", 3],
      ["features", 5],
    ] as const)
      expect(misfitOf({ ...SMALL_SIZE, [what]: has }, shape), what).toMatchObject({ what, has });
  });

  it("has no witness for receipts of the model's statics", async () => {
    const { own, alien } = twins();
    // It settles its own model's epoch.
    const settled = settleEpoch(withOwnReceipts(alien));
    await acceptedWitness(other, settled);
    const { inputs } = statedInputs(settled);
    const { paymentIndex } = settled.draws[0]!;
    const receipts = [...(inputs.receipt as bigint[])];
    for (const [i, { receipt }] of own.payments.entries()) receipts[i] = receipt;
    const forged = { ...inputs, receipt: receipts, drawReceipt: [receipts[paymentIndex]!] };
    const at = "SampledDraws: isValid[k] * (drawReceipt[k] - opening[k].out) === 0;";
    await expectRefusedBy(other, forged, at, "another circuit's draw of the model's payment");
  });

  it("shows a J that the ledger does not have, where it needs no receipt", async () => {
    const { own, alien } = twins();
    // All draws void: the chain is the ledger's, nothing is opened.
    const voided = settleEpoch({ ...alien, openingOf: () => undefined });
    await acceptedWitness(other, voided);
    // J as the ledger's payee opens it, over the closed epoch in its own leaf.
    const closed = closedHash(hashStatics(own.model.statics), own.closed);
    const data = { ...voided.data, settlementHash: settlementHash({ ...voided.terms, closed }) };
    const { inputs } = statedInputs(voided);
    expect(await differingPositions(other, inputs, data, OTHER_SIZE.payees)).toEqual([0]);
  });
});
