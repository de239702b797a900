/** Two model servers on one database are one, whatever happens to either of them or to the database. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { signQuestion } from "@openledger/client/actions/answers/sign-question";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { Database } from "@openledger/foundation/database/database";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { startOwnServer } from "@openledger/foundation/testing/own-server";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { partOf } from "@openledger/foundation/testing/test-random";
import { wholeTest } from "@openledger/foundation/testing/whole-run";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type AnsweredModel,
  modelLeaf,
  type Payment,
  PRICE_WEI,
  publishDirectModel,
  ROLLUP,
  setPayments as setPaymentsOf,
} from "../../testing/answered-world.ts";
import { worldConfig, worldSettings } from "../../testing/serving-world.ts";
import { startModelServer } from "../../testing/start-model-server.ts";
import { modelUrl, type ServedModels, serveModels } from "../serve-models.ts";
import { ANSWERS_PART } from "./answer-store.ts";

const logger = createLogger("test", "silent");
const PAYER = 4;
/** Numbers of the published model: one for each case, and all of one database. */
const MODEL_IDS = Array.from({ length: 10 }, (_, i) => 9 + i);
const unused = [...MODEL_IDS];

let world: AnsweredModel;
let prompts: string[];
let fixture: LedgerFixture;
let folder: string;
let home: TestDatabase;
let database: Database;
/** Two servers of all models, which read no payments by themselves. */
let servers: ServedModels[];
/** Model of the case. */
let modelId: number;
/** Addresses of its routes at the two. */
let urls: readonly [string, string];
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  world = await publishDirectModel();
  ({ prompts } = world);
  fixture = await createLedgerFixture({ hasFeed: false });
  for (modelId of MODEL_IDS) {
    for (const route of ["leaves", "models"])
      fixture.sequencer.answers.set(`GET /v1/${route}/${modelId}`, modelLeaf(world.model, modelId));
    setPayments([]);
  }
  folder = await mkdtemp(join(tmpdir(), "replicas-"));
  home = await createTestDatabase();
  database = await Database.open({ url: home.url, part: ANSWERS_PART, rollup: ROLLUP, logger });
  servers = await Promise.all(["one", "other"].map((name) => serve(name, { modelIds: MODEL_IDS })));
  return async () => {
    for (const server of servers) await server.close();
    await database.close();
    await home.drop();
    await fixture.close();
    await rm(folder, { recursive: true });
    await world.remove();
  };
});
beforeEach(() => {
  modelId = unused.shift()!;
  urls = servers.map(({ url }) => modelUrl(url, modelId)) as unknown as typeof urls;
});
afterEach(async () => {
  for (const end of closing.splice(0).reverse()) await end();
});

const settingsOf = (name: string, url: string) => ({
  SERVING_BASE_PATH: undefined,
  SERVING_ADAPTERS_PATH: undefined,
  SERVING_DATA_PATH: join(folder, name),
  SERVING_DATABASE_URL: url,
  SERVING_RATE_LIMIT_PER_MINUTE: "1000",
});
const publishedAs = (modelIds: readonly number[]) => ({
  locations: modelIds.map((id) => ({ modelId: id, folder: world.publishedFolder })),
  sequencerUrl: fixture.sequencer.url,
  rollup: ROLLUP,
  domain: fixture.client.domain,
  pollIntervalMs: 600_000,
});

/** @param name of its folder */
const serve = (name: string, { modelIds = [modelId], pollIntervalMs = 600_000, url = home.url } = {}) =>
  serveModels(worldConfig(folder, settingsOf(name, url)), {
    logger,
    published: { ...publishedAs(modelIds), pollIntervalMs },
  });

/** A server of the case's model alone. @returns the address of its routes */
async function replica(name: string, options: { pollIntervalMs?: number; url?: string }): Promise<string> {
  const served = await serve(name, options);
  closing.push(() => served.close());
  return modelUrl(served.url, modelId);
}

/** A server of the case's model, as a process of its own. */
async function replicaProcess(url: string): Promise<{ url: string; child: ChildProcess }> {
  const settings = worldSettings(folder, settingsOf(`killed-${modelId}`, url));
  const { child, url: served } = await startModelServer(publishedAs([modelId]), settings);
  closing.push(() => child.kill("SIGKILL"));
  return { url: modelUrl(served, modelId), child };
}

/**
 * A way to the database on which the server's answers end: at the commit of a change, which reaches the database, or at its
 * first statement, which does not.
 * @param what statement of the change
 */
