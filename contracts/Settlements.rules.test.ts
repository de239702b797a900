import type { Hex } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KIND } from "../circuits/protocol.ts";
import { ANY_FEE, OPEN, randomElement, revertName, SHAPES, slot } from "./rollup-fixture.ts";
import {
  genesisSlot,
  MODEL,
  SAMPLED,
  SAMPLED_FEW_SLOTS,
  type SealedFixture,
  SLOT_TABLE,
  settleSlot,
  startSealedFixture,
} from "./settlement-fixture.ts";

// Who may settle when, the default split, and the genesis (docs/settlement.md, "On L1").

const DAY = 86_400n;

let f: SealedFixture;
let snapshot: Hex | undefined;

beforeAll(async () => {
  f = await startSealedFixture();
});
afterAll(() => f?.stop());
beforeEach(async () => {
  if (snapshot !== undefined) await f.client.revert({ id: snapshot });
  snapshot = await f.client.snapshot();
});

describe("default split", () => {
  test("is accepted 14 days after the seal, and not a second earlier", async () => {
    const part = await f.byDefault();
    const earliest = f.sealTime + 14n * DAY;
    await f.passTo(earliest - 1n);
    const early = await f.joined([part]);
    expect(await f.attempt(early)).toEqual({
      name: "SettlementDefaultTooEarly",
      args: [f.sealBatch, earliest, earliest - 1n],
    });
    await f.passTo(earliest);
    await f.submit([await f.joined([part])]);
    const [event] = await f.rollup.getEvents.SettlementAccepted();
    expect(event?.args).toMatchObject({ circuit: SLOT_TABLE, isDefault: true, burnedWei: 3n * OPEN });
    expect(await f.rollup.read.burnableWei()).toBe(4n * OPEN);
  });

  test("has no seed, and needs no randomness", async () => {
    const missed = await f.sealEpoch();
    await f.passTime(14n * DAY);
    const data = { ...(await f.byDefault()).data, sealBatch: missed };
    const draws = await f.settlementData(f.sealBatch, { sealBatch: missed, voidCount: 0 });
    expect(await f.attempt(await f.joined([{ circuit: SLOT_TABLE, data }]))).toMatchObject({
      name: "accepted",
    });
    expect(await f.attempt(await f.joined([{ circuit: SLOT_TABLE, data: draws }]))).toMatchObject({
      name: "VerifierProofRejected",
    });
  });

  test("needs a seal", async () => {
    await f.passTime(20n * DAY);
    for (const unknown of [0n, f.sealBatch + 1n, 2n ** 40n - 1n]) {
      expect(await f.attempt(await f.joined([await f.byDefault({ sealBatch: unknown })]))).toEqual({
        name: "SettlementSealUnknown",
        args: [unknown],
      });
    }
  });
});

