/** A real sequencer beside strangers who settle on L1: by pre-verification, and, after a day without it, by batches of their own. */

import { findPostedSettlement } from "@openledger/bridge/l1/submission/posted-settlement";
import {
  MODEL_ID,
  type ModelHistory,
  PAYEE_TABLE_CIRCUIT,
  PAYEES,
} from "@openledger/bridge/testing/model-history";
import { encodeSubmission } from "@openledger/bridge/testing/odd-calldata";
import { ANY_FEE, randomElement, submission } from "@openledger/contracts/testing/rollup-fixture";
import { preVerifyArguments } from "@openledger/contracts/testing/settlement-fixture";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { concatHex, type Hex } from "viem";
import { afterEach, describe, expect, it } from "vitest";
import { CONFIRMATIONS, FINALITY_DEPTH_BLOCKS, type L1World } from "../../testing/l1-world.ts";
import { startPreVerifiedWorld } from "../../testing/pre-verified-world.ts";
import { close } from "../../testing/test-operator.ts";

const ALICE = PAYEES[0]!.contributorId;
const RELAY: Hex = "0x000000000000000000000000000000000000c0de";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const mine = (f: ModelHistory, blocks: number) => f.l1.client.mine({ blocks });
const closedEpoch = async ({ rollup }: L1World) =>
  (await rollup.get(`/v1/models/${MODEL_ID}`)).body.closedEpoch;
const verify = (f: ModelHistory) =>
  verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
  });

