/** Two hosts on one database under load, while a host or the database is killed, hangs, or has no room. */
import { chmod, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { Database } from "@openledger/foundation/database/database";
import { startLocalServer } from "@openledger/foundation/database/local-server";
import { type DatabaseConfig, openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import { type DatabaseProxy, startDatabaseProxy } from "@openledger/foundation/testing/database-proxy";
import { freePort } from "@openledger/foundation/testing/free-port";
import type { OwnProcess } from "@openledger/foundation/testing/own-process";
import {
  leftOutServer,
  type OwnServer,
  removeServer,
  type ServerKind,
  startOwnServer,
} from "@openledger/foundation/testing/own-server";
import { mountSmallDisk } from "@openledger/foundation/testing/small-disk";
import { databaseAt } from "@openledger/foundation/testing/test-database";
import { testDeployment } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HOST_PART } from "../store/host-schema.ts";
import { startChildHost } from "../testing/child-host.ts";
import { HostLoad } from "../testing/host-load.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";

const ROW_COUNT = 6_000;
const KINDS: readonly ServerKind[] = ["installed", "packaged"];
const KILLS = 3;
const DISK_MEGABYTES = 192;
/** Number of requests to acknowledge between two faults. */
const SOME = 60;

let world: HostWorld;
let people: LedgerClient[];
let rowsRoot: bigint;
const rows = sampleRows(ROW_COUNT);
const card = sampleCard({
  labelling: { annotatorsPerRow: 2, accept: "all", labellers: "anyone", reviewers: [] },
});
beforeAll(async () => {
  world = await createHostWorld({ card });
  people = await Promise.all([1, 2, 3].map(world.user));
  rowsRoot = contributionRoot(rows.map(hashRow));
  await commitData(people[0]!, { datanetId: world.datanetId, rowsRoot, rowCount: ROW_COUNT });
  await world.finalise();
});
afterAll(() => world?.close());

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
  readonly hosts: (OwnProcess & { restart(): Promise<void> })[];
  readonly load: HostLoad;
  /** Straight to the server. */
  readonly database: Database;
}

/** Two hosts as processes, on a server behind a proxy, and people who use them. */
async function play(
  kind: ServerKind,
  { isSmall = false } = {},
): Promise<Scene & { disk: ReturnType<typeof mountSmallDisk> }> {
  folder = await mkdtemp(join(tmpdir(), "openledger-faults-"));
  await chmod(folder, 0o755);
  const disk = isSmall ? mountSmallDisk(folder, DISK_MEGABYTES) : "not asked for";
  if (typeof disk !== "string") ends.push(() => disk.unmount());
  const server = await startOwnServer(kind, join(folder, "server"));
  ends.push(() => server.stop());
  const proxy = await startDatabaseProxy(server.url);
  ends.push(() => proxy.close());
  return {
    server,
    proxy,
    disk,
    ...(await populate({ DATANET_DATABASE_URL: proxy.url }, databaseAt(server.url))),
  };
}

/** Two hosts with these settings, people who use them, and a straight way to their database. */
async function populate(
  settings: Readonly<Record<string, string>>,
  database: DatabaseConfig,
): Promise<Pick<Scene, "hosts" | "load" | "database">> {
  const hosts = await Promise.all([1, 2].map(() => startHost(settings)));
  const { datanetId } = world;
  const hostUrls = hosts.map(({ url }) => url);
  await bringCard(people[0]!, { hostUrl: hostUrls[0]!, datanetId, card });
  const [contributor, ...labellers] = people;
  const load = new HostLoad({
    ...{ datanetId, hostUrls, labellers, rows, rowsRoot, label: "good" },
    contributor: { ...contributor!, requestTimeoutMs: 40_000 },
  });
  await load.start();
  const { chainId, rollupAddress } = await testDeployment();
  const logger = createLogger("test", "silent");
  const opened = await openDatabase(database, {
    part: HOST_PART,
    rollup: { chainId, rollupAddress },
    logger,
  });
  ends.push(() => opened.close());
  ends.push(() => load.stop());
  return { hosts, load, database: opened };
}

/** A host that has the same address after a kill. */
async function startHost(settings: Readonly<Record<string, string>>) {
  const port = await freePort();
  const { DATANET_DATABASE_URL: _, ...others } = await world.environment("unused");
  const environment = { ...others, ...settings, DATANET_PORT: String(port) };
  const host = { ...(await startChildHost(environment)), restart };
  async function restart() {
    Object.assign(host, await startChildHost(environment));
  }
  ends.push(() => host.end("SIGKILL"));
  return host;
}

const more = async ({ load }: Pick<Scene, "load">, count = SOME) => {
  const before = load.count;
  await expect.poll(() => load.count, { timeout: 60_000 }).toBeGreaterThan(before + count);
};
const health = async (url: string) => (await fetch(`${url}/health`)).status;
const metrics = async (url: string) => (await fetch(`${url}/metrics`)).text();