describe("Genesis", () => {
  test("is accepted, takes nothing from the ledger, and states the cap that L1 filled in", async () => {
    const before = await f.rollup.read.ledgerWei();
    const good = await f.joined([f.genesis()]);
    await f.submit([good]);
    const [event] = await f.rollup.getEvents.GenesisAccepted();
    expect(event?.args).toEqual({
      modelId: BigInt(MODEL),
      batchNumber: good.content.batchNumber,
      circuit: SLOT_TABLE,
      settlementCircuit: SAMPLED,
      cap: 16,
    });
    expect(await f.rollup.read.ledgerWei()).toBe(before);
    expect(await f.rollup.getEvents.SettlementAccepted()).toEqual([]);
  });

  test("⚔ burns nothing on L1, whatever its data says", async () => {
    await f.submit([await f.joined([f.genesis({ burnedWei: 5n * OPEN })])]);
    expect(await f.rollup.read.ledgerWei()).toBe(1_000n * OPEN);
    expect(await f.rollup.read.burnableWei()).toBe(OPEN);
  });

  test("has the cap of the circuit it names, which is one of settlements", async () => {
    const few = f.genesis({ capCircuit: SAMPLED_FEW_SLOTS, cap: 300 });
    expect(await f.attempt(await f.joined([few]))).toMatchObject({ name: "accepted" });
    for (const cap of [16, 299, 0]) {
      const wrong = f.genesis({ capCircuit: SAMPLED_FEW_SLOTS, cap });
      expect(await f.attempt(await f.joined([wrong]))).toMatchObject({ name: "VerifierProofRejected" });
    }
    for (const capCircuit of [0, SLOT_TABLE]) {
      expect(await f.attempt(await f.joined([f.genesis({ capCircuit })]))).toEqual({
        name: "SettlementCapInvalid",
        args: [BigInt(capCircuit)],
      });
    }
    expect(await f.attempt(await f.joined([f.genesis({ capCircuit: 6 })]))).toEqual({
      name: "VerifierCircuitUnknown",
      args: [6n, 6n],
    });
  });

  test("rejects more slots than the named circuit can settle", async () => {
    const items = Array<bigint>(6).fill(1n);
    expect(await f.attempt(await f.joined([f.genesis({ items })]))).toMatchObject({ name: "accepted" });
    const few = f.genesis({ items, capCircuit: SAMPLED_FEW_SLOTS, cap: 300 });
    expect(await f.attempt(await f.joined([few]))).toEqual({
      name: "SettlementSlotCountExceeded",
      args: [3n, 2n],
    });
  });

  test("rejects a settlement circuit, and a proof made for a Settle", async () => {
    expect(await f.attempt(await f.joined([{ ...f.genesis(), circuit: SAMPLED }]))).toEqual({
      name: "SettlementSortInvalid",
      args: [BigInt(SAMPLED), 1n, BigInt(KIND.genesis)],
    });
    const { data } = f.genesis();
    const good = await f.joined([f.genesis(data)]);
    const { proof } = f.sealSettlement(
      SLOT_TABLE,
      { ...data, isGenesis: false },
      good.settlements![0]!.settlement,
    );
    const forged = { ...good, settlements: [{ ...good.settlements![0]!, proof }] };
    expect(await f.attempt(forged)).toMatchObject({ name: "VerifierProofRejected" });
  });

  test("comes from the sequencer alone, also where the queue is overdue", async () => {
    const batch = () => f.joined([f.genesis()]);
    expect(await f.attempt(await batch(), "stranger")).toMatchObject({ name: "RollupNotSequencer" });
    await f.rollup.write.forceSetKey([2, 9n, ANY_FEE], { account: f.roles.alice });
    await f.passTime(2n * DAY);
    const forced = slot(KIND.forcedSetKey, [0n, 9n, 0n, BigInt(f.roles.alice)], { a: 2, isValid: true });
    const { data } = f.genesis();
    const withQueue = () => f.joined([f.genesis(data)], { wide: [forced, genesisSlot(data.settlementHash)] });
    expect(await f.attempt(await withQueue(), "stranger")).toEqual({
      name: "SettlementGenesisNotSequencer",
      args: [f.roles.stranger],
    });
    expect(await f.attempt(await withQueue())).toMatchObject({ name: "accepted" });
  });
});

