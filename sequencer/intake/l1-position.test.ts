import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hex32 } from "@openledger/foundation/hex";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batch, close, operator, prove, report, send, unproven } from "../testing/test-operator.ts";
import {
  L1_TIMESTAMP,
  l1PositionOf,
  startTestRollup,
  type TestRollup,
  temporaryFolder,
  transfer,
} from "../testing/test-rollup.ts";

let folder: ReturnType<typeof temporaryFolder>;
const running: TestRollup[] = [];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  for (const rollup of running.splice(0)) await rollup.stop();
  folder.remove();
});

async function start(name = "data", fields: object = {}): Promise<TestRollup> {
  const rollup = await startTestRollup({ dataPath: join(folder.path, name), userCount: 2, ...fields });
  running.push(rollup);
  return rollup;
}
async function stop(rollup: TestRollup): Promise<void> {
  running.splice(running.indexOf(rollup), 1);
  await rollup.stop();
}

type Position = ReturnType<typeof l1PositionOf>;
const tell = (
  rollup: TestRollup,
  place: Position | null,
  alarms: readonly string[] = [],
  fields: { blockNumber?: number; finalityDepthBlocks?: number } = {},
) =>
  operator(rollup, "/operator/l1-head", {
    blockNumber: 20,
    timestamp: L1_TIMESTAMP,
    alarms,
    place,
    ...fields,
  });
const pay = (rollup: TestRollup, nonce: bigint) =>
  send(rollup, transfer(rollup.users[0]!, rollup.users[1]!, nonce));
const codeOf = ({ body, status }: Awaited<ReturnType<typeof pay>>) => body.error?.code ?? status;
const mode = async (rollup: TestRollup) => (await rollup.get("/v1/status")).body.mode;

/** Closes, proves and posts the open batch. */
async function post(rollup: TestRollup): Promise<void> {
  const number = await close(rollup);
  await prove(rollup, number);
  await report(rollup, number, "posted");
}
/** Everybody's deposits in batch 1, two transfers in batch 2, both posted; a third transfer in the open one. */
async function startPaid(name?: string): Promise<TestRollup> {
  const rollup = await start(name);
  await prove(rollup, 1);
  await report(rollup, 1, "posted");
  for (const nonce of [0n, 1n]) expect((await pay(rollup, nonce)).status).toBe(202);
  await post(rollup);
  expect((await pay(rollup, 2n)).status).toBe(202);
  return rollup;
}

describe("a sequencer that has started", () => {
  it("takes nothing before the bridge has named L1's place, in an open batch neither", async () => {
    const first = await startPaid();
    const position = l1PositionOf(first);
    await stop(first);
    const rollup = await start("data", { isL1HeadKnown: false });
    const refused = { status: 503, body: { error: { code: "SEQ_L1_HEAD_UNKNOWN" } } };
    expect(await pay(rollup, 3n)).toMatchObject(refused);
    // An older bridge names no position.
    await tell(rollup, null);
    expect(await pay(rollup, 3n)).toMatchObject(refused);
    expect(await mode(rollup)).toBe("behind");
    expect((await rollup.get("/health")).status, "it only waits").toBe(200);
    expect((await pay(rollup, 2n)).body.status, "promised before").toBe("acknowledged");
    expect(await operator(rollup, "/operator/queue-entries", { entries: [] })).toMatchObject({
      isPlaceKnown: false,
    });
    await tell(rollup, position);
    expect(await mode(rollup)).toBe("open");
    expect(await operator(rollup, "/operator/queue-entries", { entries: [] })).toMatchObject({
      isPlaceKnown: true,
    });
    expect(await pay(rollup, 3n)).toMatchObject({ status: 202, body: { preconfirmation: { opIndex: 3 } } });
  });

  it("takes nothing on a backup that L1 has left behind", async () => {
    const first = await startPaid();
    await stop(first);
    cpSync(join(folder.path, "data"), join(folder.path, "backup"), { recursive: true });
    const newer = await start("data");
    await post(newer);
    expect((await pay(newer, 3n)).status).toBe(202);
    await post(newer);
    const position = l1PositionOf(newer);
    expect(position).toMatchObject({ batchNumber: 4, opIndex: 4 });
    const older = await start("backup", { isL1HeadKnown: false });
    await tell(older, position);
    expect(await mode(older)).toBe("behind");
    expect(await pay(older, 3n)).toMatchObject({
      status: 503,
      body: {
        error: {
          code: "SEQ_BEHIND_L1",
          data: { l1: { batchNumber: 4, opIndex: 4 }, own: { batchNumber: 2, opIndex: 2 } },
        },
      },
    });
    expect((await older.get("/health")).body).toMatchObject({ status: "behind", l1: { opIndex: 4 } });
    expect((await older.get("/health")).status).toBe(503);
    expect(await older.metrics.registry.getSingleMetricAsString("rollup_behind_l1")).toMatch(
      /^rollup_behind_l1 1$/m,
    );
    // None of its batches could be posted.
    await close(older);
    expect(await unproven(older)).toEqual([]);
  });
});