async function expectAllThere({ database, load }: Pick<Scene, "database" | "load">): Promise<void> {
  // Labels follow the rows.
  await expect.poll(() => load.labels.size, { timeout: 60_000 }).toBeGreaterThan(SOME);
  await load.stop();
  const { labels, problems, rows: counted } = await load.audit(database);
  expect(problems).toEqual([]);
  expect({ rows: counted, labels }).toEqual({
    rows: { acknowledged: counted.acknowledged, lost: 0, doubled: 0 },
    labels: { acknowledged: labels.acknowledged, lost: 0, doubled: 0 },
  });
  expect(counted.acknowledged).toBeGreaterThan(SOME);
  expect(labels.acknowledged).toBeGreaterThan(SOME);
}

describe.each(KINDS)("two hosts on a server that is %s", (kind) => {
  const leftOut = leftOutServer(kind);
  const test = it.skipIf(leftOut !== null);
  const why = leftOut === null ? "" : `: ${leftOut}`;

  test(`lose and double nothing when the database is killed${why}`, async () => {
    const scene = await play(kind);
    for (let kill = 0; kill < KILLS; kill++) {
      await more(scene);
      await scene.server.kill();
      await expect.poll(() => health(scene.hosts[0]!.url)).toBe(503);
      await expect
        .poll(() =>
          scene.server.start().then(
            () => true,
            () => false,
          ),
        )
        .toBe(true);
    }
    await more(scene);
    expect(scene.load.refusals.get("SRV_DATABASE_UNREACHABLE")).toBeGreaterThan(0);
    await expectAllThere(scene);
  });

  test(`lose and double nothing when one of them is killed${why}`, async () => {
    const scene = await play(kind);
    for (let kill = 0; kill < KILLS; kill++) {
      await more(scene);
      const host = scene.hosts[kill % 2]!;
      await host.end("SIGKILL");
      // The other goes on at once.
      await more(scene);
      await host.restart();
    }
    await expectAllThere(scene);
  });

  test(`refuse what has no room, and go on when it is there${why}`, async (context) => {
    const scene = await play(kind, { isSmall: true });
    if (typeof scene.disk === "string") return context.skip(scene.disk);
    for (let turn = 0; turn < 2; turn++) {
      await more(scene);
      scene.load.refusals.clear();
      await scene.disk.fill();
      await expect.poll(() => scene.load.refusals.size).toBeGreaterThan(0);
      const known = ["SRV_DISK_FULL", "SRV_DATABASE_UNREACHABLE", "DNT_SESSION_OTHER"];
      expect([...scene.load.refusals.keys()].filter((code) => !known.includes(code))).toEqual([]);
      await scene.disk.makeRoom();
      // A server whose log found no room has ended: its supervisor starts it again.
      if (!(await scene.server.isRunning()))
        await expect
          .poll(() =>
            scene.server.start().then(
              () => true,
              () => false,
            ),
          )
          .toBe(true);
    }
    await more(scene);
    await expectAllThere(scene);
  });
});

describe("two hosts behind a way to the database", () => {
  it("that hangs say so, are red, and go on when it passes", async () => {
    const scene = await play("packaged");
    for (let turn = 0; turn < 2; turn++) {
      await more(scene);
      scene.load.refusals.clear();
      scene.proxy.state = "hangs";
      await expect.poll(() => health(scene.hosts[1]!.url), { timeout: 30_000 }).toBe(503);
      expect(await metrics(scene.hosts[1]!.url)).toMatch(/^datanet_database_up 0$/m);
      await expect
        .poll(() => scene.load.refusals.get("SRV_DATABASE_UNREACHABLE") ?? 0, { timeout: 30_000 })
        .toBeGreaterThan(0);
      expect([...scene.load.refusals.keys()]).toEqual(["SRV_DATABASE_UNREACHABLE"]);
      scene.proxy.state = "passes";
      await expect.poll(() => health(scene.hosts[1]!.url), { timeout: 30_000 }).toBe(200);
      expect(await metrics(scene.hosts[1]!.url)).toMatch(/^datanet_database_up 1$/m);
    }
    await more(scene);
    await expectAllThere(scene);
  });

  it("that loses the answers of commits have each row and label once, though people bring them again", async () => {
    const scene = await play("packaged");
    await more(scene);
    scene.proxy.state = "loses commits";
    await expect.poll(() => scene.proxy.lostCommitCount, { timeout: 60_000 }).toBeGreaterThan(15);
    scene.proxy.state = "passes";
    await more(scene);
    await expectAllThere(scene);
  });
});

describe("two hosts on this machine's own server", () => {
  it("start it again when it is killed, and have lost nothing", async () => {
    folder = await mkdtemp(join(tmpdir(), "openledger-faults-"));
    await chmod(folder, 0o755);
    const databasePath = join(folder, "database");
    // The hosts are killed, and leave it running.
    ends.push(async () => (await startLocalServer(databasePath, createLogger("test", "silent"))).release());
    const scene = await populate({ DATANET_DATABASE_PATH: databasePath }, { databasePath });
    for (let kill = 0; kill < KILLS; kill++) {
      await more(scene);
      const killedAtMs = performance.now();
      const pid = (await readFile(join(databasePath, "data/postmaster.pid"), "utf8")).split("\n")[0];
      process.kill(Number(pid), "SIGKILL");
      await delay(200);
      await more(scene, 1);
      expect(performance.now() - killedAtMs).toBeLessThan(20_000);
    }
    await more(scene);
    await expectAllThere(scene);
  });
});
