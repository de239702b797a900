/**
 * Choices that a prover of a direct settlement may try: queries of others, voids, circuits of the other kind,
 * and every input and wire alone once z is known. Payments, rows and money are checked by SampledDraws,
 * PayeeEarnings and RowRewards, as in Settlement.
 */
import { describe, expect, it } from "vitest";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { countTerms } from "../../ledger/direct-query.ts";
import { hashStatics, packBinding, unpackBinding } from "../../ledger/leaf.ts";
import { modelQueryCommitment, receiptHash } from "../../ledger/model-query.ts";
import { settlementCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { looseWires } from "../../testing/forgeries/alias-check.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import { answeredQuery } from "../../testing/settlement/direct-instance.ts";
import { directEpochOf, SMALL_DIRECT, TWO_DRAWS as WORLD } from "../../testing/settlement/direct-world.ts";
import {
  acceptedWitness,
  differingPositions,
  statedInputs,
} from "../../testing/settlement/settlement-world.ts";
import { type DirectEpoch, paymentChain } from "../divide-epoch.ts";
import { directDraw } from "../scores/direct-matrix.ts";
import { settleEpoch } from "../settlement-rules.ts";

const OPENS = "SampledDraws: isValid[k] * (drawReceipt[k] - opening[k].out) === 0;";
await initPoseidon();
const tester = await CircuitTester.compileSpec(settlementCircuitSpec(SMALL_DIRECT));

/** Draw 0 with another query and all that follows from it. */
function withQuery(inputs: CircuitInputs, epoch: DirectEpoch, terms: readonly number[]): CircuitInputs {
  const { matrix } = epoch.features;
  const draw = directDraw(matrix, answeredQuery(matrix, countTerms(terms, matrix.bucketCount)));
  const scores = Array.from({ length: SMALL_DIRECT.rows }, (_, k) => draw.scores[k] ?? 0n);
  const changes = { ...draw, scores };
  const names = Object.keys(changes) as (keyof typeof changes)[];
  const at = (name: string) => inputs[name] as readonly bigint[];
  return {
    ...inputs,
    ...Object.fromEntries(names.map((name) => [name, at(name).with(0, changes[name] as bigint)])),
  };
}

describe("a draw", { timeout: 600_000 }, () => {
  it("is scored by its receipt's query, whatever its own scores are", async () => {
    const epoch = directEpochOf(WORLD);
    const { inputs } = statedInputs(settleEpoch(epoch));
    for (const [what, terms] of [
      ["the prompt of another payment", WORLD.terms(1)],
      ["a term more", [...WORLD.terms(0), 9]],
      ["no term", []],
    ] as const)
      await expectRefusedBy(tester, withQuery(inputs, epoch, terms), OPENS, what);
  });

  it("that is void may show any query: C, y and the money stay", async () => {
    const epoch = directEpochOf({ ...WORLD, terms: (i) => (i === 0 ? null : WORLD.terms(i)) });
    const settled = settleEpoch(epoch);
    expect(settled.draws.map(({ isValid }) => isValid)).toEqual([false, true]);
    const honest = await acceptedWitness(tester, settled);
    const { inputs } = statedInputs(settled);
    for (const terms of [WORLD.terms(0), [7, 7, 7, 7, 1]]) {
      const other = await tester.calculateWitness(withQuery(inputs, epoch, terms));
      expect(tester.checkConstraints(other)).toBeNull();
      expect(other.slice(1, 4)).toEqual(honest.slice(1, 4));
    }
    // A prompt's own query in a void draw makes it no valid one, and a valid one that is called void shows.
    await expectRefusedBy(tester, { ...inputs, isValid: [1n, 1n] }, OPENS, "void called valid");
    const valid = settleEpoch(directEpochOf(WORLD));
    const called = { ...statedInputs(valid).inputs, isValid: [0n, 1n] };
    const outcome = differingPositions(tester, called, valid.data, SMALL_DIRECT.payees);
    await expect(outcome).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });
  });

  it("of a model of features with the same numbers has no witness here", async () => {
    // The same columns, registered as 17 features. Its receipts are for its own statics.
    const own = directEpochOf(WORLD);
    const { statics } = own.model;
    const binding = packBinding({ ...unpackBinding(statics.binding), featureCount: 17n });
    const hash = hashStatics({ ...statics, binding });
    const payments = own.payments.map((payment, i) => {
      const { query, ...secrets } = own.openingOf(i)!;
      const receipt = receiptHash({
        statics: hash,
        payerId: payment.payerId,
        ...secrets,
        queryCommitment: modelQueryCommitment(query),
      });
      return { ...payment, receipt };
    });
    const epoch = { ...own, payments, closed: { ...own.closed, chain: paymentChain(payments) } };
    const voided = settleEpoch({ ...epoch, openingOf: () => undefined });
    const { inputs } = statedInputs(voided);
    const opened = statedInputs(settleEpoch(own)).inputs;
    const names = [
      "answerHash",
      "salt",
      "counts",
      "answeredClass",
      "scores",
      "logitDigits",
      "blindScore",
    ] as const;
    const forged = {
      ...inputs,
      ...Object.fromEntries(names.map((name) => [name, opened[name]!])),
      isValid: [1n, 1n],
    };
    await expectRefusedBy(tester, forged, OPENS, "a model of features");
    const model = { ...own.model, statics: { ...statics, binding } };
    expect(() => settleEpoch({ ...own, model })).toThrow(
      expect.objectContaining({ data: expect.objectContaining({ what: "features", bound: "17" }) }),
    );
  });
});

describe("under the honest z", { timeout: 600_000 }, () => {
  it("no inner wire can hold an alias alone", async () => {
    const witness = await acceptedWitness(tester, settleEpoch(directEpochOf(WORLD)));
    const loose = looseWires(tester, witness, [2, 16, 24, 40, 96]).filter(
      (signal) => !signal.endsWith(".equal.inverse"),
    );
    expect(loose).toEqual([]);
  });
});
