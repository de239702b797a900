/** Tests of the requests that servers on one database take once. */
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HOST_PART } from "../store/host-schema.ts";
import { DatabaseSessions } from "./request-sessions.ts";

let home: TestDatabase;
let database: Database;
beforeAll(async () => {
  home = await createTestDatabase();
  const logger = createLogger("test", "silent");
  database = await Database.open({ url: home.url, part: HOST_PART, rollup: null, logger });
});
afterAll(async () => {
  await database?.close();
  await home?.drop();
});

it("Attack: a request is taken once, though another server's clock says that it has run out", async () => {
  const [one, other] = [new DatabaseSessions(database), new DatabaseSessions(database)];
  const nowMs = 1_800_000_000_000;
  const request = { session: await one.current(), nonce: "a", expiresAtMs: nowMs + 60_000 };
  expect(await one.take(request, nowMs)).toBe("taken");
  const ahead = nowMs + 120_000;
  expect(await other.take({ ...request, nonce: "b", expiresAtMs: ahead + 60_000 }, ahead)).toBe("taken");
  expect(await one.take(request, nowMs)).toBe("replayed");
  const later = ahead + 3_600_000;
  expect(await other.take({ ...request, nonce: "c", expiresAtMs: later + 60_000 }, later)).toBe("taken");
  expect(await database.query("select nonce from requests")).toEqual([{ nonce: "c" }]);
});