async function holdingProxy(
  at: "commit" | "insert",
  what = "insert into answers",
): Promise<{ url: string; held: Promise<void> }> {
  const { hostname, pathname, searchParams } = new URL(home.url.replace("postgres://", "postgres://x"));
  expect(hostname).toBe("x");
  const path = join(searchParams.get("host")!, ".s.PGSQL.5432");
  let hold!: () => void;
  const held = new Promise<void>((resolve) => {
    hold = resolve;
  });
  const proxy = createServer((client) => {
    const server = createConnection(path);
    let stage: "open" | "inserted" | "held" = "open";
    client.on("data", (bytes: Buffer) => {
      if (stage === "open" && bytes.includes(what)) stage = "inserted";
      const isHeld = stage === "inserted" && (at === "insert" || bytes.includes("commit\0"));
      if (isHeld) stage = "held";
      if (!(isHeld && at === "insert")) server.write(bytes);
      if (isHeld) hold();
    });
    server.on("data", (bytes: Buffer) => {
      if (stage !== "held") client.write(bytes);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  closing.push(() => proxy.close());
  const { port } = proxy.address() as { port: number };
  return { url: `postgres://${searchParams.get("user")}@127.0.0.1:${port}${pathname}`, held };
}

/** Payments of the case's model. */
const setPayments = (payments: readonly Payment[], isClosed = false) =>
  setPaymentsOf(fixture, modelId, payments, isClosed);

const askAt = (serverUrl: string, prompt: string) =>
  askModel(fixture.client, { serverUrl, modelId, prompt, from: PAYER });

async function postAt(serverUrl: string, prompt: string, accept = "application/json"): Promise<Response> {
  const signed = await signQuestion(fixture.client, { modelId, prompt, from: PAYER });
  return fetch(`${serverUrl}/v1/answers`, {
    method: "POST",
    headers: { "content-type": "application/json", accept },
    body: JSON.stringify({ prompt, ...signed }),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: a body as it came.
const get = async (url: string): Promise<any> => (await fetch(url)).json();
/** Rows of the case's model. */
const rowsOf = <Row extends object>(columns: string, table: string) =>
  database.query<Row>(`select ${columns} from ${table} where model_id = ${modelId}`);
const countAnswers = async () =>
  (await rowsOf<{ count: number }>("count(*)::integer as count", "answers"))[0]!.count;

describe("an answer that was asked at one server", () => {
  it("is given again, streamed, fetched and opened at the other", async () => {
    const [one, other] = urls;
    const first = await askAt(one, prompts[0]!);
    expect(await askAt(other, prompts[0]!)).toEqual(first);
    const streamed = await postAt(other, prompts[0]!, "text/event-stream");
    expect(await streamed.text()).toContain(hex32(first.receipt));
    await expect(askAt(other, prompts[1]!)).rejects.toMatchObject({
      code: "ATT_ANSWER_UNPAID",
      data: { receipt: hex32(first.receipt) },
    });
    const path = `/v1/answers/${hex32(first.receipt)}`;
    expect(await get(other + path)).toMatchObject({ isPaid: false, payerId: PAYER });
    setPayments([
      { receipt: 77n, payerId: 5 },
      { receipt: first.receipt, payerId: PAYER },
    ]);
    const opened = await Promise.all([one, other].map((url) => get(`${url}/v1/openings?epoch=1`)));
    expect(opened[0]).toEqual(opened[1]);
    expect(opened[0].openings).toMatchObject([{ index: 1, receipt: hex32(first.receipt) }]);
    const payment = { epoch: 1, index: 1, amountWei: PRICE_WEI.toString() };
    for (const url of [one, other]) expect(await get(url + path)).toMatchObject({ isPaid: true, payment });
    expect((await askAt(other, prompts[1]!)).receipt).not.toBe(first.receipt);
  });

  it("is the account's only one, and the same one, however the questions come at once", async () => {
    const same = await Promise.all([0, 1, 0, 1].map((i) => askAt(urls[i]!, prompts[0]!)));
    expect(new Set(same.map(({ receipt }) => receipt)).size).toBe(1);
    setPayments([{ receipt: same[0]!.receipt, payerId: PAYER }]);
    const both = await Promise.allSettled(urls.map((url, i) => askAt(url, prompts[i + 1]!)));
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await countAnswers()).toBe(2);
    expect(await rowsOf("*", "turns")).toEqual([]);
  });

  it("is opened when it is paid, once, while both watch", async () => {
    const watching = await Promise.all(
      ["watching", "too"].map((name) => replica(name, { pollIntervalMs: 10 })),
    );
    const { receipt } = await askAt(watching[0]!, prompts[0]!);
    setPayments([{ receipt, payerId: PAYER }], true);
    for (const url of watching) await expect.poll(() => get(`${url}/v1/openings?epoch=2`)).toBeDefined();
    await expect.poll(() => rowsOf("epoch, index", "cursors")).toEqual([{ epoch: 2, index: 0 }]);
    expect(await rowsOf("epoch, index", "payments")).toEqual([{ epoch: 1, index: 0 }]);
    for (const url of watching) expect((await get(`${url}/v1/openings?epoch=1`)).openings).toHaveLength(1);
  });

  wholeTest("may have any text in its prompt: it is answered at both alike", async () => {
    const hostile = `${prompts[0]!} \0 \ud83d\ude00'; drop table answers`;
    const first = await askAt(urls[0], hostile);
    expect(await askAt(urls[1], hostile)).toEqual(first);
    expect(await countAnswers()).toBe(1);
    setPayments([{ receipt: first.receipt, payerId: PAYER }]);
    const half = askAt(urls[0], `a${String.fromCharCode(0xd800)}`);
    await expect(half).rejects.toMatchObject({ code: "ATT_ROW_INVALID" });
  });
});

describe("a server that is killed", () => {
  it("between the commit of an answer and its reply has given it: the other gives the same", {
    timeout: 120_000,
  }, async () => {
    const { held, url } = await holdingProxy("commit");
    const killed = await replicaProcess(url);
    const lost = askAt(killed.url, prompts[0]!).catch((error: unknown) => error);
    await held;
    await expect.poll(countAnswers).toBe(1);
    killed.child.kill("SIGKILL");
    expect(await lost).toMatchObject({ code: "CLI_UNREACHABLE" });
    const [row] = await rowsOf<{ receipt: Buffer }>("receipt", "answers");
    const { receipt } = await askAt(urls[1], prompts[0]!);
    expect(hex32(receipt)).toBe(`0x${row!.receipt.toString("hex")}`);
    expect(await countAnswers()).toBe(1);
  });

  wholeTest(
    "before the commit has given nothing: the other answers the account once its turn is over",
    {
      timeout: 120_000,
    },
    async () => {
      const { held, url } = await holdingProxy("insert");
      const killed = await replicaProcess(url);
      const lost = askAt(killed.url, prompts[0]!).catch((error: unknown) => error);
      await held;
      killed.child.kill("SIGKILL");
      await lost;
      expect(await countAnswers()).toBe(0);
      const other = urls[1];
      // Whatever its question was: it has no answer that it could have paid for.
      const started = Date.now();
      const { receipt } = await askAt(other, prompts[1]!);
      expect(Date.now() - started).toBeLessThan(30_000);
      expect(await countAnswers()).toBe(1);
      setPayments([{ receipt, payerId: PAYER }]);
      expect((await get(`${other}/v1/openings?epoch=1`)).openings).toHaveLength(1);
    },
  );
});

describe("a payment that a server reads when it is killed", () => {
  /** The openings that a server gives; null if it has ended before its reply. */
  const openAt = async (url: string) => {
    try {
      const reply = await fetch(`${url}/v1/openings?epoch=1`);
      return ((await reply.json()) as { openings: unknown }).openings;
    } catch {
      return null;
    }
  };

  it.each(partOf(["commit", "insert"] as const, 2))(
    "is opened at the other, once (at the %s of its mark)",
    {
      timeout: 120_000,
    },
    async (at) => {
      const other = urls[1];
      const { receipt } = await askAt(other, prompts[0]!);
      setPayments([{ receipt, payerId: PAYER }]);
      const { held, url } = await holdingProxy(at, "insert into payments");
      const killed = await replicaProcess(url);
      const lost = openAt(killed.url);
      await held;
      const marked = async () => (await rowsOf("1", "payments")).length;
      await expect.poll(marked).toBe(at === "commit" ? 1 : 0);
      killed.child.kill("SIGKILL");
      // If the server's own look at payments marks it, the request finds a mark that is committed, and may give the opening.
      const input = await lost;
      if (at === "insert" || input === null) expect(input).toBeNull();
      else expect(input).toMatchObject([{ index: 0, receipt: hex32(receipt) }]);
      for (let turn = 0; turn < 2; turn++)
        expect((await get(`${other}/v1/openings?epoch=1`)).openings).toMatchObject([
          { index: 0, receipt: hex32(receipt) },
        ]);
      expect(await marked()).toBe(1);
      expect(await rowsOf("epoch, index", "cursors")).toEqual([{ epoch: 1, index: 1 }]);
      // It is paid for at both: the account's next question is answered.
      expect((await askAt(other, prompts[1]!)).receipt).not.toBe(receipt);
    },
  );
});

describe("a database that ends", () => {
  it("is waited for: requests are refused meanwhile, nothing is lost, and the server goes on by itself", {
    timeout: 180_000,
  }, async () => {
    await chmod(folder, 0o755);
    const server = await startOwnServer("packaged", join(folder, "database"));
    closing.push(() => server.stop());
    const url = await replica("alone", { url: server.url });
    const { receipt } = await askAt(url, prompts[0]!);
    const health = async () => (await fetch(`${new URL(url).origin}/health`)).status;
    expect(await health()).toBe(200);
    await server.kill();
    const unreachable = { error: { code: "SRV_DATABASE_UNREACHABLE" } };
    for (const refused of [
      await postAt(url, prompts[0]!),
      await fetch(`${url}/v1/openings?epoch=1`),
      await fetch(`${url}/v1/answers/${hex32(receipt)}`),
    ])
      expect([refused.status, await refused.json()]).toMatchObject([503, unreachable]);
    // A proxy passes over it.
    await expect.poll(health).toBe(503);
    const startAgain = () =>
      server.start().then(
        () => true,
        () => false,
      );
    await expect.poll(startAgain).toBe(true);
    await expect.poll(async () => (await postAt(url, prompts[0]!)).status, { timeout: 30_000 }).toBe(200);
    expect((await askAt(url, prompts[0]!)).receipt).toBe(receipt);
    setPayments([{ receipt, payerId: PAYER }]);
    expect((await get(`${url}/v1/openings?epoch=1`)).openings).toHaveLength(1);
    await expect.poll(health).toBe(200);
  });
});
