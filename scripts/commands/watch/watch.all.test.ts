import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { readModel, writeModel } from "@openledger/attribution/model/model-directory";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { listVerified } from "@openledger/client/datanets/verified-records";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { startTestHost, type TestHost } from "@openledger/datanets/testing/test-host";
import { createLogger } from "@openledger/foundation/logger";
import { databaseAt } from "@openledger/foundation/testing/test-database";
import { type SettlingWorld, startSettlingWorld } from "@openledger/models/testing/settling-fixture";
import { temporaryFolder } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { startWatchProcess, type WatchOptions } from "./watch-process.ts";
import type { WatchEvent } from "./webhook.ts";

/** Longest time of a recomputation and of what follows it. */
const POLLED = { timeout: 120_000, interval: 200 };

const folder = temporaryFolder();
let world: SettlingWorld;
let made: Awaited<ReturnType<SettlingWorld["makeModel"]>>;
let host: TestHost;
let datanetId: number;
const events: WatchEvent[] = [];
let webhook: Server;
let webhookUrl: string;
/** The folder whose model is served, and whether the server answers at all. */
const served = { folder: "", isUp: true };
let server: Server;
let serverUrl: string;

const listen = async (one: Server) => {
  await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
};
const bodyOf = async (request: IncomingMessage) => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString()) as WatchEvent;
};

beforeAll(async () => {
  world = await startSettlingWorld(join(folder.path, "world"));
  made = await world.makeModel();
  datanetId = made.datanetIds[0]!;
  // A later version than the model's: it is the model's own that is recomputed.
  const card = sampleCard();
  await publishCard(world.alice, { datanetId, card });
  await world.settle();
  host = await startTestHost(world.deployment, world.sequencerUrl);
  await bringCard(world.alice, { hostUrl: host.url, datanetId, card });
  served.folder = made.modelFolder;
  // As an answer server lists its models and gives their files.
  server = createServer((request, response) => {
    const path = new URL(request.url!, "http://server").pathname;
    const file = /^\/ledger\/\d+\/v1\/model\/([a-z.-]+)$/.exec(path)?.[1];
    if (!served.isUp) response.writeHead(503).end();
    else if (path === "/ledger") response.end(JSON.stringify({ models: [{ modelId: made.modelId }] }));
    else if (file === undefined) response.writeHead(404).end();
    else
      readFile(join(served.folder, file)).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
  });
  serverUrl = await listen(server);
  webhook = createServer((request, response) => {
    bodyOf(request).then((event) => {
      events.push(event);
      // The first call is lost.
      response.writeHead(events.length === 1 ? 500 : 200).end();
    });
  });
  webhookUrl = await listen(webhook);
}, 900_000);
afterAll(async () => {
  server?.close();
  webhook?.close();
  await host?.stop();
  await world?.stop();
  folder.remove();
});

/** @param changes of what is watched */
async function watch(name: string, changes: Partial<WatchOptions> = {}) {
  const fatal: unknown[] = [];
  const lines: string[] = [];
  const running = await startWatchProcess(
    {
      fullNode: {
        rpcUrl: world.f.rpcUrl,
        rollupAddress: world.f.rollup.address,
        feedUrl: world.sequencerUrl,
        finalityDepthBlocks: 1,
        host: "127.0.0.1",
        port: 0,
        pollIntervalMs: 50,
        stallMs: 600_000,
        rateLimitPerMinute: 100_000,
      },
      dataPath: join(folder.path, name),
      watched: {
        datanetIds: null,
        hosts: [host.url],
        withoutUnsigned: false,
        servers: [serverUrl],
        base: null,
      },
      budget: { maxMs: 3_600_000, maxBytes: 1_000_000_000 },
      webhookUrl,
      database: null,
      ...changes,
    },
    {
      logger: createLogger("watch", "info", { write: (line) => lines.push(line) }),
      onFatal: (error) => fatal.push(error),
      openSigner: async (sequencerUrl) => ({ ...world.bob, sequencerUrl }),
      knownServers: () => ({}),
    },
  );
  const stop = async () => {
    await running.stop();
    expect(fatal).toEqual([]);
  };
  const health = async () => {
    const response = await fetch(`${running.url}/health`);
    // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test checks
    return { status: response.status, body: (await response.json()) as any };
  };
  return {
    ...running,
    stop,
    health,
    linesWith: (text: string) => lines.filter((line) => line.includes(text)),
  };
}

const listed = async () =>
  (await listVerified(world.bob, { hostUrl: host.url, datanetId, modelId: made.modelId })).verifications;