describe("L1's place", () => {
  it("closes the door where L1 has signed operations of somebody else, until it has them no more", async () => {
    const rollup = await startPaid();
    const own = l1PositionOf(rollup);
    const root = hex32(7n);
    const refusals: [Position, string][] = [
      [{ ...own, batchNumber: 3, opIndex: 3, root }, "more operations than are closed here"],
      [{ ...own, root }, "another ledger after the same batch"],
      [{ ...own, opIndex: 1, root }, "fewer operations in the same batch"],
      [{ ...own, batchNumber: 1, opIndex: 1, root }, "an operation where there was none here"],
    ];
    for (const [position, what] of refusals) {
      await tell(rollup, position);
      expect(codeOf(await pay(rollup, 3n)), what).toBe("SEQ_BEHIND_L1");
      await tell(rollup, own);
      expect(await mode(rollup), what).toBe("open");
    }
    expect((await pay(rollup, 3n)).status).toBe(202);
  });

  it("leaves it open where others carried on the queue, and where L1 has less", async () => {
    const rollup = await startPaid();
    const own = l1PositionOf(rollup);
    const root = hex32(7n);
    const positions: [Position, string][] = [
      [{ ...own, batchNumber: 3, queueHead: 3, root }, "a batch behind our last one"],
      [{ ...own, batchNumber: 5, queueHead: 5, root }, "three of them"],
      [{ batchNumber: 2, opIndex: 0, queueHead: 3, root }, "one in the place of our last one"],
      [{ batchNumber: 1, opIndex: 0, queueHead: 1, root }, "one in the place of our first one"],
    ];
    let nonce = 3n;
    for (const [position, what] of positions) {
      await tell(rollup, position);
      expect(codeOf(await pay(rollup, nonce++)), what).toBe(202);
    }
    for (const number of [1, 2]) await report(rollup, number, "final");
    // The node lags, or there was a reorganisation.
    await tell(rollup, { ...own, batchNumber: 1, opIndex: 0 });
    expect((await pay(rollup, nonce++)).status).toBe(202);
    await tell(rollup, { ...own, root });
    expect(codeOf(await pay(rollup, nonce)), "another ledger after a final batch").toBe("SEQ_BEHIND_L1");
  });

  it("closes the door where it lacks a batch that was final on it, and no lag explains that", async () => {
    const rollup = await startPaid();
    const own = l1PositionOf(rollup);
    // The batches become final in block 30.
    for (const number of [1, 2]) await report(rollup, number, "final");
    const older = { ...own, batchNumber: 1, opIndex: 0, queueHead: 1 };
    const fresh = { ...older, batchNumber: 0, queueHead: 0 };
    const head = (blockNumber: number) => ({ blockNumber, finalityDepthBlocks: 5 });
    await tell(rollup, older, [], head(25));
    expect(await mode(rollup), "a node that lags within finality").toBe("open");
    const refusals: [Position, number, string][] = [
      [fresh, 24, "a node that is further behind"],
      [fresh, 30, "a node that has the batch's block"],
      [older, 1_000, "one that is far past it"],
    ];
    let nonce = 3n;
    for (const [position, blockNumber, what] of refusals) {
      await tell(rollup, position, [], head(blockNumber));
      expect(await pay(rollup, nonce), what).toMatchObject({
        status: 503,
        body: { error: { code: "SEQ_L1_LACKS_FINAL", data: { finalBatch: 2 } } },
      });
      expect((await rollup.get("/health")).status, what).toBe(503);
      expect((await rollup.get("/health")).body, what).toMatchObject({
        status: "lacks-final",
        finalBatch: 2,
      });
      expect(await rollup.metrics.registry.getSingleMetricAsString("rollup_l1_lacks_final")).toMatch(/ 1$/m);
      await tell(rollup, own, [], head(40));
      expect(await mode(rollup), what).toBe("open");
      expect((await pay(rollup, nonce++)).status, what).toBe(202);
    }
  });

  it("is doubted as long as the bridge has found foreign signed operations", async () => {
    const rollup = await startPaid();
    const own = l1PositionOf(rollup);
    await tell(rollup, own, ["BRG_RANDOMNESS_LATE"]);
    expect(await mode(rollup)).toBe("open");
    await tell(rollup, own, ["BRG_FOREIGN_SIGNED"]);
    expect(codeOf(await pay(rollup, 3n))).toBe("SEQ_BEHIND_L1");
    // Operations behind a nonce gap stay there.
    await tell(rollup, own);
    expect((await pay(rollup, 4n)).body.status).toBe("pending");
    await tell(rollup, own, ["BRG_FOREIGN_SIGNED"]);
    await tell(rollup, own);
    expect((await pay(rollup, 3n)).status).toBe(202);
    await expect.poll(() => rollup.sequencer.pipeline.head.position.opIndex).toBe(5);
  });
});

