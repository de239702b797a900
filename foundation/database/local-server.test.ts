import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createLogger } from "../logger.ts";
import { isWhole } from "../testing/test-random.ts";
import { wholeTest } from "../testing/whole-run.ts";
import { Database } from "./database.ts";
import { isUnreachable } from "./database-errors.ts";
import { startLocalServer } from "./local-server.ts";

const logger = createLogger("test", "silent");
const part = { name: "sample", migrations: ["create table things (id integer primary key)"] };
let folder: string;
/** Data of the first test's server: to make them from nothing takes a second of CPU, and the others begin with a copy. */
let made: string;
const copy = (from: string, to: string) => promisify(execFile)("cp", ["-a", from, to]);
/** Folder of a server that has nothing but its databases. */
async function serverFolder(...names: string[]): Promise<string> {
  const path = join(folder, ...names);
  await mkdir(path, { recursive: true });
  if (existsSync(made)) await copy(made, join(path, "data"));
  return path;
}
beforeAll(async () => {
  made = join(await mkdtemp(join(tmpdir(), "openledger-database-")), "data");
});
afterAll(() => rm(dirname(made), { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "openledger-database-"));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (url: string) => Database.open({ url, part, rollup: null, logger });
const postmaster = async () =>
  Number((await readFile(join(folder, "database/data/postmaster.pid"), "utf8")).split("\n")[0]);
const refusedForNow = (error: unknown): false => {
  if (!isUnreachable(error)) throw error;
  return false;
};
const isRunning = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

it("is found whatever another project's shell says of servers", async () => {
  const shell = { PGPORT: "1", PGSSLMODE: "require", PGHOST: "db.example" };
  Object.assign(process.env, shell);
  try {
    const server = await startLocalServer(await serverFolder("database"), logger);
    const database = await open(server.url);
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
    await database.close();
    await server.release();
  } finally {
    for (const name of Object.keys(shell)) delete process.env[name];
  }
});

it("is one server for all who need it at once; the last one stops it", async () => {
  const path = join(folder, "database");
  const servers = await Promise.all([1, 2, 3].map(() => startLocalServer(path, logger)));
  expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
  const pid = await postmaster();
  const database = await open(servers[0]!.url);
  expect(await database.query("show server_encoding")).toEqual([{ server_encoding: "UTF8" }]);
  expect(await database.query("select length('é')::int as n, upper('é') as u")).toEqual([{ n: 1, u: "É" }]);
  await database.close();
  await servers[0]!.release();
  await servers[1]!.release();
  expect(isRunning(pid)).toBe(true);
  await servers[2]!.release();
  await expect.poll(() => isRunning(pid)).toBe(false);
  await copy(join(path, "data"), made);
});

it("outlives a process that is killed, and loses nothing of it: the next one takes it over", async () => {
  const path = await serverFolder("database");
  const program = `
    import { Database } from "./foundation/database/database.ts";
    import { createLogger } from "./foundation/logger.ts";
    import { startLocalServer } from "./foundation/database/local-server.ts";
    const logger = createLogger("test", "silent");
    const { url } = await startLocalServer(${JSON.stringify(path)}, logger);
    const part = ${JSON.stringify(part)};
    const database = await Database.open({ url, part, rollup: null, logger });
    for (let id = 0; ; id++) {
      await database.query("insert into things values ($1)", [id]);
      console.log(id);
    }`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: new URL("../..", import.meta.url).pathname,
  });
  let printed = "";
  child.stdout.on("data", (part: Buffer) => {
    printed += part;
  });
  await expect.poll(() => printed.split("\n").length, { timeout: 60_000 }).toBeGreaterThan(20);
  child.kill("SIGKILL");
  await once(child, "exit");
  const acknowledged = printed.split("\n").filter((line) => line !== "").length;
  const orphan = await postmaster();
  expect(isRunning(orphan)).toBe(true);
  const server = await startLocalServer(path, logger);
  expect(await postmaster()).toBe(orphan);
  const database = await open(server.url);
  const [{ n }] = (await database.query<{ n: number }>("select count(*)::int as n from things")) as [
    { n: number },
  ];
  expect(n).toBeGreaterThanOrEqual(acknowledged);
  // The server itself is killed: the next start recovers what was committed.
  process.kill(orphan, "SIGKILL");
  await database.close();
  await server.release();
  await expect.poll(() => isRunning(orphan)).toBe(false);
  const again = await startLocalServer(path, logger);
  const recovered = await open(again.url);
  expect(await recovered.query("select count(*)::int as n from things")).toEqual([{ n }]);
  await recovered.close();
  await again.release();
});

