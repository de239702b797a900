/** Tests of the Settlements contract's rules: the default split (by row counts) and activations, with their delays. */
import { KIND } from "@openledger/circuits/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { revertEachTest } from "../../testing/chain.ts";
import { ANY_FEE, OPEN, randomElement, SHAPES, slot } from "../../testing/rollup-fixture.ts";
import {
  activationSlot,
  type ClosedFixture,
  MODEL,
  PAYEE_TABLE,
  SAMPLED,
  SAMPLED_FEW_PAYEES,
  startClosedFixture,
} from "../../testing/settlement-fixture.ts";

// Rights to settle and their times, the default split, and the activation (docs/reference/settlement.md, "On L1").

const DAY = 86_400n;

let f: ClosedFixture;

beforeAll(async () => {
  f = await startClosedFixture();
});
afterAll(() => f?.stop());
revertEachTest(() => f);

describe("default split", () => {
  test("is accepted 14 days after the close, and not a second earlier", async () => {
    const part = await f.byDefault();
    const earliest = f.closingTime + 14n * DAY;
    await f.passTo(earliest - 1n);
    const early = await f.joined([part]);
    expect(await f.attempt(early)).toEqual({
      name: "SettlementDefaultTooEarly",
      args: [f.closingBatch, earliest, earliest - 1n],
    });
    await f.passTo(earliest);
    await f.submit([await f.joined([part])]);
    const [event] = await f.rollup.getEvents.SettlementAccepted();
    expect(event?.args).toMatchObject({ circuit: PAYEE_TABLE, isDefault: true, burnedWei: 3n * OPEN });
    expect(await f.rollup.read.burnableWei()).toBe(4n * OPEN);
  });

  test("has no seed, and needs no randomness", async () => {
    const missed = await f.closeEpoch();
    await f.passTime(14n * DAY);
    const data = { ...(await f.byDefault()).data, closingBatch: missed };
    const draws = await f.settlementData(f.closingBatch, { closingBatch: missed, voidCount: 0 });
    expect(await f.attempt(await f.joined([{ circuit: PAYEE_TABLE, data }]))).toMatchObject({
      name: "accepted",
    });
    expect(await f.attempt(await f.joined([{ circuit: PAYEE_TABLE, data: draws }]))).toMatchObject({
      name: "VerifierProofRejected",
    });
  });

  test("needs a close", async () => {
    await f.passTime(20n * DAY);
    for (const unknown of [0n, f.closingBatch + 1n, 2n ** 40n - 1n]) {
      expect(await f.attempt(await f.joined([await f.byDefault({ closingBatch: unknown })]))).toEqual({
        name: "SettlementCloseUnknown",
        args: [unknown],
      });
    }
  });
});

