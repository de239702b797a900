import { expect, it, onTestFinished } from "vitest";
import { freshFolder } from "../../testing/fresh-rollup.ts";
import { batch, close, operator, prove, report, send } from "../../testing/test-operator.ts";
import {
  type Answer,
  depositsFor,
  ONE_OPEN_WEI,
  startTestRollup,
  type TestRollup,
  testUser,
  transfer,
} from "../../testing/test-rollup.ts";

/** Users 0 to 2 have accounts from entries 0 to 2, in batches 1 and 2. */
async function start(): Promise<{ rollup: TestRollup; restart(): Promise<TestRollup> }> {
  const folder = freshFolder();
  let rollup = await startTestRollup({ dataPath: folder });
  onTestFinished(() => rollup.stop());
  const restart = async () => {
    await rollup.stop();
    rollup = await startTestRollup({ dataPath: folder });
    return rollup;
  };
  return { rollup, restart };
}

const [alice, bob, , late] = [testUser(0), testUser(1), testUser(2), testUser(3)] as const;
const lateDeposit = () => depositsFor(1, 5n * ONE_OPEN_WEI, 3);
/** Deposit of another account at the same index. */
const otherDeposit = () => depositsFor(1, 7n * ONE_OPEN_WEI, 4).map((entry) => ({ ...entry, queueIndex: 3 }));
const replace = (rollup: TestRollup, fromIndex: number, entries: object[]): Promise<Answer> =>
  operator(rollup, "/operator/queue-replacement", { fromIndex, entries });
const hashOf = async (sent: ReturnType<typeof send>): Promise<string> => {
  const { status, body } = await sent;
  expect(status, JSON.stringify(body)).toBe(202);
  return body.hash;
};
const operationOf = async (rollup: TestRollup, hash: string): Promise<Answer> =>
  (await rollup.get(`/v1/operations/${hash}`)).body;
const ownerOf = async (rollup: TestRollup, id: number): Promise<string | undefined> =>
  (await rollup.get(`/v1/leaves/${id}`)).body.l1Owner;

it("goes back behind an entry that L1 replaced: other operations stay, in their order", async () => {
  const { rollup, restart } = await start();
  const first = await hashOf(send(rollup, transfer(alice, bob, 0n)));
  await operator(rollup, "/operator/queue-entries", { entries: lateDeposit() });
  await close(rollup);
  const onNewAccount = await hashOf(send(rollup, transfer(late, alice, 0n)));
  const last = await hashOf(send(rollup, transfer(bob, alice, 0n)));
  expect(await operationOf(rollup, last)).toMatchObject({ preconfirmation: { opIndex: 2 } });

  expect(await replace(rollup, 3, otherDeposit())).toEqual({ nextIndex: 4 });
  expect(await ownerOf(rollup, late.id)).toBe(`0x${testUser(4).l1Owner.toString(16).padStart(40, "0")}`);
  expect(await operationOf(rollup, first)).toMatchObject({ preconfirmation: { opIndex: 0 } });
  // Its account is no more, and nobody else's key may sign for the one that took its id.
  expect(await operationOf(rollup, onNewAccount)).toMatchObject({ status: "dropped" });
  // That place was promised to the dropped one: a second signature for it would take the operator's bond.
  expect(await operationOf(rollup, last)).toMatchObject({ opIndex: 1, preconfirmation: null });

  // The same report after a kill changes nothing; the store equals memory.
  const root = rollup.sequencer.pipeline.head.position.root;
  expect(await replace(rollup, 3, otherDeposit())).toEqual({ nextIndex: 4 });
  const again = await restart();
  expect(again.sequencer.pipeline.head.position).toMatchObject({ root, queueHead: 4, opIndex: 2 });
  expect(await operationOf(again, last)).toMatchObject({ opIndex: 1, preconfirmation: null });
  expect(await replace(again, 3, otherDeposit())).toEqual({ nextIndex: 4 });
  expect(again.sequencer.pipeline.head.position.root).toBe(root);
});

it("forgets an entry that is gone, and takes the next one in its place", async () => {
  const { rollup } = await start();
  await operator(rollup, "/operator/queue-entries", { entries: lateDeposit() });
  const hash = await hashOf(send(rollup, transfer(alice, bob, 0n)));
  expect(await replace(rollup, 3, [])).toEqual({ nextIndex: 3 });
  expect(await ownerOf(rollup, late.id)).toBeUndefined();
  expect(await operationOf(rollup, hash)).toMatchObject({ preconfirmation: { opIndex: 0 } });
  expect(await operator(rollup, "/operator/queue-entries", { entries: otherDeposit() })).toEqual({
    nextIndex: 4,
    isPlaceKnown: true,
  });
  expect(await ownerOf(rollup, late.id)).toBeDefined();
});

it("waits while a batch with the entry may still be on L1, and refuses once it is final", async () => {
  const { rollup } = await start();
  await operator(rollup, "/operator/queue-entries", { entries: lateDeposit() });
  await close(rollup);
  for (const number of [1, 2, 3]) {
    await prove(rollup, number);
    await report(rollup, number, "posted");
  }
  expect(await replace(rollup, 3, otherDeposit())).toEqual([409, "SEQ_BATCH_CONFLICT"]);
  await report(rollup, 3, "dropped", { reason: "reorganised" });
  expect((await batch(rollup, 3)).status).toBe("proven");
  expect(await replace(rollup, 3, otherDeposit())).toEqual({ nextIndex: 4 });
  for (const number of [1, 2]) await report(rollup, number, "final");
  expect(await replace(rollup, 2, otherDeposit())).toEqual([409, "SEQ_QUEUE_GAP"]);
  expect(await replace(rollup, 2, [])).toEqual([409, "SEQ_QUEUE_FINAL"]);
});