it("that is killed under those who use it is started again by one of them, and has what it has acknowledged", async () => {
  const path = await serverFolder("database");
  const servers = await Promise.all([1, 2, 3].map(() => startLocalServer(path, logger)));
  const databases = await Promise.all(servers.map(({ url }) => open(url)));
  const acknowledged: number[] = [];
  let isStopped = false;
  const write = async (database: Database, first: number) => {
    for (let id = first; !isStopped; id += databases.length) {
      // As a client does: again until it is acknowledged.
      const insert = () => database.query("insert into things values ($1) on conflict do nothing", [id]);
      while (!(await insert().then(() => true, refusedForNow))) await delay(20);
      acknowledged.push(id);
    }
  };
  const writing = Promise.all(databases.map(write));
  for (let life = 0; life < (isWhole ? 2 : 1); life++) {
    const before = acknowledged.length;
    await expect.poll(() => acknowledged.length).toBeGreaterThan(before + 20);
    const killed = await postmaster();
    process.kill(killed, "SIGKILL");
    const killedAtMs = performance.now();
    await expect.poll(() => isRunning(killed)).toBe(false);
    const then = acknowledged.length;
    await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(then + 20);
    expect(performance.now() - killedAtMs).toBeLessThan(20_000);
    expect(await postmaster()).not.toBe(killed);
  }
  isStopped = true;
  await writing;
  const found = await databases[0]!.query<{ id: number }>("select id from things order by id");
  expect(found.map(({ id }) => id)).toEqual(acknowledged.sort((a, b) => a - b));
  const last = await postmaster();
  for (const database of databases) await database.close();
  for (const server of servers) await server.release();
  await expect.poll(() => isRunning(last)).toBe(false);
});

wholeTest("whose data are gone is not made anew under those who use it", async () => {
  const path = await serverFolder("database");
  const server = await startLocalServer(path, logger);
  const pid = await postmaster();
  await rename(join(path, "data"), join(path, "elsewhere"));
  process.kill(pid, "SIGKILL");
  await expect.poll(() => isRunning(pid)).toBe(false);
  await delay(1_000);
  expect(existsSync(join(path, "data"))).toBe(false);
  await server.release();
});

wholeTest("in a folder with a long path has its socket elsewhere", async () => {
  const path = await serverFolder("a".repeat(60), "b".repeat(60), "database");
  const server = await startLocalServer(path, logger);
  const database = await open(server.url);
  expect(await database.isReachable()).toBe(true);
  await database.close();
  await server.release();
});

wholeTest(
  "in a folder whose path has letters of lists and shells has its socket elsewhere too, in whatever environment",
  async () => {
    const path = await serverFolder("it's, of a name");
    const one = await startLocalServer(path, logger);
    const { TMPDIR } = process.env;
    process.env.TMPDIR = folder;
    try {
      const other = await startLocalServer(path, logger);
      expect(other.url).toBe(one.url);
      await other.release();
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
      await one.release();
    }
  },
);

it("Attack: does not look for its socket in a folder of somebody else's, nor where a link leads", async () => {
  const path = await serverFolder("c".repeat(60), "d".repeat(60), "database");
  const { release, url } = await startLocalServer(path, logger);
  await release();
  const socketFolder = decodeURIComponent(/host=([^&]+)/.exec(url)![1]!);
  await rm(socketFolder, { recursive: true });
  const elsewhere = join(folder, "elsewhere");
  await mkdir(elsewhere, { mode: 0o755 });
  await symlink(elsewhere, socketFolder);
  try {
    await expect(startLocalServer(path, logger)).rejects.toMatchObject({
      code: "SRV_DATABASE_UNREACHABLE",
      data: { reason: "not-own-folder", path: socketFolder },
    });
    expect((await stat(elsewhere)).mode & 0o777).toBe(0o755);
  } finally {
    await rm(socketFolder);
  }
  const again = await startLocalServer(path, logger);
  await again.release();
});

it("that does not start says why, and where its log is", async () => {
  const path = await serverFolder("database");
  const server = await startLocalServer(path, logger);
  await server.release();
  await writeFile(join(path, "data/postgresql.conf"), "no_such_setting = 1\n");
  await expect(startLocalServer(path, logger)).rejects.toMatchObject({
    code: "SRV_DATABASE_UNREACHABLE",
    message: expect.stringContaining("no_such_setting"),
    data: { reason: "no-start" },
  });
});