describe("Activation", () => {
  test("is accepted, takes nothing from the ledger, and states the cap that L1 filled in", async () => {
    const before = await f.rollup.read.ledgerWei();
    const good = await f.joined([f.activation()]);
    await f.submit([good]);
    const [event] = await f.rollup.getEvents.ActivationAccepted();
    expect(event?.args).toEqual({
      modelId: BigInt(MODEL),
      batchNumber: good.content.batchNumber,
      circuit: PAYEE_TABLE,
      settlementCircuit: SAMPLED,
      cap: 16,
    });
    expect(await f.rollup.read.ledgerWei()).toBe(before);
    expect(await f.rollup.getEvents.SettlementAccepted()).toEqual([]);
  });

  test("Attack: burns nothing on L1, whatever its data says", async () => {
    await f.submit([await f.joined([f.activation({ burnedWei: 5n * OPEN })])]);
    expect(await f.rollup.read.ledgerWei()).toBe(1_000n * OPEN);
    expect(await f.rollup.read.burnableWei()).toBe(OPEN);
  });

  test("has the cap of the circuit it names, which is one of settlements", async () => {
    const few = f.activation({ capCircuit: SAMPLED_FEW_PAYEES, cap: 300 });
    expect(await f.attempt(await f.joined([few]))).toMatchObject({ name: "accepted" });
    for (const cap of [16, 299, 0]) {
      const wrong = f.activation({ capCircuit: SAMPLED_FEW_PAYEES, cap });
      expect(await f.attempt(await f.joined([wrong]))).toMatchObject({ name: "VerifierProofRejected" });
    }
    for (const capCircuit of [0, PAYEE_TABLE]) {
      expect(await f.attempt(await f.joined([f.activation({ capCircuit })]))).toEqual({
        name: "SettlementCapInvalid",
        args: [BigInt(capCircuit)],
      });
    }
    expect(await f.attempt(await f.joined([f.activation({ capCircuit: 8 })]))).toEqual({
      name: "VerifierCircuitUnknown",
      args: [8n, 8n],
    });
  });

  test("rejects more slots than the named circuit can settle", async () => {
    const items = Array<bigint>(6).fill(1n);
    expect(await f.attempt(await f.joined([f.activation({ items })]))).toMatchObject({ name: "accepted" });
    const few = f.activation({ items, capCircuit: SAMPLED_FEW_PAYEES, cap: 300 });
    expect(await f.attempt(await f.joined([few]))).toEqual({
      name: "SettlementPayeeCountExceeded",
      args: [6n, 4n],
    });
    // Two elements, too: the last payee of four decides.
    const four = f.activation({ items: items.slice(0, 4), capCircuit: SAMPLED_FEW_PAYEES, cap: 300 });
    expect(await f.attempt(await f.joined([four]))).toMatchObject({ name: "accepted" });
  });

  test("rejects a settlement circuit, and a proof made for a Settle", async () => {
    expect(await f.attempt(await f.joined([{ ...f.activation(), circuit: SAMPLED }]))).toEqual({
      name: "SettlementSortInvalid",
      args: [BigInt(SAMPLED), 1n, BigInt(KIND.activation)],
    });
    const { data } = f.activation();
    const good = await f.joined([f.activation(data)]);
    const { proof } = f.proveSettlementFixture(
      PAYEE_TABLE,
      { ...data, isActivation: false },
      good.settlements![0]!.settlement,
    );
    const forged = { ...good, settlements: [{ ...good.settlements![0]!, proof }] };
    expect(await f.attempt(forged)).toMatchObject({ name: "VerifierProofRejected" });
  });

  test("comes from the sequencer alone, also where the queue is overdue", async () => {
    const batch = () => f.joined([f.activation()]);
    expect(await f.attempt(await batch(), "stranger")).toMatchObject({ name: "RollupNotSequencer" });
    await f.rollup.write.forceSetKey([2, 9n, ANY_FEE], { account: f.roles.alice });
    await f.passTime(2n * DAY);
    const forced = slot(KIND.forcedSetKey, [0n, 9n, 0n, BigInt(f.roles.alice)], { a: 2, isValid: true });
    const { data } = f.activation();
    const withQueue = () =>
      f.joined([f.activation(data)], { wide: [forced, activationSlot(data.settlementHash)] });
    expect(await f.attempt(await withQueue(), "stranger")).toEqual({
      name: "SettlementNotSequencer",
      args: [f.roles.stranger],
    });
    expect(await f.attempt(await withQueue())).toMatchObject({ name: "accepted" });
  });
});

test("seeds differ by epoch, model and chain, and have 128 bits", async () => {
  const chain = randomElement();
  const seeds = await Promise.all(
    [{}, { epoch: 6n }, { modelId: 78 }, { chain: chain + 1n }].map(async (other) => {
      const { data } = await f.sampled({ chain, ...other });
      return data.seed;
    }),
  );
  expect(new Set(seeds).size).toBe(4);
  for (const seed of seeds) expect(seed < 2n ** 128n).toBe(true);
  expect(SHAPES.length).toBe(SAMPLED);
});
