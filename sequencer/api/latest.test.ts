/** Tests of the API's lists of the latest operations and of its search by a piece of a hash. */
import { KIND } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import { expect, it } from "vitest";
import { freshFolder, freshRollup } from "../testing/fresh-rollup.ts";
import { close, prove, report, send } from "../testing/test-operator.ts";
import { ONE_OPEN_WEI, signedBy, type TestRollup, transfer } from "../testing/test-rollup.ts";

const latest = async (rollup: TestRollup, query = "") => (await rollup.get(`/v1/records${query}`)).body;
const hashes = async (rollup: TestRollup, query: string) => (await rollup.get(`/v1/hashes?${query}`)).body;

it("lists what was executed last of every kind, with its amount and state, page by page", async () => {
  const rollup = await freshRollup();
  const [alice, bob] = rollup.users;
  const sent = await send(rollup, transfer(alice!, bob!, 0n));
  const words = [alice!.l1Owner, 3n * ONE_OPEN_WEI];
  await send(rollup, signedBy(alice!, { kind: KIND.withdraw, nonce: 1n, words }));
  const { nextBefore, records } = await latest(rollup, "?limit=3");
  expect(records).toMatchObject([
    { kind: "withdraw", a: alice!.id, amountWei: (3n * ONE_OPEN_WEI).toString(), status: "acknowledged" },
    { kind: "transfer", a: alice!.id, b: bob!.id, hash: sent.body.hash, amountWei: ONE_OPEN_WEI.toString() },
    // Two deposits filled batch 1.
    { kind: "depositNew", queueIndex: 2, hash: null, status: "closed", batchNumber: 2, atMs: 1_000_000 },
  ]);
  const older = await latest(rollup, `?limit=3&before=${nextBefore}`);
  expect(older).toMatchObject({ nextBefore: null, records: [{ queueIndex: 1 }, { queueIndex: 0 }] });
  expect((await latest(rollup, "?before=0")).records).toEqual([]);
  for (const wrong of ["?limit=51", "?limit=0", "?before=-1", "?leaf=2"])
    expect((await latest(rollup, wrong)).error.code, wrong).toBe("SRV_BAD_REQUEST");
});

it("finds operations and transactions on L1 by a piece of their hash, also after a restart", async () => {
  const dataPath = freshFolder();
  const rollup = await freshRollup({ dataPath });
  const [alice, bob] = rollup.users;
  const { hash } = (await send(rollup, transfer(alice!, bob!, 0n))).body;
  const posted = `0xabcd${"12".repeat(28)}90ef`;
  await prove(rollup, 1);
  await report(rollup, 1, "posted", { transactionHash: posted });
  const ends = (text: string) => `start=${text.slice(0, 6)}&end=${text.slice(-4)}`;
  const found = {
    batch: [{ what: "batch", hash: posted, batchNumber: 1 }],
    operation: [{ what: "operation", hash }],
  };
  const check = async (one: TestRollup) => {
    expect(await hashes(one, ends(hash))).toEqual(found.operation);
    expect(await hashes(one, `start=${hash.toUpperCase().replace("0X", "0x")}`)).toEqual(found.operation);
    expect(await hashes(one, ends(posted))).toEqual(found.batch);
    expect(await hashes(one, "start=0xabcd&end=0000")).toEqual([]);
    // All three deposits came with one transaction.
    const queued = await hashes(one, `start=${hex32(1n)}&limit=2`);
    expect(queued).toMatchObject([0, 1].map((queueIndex) => ({ what: "queueEntry", queueIndex })));
  };
  await check(rollup);
  await rollup.stop();
  await check(await freshRollup({ dataPath }));
});

it("forgets the transaction of a batch that L1 took back", async () => {
  const rollup = await freshRollup();
  const [dropped, posted] = [`0xdddd${"0".repeat(60)}`, `0xeeee${"0".repeat(60)}`];
  await prove(rollup, 1);
  await report(rollup, 1, "submitted", { transactionHash: dropped });
  expect(await hashes(rollup, "start=0xdddd")).toHaveLength(1);
  await report(rollup, 1, "dropped", { transactionHash: dropped });
  expect(await hashes(rollup, "start=0xdddd")).toEqual([]);
  await report(rollup, 1, "posted", { transactionHash: posted });
  expect(await hashes(rollup, "start=0xeeee")).toHaveLength(1);
});

it("refuses pieces that are too short, too long or no hash, before it looks", async () => {
  const rollup = await freshRollup();
  await close(rollup);
  const tooLong = `start=0x${"a".repeat(65)}`;
  for (const wrong of [
    "",
    "start=0x2fb",
    "start=2fb4",
    "start=0x2fbz",
    tooLong,
    "start=0x2fb4&end=xyz",
    "start=0x2fb4&limit=21",
  ])
    expect((await hashes(rollup, wrong)).error.code, wrong).toBe("SRV_BAD_REQUEST");
});
