/** Two model servers on one database, while one of them or the database is killed, hangs, or has no room. */
import type { ChildProcess } from "node:child_process";
import { chmod, mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLedgerFixture } from "@openledger/client/testing/ledger-fixture";
import type { Database } from "@openledger/foundation/database/database";
import { openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import { type DatabaseProxy, startDatabaseProxy } from "@openledger/foundation/testing/database-proxy";
import { freePort } from "@openledger/foundation/testing/free-port";
import {
  leftOutServer,
  type OwnServer,
  removeServer,
  type ServerKind,
  startOwnServer,
} from "@openledger/foundation/testing/own-server";
import { mountSmallDisk, type SmallDisk } from "@openledger/foundation/testing/small-disk";
import { databaseAt } from "@openledger/foundation/testing/test-database";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { AnswerLoad } from "../../testing/answer-load.ts";
import { type AnsweredModel, modelLeaf, publishDirectModel, ROLLUP } from "../../testing/answered-world.ts";
import { startModelServer } from "../../testing/start-model-server.ts";
import { ANSWERS_PART } from "./answer-store.ts";

const MODEL_ID = 9;
const CUSTOMERS = 4;
const KINDS: readonly ServerKind[] = ["installed", "packaged"];
const DISK_MEGABYTES = 192;
/** Number of answers to acknowledge between two faults. */
const SOME = 6;

let model: AnsweredModel;
beforeAll(async () => {
  model = await publishDirectModel();
});
afterAll(() => model.remove());

let folder: string;
let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
  await removeServer(folder);
});

interface Scene {
  readonly server: OwnServer;
  readonly proxy: DatabaseProxy;
  readonly servers: { url: string; child: ChildProcess; restart(): Promise<void> }[];
  readonly load: AnswerLoad;
  readonly database: Database;
  readonly disk: SmallDisk | string;
}