describe("a pre-verified settlement", () => {
  it("is settled by the sequencer's next batch, which leaves its proof out; nobody's batch is void", async () => {
    const { f, restart, closingBatch, settle, w } = await startPreVerifiedWorld(cleanUps);
    const preVerified = await settle();
    expect(preVerified).toMatchObject({ status: "pre-verified", epoch: 1 });
    // Anybody can pre-verify any number of settlements of epochs that the ledger does not have.
    for (let i = 0; i < 3; i++) {
      const data = { ...f.defaultData(), chain: randomElement(), settlementHash: randomElement() };
      const closed = f.l1.proveSettlementFixture(PAYEE_TABLE_CIRCUIT, data);
      const args = preVerifyArguments(data, closed);
      await f.l1.rollup.write.preVerifySettlement(args, { account: f.l1.roles.stranger });
    }
    expect((await w.rollup.get("/v1/pre-verified-settlements")).body, "not offered yet").toEqual([]);
    await w.watch();
    expect(await closedEpoch(w), "executed").toBeNull();
    const waiting = async (of: L1World) =>
      (await of.rollup.get(`/v1/pre-verified-settlements?model=${MODEL_ID}`)).body;
    const shown = { modelId: MODEL_ID, epoch: 1, circuit: "payee-table-8", batchNumber: closingBatch + 1 };
    expect(await waiting(w), "those of no epoch are left out").toEqual([
      expect.objectContaining({ ...shown, status: "acknowledged", reason: null }),
    ]);
    const { body } = await w.rollup.get(`/v1/settlements/${MODEL_ID}/1`);
    expect(body.earnedWei).toEqual(preVerified.earnedWei.map(String));
    await close(w.rollup);
    await w.turn();
    const { batchNumber } = await f.rollup.state();
    expect(batchNumber).toBe(closingBatch + 1);
    const [taken] = await f.l1.rollup.getEvents.PreVerifiedSettlementTaken({}, { fromBlock: 0n });
    expect(taken?.args).toMatchObject({ modelId: BigInt(MODEL_ID), batchNumber: BigInt(batchNumber) });
    const key = { modelId: MODEL_ID, epoch: 1, batchNumber, closingBatch };
    const found = await findPostedSettlement(f.rollup, key);
    expect(found?.submitted).toMatchObject({ circuitIndex: PAYEE_TABLE_CIRCUIT, data: body.data });
    expect(found!.submitted.proof).not.toBeNull();
    expect(await verify(f)).toMatchObject({ batchCount: batchNumber, settlementCount: 2 });
    await mine(f, FINALITY_DEPTH_BLOCKS);
    await w.turn();
    expect(w.rollup.fatal).toEqual([]);
    const again = await restart();
    await again.turn();
    expect(again.rollup.sequencer.pipeline.registry.finalNumber).toBe(batchNumber);
    expect(await waiting(again)).toEqual([]);
    await expect(settle()).rejects.toMatchObject({
      code: "BRG_NOTHING_TO_DO",
      data: { reason: "nothing-to-settle" },
    });
  });

  it.each([1, 2] as const)(
    "of %i shards is followed once it is confirmed where a stranger posts it after a day, and undone where L1 forgets that",
    async (shardCount) => {
      const { f, restart, closingBatch, settle, w } = await startPreVerifiedWorld(cleanUps, shardCount);
      expect(await settle()).toMatchObject({ status: "pre-verified" });
      await f.l1.passTime(86_401n);
      const before = await f.l1.client.snapshot();
      expect(await settle()).toMatchObject({ status: "settled", batchNumber: closingBatch + 1 });
      await mine(f, CONFIRMATIONS - 1);
      // The pre-verified watcher does nothing: it would settle first.
      await w.publish();
      await w.publish();
      const number = closingBatch + 1;
      const status = async (of: L1World) => (await of.rollup.get(`/v1/batches/${number}`)).body;
      expect(await status(w)).toMatchObject({ isForeign: true, status: "posted" });
      const again = await restart();
      expect(await status(again), "a restart agrees").toMatchObject({ isForeign: true, status: "posted" });
      expect(await closedEpoch(again)).toBeNull();

      await f.l1.client.revert({ id: before });
      await mine(f, 1);
      await again.publish();
      expect(again.rollup.fatal).toEqual([]);
      expect(again.rollup.sequencer.pipeline.registry.closedNumber, "it is gone").toBe(closingBatch);
      expect(await closedEpoch(again)).toMatchObject({ epoch: 1 });
      // The sequencer serves it itself now.
      await mine(f, 1);
      await again.turn();
      await close(again.rollup);
      await again.turn();
      expect(await status(again)).toMatchObject({ isForeign: false, status: "submitted" });
      await again.turn();
      expect((await f.rollup.state()).batchNumber).toBe(number);
      expect(await verify(f)).toMatchObject({ batchCount: number, settlementCount: 2 });
      await mine(f, FINALITY_DEPTH_BLOCKS);
      await again.turn();
      expect(again.rollup.sequencer.pipeline.registry.finalNumber).toBe(number);
      expect(again.rollup.sequencer.pipeline.head.ledger.root).toBe((await f.rollup.state()).root);
    },
  );

  it("is taken by a batch that comes through a contract, and what it gives is paid out on L1", async () => {
    const { f, closingBatch, w } = await startPreVerifiedWorld(cleanUps);
    const { client, roles, rollup, token } = f.l1;
    const data = f.defaultData();
    const preVerified = f.l1.proveSettlementFixture(PAYEE_TABLE_CIRCUIT, data);
    await rollup.write.preVerifySettlement(preVerifyArguments(data, preVerified), {
      account: roles.stranger,
    });
    await f.l1.passTime(86_401n);
    const batch = await f.proveSettlementFixture(data, PAYEE_TABLE_CIRCUIT);
    const taking = { ...batch, settlements: [{ ...preVerified, isPreVerified: true }] };
    // CALLDATASIZE, CALLDATACOPY, CALL, and the rollup's answer: the batch is in no plain call's input.
    const code = concatHex([
      "0x365f5f375f5f365f5f73",
      f.rollup.address,
      "0x5af13d5f5f3e602a573d5ffd5b3d5ff3",
    ]);
    await client.setCode({ address: RELAY, bytecode: code });
    const call = { to: RELAY, data: encodeSubmission(submission([taking])), gas: 10_000_000n };
    const hash = await client.sendTransaction({ ...call, account: roles.stranger, chain: client.chain });
    expect((await client.waitForTransactionReceipt({ hash })).status).toBe("success");
    const [taken] = await rollup.getEvents.PreVerifiedSettlementTaken({}, { fromBlock: 0n });
    expect(taken?.args).toMatchObject({ batchNumber: BigInt(closingBatch + 1) });
    await mine(f, CONFIRMATIONS);
    await w.publish();
    expect((await w.rollup.get(`/v1/batches/${closingBatch + 1}`)).body).toMatchObject({ isForeign: true });

    // Alice takes her shares' earnings to L1, with nobody's signature but her wallet's.
    const leaf = async () => BigInt((await w.rollup.get(`/v1/leaves/${ALICE}`)).body.balanceWei);
    const before = await leaf();
    const { body } = await w.rollup.get(`/v1/leaves/${ALICE}/rewards`);
    const mineToClaimRewards = body.rewards.filter(
      ({ claimableWei }: { claimableWei: string }) => claimableWei !== "0",
    );
    expect(mineToClaimRewards.length).toBeGreaterThan(0);
    for (const { modelId, role, payeeIndex } of mineToClaimRewards) {
      const args = [ALICE, modelId, payeeIndex, role === "validator", ANY_FEE] as const;
      await rollup.write.forceClaimRewards(args, { account: roles.alice });
    }
    await rollup.write.forceWithdraw([ALICE, 2n ** 96n - 1n, roles.alice, ANY_FEE], { account: roles.alice });
    await w.watch();
    await close(w.rollup);
    for (let i = 0; i < 3; i++) await w.turn();
    const held = await token.read.balanceOf([roles.alice]);
    await rollup.write.finalizeWithdrawal([roles.alice], { account: roles.stranger });
    const paidWei = (await token.read.balanceOf([roles.alice])) - held;
    expect(paidWei).toBe(before + BigInt(body.claimableWei));
    expect(await leaf()).toBe(0n);
    expect(w.rollup.fatal).toEqual([]);
    expect(await verify(f)).toMatchObject({ settlementCount: 2 });
  });
});