describe("strangers", () => {
  test("settle from 3 days after the seal, and not a second earlier (I12)", async () => {
    const part = await f.sampled();
    const earliest = f.sealTime + 3n * DAY;
    await f.passTo(earliest - 1n);
    expect(await f.attempt(await f.joined([part]), "stranger")).toEqual({
      name: "SettlementStrangerTooEarly",
      args: [f.sealBatch, earliest, earliest - 1n],
    });
    expect(await f.attempt(await f.joined([part]))).toMatchObject({ name: "accepted" });
    await f.passTo(earliest);
    await f.submit([await f.joined([part])], "stranger");
    expect(await f.rollup.read.burnableWei()).toBe(4n * OPEN);
  });

  test("settle several epochs only if each is old enough", async () => {
    await f.passTo(f.sealTime + 2n * DAY);
    const later = await f.sealEpoch();
    await f.recordRandomness(later);
    await f.passTo(f.sealTime + 4n * DAY);
    const [old, young] = [await f.sampled(), { circuit: SAMPLED, data: await f.settlementData(later) }];
    expect(await f.attempt(await f.joined([old]), "stranger")).toMatchObject({ name: "accepted" });
    for (const set of [[young], [old, young], [young, old]]) {
      expect(await f.attempt(await f.joined(set), "stranger")).toMatchObject({
        name: "SettlementStrangerTooEarly",
      });
    }
    await f.passTo(f.sealTime + 6n * DAY);
    expect(await f.attempt(await f.joined([old, young]), "stranger")).toMatchObject({ name: "accepted" });
  });

  test("settle by default after 14 days, without randomness", async () => {
    const part = await f.byDefault();
    await f.passTo(f.sealTime + 14n * DAY - 1n);
    expect(await f.attempt(await f.joined([part]), "stranger")).toMatchObject({
      name: "SettlementDefaultTooEarly",
    });
    await f.passTo(f.sealTime + 14n * DAY);
    await f.submit([await f.joined([part])], "stranger");
  });

  test("submit nothing else with their settlements while no entry is overdue", async () => {
    await f.passTo(f.sealTime + 4n * DAY);
    const part = await f.sampled();
    const record = settleSlot(part.data.settlementHash);
    const others = [
      [record, slot(KIND.null), slot(KIND.null)],
      [slot(KIND.null)],
      [slot(KIND.seal, [], { a: MODEL, b: MODEL }), record],
      [record, slot(KIND.withdraw, [BigInt(f.roles.bob), OPEN], { a: 2 })],
      [record, slot(KIND.claim, [1n], { a: 2, b: MODEL })],
    ];
    expect(await f.attempt(await f.joined([part]), "stranger")).toMatchObject({ name: "accepted" });
    for (const [i, wide] of others.entries()) {
      expect(await f.attempt(await f.joined([part], { wide }), "stranger"), `case ${i}`).toEqual({
        name: "RollupNotSequencer",
        args: [f.roles.stranger],
      });
    }
    expect(await f.attempt(f.seal(await f.draft()), "stranger")).toMatchObject({
      name: "RollupNotSequencer",
    });
    const signed = await f.joined([part], { signedCount: 1 });
    expect(await f.attempt(signed, "stranger")).toEqual({
      name: "RollupSignedOperations",
      args: [f.roles.stranger, 1n],
    });
    const idle = f.seal(await f.draft({ after: (await f.joined([part])).content }));
    expect(await revertName(f.trySubmit([await f.joined([part]), idle], "stranger"))).toMatch(
      /^(RollupNotSequencer|VerifierProofRejected)$/,
    );
  });

  test("carry on an overdue queue with settlements among its entries, under the same delay", async () => {
    await f.rollup.write.forceSetKey([2, 9n, ANY_FEE], { account: f.roles.alice });
    const forced = slot(KIND.forcedSetKey, [0n, 9n, 0n, BigInt(f.roles.alice)], { a: 2, isValid: true });
    const part = await f.sampled();
    const wide = [forced, settleSlot(part.data.settlementHash)];
    await f.passTo(f.sealTime + 2n * DAY);
    expect(await f.attempt(await f.joined([part], { wide }), "stranger")).toMatchObject({
      name: "SettlementStrangerTooEarly",
    });
    await f.passTo(f.sealTime + 3n * DAY);
    expect(await f.attempt(await f.joined([part], { wide }), "stranger")).toMatchObject({ name: "accepted" });
    // The overdue entry comes first (I7): settlements do not get past it.
    expect(await f.attempt(await f.joined([part]), "stranger")).toMatchObject({
      name: "RollupOverdueEntryLeft",
    });
    await f.submit([await f.joined([part], { wide })], "stranger");
    expect((await f.rollup.read.state()).queueHead).toBe(2);
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