async function play(kind: ServerKind, { isSmall = false } = {}): Promise<Scene> {
  folder = await mkdtemp(join(tmpdir(), "openledger-faults-"));
  await chmod(folder, 0o755);
  const position = join(folder, "disk");
  await mkdir(position);
  const disk = isSmall ? mountSmallDisk(position, DISK_MEGABYTES) : "not asked for";
  if (typeof disk !== "string") ends.push(() => disk.unmount());
  const server = await startOwnServer(kind, join(position, "server"));
  ends.push(() => server.stop());
  const proxy = await startDatabaseProxy(server.url);
  ends.push(() => proxy.close());
  const fixture = await createLedgerFixture({ hasFeed: false });
  ends.push(() => fixture.close());
  for (const route of ["leaves", "models"])
    fixture.sequencer.answers.set(`GET /v1/${route}/${MODEL_ID}`, modelLeaf(model.model, MODEL_ID));
  const load = new AnswerLoad({
    ...{ fixture, modelId: MODEL_ID, prompts: model.prompts, customerCount: CUSTOMERS },
    serverUrls: [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`],
  });
  const published = {
    locations: [{ modelId: MODEL_ID, folder: model.publishedFolder }],
    sequencerUrl: fixture.sequencer.url,
    rollup: ROLLUP,
    domain: fixture.client.domain,
    pollIntervalMs: 200,
  };
  const start = (url: string, i: number) =>
    startModelServer(published, {
      SERVING_PORT: new URL(url).port,
      SERVING_KERNELS: "wasm",
      SERVING_DATA_PATH: join(folder, `data-${i}`),
      SERVING_DATABASE_URL: proxy.url,
      SERVING_RATE_LIMIT_PER_MINUTE: "1000000",
    });
  const servers: Scene["servers"] = [];
  for (const [i, url] of load.serverUrls.entries()) {
    const one = { ...(await start(url, i)), restart };
    async function restart() {
      Object.assign(one, await start(url, i));
    }
    servers.push(one);
    ends.push(() => one.child.kill("SIGKILL"));
  }
  const logger = createLogger("test", "silent");
  const database = await openDatabase(databaseAt(server.url), { part: ANSWERS_PART, rollup: ROLLUP, logger });
  ends.push(() => database.close());
  load.start();
  ends.push(() => load.abandon());
  return { server, proxy, servers, load, database, disk };
}

const more = async ({ load }: Pick<Scene, "load">, count = SOME) => {
  const before = load.count;
  await expect.poll(() => load.count, { timeout: 90_000 }).toBeGreaterThan(before + count);
};
const health = async ({ servers }: Pick<Scene, "servers">) =>
  (await fetch(`${servers[0]!.url}/health`)).status;
const metrics = async ({ servers }: Pick<Scene, "servers">) =>
  (await fetch(`${servers[0]!.url}/metrics`)).text();
const startAgain = (server: OwnServer) =>
  expect
    .poll(() =>
      server.start().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);

async function expectAllThere({ database, load }: Scene): Promise<void> {
  await load.stop();
  const { answers, payments, problems } = await load.audit(database);
  expect(problems).toEqual([]);
  expect({ answers, payments }).toEqual({
    answers: { acknowledged: answers.acknowledged, lost: 0, doubled: 0 },
    payments: { acknowledged: payments.acknowledged, lost: 0, doubled: 0 },
  });
  expect(payments.acknowledged).toBeGreaterThan(SOME);
}

describe.each(KINDS)("two model servers on a server that is %s", (kind) => {
  const leftOut = leftOutServer(kind);
  const test = it.skipIf(leftOut !== null);
  const why = leftOut === null ? "" : `: ${leftOut}`;

  test(`answer each question once, and open each payment once, when the database is killed${why}`, async () => {
    const scene = await play(kind);
    for (let kill = 0; kill < 3; kill++) {
      await more(scene);
      await scene.server.kill();
      await expect.poll(() => health(scene)).toBe(503);
      await startAgain(scene.server);
    }
    await more(scene);
    expect(scene.load.refusals.get("SRV_DATABASE_UNREACHABLE")).toBeGreaterThan(0);
    await expectAllThere(scene);
  });

  test(`the same when one of them is killed${why}`, async () => {
    const scene = await play(kind);
    for (let kill = 0; kill < 3; kill++) {
      await more(scene);
      const killed = scene.servers[kill % 2]!;
      killed.child.kill("SIGKILL");
      await more(scene);
      await killed.restart();
    }
    await expectAllThere(scene);
  });

  test(`refuse what has no room, and go on when it is there${why}`, async (context) => {
    const scene = await play(kind, { isSmall: true });
    if (typeof scene.disk === "string") return context.skip(scene.disk);
    await more(scene);
    scene.load.refusals.clear();
    await scene.disk.fill();
    await expect.poll(() => scene.load.refusals.size).toBeGreaterThan(0);
    const known = ["SRV_DISK_FULL", "SRV_DATABASE_UNREACHABLE"];
    expect([...scene.load.refusals.keys()].filter((code) => !known.includes(code))).toEqual([]);
    await scene.disk.makeRoom();
    if (!(await scene.server.isRunning())) await startAgain(scene.server);
    await more(scene);
    await expectAllThere(scene);
  });
});

describe("two model servers behind a way to the database", () => {
  it("that hangs say so, are red, and go on when it passes", async () => {
    const scene = await play("packaged");
    await more(scene);
    scene.load.refusals.clear();
    scene.proxy.state = "hangs";
    await expect.poll(() => health(scene), { timeout: 30_000 }).toBe(503);
    expect(await metrics(scene)).toMatch(/^serving_database_up 0$/m);
    // Customers ask either server: this one has refused once its own count says so.
    const refused = /^serving_errors_total\{code="SRV_DATABASE_UNREACHABLE"\} [1-9]/m;
    await expect.poll(() => metrics(scene), { timeout: 60_000 }).toMatch(refused);
    await expect.poll(() => scene.load.refusals.get("SRV_DATABASE_UNREACHABLE") ?? 0).toBeGreaterThan(0);
    scene.proxy.state = "passes";
    await expect.poll(() => health(scene), { timeout: 30_000 }).toBe(200);
    expect(await metrics(scene)).toMatch(/^serving_database_up 1$/m);
    expect(await metrics(scene)).toMatch(refused);
    await more(scene);
    await expectAllThere(scene);
  });

  it("that loses the answers of commits have each answer and payment once", async () => {
    const scene = await play("packaged");
    await more(scene);
    scene.proxy.state = "loses commits";
    await expect.poll(() => scene.proxy.lostCommitCount, { timeout: 60_000 }).toBeGreaterThan(10);
    scene.proxy.state = "passes";
    await more(scene);
    await expectAllThere(scene);
  });
});
