/** Tests of a full node when L1 takes a batch that breaks the ledger's rules. */
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { makeDatanet, nullWithLeaf, tooManyRows } from "@openledger/bridge/testing/malformed-fixture";
import { EXIT_SIZES, exitActions } from "@openledger/contracts/testing/exit-fixture";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { freshChain } from "../testing/fresh-rollup.ts";
import { startTestFullNode, type TestFullNode } from "../testing/full-node-fixture.ts";
import { FINALITY_DEPTH_BLOCKS } from "../testing/l1-world.ts";
import { temporaryFolder } from "../testing/test-rollup.ts";

let f: HistoryFixture;

beforeAll(async () => {
  f = await startHistoryFixture({ settlementSizes: [...EXIT_SIZES] });
  await makeDatanet(f);
  await mine();
});
afterAll(() => f.stop());

const mine = () => f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });

async function start(path: string): Promise<TestFullNode> {
  const fullNode = await startTestFullNode(f, path, null);
  let isRunning = true;
  const stop = async () => {
    if (isRunning) await fullNode.stop();
    isRunning = false;
  };
  onTestFinished(stop);
  return { ...fullNode, stop };
}

function folder(): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
}

const metricsOf = async ({ app }: TestFullNode) =>
  (await app.inject({ method: "GET", url: "/metrics" })).body;

it("serves its last good state where L1 takes a batch that breaks the rules, and says so", async () => {
  await freshChain(f);
  const path = folder();
  const first = await start(join(path, "first"));
  await first.poll();
  const good = f.ledger.root;
  const leaf = (await first.get("/v1/leaves/3")).body;
  const before = await f.l1.client.snapshot();
  const { blockNumber, transactionHash } = await f.l1.submit([await tooManyRows(f, false)]);
  await mine();

  const says = async (one: TestFullNode, isFrozen = false) => {
    for (let i = 0; i < 2; i++) await one.poll();
    expect(one.fatal).toEqual([]);
    expect(one.followed.head.ledger.root).toBe(good);
    expect((await one.get("/v1/leaves/3")).body).toEqual(leaf);
    const { body, status } = await one.get("/health");
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: "alarm",
      fullNode: {
        finalBatch: 2,
        isFrozen,
        l1BlockNumber: Number(await f.rollup.client.getBlockNumber()),
        malformedBatch: {
          batchNumber: 3,
          transactionHash,
          blockNumber: Number(blockNumber),
          isFinal: true,
          reason: { code: "OP_MALFORMED" },
        },
      },
      alarms: [{ kind: "batch-malformed", why: expect.stringContaining("openledger exit") }],
    });
    expect((await one.get("/v1/status")).body.mode).toBe(isFrozen ? "frozen" : undefined);
    expect(await metricsOf(one)).toContain('rollup_full_node_alarm{kind="batch-malformed"} 1');
  };
  await says(first);
  await first.stop();
  const again = await start(join(path, "first"));
  await says(again);
  const late = await start(join(path, "late"));
  await says(late);
  // The freeze, which lets owners exit, is still noticed.
  await exitActions(f.l1).freeze();
  for (const one of [again, late]) await says(one, true);

  await f.l1.client.revert({ id: before });
  await mine();
  await mine();
  for (const one of [again, late]) {
    await one.poll();
    expect((await one.get("/health")).body).toMatchObject({
      status: "ok",
      fullNode: { malformedBatch: null, isFrozen: false },
      alarms: [],
    });
    expect(await metricsOf(one)).toContain('rollup_full_node_alarm{kind="batch-malformed"} 0');
  }
});

it("says of unreadable bytes before they are final that they are not", async () => {
  await freshChain(f);
  const one = await start(join(folder(), "one"));
  await f.l1.submit([await nullWithLeaf(f)]);
  const says = async (isFinal: boolean, why: string) => {
    await one.poll();
    expect((await one.get("/health")).body).toMatchObject({
      fullNode: { finalBatch: 2, malformedBatch: { reason: { code: "CIR_WIRE_MALFORMED" }, isFinal } },
      alarms: [{ kind: "batch-malformed", why: expect.stringContaining(why) }],
    });
  };
  await says(false, "it is not final yet");
  await mine();
  await says(true, "the ledger after batch 2 is served");
});
