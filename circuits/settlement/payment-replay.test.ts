/** Replaying a chain of payments, and the lookup that a draw uses to name one of them. */

import { invertAll } from "@openledger/foundation/modular";
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { FIELD_ORDER } from "../protocol.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { SeededNumbers } from "../testing/settlement/settlement-world.ts";
import { type EpochPayment, paymentChain } from "./divide-epoch.ts";

const PAYMENTS = 4;
let tester: CircuitTester;
const BETA = 0xabcdefn ** 9n % FIELD_ORDER;
const GAMMA = 0x123457n ** 11n % FIELD_ORDER;

const modulo = (value: bigint) => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
const inverse = (value: bigint) => invertAll([modulo(value)], FIELD_ORDER)[0]!;

function paymentsOf(count: number): EpochPayment[] {
  const numbers = new SeededNumbers(count);
  let cumulativeWei = 0n;
  return Array.from({ length: count }, () => {
    cumulativeWei += 1n + numbers.bits(60);
    return { payerId: numbers.below(2 ** 24), receipt: numbers.bits(250), cumulativeWei };
  });
}
const pack = (payment: EpochPayment) => BigInt(payment.payerId) | (payment.cumulativeWei << 24n);
const padded = (values: readonly bigint[]) => Array.from({ length: PAYMENTS }, (_, i) => values[i] ?? 0n);

function inputsOf(payments: readonly EpochPayment[], hits: readonly bigint[]) {
  return {
    beta: BETA,
    betaSquare: (BETA * BETA) % FIELD_ORDER,
    gamma: GAMMA,
    active: padded(payments.map(() => 1n)),
    receipt: padded(payments.map(({ receipt }) => receipt)),
    packed: padded(payments.map(pack)),
    hits: padded(hits),
  };
}
const tuple = (before: bigint, after: bigint, receipt: bigint) =>
  modulo(before + BETA * after + BETA * BETA * receipt);

/** Σ hits / (γ − f) over the payments. */
function lookupOf(payments: readonly EpochPayment[], hits: readonly bigint[]): bigint {
  const packed = payments.map(pack);
  return payments.reduce((sum, { receipt }, i) => {
    const f = tuple(packed[i - 1] ?? 0n, packed[i]!, receipt);
    return modulo(sum + hits[i]! * inverse(GAMMA - f));
  }, 0n);
}
const refuses = (inputs: ReturnType<typeof inputsOf>, message: string) =>
  expect(tester.calculateWitness(inputs), message).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });

beforeAll(async () => {
  await initPoseidon();
  tester = await CircuitTester.compile(
    "payment-replay-test",
    `pragma circom 2.1.6;\ninclude "circuits/settlement/payment-replay.circom";\ncomponent main = PaymentReplay(${PAYMENTS}, 3);\n`,
  );
});

describe("PaymentReplay", () => {
  it("equals the rules for every number of payments", async () => {
    expect(tester.constraintCount).toBe(recordedCount(`PaymentReplay(${PAYMENTS}, 3)`));
    for (let count = 0; count <= PAYMENTS; count++) {
      const payments = paymentsOf(count);
      const hits = payments.map((_, i) => [4n, 0n, 7n, 1n][i]!);
      const witness = await tester.calculateWitness(inputsOf(payments, hits));
      expect(tester.readOutput(witness, "chain")).toBe(paymentChain(payments));
      expect(tester.readOutput(witness, "last")).toBe(count === 0 ? 0n : pack(payments.at(-1)!));
      expect(tester.readOutput(witness, "lookup")).toBe(lookupOf(payments, hits));
      expect(tester.tamper(witness), `${count} payments`).toEqual([]);
    }
  });

  it("refuses a gap, a flag that is no bit, hits of absent payments and too many hits", async () => {
    const payments = paymentsOf(3);
    const honest = inputsOf(payments, [1n, 2n, 0n]);
    await tester.calculateWitness(honest);
    await refuses({ ...honest, active: [1n, 0n, 1n, 0n] }, "a gap");
    await refuses({ ...honest, active: [1n, 2n, 0n, 0n] }, "no bit");
    await refuses({ ...honest, active: [0n, 0n, 0n, 1n] }, "a late start");
    await refuses({ ...honest, hits: [1n, 2n, 0n, 1n] }, "hits of an absent payment");
    await refuses({ ...honest, hits: [8n, 2n, 0n, 0n] }, "four bits");
    await refuses({ ...honest, hits: [-1n, 2n, 0n, 0n] }, "negative");
  });

  it("holds the term of an absent payment to 0 even where its pole is γ", async () => {
    const payments = paymentsOf(2);
    const honest = inputsOf(payments, [1n, 1n]);
    // f = γ for the absent third payment: before is the second one's, packed is 0.
    const receipt = modulo((GAMMA - pack(payments[1]!)) * inverse(BETA * BETA));
    const witness = await tester.calculateWitness({
      ...honest,
      receipt: honest.receipt.with(2, receipt),
    });
    expect(tester.readOutput(witness, "lookup")).toBe(lookupOf(payments, [1n, 1n]));
    const sum = tester.readSignal(witness, "main.lookupAfter[2]");
    // The third and the last sum move together, and the third one's own equation is 0 = 0: what refuses is the rule for
    // absent payments alone.
    const moved = { "main.lookupAfter[3]": sum + 12_345n, "main.lookup": sum + 12_345n };
    expect(tester.checkConstraints(witness)).toBeNull();
    expect(tester.checkConstraints(tester.forge(witness, moved))).not.toBeNull();
    expect(tester.tamper(witness)).toEqual([]);
  });

  it("would accept an invented draw from whoever knows β and γ before", () => {
    const payments = paymentsOf(3);
    const target = lookupOf(payments, [0n, 1n, 0n]);
    // Any amounts, with the receipt that makes the tuple equal to the second payment's.
    const [before, after] = [5n, 9n << 24n];
    const f = tuple(pack(payments[0]!), pack(payments[1]!), payments[1]!.receipt);
    const receipt = modulo((f - before - BETA * after) * inverse(BETA * BETA));
    expect(inverse(GAMMA - tuple(before, after, receipt))).toBe(target);
    expect([before, after, receipt]).not.toEqual([
      pack(payments[0]!),
      pack(payments[1]!),
      payments[1]!.receipt,
    ]);
  });
});
