import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ApiKeys, issueKey, KEYS_PART, readKeys, revokeKey, serveEverybody } from "./api-keys.ts";

const order = { name: "mia", requestsPerMinute: 3, tokensPerMinute: 100 };
const unauthorized = { code: "SRV_UNAUTHORIZED" };
let home: TestDatabase;
let database: Database;
/** Database of another server. */
let other: Database;
const logger = createLogger("test", "silent");
const open = () => Database.open({ url: home.url, part: KEYS_PART, rollup: null, logger });
beforeEach(async () => {
  home = await createTestDatabase();
  [database, other] = await Promise.all([open(), open()]);
});
afterEach(async () => {
  await Promise.all([database.close(), other.close()]);
  await home.drop();
});

it("loses none of two commands at once", async () => {
  await issueKey(database, { ...order, name: "old" });
  const names = ["a", "b", "c"];
  await Promise.all([
    ...names.map((name, i) => issueKey(i === 0 ? database : other, { ...order, name })),
    revokeKey(other, "old"),
  ]);
  expect((await readKeys(database))?.map(({ name }) => name).sort()).toEqual(names);
});

it("is refused twice by one name, and without a limit or a name that can be written", async () => {
  await issueKey(database, order);
  await expect(issueKey(other, order)).rejects.toMatchObject({ code: "CMD_USAGE", data: { name: "mia" } });
  for (const wrong of [
    { ...order, name: "a\0b" },
    { ...order, name: "\ud800" },
    { ...order, name: "" },
    { ...order, name: "n", requestsPerMinute: 0 },
    { ...order, name: "n", tokensPerMinute: 1e9 + 1 },
  ])
    await expect(issueKey(database, wrong)).rejects.toMatchObject({ code: "CMD_USAGE" });
  expect(await readKeys(database)).toHaveLength(1);
});

it("holds at once at every server, and at once no more", async () => {
  const keys = [new ApiKeys(database), new ApiKeys(other)];
  for (const one of keys) expect(await one.admit(undefined)).toBeNull();
  const key = await issueKey(database, order);
  for (const one of keys) {
    expect((await one.admit(`bearer ${key}`))?.name).toBe("mia");
    for (const header of [undefined, "Bearer x", "Basic abc", `Bearer ${key.slice(0, -1)}`, "Bearer a\0b"])
      await expect(one.admit(header)).rejects.toMatchObject(unauthorized);
  }
  const admitted = (await keys[1]!.admit(`Bearer ${key}`))!;
  expect(await revokeKey(database, "mia")).toBe(true);
  expect(await revokeKey(other, "mia")).toBe(false);
  for (const one of keys) await expect(one.admit(`Bearer ${key}`)).rejects.toMatchObject(unauthorized);
  await expect(admitted.takeTokens(1)).rejects.toMatchObject(unauthorized);
});

it("that are all lost do not open the server; a new key serves its owner alone, until everybody is served", async () => {
  await issueKey(database, order);
  await database.query("delete from keys");
  const keys = new ApiKeys(other);
  await expect(keys.admit(undefined)).rejects.toMatchObject(unauthorized);
  expect(await readKeys(database)).toEqual([]);
  await database.query("delete from access");
  await expect(keys.admit(undefined)).rejects.toMatchObject(unauthorized);
  const key = await issueKey(database, order);
  expect((await keys.admit(`Bearer ${key}`))?.name).toBe("mia");
  await expect(keys.admit(undefined)).rejects.toMatchObject(unauthorized);
  await serveEverybody(database);
  expect(await keys.admit(undefined)).toBeNull();
  expect(await readKeys(other)).toBeNull();
});

it("are counted over all servers: requests at once take what there is, and no more", async () => {
  let nowMs = Date.now() + 1_000;
  const key = await issueKey(database, { name: "tom", requestsPerMinute: 10, tokensPerMinute: 100 });
  const keys = [new ApiKeys(database, () => nowMs), new ApiKeys(other, () => nowMs)];
  const admitted = await Promise.all(
    Array.from({ length: 30 }, (_, i) => keys[i % 2]!.admit(`Bearer ${key}`)),
  );
  const taken = await Promise.allSettled(admitted.map((one) => one!.takeRequest()));
  const of = (status: string) => taken.filter((one) => one.status === status);
  expect(of("fulfilled")).toHaveLength(10);
  for (const one of of("rejected") as PromiseRejectedResult[])
    expect(one.reason).toMatchObject({ code: "SRV_QUOTA_USED", data: { reason: "requests", max: 10 } });
  const [first, second] = admitted as [NonNullable<(typeof admitted)[0]>, NonNullable<(typeof admitted)[0]>];
  await first.takeTokens(60);
  await expect(second.takeTokens(50)).rejects.toMatchObject({
    code: "SRV_QUOTA_USED",
    data: { reason: "tokens", retryAfterSeconds: 6 },
  });
  expect(second.headers).toMatchObject({
    "x-ratelimit-remaining-tokens": "40",
    "x-ratelimit-reset-tokens": "36s",
  });
  // What was refused was not counted; what comes back with time is there for both.
  nowMs += 6_000;
  await second.takeTokens(50);
  await first.takeRequest();
  // A server whose clock is behind gives nothing back, and takes nothing away.
  nowMs -= 60_000;
  await expect(first.takeTokens(1)).rejects.toMatchObject({ code: "SRV_QUOTA_USED" });
  nowMs += 60_000;
  await expect(first.takeTokens(1)).rejects.toMatchObject({ code: "SRV_QUOTA_USED" });
});

it.each([5, 60, 1_440])(
  "are given back within a minute of a database's clock that was %i minutes ahead",
  async (minutes) => {
    let nowMs = Date.now() + 1_000;
    const key = await issueKey(database, order);
    const admitted = (await new ApiKeys(database, () => nowMs).admit(`Bearer ${key}`))!;
    const takeAll = async () => {
      for (let i = 0; i < order.requestsPerMinute; i++) await admitted.takeRequest();
      await expect(admitted.takeRequest()).rejects.toMatchObject({ code: "SRV_QUOTA_USED" });
    };
    await takeAll();
    nowMs += minutes * 60_000;
    await takeAll();
    nowMs -= minutes * 60_000;
    await expect(admitted.takeRequest()).rejects.toMatchObject({ code: "SRV_QUOTA_USED" });
    nowMs += 60_000;
    await takeAll();
  },
);
