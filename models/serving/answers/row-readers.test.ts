/** Tests of whom a model's server takes for a reader where a host, or the card beside the model, shows another card than the ledger has. */

import { attributionErrors } from "@openledger/attribution/attribution-errors";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { requestServer } from "@openledger/client/datanets/host-request";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { publishCard } from "@openledger/client/tasks/publish-card";
import type { Card } from "@openledger/datanets/card/card";
import { datanetErrors } from "@openledger/datanets/datanet-errors";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { Database } from "@openledger/foundation/database/database";
import { createServer } from "@openledger/foundation/http/create-server";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { ANSWERS_PART } from "./answer-store.ts";
import { RowReaders } from "./row-readers.ts";

const MODEL_ID = 9;
/** Carol, leaf 5, reviews by the first card; dave, leaf 6, by the later ones. */
const of = (access: Card["access"], reviewer: number) =>
  sampleCard({
    access,
    labelling: { annotatorsPerRow: 1, accept: "all", labellers: [4], reviewers: [reviewer] },
    ...(access === "permissioned" ? { examples: [] } : {}),
  });
const earlier = of("public", 5);
const [closed, present] = [of("permissioned", 5), of("permissioned", 6)];
let world: HostWorld;
let stale: TestHost;
let current: TestHost;
let database: TestDatabase;
let carol: LedgerClient;
let dave: LedgerClient;

const bring = (host: TestHost, card: Card) =>
  bringCard(world.owner, { hostUrl: host.url, datanetId: world.datanetId, card });
const publish = (card: Card) => publishCard(world.owner, { datanetId: world.datanetId, card });

beforeAll(async () => {
  world = await createHostWorld({ card: earlier });
  [stale, current] = (await Promise.all(["stale", "current"].map((name) => world.host(name)))) as [
    TestHost,
    TestHost,
  ];
  [carol, dave] = (await Promise.all([3, 4].map(world.user))) as [LedgerClient, LedgerClient];
  database = await createTestDatabase();
});
afterAll(async () => {
  await database?.drop();
  await world?.close();
});

/** Codes of answers to nobody, carol, dave and the Datanet; null: the rows are given. */
async function codesOf(datanetHosts: readonly string[], ownCard: Card | null = null) {
  const logger = createLogger("test", "silent");
  const own = await Database.open({ url: database.url, part: ANSWERS_PART, rollup: null, logger });
  let origin = "";
  const { domain, rollupAddress } = world.owner;
  const { sequencerUrl } = world;
  const readers = new RowReaders({
    ...{ database: own, datanetHosts, domain, rollupAddress, sequencerUrl: sequencerUrl! },
    ...{ serverToken: undefined, origin: () => origin, nowMs: Date.now },
  });
  const app = await createServer({
    limits: { rateLimitPerMinute: 1_000 },
    bodyLimitBytes: 1_000,
    errors: {
      log: logger,
      statusOf: ({ code }) => attributionErrors.statusOf(code) ?? datanetErrors.statusOf(code) ?? 500,
    },
    hasRawBodies: true,
  });
  app.get("/:model/v1/info", () => readers.infoOf(MODEL_ID));
  app.get("/:model/v1/rows/0", async (request) => {
    await readers.require(request, { datanetIds: [world.datanetId], modelId: MODEL_ID, ownCard });
    return {};
  });
  origin = await app.listen({ port: 0, host: "127.0.0.1" });
  onTestFinished(async () => {
    await app.close();
    await own.close();
  });
  const codes: (string | null)[] = [];
  for (const client of [null, carol, dave, world.owner])
    codes.push(
      await requestServer(
        client ?? carol,
        `${origin}/${MODEL_ID}`,
        { path: "/v1/rows/0", isSigned: client !== null },
        "answer server",
      ).then(
        () => null,
        ({ code }: { code: string }) => code,
      ),
    );
  return codes;
}
const OPEN = [null, null, null, null];
const [UNSIGNED, NO] = ["DNT_REQUEST_UNSIGNED", "DNT_ACCESS_NOT_GRANTED"];

it("gives rows to all by the present card alone, which a host or the model has", async () => {
  await bring(stale, earlier);
  expect(await codesOf([stale.url])).toEqual(OPEN);
  expect(await codesOf([], earlier)).toEqual(OPEN);
  expect(await codesOf([], closed)).toEqual([UNSIGNED, NO, NO, null]);
});

it("gives rows to nobody by an earlier card, which was public, or had another team", async () => {
  await publish(closed);
  // The host has the earlier card alone.
  const toDatanet = [UNSIGNED, NO, NO, null];
  expect(await codesOf([stale.url])).toEqual(toDatanet);
  expect(await codesOf([stale.url], earlier)).toEqual(toDatanet);
  expect(await codesOf([], earlier)).toEqual(toDatanet);
  expect(await codesOf([stale.url], closed)).toEqual([UNSIGNED, null, NO, null]);
  await bring(stale, closed);
  await publish(present);
  expect(await codesOf([stale.url])).toEqual(toDatanet);
  expect(await codesOf([], closed)).toEqual(toDatanet);
  await bring(current, present);
  expect(await codesOf([stale.url, current.url])).toEqual([UNSIGNED, NO, null, null]);
});