describe("a data directory that holds nothing", () => {
  it("begins a rollup that has no batch", async () => {
    const rollup = await start("data", { userCount: 0, isL1HeadKnown: false });
    await tell(rollup, l1PositionOf(rollup));
    expect(await mode(rollup)).toBe("open");
    expect(rollup.fatal).toEqual([]);
  });

  it("ends the process where the rollup has batches, and names the way back", async () => {
    const first = await startPaid();
    const position = l1PositionOf(first);
    await stop(first);
    rmSync(join(folder.path, "data"), { recursive: true });
    for (const attempt of ["first start", "second start"]) {
      const rollup = await start("data", { userCount: 0, isL1HeadKnown: false });
      expect(await tell(rollup, position), attempt).toEqual([500, "SEQ_WRONG_DIRECTORY"]);
      expect(rollup.fatal, attempt).toMatchObject([
        { code: "SEQ_WRONG_DIRECTORY", message: expect.stringContaining("openledger restore") },
      ]);
      expect(await mode(rollup)).toBe("behind");
      expect(
        codeOf(await send(rollup, transfer(first.users[0]!, first.users[1]!, 3n))),
        "of accounts that it does not know",
      ).toBe("SEQ_L1_HEAD_UNKNOWN");
      await stop(rollup);
    }
  });

  it("goes on where others post the rollup's first batch while it runs", async () => {
    const rollup = await start("data", { userCount: 0 });
    await tell(rollup, { batchNumber: 1, opIndex: 0, queueHead: 1, root: hex32(7n) });
    expect(rollup.fatal).toEqual([]);
    expect(await mode(rollup)).toBe("open");
    expect(await batch(rollup, 1)).toMatchObject({ error: { code: "SEQ_UNKNOWN" } });
  });
});