it("recomputes a registered model from another version than the present one, and signs it once", async () => {
  const first = await watch("one");
  await expect
    .poll(listed, POLLED)
    .toEqual([{ leafId: 3, atMs: expect.any(Number), version: 1, epoch: null, difference: null }]);
  const { body, status } = await first.health();
  expect(status).toBe(200);
  expect(body.watcher).toMatchObject({ modelCount: 1, doneCount: 1, waitingCount: 0, differing: [] });
  const metrics = await (await fetch(`${first.url}/metrics`)).text();
  expect(metrics).toMatch(/^watch_recomputed_total\{result="same"\} 1$/m);
  await first.stop();
  // The cursor is durable: a new start neither computes nor signs again.
  const [before] = await listed();
  const again = await watch("one");
  onTestFinished(() => again.stop());
  await expect.poll(async () => (await again.health()).body.watcher?.doneCount, POLLED).toBe(1);
  expect((await again.health()).body.watcher.today.ms).toBeGreaterThan(0);
  expect(await listed()).toEqual([before]);
  expect(events).toEqual([]);
});

it("signs the first difference of what is served, and calls the webhook until it is heard", async () => {
  const model = await readModel(made.modelFolder);
  const features = { ...model.features, values: model.features.values.slice() };
  const changed = 5;
  features.values[changed] = features.values[changed]! ^ 1;
  served.folder = join(folder.path, "changed");
  await writeModel(served.folder, { ...model, features });
  const running = await watch("two");
  onTestFinished(() => running.stop());
  const difference = { file: "features.bin", row: 0 };
  await expect.poll(listed, POLLED).toEqual([expect.objectContaining({ leafId: 3, difference })]);
  await expect.poll(() => events.length, POLLED).toBe(2);
  expect(events[1]).toEqual(events[0]);
  expect(events[0]).toMatchObject({
    kind: "differs",
    state: "raised",
    modelId: made.modelId,
    epoch: null,
    ...difference,
    rollupAddress: world.f.rollup.address,
  });
  expect((await running.health()).status).toBe(503);
  // A day later it is computed again: the server has the right files by then.
  served.folder = made.modelFolder;
  const now = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => now() + 90_000_000);
  onTestFinished(() => void vi.restoreAllMocks());
  await expect.poll(listed, POLLED).toEqual([expect.objectContaining({ leafId: 3, difference: null })]);
});

it("waits for a server that does not answer, and leaves out what a day's budget does not allow", async () => {
  served.isUp = false;
  const running = await watch("three", { webhookUrl: null });
  onTestFinished(() => running.stop());
  const unavailable = async () => (await running.health()).body.watcher?.unavailable[0]?.code;
  await expect.poll(unavailable, POLLED).toBe("CMD_NO_MODEL_SERVER");
  served.isUp = true;
  const poor = await watch("four", { webhookUrl: null, budget: { maxMs: 3_600_000, maxBytes: 100 } });
  onTestFinished(() => poor.stop());
  const left = async () => (await poor.health()).body.watcher?.unavailable[0]?.code;
  await expect.poll(left, POLLED).toBe("over-budget");
  expect((await poor.health()).body.watcher.today.bytes).toBe(0);
});

it("shares its tasks with other watchers on one database: each is recomputed, signed and reported once", async () => {
  served.folder = join(folder.path, "changed");
  const database = databaseAt(world.databaseUrl);
  const told = events.length;
  const both = await Promise.all(["five", "six"].map((name) => watch(name, { database })));
  onTestFinished(async () => {
    for (const one of both) await one.stop();
  });
  for (const { health } of both)
    await expect.poll(async () => (await health()).body.watcher?.differing.length, POLLED).toBe(1);
  const countOf = (text: string) => both.flatMap(({ linesWith }) => linesWith(text)).length;
  await expect.poll(() => countOf("signed and sent"), POLLED).toBe(1);
  await expect.poll(() => events.length, POLLED).toBe(told + 1);
  expect(countOf('"msg":"recomputing"')).toBe(1);
  expect(events.at(-1)).toMatchObject({ kind: "differs", modelId: made.modelId });
  // One that comes later has nothing to do, and one with results of its own brings them.
  const later = await watch("one", { database });
  onTestFinished(() => later.stop());
  await expect.poll(async () => (await later.health()).body.watcher?.doneCount, POLLED).toBe(1);
  expect((await later.health()).status).toBe(503);
  expect([countOf("signed and sent"), later.linesWith("signed and sent").length, events.length]).toEqual([
    1,
    0,
    told + 1,
  ]);
});
