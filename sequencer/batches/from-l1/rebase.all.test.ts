import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE } from "@openledger/contracts/testing/rollup-fixture";
import { CheckedLevel } from "@openledger/foundation/store/checked-level";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { submitQueue } from "@openledger/verifier/without-operator/submit-queue";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { storeKeys } from "../../store/store-keys.ts";
import { freshFolder } from "../../testing/fresh-rollup.ts";
import {
  deploymentOn,
  FINALITY_DEPTH_BLOCKS,
  forgedProver,
  type L1World,
  startL1World,
} from "../../testing/l1-world.ts";
import { close, send } from "../../testing/test-operator.ts";
import { type Answer, ONE_OPEN_WEI, testUser, transfer } from "../../testing/test-rollup.ts";

const DAY_SECONDS = 86_400n;

interface World {
  f: HistoryFixture;
  deployment: Deployment;
  folder: string;
  w: L1World;
  restart(): Promise<L1World>;
}

/** Alice and Bob have accounts (2 and 3) in a final batch. */
async function start(): Promise<World> {
  const folder = freshFolder();
  const f = await startHistoryFixture();
  onTestFinished(() => f.stop());
  const deployment = await deploymentOn(f);
  let w = await startL1World(f, deployment, folder);
  onTestFinished(() => w.stop().catch(() => {}));
  await deposit(f, "alice", 100n);
  await deposit(f, "bob", 50n);
  await w.turn();
  await close(w.rollup);
  await w.turn();
  await makeFinal(f, w);
  expect(w.rollup.sequencer.pipeline.registry.finalNumber).toBe(1);
  const restart = async () => {
    await w.stop();
    w = await startL1World(f, deployment, folder);
    return w;
  };
  return { f, deployment, folder, w, restart };
}

const USERS = { alice: testUser(0), bob: testUser(1), stranger: testUser(2) };
async function deposit(f: HistoryFixture, who: keyof typeof USERS, open: bigint) {
  const owner = f.l1.roles[who];
  const args = [open * ONE_OPEN_WEI, owner, USERS[who].keyX, ANY_FEE] as const;
  const hash = await f.l1.rollup.write.depositNew(args, { account: owner });
  await f.l1.client.waitForTransactionReceipt({ hash });
}
async function makeFinal(f: HistoryFixture, w: L1World) {
  await w.turn();
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  // A batch of somebody else is handed over, then looked after, then final.
  for (let i = 0; i < 3; i++) await w.turn();
}
/** A transfer that names the recipient's owner on L1, as its signature has to. */
const pay = (
  { f, deployment }: World,
  from: "alice" | "bob",
  to: "alice" | "bob",
  nonce: bigint,
  open = 1n,
) => {
  const recipient = { ...USERS[to], l1Owner: BigInt(f.l1.roles[to]) };
  const fields = { domain: deployment.domain, amountCode: (18n << 35n) | open };
  return transfer(USERS[from], recipient, nonce, fields as object);
};

const stranger = ({ f, deployment }: World) =>
  submitQueue({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    account: anvilAccount(6),
    circuits: deployment.circuits,
    prove: forgedProver(f, deployment),
  });

const verify = ({ f }: World) =>
  verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
  });

