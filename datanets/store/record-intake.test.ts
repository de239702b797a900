import type { Database } from "@openledger/foundation/database/database";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SignedRecord } from "../records/record.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import type { HostStore } from "./host-store.ts";
import { Quotas } from "./quotas.ts";
import { RecordIntake } from "./record-intake.ts";
import type { RecordOffer } from "./record-offer.ts";

const ID = 10;
const LIMITS = { quotaBytesPerDay: 1e9, quotaRecordsPerDay: 30, maxStoreBytes: 1e9 };
let world: TestStore;
let database: Database;
let store: HostStore;
beforeAll(async () => {
  world = await openTestStore(7n, [ID]);
  ({ database, store } = world);
});
afterAll(() => world?.close());

/** A request for access, which needs no row. Signatures are checked before. */
const offer = (leafId: number, atMs: number, check = () => {}): RecordOffer => ({
  id: `0x${leafId}-${atMs}`,
  record: {
    body: { kind: "accessRequest", datanetId: ID, leafId, atMs, purpose: "reading" },
  } as unknown as SignedRecord,
  check,
});
const countOf = async (leafId: number) =>
  (
    await database.query<{ count: number }>("select count(*)::int as count from records where leaf_id = $1", [
      leafId,
    ])
  )[0]!.count;

it("stores records of many requests in few transactions, and tells each request its own results", async () => {
  const intake = new RecordIntake(new Quotas(LIMITS, Date.now));
  const before = (await store.require(ID)).revision;
  const datanet = await store.require(ID);
  const results = await Promise.all(
    // The 25th is over the quota of leaf 5; its neighbours are not.
    Array.from({ length: 20 }, (_, i) =>
      intake.take(datanet, [offer(5, 2 * i + 1), offer(5, 2 * i + 2), offer(6, i + 1)]),
    ),
  );
  expect(results.map((each) => each.length)).toEqual(Array(20).fill(3));
  const refused = results.flat().filter((result) => result !== null);
  expect(refused.map(({ code }) => code)).toEqual(Array(10).fill("SRV_QUOTA_USED"));
  expect(results.slice(15).every(([a, b, c]) => a !== null && b !== null && c === null)).toBe(true);
  expect([await countOf(5), await countOf(6)]).toEqual([30, 20]);
  // One write of the Datanet for each transaction: the first request alone, and those that came meanwhile.
  expect((await store.require(ID)).revision - before).toBeLessThanOrEqual(3);
});

it("a request that cannot be stored fails alone", async () => {
  const intake = new RecordIntake(new Quotas({ ...LIMITS, quotaRecordsPerDay: 1e6 }, Date.now));
  const datanet = await store.require(ID);
  const broken = () => {
    throw new Error("broken");
  };
  const outcomes = await Promise.allSettled([
    intake.take(datanet, [offer(7, 1)]),
    intake.take(datanet, [offer(7, 2)]),
    intake.take(datanet, [offer(7, 3, broken)]),
    intake.take(datanet, [offer(7, 4)]),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  expect(await countOf(7)).toBe(3);
});
