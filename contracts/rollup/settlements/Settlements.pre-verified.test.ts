/** Settlements that are pre-verified first: how strangers settle. */

import { FIELD_ORDER, KIND } from "@openledger/circuits/protocol";
import { encodeSettlement, type SettlementData } from "@openledger/circuits/settlement/settlement-data";
import { bytesToHex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { revertEachTest } from "../../testing/chain.ts";
import {
  ANY_FEE,
  OPEN,
  type ProvenSettlementFixture,
  type Role,
  revertOf,
  slot,
} from "../../testing/rollup-fixture.ts";
import {
  type ClosedFixture,
  closeEpochSlot,
  MODEL,
  PAYEE_TABLE,
  preVerifyArguments,
  SAMPLED,
  type SettlementPart,
  settleSlot,
  startClosedFixture,
} from "../../testing/settlement-fixture.ts";

const DAY = 86_400n;

let f: ClosedFixture;
beforeAll(async () => {
  f = await startClosedFixture();
  await f.passTo(f.closingTime + 3n * DAY);
});
afterAll(() => f?.stop());
revertEachTest(() => f);

const sampled = (overrides: Partial<SettlementData> = {}) => f.sampled({ voidCount: 0, ...overrides });
const preVerified = (part: SettlementPart): SettlementPart => ({ ...part, isPreVerified: true });
const takes = async (part: SettlementPart, from: Role = "stranger") =>
  f.attempt(await f.joined([preVerified(part)]), from);

/** Answer of the contract to the pre-verification of a settlement as it is. */
const tryPreVerify = (
  data: Pick<SettlementData, "modelId" | "settlementHash">,
  closed: ProvenSettlementFixture,
) =>
  revertOf(
    f.rollup.simulate.preVerifySettlement(preVerifyArguments(data, closed), { account: f.roles.stranger }),
  );
const attemptPreVerify = ({ circuit, data }: SettlementPart) =>
  tryPreVerify(data, f.proveSettlementFixture(circuit, data));

describe("preVerifySettlement", () => {
  test("keeps the settlement for its record, and says everything of it in its event", async () => {
    const part = await sampled();
    const { settlement, proof } = await f.preVerify(part);
    const { settlementHash: word } = part.data;
    const { number, timestamp } = await f.client.getBlock();
    expect(await f.rollup.read.preVerifiedSettlements([BigInt(MODEL), word])).toEqual([
      number,
      timestamp,
      3n * OPEN,
    ]);
    const [event] = await f.rollup.getEvents.SettlementPreVerified();
    expect(event?.args).toEqual({ modelId: BigInt(MODEL), word, entries: [settlement], proofs: [proof] });
    expect(await f.rollup.read.ledgerWei(), "nothing moves yet").toBe(1_000n * OPEN);
    expect(await attemptPreVerify(part)).toEqual({
      name: "SettlementAlreadyPreVerified",
      args: [BigInt(MODEL), word],
    });
    for (const other of [{ modelId: 5 }, { settlementHash: word + 1n }])
      expect(await attemptPreVerify(await sampled(other)), "of its own").toMatchObject({
        name: "accepted",
      });
  });

  test("is for epochs that were closed three days ago, and by default fourteen (I12)", async () => {
    const late = await f.closeEpoch();
    await f.recordRandomness(late);
    const young = { circuit: SAMPLED, data: await f.settlementData(late, { voidCount: 0 }) };
    expect(await attemptPreVerify(young)).toMatchObject({ name: "SettlementStrangerTooEarly" });
    const byDefault = await f.byDefault();
    await f.passTo(f.closingTime + 14n * DAY - 1n);
    expect(await attemptPreVerify(byDefault)).toMatchObject({ name: "SettlementDefaultTooEarly" });
    await f.passTo(f.closingTime + 14n * DAY);
    expect(await attemptPreVerify(byDefault)).toMatchObject({ name: "accepted" });
    expect(await attemptPreVerify(young)).toMatchObject({ name: "accepted" });
    const unclosed = { circuit: PAYEE_TABLE, data: { ...byDefault.data, closingBatch: late + 1n } };
    expect(await attemptPreVerify(unclosed)).toMatchObject({ name: "SettlementCloseUnknown" });
  });

  test("Attack: refuses what the proof does not show: another word, model, amount, seed or circuit", async () => {
    const { data } = await sampled();
    const good = f.proveSettlementFixture(SAMPLED, data);
    expect(await tryPreVerify(data, good)).toMatchObject({ name: "accepted" });
    const rejected = { name: "VerifierProofRejected", args: [] };
    expect(await tryPreVerify({ ...data, settlementHash: data.settlementHash + 1n }, good)).toEqual(rejected);
    expect(await tryPreVerify({ ...data, modelId: MODEL + 1 }, good)).toEqual(rejected);
    for (const other of [{ burnedWei: 0n }, { epoch: 6n }, { chain: 7n }, { items: [] }]) {
      const posted = bytesToHex(encodeSettlement({ ...data, ...other }));
      expect(await tryPreVerify(data, { ...good, settlement: { ...good.settlement, data: posted } })).toEqual(
        rejected,
      );
    }
    const proof = { ...good.proof, c: good.proof.a };
    expect(await tryPreVerify(data, { ...good, proof })).toEqual(rejected);
    const asBatch = { ...good, settlement: { ...good.settlement, circuit: 0 } };
    expect(await tryPreVerify(data, asBatch)).toMatchObject({ name: "SettlementSortInvalid" });
    const activation = f.activation();
    expect(await attemptPreVerify(activation)).toMatchObject({ name: "SettlementCapInvalid" });
    expect(
      await attemptPreVerify({ ...activation, data: { ...activation.data, capCircuit: 0 } }),
    ).toMatchObject({
      name: "SettlementCloseUnknown",
    });
  });

  test("Attack: refuses voids: only the model could serve the record, and so keep it back", async () => {
    for (const voidCount of [1, 255])
      expect(await attemptPreVerify(await sampled({ voidCount }))).toEqual({
        name: "SettlementVoidsPreVerified",
        args: [BigInt(MODEL), BigInt(voidCount)],
      });
  });

  test("refuses a word, a chain and a commitment that are not below r, and data of another length", async () => {
    const { data } = await sampled();
    const good = f.proveSettlementFixture(SAMPLED, data);
    const outOfField = { name: "RollupElementOutOfField", args: [] };
    expect(await tryPreVerify({ ...data, settlementHash: data.settlementHash + FIELD_ORDER }, good)).toEqual(
      outOfField,
    );
    const commitment = good.settlement.commitment + FIELD_ORDER;
    expect(await tryPreVerify(data, { ...good, settlement: { ...good.settlement, commitment } })).toEqual(
      outOfField,
    );
    for (const posted of ["0x", `${good.settlement.data}00`] as const)
      expect(
        await tryPreVerify(data, { ...good, settlement: { ...good.settlement, data: posted } }),
      ).toMatchObject({
        name: "SettlementDataLengthInvalid",
      });
  });
});

describe("a record of a pre-verified settlement", () => {
  test("needs neither settlement nor proof in the sequencer's batch; what it burns leaves the ledger (I1)", async () => {
    const part = await sampled();
    await f.preVerify(part);
    const { number: preVerifiedAtBlock } = await f.client.getBlock();
    const batch = await f.joined([preVerified(part)]);
    await f.submit([batch]);
    const [event] = await f.rollup.getEvents.PreVerifiedSettlementTaken();
    const word = part.data.settlementHash;
    const { batchNumber } = batch.content;
    expect(event?.args).toEqual({ modelId: BigInt(MODEL), batchNumber, word, preVerifiedAtBlock });
    expect(await f.rollup.getEvents.SettlementAccepted()).toEqual([]);
    expect(await f.rollup.read.ledgerWei()).toBe(997n * OPEN);
    // And the id fee of the fixture's deposit.
    expect(await f.rollup.read.burnableWei()).toBe(3n * OPEN + OPEN);
    expect(await f.rollup.read.preVerifiedSettlements([BigInt(MODEL), word])).toEqual([0n, 0n, 0n]);
    expect(await takes(part, "sequencer"), "once").toEqual({
      name: "SettlementNotPreVerified",
      args: [BigInt(MODEL), word],
    });
  });

  test("is that model's and that word's, a Settle, and of leaf 0", async () => {
    const part = await sampled();
    await f.preVerify(part);
    const word = part.data.settlementHash;
    for (const other of [{ modelId: MODEL + 1 }, { settlementHash: word + 1n }])
      expect(await takes({ ...part, data: { ...part.data, ...other } }, "sequencer")).toMatchObject({
        name: "SettlementNotPreVerified",
      });
    const activation = { ...part, data: { ...part.data, isActivation: true } };
    expect(await takes(activation, "sequencer")).toMatchObject({ name: "SettlementNotPreVerified" });
    const wide = [slot(KIND.settle, [word], { a: 1, b: MODEL })];
    expect(await f.attempt(await f.joined([preVerified(part)], { wide }))).toEqual({
      name: "SettlementLeafInvalid",
      args: [BigInt(MODEL), 1n],
    });
  });

  test("Attack: does not make the sequencer's batch fail that brings the settlement itself", async () => {
    const part = await sampled();
    const own = await f.joined([part]);
    await f.preVerify(part);
    expect(await f.attempt(own)).toMatchObject({ name: "accepted" });
    const both = await f.joined([part, preVerified(await sampled({ modelId: 5 }))]);
    expect(await f.attempt(both)).toMatchObject({ name: "SettlementNotPreVerified" });
  });

  test("counts its proofs: none for what is pre-verified, one for what is brought", async () => {
    const [brought, waits] = [await sampled(), await sampled({ modelId: 5 })];
    await f.preVerify(waits);
    for (const parts of [
      [brought, preVerified(waits)],
      [preVerified(waits), brought],
    ])
      expect(await f.attempt(await f.joined(parts))).toMatchObject({ name: "accepted" });
    const good = await f.joined([preVerified(waits), brought]);
    const [first, second] = good.settlements!;
    expect(await f.attempt({ ...good, settlements: [second!, first!] })).toMatchObject({
      name: "SettlementNotPreVerified",
    });
    expect(await f.attempt({ ...good, settlements: [first!] })).toMatchObject({ name: "SettlementMissing" });
    expect(await f.attempt({ ...good, settlements: [first!, second!, first!] })).toMatchObject({
      name: "SettlementUnused",
    });
  });

  test("burns no more than the ledger holds, whatever was proven (I2)", async () => {
    const part = await sampled({ burnedWei: 1_000n * OPEN + 1n });
    await f.preVerify(part);
    expect(await takes(part, "sequencer")).toEqual({
      name: "RollupLedgerExceeded",
      args: [1_000n * OPEN + 1n, 1_000n * OPEN],
    });
  });
});

describe("strangers", () => {
  test("bring no settlement with a batch: so none of theirs voids a batch of the sequencer's", async () => {
    const part = await sampled();
    await f.passTo(f.closingTime + 5n * DAY);
    const notSequencer = { name: "SettlementNotSequencer", args: [f.roles.stranger] };
    expect(await f.attempt(await f.joined([part]), "stranger")).toEqual(notSequencer);
    await f.preVerify(part);
    await f.passTime(2n * DAY);
    expect(await f.attempt(await f.joined([part]), "stranger"), "nor what is pre-verified").toEqual(
      notSequencer,
    );
  });

  test("post what was pre-verified for more than a day, and not a second earlier (I14)", async () => {
    const part = await sampled();
    await f.preVerify(part);
    const { timestamp } = await f.client.getBlock();
    await f.passTo(timestamp + DAY);
    expect(await takes(part)).toEqual({
      name: "SettlementNotOverdue",
      args: [BigInt(MODEL), part.data.settlementHash, timestamp, timestamp - 1n],
    });
    expect(await takes(part, "sequencer")).toMatchObject({ name: "accepted" });
    await f.passTo(timestamp + DAY + 1n);
    await f.submit([await f.joined([preVerified(part)])], "stranger");
    // And the id fee of the fixture's deposit.
    expect(await f.rollup.read.burnableWei()).toBe(3n * OPEN + OPEN);
  });

  test("post nothing else with it, and several only where each is overdue", async () => {
    const [old, young] = [await sampled(), await sampled({ modelId: 5 })];
    await f.preVerify(old);
    await f.passTime(DAY + 1n);
    await f.preVerify(young);
    expect(await takes(old)).toMatchObject({ name: "accepted" });
    for (const set of [
      [old, young],
      [young, old],
    ])
      expect(await f.attempt(await f.joined(set.map(preVerified)), "stranger")).toMatchObject({
        name: "SettlementNotOverdue",
      });
    const record = settleSlot(old.data.settlementHash);
    const notSequencer = { name: "RollupNotSequencer", args: [f.roles.stranger] };
    for (const wide of [
      [record, slot(KIND.null)],
      [closeEpochSlot(), record],
      [record, slot(KIND.withdraw, [BigInt(f.roles.bob), OPEN], { a: 2 })],
      [record, slot(KIND.claimRewards, [1n], { a: 2, b: MODEL })],
    ])
      expect(await f.attempt(await f.joined([preVerified(old)], { wide }), "stranger")).toEqual(notSequencer);
    expect(await f.attempt(f.close(await f.draft()), "stranger")).toEqual(notSequencer);
    expect(await f.attempt(await f.joined([preVerified(old)], { signedCount: 1 }), "stranger")).toEqual({
      name: "RollupSignedOperations",
      args: [f.roles.stranger, 1n],
    });
  });

  test("carry on an overdue queue with it; it does not get past an overdue entry (I7)", async () => {
    const part = await sampled();
    await f.preVerify(part);
    await f.rollup.write.forceSetKey([2, 9n, ANY_FEE], { account: f.roles.alice });
    const forced = slot(KIND.forcedSetKey, [0n, 9n, 0n, BigInt(f.roles.alice)], { a: 2, isValid: true });
    const wide = [forced, settleSlot(part.data.settlementHash)];
    await f.passTime(DAY + 1n);
    expect(await f.attempt(await f.joined([part], { wide }), "stranger")).toMatchObject({
      name: "SettlementNotSequencer",
    });
    expect(await takes(part)).toMatchObject({ name: "RollupOverdueEntryLeft" });
    await f.submit([await f.joined([preVerified(part)], { wide })], "stranger");
    expect((await f.rollup.read.state()).queueHead).toBe(2);
  });
});