describe("a sequencer whose queue was carried on by somebody else", () => {
  it("follows, keeps its promises, and says which it cannot keep", async () => {
    const world = await start();
    const { f, w } = world;
    const acknowledged: Answer[] = [];
    for (const nonce of [0n, 1n])
      acknowledged.push((await send(w.rollup, pay(world, "alice", "bob", nonce))).body);
    await close(w.rollup);
    const bobs = (await send(w.rollup, pay(world, "bob", "alice", 0n, 40n))).body;
    expect(bobs.preconfirmation.opIndex).toBe(2);

    // Bob takes everything out by L1, and a stranger's deposit waits behind it; the operator does nothing for a day.
    const everything = 2n ** 96n - 1n;
    const force = f.l1.rollup.write.forceWithdraw([3, everything, f.l1.roles.bob, ANY_FEE], {
      account: f.l1.roles.bob,
    });
    await f.l1.client.waitForTransactionReceipt({ hash: await force });
    await deposit(f, "stranger", 7n);
    await expect(stranger(world)).rejects.toMatchObject({
      code: "BRG_TOO_EARLY",
      data: { reason: "queue-not-overdue" },
    });
    await f.l1.passTime(DAY_SECONDS + 1n);
    const [submitted, ...more] = await stranger(world);
    expect(more).toEqual([]);
    expect(submitted).toMatchObject({ batchNumber: 2, entries: [{ isValid: true }, { isValid: true }] });
    await expect(stranger(world)).rejects.toMatchObject({
      code: "BRG_NOTHING_TO_DO",
      data: { reason: "queue-empty" },
    });

    // The sequencer goes on until the foreign batch is confirmed, and its own batches do not go to L1.
    await w.turn();
    acknowledged.push((await send(w.rollup, pay(world, "alice", "bob", 2n))).body);
    await w.turn();
    expect((await f.rollup.state()).batchNumber).toBe(2);
    expect(w.rollup.sequencer.pipeline.registry.finalNumber).toBe(1);

    await makeFinal(f, w);
    const { pipeline } = w.rollup.sequencer;
    expect(pipeline.registry.finalNumber, "it follows").toBe(2);
    expect(w.rollup.fatal).toEqual([]);
    const check = async ({ rollup }: L1World) => {
      const status = async (hash: string) => (await rollup.get(`/v1/operations/${hash}`)).body;
      for (const { hash, preconfirmation } of acknowledged.slice(0, 2))
        expect(await status(hash)).toMatchObject({
          status: expect.not.stringMatching("dropped"),
          preconfirmation,
        });
      expect(await status(bobs.hash)).toMatchObject({ status: "dropped", reason: "OP_BALANCE_TOO_LOW" });
      const queue = await Promise.all([2, 3].map((index) => rollup.get(`/v1/queue/${index}`)));
      for (const { body } of queue) expect(body).toMatchObject({ status: "executed", batchNumber: 2 });
      expect((await rollup.get("/v1/batches/2")).body).toMatchObject({ isForeign: true, status: "final" });
      expect((await rollup.get("/v1/leaves/4")).body).toMatchObject({
        balanceWei: String(7n * ONE_OPEN_WEI),
      });
      // A leaf's list begins with L1's first entry, too.
      const named = ({ hash, queueIndex }: { hash: string | null; queueIndex: number }) => hash ?? queueIndex;
      const listed = (await rollup.get("/v1/operations?leaf=3")).body.operations.map(named);
      expect(listed).toEqual([...acknowledged.map(({ hash }) => hash).reverse(), 2, 1]);
      const older = (await rollup.get("/v1/operations?leaf=3&before=2")).body.operations.map(named);
      expect(older).toEqual([1]);
      // Bob's was third; the one behind it is third now, and that place was promised to Bob's.
      expect(acknowledged[2].preconfirmation.opIndex).toBe(3);
      expect(await status(acknowledged[2].hash)).toMatchObject({ opIndex: 2, preconfirmation: null });
      return rollup.sequencer.pipeline.head.position;
    };
    const position = await check(w);
    const again = await world.restart();
    expect(await check(again), "a restart agrees").toEqual(position);

    // The fourth place was promised to the one that is third now; the fifth to none.
    const further = [];
    await again.turn();
    for (const nonce of [3n, 4n])
      further.push((await send(again.rollup, pay(world, "alice", "bob", nonce))).body);
    expect(further[0]).not.toHaveProperty("preconfirmation");
    expect(further[1].preconfirmation).toMatchObject({ opIndex: 4, operationHash: further[1].hash });
    const page = (await again.rollup.get("/v1/log?afterBatch=1")).body;
    const signed = page.entries.filter(({ type }: { type: string }) => type === "operation");
    expect(
      signed.map(({ preconfirmation }: Answer) => [
        preconfirmation.opIndex,
        preconfirmation.signature !== null,
      ]),
    ).toEqual([
      [0, true],
      [1, true],
      [2, false],
      [3, false],
      [4, true],
    ]);

    // The sequencer goes on with L1.
    await again.turn();
    await close(again.rollup);
    for (let i = 0; i < 3; i++) await again.turn();
    await makeFinal(f, again);
    expect((await f.rollup.state()).root).toBe(again.rollup.sequencer.pipeline.head.ledger.root);
    expect((await again.rollup.get(`/v1/operations/${acknowledged[0].hash}`)).body.status).toBe("final");
    expect(await verify(world)).toMatchObject({ operationCount: 9, batchCount: 3 });
  });

  it("starts again where nothing of its own is left to execute", async () => {
    const world = await start();
    const { f, w } = world;
    await deposit(f, "stranger", 7n);
    await w.watch();
    await close(w.rollup);
    expect(w.rollup.sequencer.pipeline.registry.closedNumber, "its own batch has the deposit").toBe(2);
    await deposit(f, "stranger", 8n);
    await f.l1.passTime(DAY_SECONDS + 1n);
    expect(await stranger(world)).toMatchObject([{ entries: [{ isValid: true }, { isValid: true }] }]);
    await makeFinal(f, w);
    expect(w.rollup.sequencer.pipeline.registry.finalNumber).toBe(2);
    const again = await world.restart();
    expect((await again.rollup.get("/v1/batches/2")).body).toMatchObject({
      isForeign: true,
      status: "final",
    });
    // Operations acknowledged from then on stay.
    await again.turn();
    const { hash } = (await send(again.rollup, pay(world, "alice", "bob", 0n))).body;
    const once = await world.restart();
    expect((await once.rollup.get(`/v1/operations/${hash}`)).body).toMatchObject({ opIndex: 0 });
  });

  it("executes its own entries behind the others', and refuses what it cannot follow", async () => {
    const world = await start();
    const { f, w } = world;
    const operationOf = async (hash: string) => (await w.rollup.get(`/v1/operations/${hash}`)).body;
    const { hash } = (await send(w.rollup, pay(world, "alice", "bob", 0n))).body;
    // More than one batch of the circuit without narrow slots takes, and one that is not overdue.
    for (let i = 0; i < 10; i++) await deposit(f, "stranger", 7n);
    await f.l1.passTime(DAY_SECONDS + 1n);
    await deposit(f, "stranger", 8n);
    await w.watch();
    expect(w.rollup.sequencer.pipeline.head.position.queueHead).toBe(13);
    const submitted = await stranger(world);
    expect(submitted.map(({ entries }) => entries.length)).toEqual([9, 1]);
    const { pipeline } = w.rollup.sequencer;
    const own = await pipeline.batch(2);
    const writes = vi.spyOn(CheckedLevel.prototype, "write");
    await makeFinal(f, w);
    // Whatever a kill leaves is all of it or nothing: one write has the end of the old and the beginning of the new.
    const finals = writes.mock.calls
      .map((call) => (call as unknown as [{ type: string; key: string }[]])[0])
      .filter((changes) => changes.some(({ key }) => key === storeKeys.operation(hash)));
    writes.mockRestore();
    // The two are in different blocks: one is confirmed a turn before the other.
    expect(finals.length).toBe(2);
    const inIt = (write: (typeof finals)[number], type: string, key: string) =>
      write.some((one) => one.type === type && one.key === key);
    const [first, second] = finals;
    expect(inIt(first!, "del", storeKeys.draft(2)) && inIt(first!, "put", storeKeys.batch(2))).toBe(true);
    // The second batch had room for more: it was open.
    expect(inIt(second!, "put", storeKeys.batch(3))).toBe(true);
    for (const write of finals) {
      expect(inIt(write, "del", storeKeys.operation(hash))).toBe(true);
      expect(inIt(write, "put", storeKeys.operation(hash))).toBe(true);
      expect(inIt(write, "put", storeKeys.queueEntry(12))).toBe(true);
    }
    expect(pipeline.registry.finalNumber).toBe(3);
    expect(own?.batchHash).not.toBe((await pipeline.batch(2))!.batchHash);
    expect((await w.rollup.get("/v1/queue/12")).body).toMatchObject({ status: "executed", batchNumber: 4 });
    expect(await operationOf(hash)).toMatchObject({ opIndex: 0, batchNumber: 4 });
    expect(pipeline.head.ledger.requireLeaf(14).leaf.balance).toBe(8n * ONE_OPEN_WEI);

    const again = { ...(await pipeline.batch(3))!, batchNumber: 3 };
    const report = {
      circuitIndex: 2,
      commitment: null,
      data: again.wire,
      settlements: [],
      transactionHash: "0x1",
      blockNumber: 1,
    } as const;
    const { sequencer } = w.rollup;
    expect(await sequencer.takeForeignBatches([{ ...report, batchNumber: 3 }]), "known").toEqual({
      finalNumber: 3,
    });
    const follow = (batchNumber: number, changes: object = {}) =>
      sequencer.takeForeignBatches([{ ...report, batchNumber, ...changes }]);
    const code = (expected: string) => ({ code: expected });
    await expect(follow(5)).rejects.toMatchObject(code("SEQ_BATCH_CONFLICT"));
    await expect(follow(4, { circuitIndex: 9 })).rejects.toMatchObject(code("SEQ_BATCH_CONFLICT"));
    await expect(follow(4, { data: again.wire.slice(1) })).rejects.toMatchObject(code("SEQ_BATCH_MALFORMED"));
    expect((await w.rollup.get("/v1/status")).body.mode).toBe("malformed");
    // Its entry is the thirteenth, and the fourteenth was never handed over.
    await expect(
      sequencer.takeForeignBatches([
        { ...report, batchNumber: 4 },
        { ...report, batchNumber: 5 },
      ]),
    ).rejects.toMatchObject(code("SEQ_QUEUE_GAP"));
    expect(w.rollup.fatal).toEqual([]);
    await close(w.rollup);
    for (let i = 0; i < 3; i++) await w.turn();
    await makeFinal(f, w);
    expect(await operationOf(hash)).toMatchObject({ status: "final" });
    await verify(world);
  });

  it("puts overdue entries first where L1 wants them before what was acknowledged", async () => {
    const world = await start();
    const { f, w } = world;
    const sent: Answer[] = [];
    for (const nonce of [0n, 1n]) {
      sent.push((await send(w.rollup, pay(world, "alice", "bob", nonce))).body);
      await close(w.rollup);
    }
    await deposit(f, "stranger", 7n);
    await f.l1.passTime(DAY_SECONDS + 1n);
    const queueEntry = async () => (await w.rollup.get("/v1/queue/2")).body;
    await w.watch();
    expect(await queueEntry(), "behind both").toMatchObject({ batchNumber: 4 });
    for (let i = 0; i < 4; i++) await w.turn();
    expect(await queueEntry()).toMatchObject({ status: "executed", batchNumber: 2 });
    await close(w.rollup);
    for (let i = 0; i < 3; i++) await w.turn();
    await makeFinal(f, w);
    expect(w.rollup.fatal).toEqual([]);
    for (const [opIndex, { hash, preconfirmation }] of sent.entries()) {
      const { body } = await w.rollup.get(`/v1/operations/${hash}`);
      expect(body).toMatchObject({ status: "final", opIndex, preconfirmation });
    }
    await verify(world);
  });
});
