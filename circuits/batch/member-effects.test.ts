/** Tests of the template MemberEffects: what commits and payments do to a Datanet or model. */
import { invertMod } from "@openledger/foundation/modular";
import { beforeAll, describe, expect, it } from "vitest";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { packCounters } from "../ledger/leaf.ts";
import { COUNTERS, FIELD_ORDER, TAG } from "../protocol.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";

const modulo = (value: bigint) => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;

const load = () =>
  CircuitTester.compile(
    "member-effects",
    'pragma circom 2.1.6;\ninclude "circuits/batch/slot-parts.circom";\ncomponent main = MemberEffects();\n',
  );

type Inputs = Parameters<CircuitTester["calculateWitness"]>[0];
const expectRefused = (tester: CircuitTester, inputs: Inputs, message?: string) =>
  expect(tester.calculateWitness(inputs), message).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });

beforeAll(initPoseidon);

interface MemberInputs {
  [name: string]: bigint | readonly bigint[];
}

describe("MemberEffects", () => {
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await load();
  });

  const counters = {
    isReady: true,
    isApproved: true,
    cap: 16n,
    paymentCount: 3n,
    epoch: 2n,
    priceWei: 1000n,
    approvals: 0,
  };
  const NONE = [0n, 0n, 0n, 0n, 0n, 0n];
  const opening = {
    ready: 1n,
    approved: 1n,
    cap: 16n,
    paymentCount: 3n,
    epoch: 2n,
    price: 1000n,
    approvalBits: NONE,
  };
  const closed = {
    ready: 0n,
    approved: 0n,
    cap: 0n,
    paymentCount: 0n,
    epoch: 0n,
    price: 0n,
    approvalBits: NONE,
  };
  const base = {
    isCommit: 0n,
    isPay: 0n,
    opensModel: 0n,
    aId: 77n,
    code: 40n,
    amount: 1500n,
    payload: 12345n,
    tagB: 257n,
    chainB: 88n,
    openAmountB: 7n,
    countersB: 9n,
    ...closed,
  };
  const commit = { ...base, isCommit: 1n, tagB: 258n };
  const pay = { ...base, isPay: 1n, tagB: 259n, countersB: packCounters(counters), ...opening };
  const approval = { ...pay, isPay: 0n, opensModel: 1n };
  /** Approval for a model of several datanets, two of which have approved. */
  const partly = {
    ...approval,
    approved: 0n,
    approvalBits: [0n, 1n, 0n, 0n, 0n, 1n],
    countersB: packCounters({ ...counters, isApproved: false, approvals: 0b100010 }),
  };
  const payWith = (changes: Partial<typeof counters>, amount = base.amount): MemberInputs => {
    const c = { ...counters, ...changes };
    return {
      ...pay,
      amount,
      countersB: packCounters(c),
      ready: BigInt(c.isReady),
      approved: BigInt(c.isApproved),
      cap: c.cap,
      paymentCount: c.paymentCount,
      epoch: c.epoch,
      price: c.priceWei,
      approvalBits: NONE.map((_, s) => (BigInt(c.approvals) >> BigInt(s)) & 1n),
    };
  };

  /** The three outputs as slot.ts computes them. */
  function model(inputs: MemberInputs) {
    const { isCommit, isPay, aId, code, amount, payload, chainB, openAmountB, countersB } =
      inputs as typeof base;
    if (isCommit === 1n) {
      const chain = hashTagged(TAG.commit, [chainB, payload, aId + (code << 24n)]);
      return { chain, openAmount: openAmountB, counters: countersB + code };
    }
    if (isPay === 1n) {
      const openAmount = openAmountB + amount;
      const chain = hashTagged(TAG.payment, [chainB, payload, aId + (openAmount << 24n)]);
      return { chain, openAmount, counters: countersB + (1n << COUNTERS.paymentCount) };
    }
    return { chain: chainB, openAmount: openAmountB, counters: countersB };
  }

  async function expectModel(inputs: MemberInputs, message?: string) {
    const witness = await tester.calculateWitness(inputs);
    const { chain, openAmount, counters: after } = model(inputs);
    expect(tester.readOutput(witness, "chain"), message).toBe(chain);
    expect(tester.readOutput(witness, "openAmount"), message).toBe(openAmount);
    expect(tester.readOutput(witness, "counters"), message).toBe(after);
    return witness;
  }

  it("has the recorded constraints", () => {
    expect(tester.constraintCount).toBe(recordedCount("MemberEffects()"));
  });

  it("equals the rules for each kind and notices every altered wire", async () => {
    for (const inputs of [base, commit, pay, approval, partly]) {
      const witness = await expectModel(inputs);
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(tester.tamper(witness)).toEqual([]);
    }
  });

  it("equals the rules at the limits of every field", async () => {
    const top = 2n ** 96n - 1n;
    await expectModel({ ...commit, countersB: 2n ** 40n - 1n, code: 0n });
    await expectModel({ ...commit, countersB: 0n, code: 2n ** 40n - 1n });
    await expectModel(payWith({ priceWei: 1500n }), "amount = price");
    await expectModel(payWith({ priceWei: top }, top), "the highest price");
    await expectModel(payWith({ priceWei: 0n }, top), "free");
    await expectModel(payWith({ paymentCount: 15n }), "the last payment of an epoch");
    await expectModel(payWith({ cap: 65535n, paymentCount: 65534n }), "the highest cap");
    await expectModel(payWith({ epoch: 2n ** 24n - 1n }), "the last epoch");
  });

  it("refuses what breaks one rule", async () => {
    const rows: [string, MemberInputs][] = [
      ["a commit to an account", { ...commit, tagB: 257n }],
      ["a commit to a model", { ...commit, tagB: 259n }],
      ["a payment to a datanet", { ...pay, tagB: 258n }],
      ["a row count of 2^40", { ...commit, countersB: 2n ** 40n - 1n, code: 1n }],
      ["an amount one below the price", payWith({ priceWei: 1501n })],
      // Attack: 2^96 wei more in the leaf than in the price that is shown.
      [
        "an approval that makes up for the price",
        { ...payWith({ priceWei: 1501n }), price: 1501n - 2n ** 96n, approvalBits: NONE.with(0, 1n) },
      ],
      ["a payment while others have not approved", payWith({ approvals: 1 })],
      ["an approval that is 2", { ...partly, approvalBits: [2n, 0n, 0n, 0n, 0n, 1n] }],
      ["an approval carried into the price", { ...partly, approvalBits: NONE, price: 1000n + (34n << 96n) }],
      ["an approval that opens another datanet's", { ...partly, approvalBits: [1n, 0n, 0n, 0n, 0n, 1n] }],
      ["a payment beyond the cap", payWith({ paymentCount: 16n })],
      ["a payment under a cap of 0", payWith({ cap: 0n, paymentCount: 0n })],
      ["a model that is not ready", payWith({ isReady: false })],
      ["a model that is not approved", payWith({ isApproved: false })],
      ["another price", { ...pay, price: 999n }],
      ["another cap", { ...pay, cap: 17n }],
      ["another payment count", { ...pay, paymentCount: 2n }],
      ["another epoch", { ...pay, epoch: 3n }],
      ["readiness for a model that has none", { ...pay, countersB: pay.countersB - 1n }],
      ["an approval for a model that has none", { ...pay, countersB: pay.countersB - 2n }],
      ["a flag that is 2", { ...pay, ready: 3n, countersB: pay.countersB + 2n }],
      // The same packed sum by a carry from one field into the next.
      ["a cap carried from the count", { ...pay, cap: 16n + 65536n, paymentCount: 2n }],
      ["a count carried from the epoch", { ...pay, paymentCount: 3n + 2n ** 32n, epoch: 1n }],
      ["an epoch carried from the price", { ...pay, epoch: 2n + 2n ** 24n, price: 999n }],
      ["two flags carried from the cap", { ...pay, ready: 1n, approved: 3n, cap: 15n }],
      ["an approval of a datanet", { ...approval, tagB: 258n }],
      ["an approval that opens another price", { ...approval, price: 1001n }],
      ["an approval that opens another flag", { ...approval, approved: 0n }],
    ];
    for (const [rule, inputs] of rows) await expectRefused(tester, inputs, rule);
  });

  it("refuses a cap of the payer's choice under a price that wraps around the field", async () => {
    const inverse = invertMod(1n << COUNTERS.price, FIELD_ORDER);
    for (const kind of [pay, approval]) {
      const low = 1n + 2n + (65535n << COUNTERS.cap) + (1n << COUNTERS.epoch);
      const price = modulo((kind.countersB - low) * inverse);
      // The packed sum holds in the field, and all low fields have their widths.
      expect(modulo(low + (price << COUNTERS.price))).toBe(kind.countersB);
      await expectRefused(tester, { ...kind, cap: 65535n, paymentCount: 0n, epoch: 1n, price });
    }
  });
});
