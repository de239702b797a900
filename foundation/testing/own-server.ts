/**
 * PostgreSQL server of a test's or drill's own, to be killed, cut off, or left without a disk: one that the system has installed,
 * or the one that npm packs.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { chmod, chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packagedPrograms } from "../database/local-server.ts";
import { type Programs, runProgram, unprivilegedUser } from "../database/server-programs.ts";
import { freePort } from "./free-port.ts";
import { administer } from "./test-database.ts";

/** Folder in which Debian and its relatives install servers, with a folder for each version. */
const INSTALLED = "/usr/lib/postgresql";

export type ServerKind = "installed" | "packaged";

/** Folder of the programs of the newest installed server; null where there is none. */
const installedFolder = (): string | null =>
  (existsSync(INSTALLED) ? readdirSync(INSTALLED) : [])
    .filter((version) => existsSync(join(INSTALLED, version, "bin/initdb")))
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(INSTALLED, version, "bin"))[0] ?? null;

/** Why a kind of server cannot be started here, as tests and drills report it; null where it can. */
export const leftOutServer = (kind: ServerKind): string | null =>
  kind === "installed" && installedFolder() === null
    ? `left out: no PostgreSQL server is installed in ${INSTALLED} (Debian: apt install postgresql)`
    : null;

export interface OwnServer {
  /** Address of its database, over TCP. */
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  /** kill -9 of the server, and waits until it is gone. Its other processes end by themselves. */
  kill(): Promise<void>;
  /** Stops it. The folder stays. */
  stop(): Promise<void>;
  isRunning(): Promise<boolean>;
}

/**
 * Makes a database in a folder, and starts its server.
 * @param folder made where it is missing; the folders above it are to be open to other users
 */
export async function startOwnServer(kind: ServerKind, folder: string): Promise<OwnServer> {
  const server = new FolderServer(await programsOf(kind), folder, await freePort());
  await server.make();
  await server.start();
  await administer(server.addressOf("postgres"), "create database openledger");
  return server;
}

async function programsOf(kind: ServerKind): Promise<Programs> {
  if (kind === "packaged") return packagedPrograms();
  const folder = installedFolder();
  if (folder === null) throw new Error(leftOutServer(kind)!);
  return { folder, user: process.getuid?.() === 0 ? await unprivilegedUser() : null };
}

class FolderServer implements OwnServer {
  readonly port: number;
  readonly #programs: Programs;
  readonly #folder: string;
  readonly #password = randomBytes(8).toString("hex");

  constructor(programs: Programs, folder: string, port: number) {
    this.#programs = programs;
    this.#folder = folder;
    this.port = port;
  }

  get url(): string {
    return this.addressOf("openledger");
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  addressOf(database: string): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.port}/${database}`;
  }

  async make(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await chmod(this.#folder, 0o700);
    const { user } = this.#programs;
    const passwordFile = join(this.#folder, "password");
    await writeFile(passwordFile, this.#password);
    for (const path of user === null ? [] : [this.#folder, passwordFile])
      await chown(path, user!.uid, user!.gid);
    await runProgram(this.#programs, "initdb", [
      `--pgdata=${this.#data}`,
      "--username=postgres",
      "--auth=scram-sha-256",
      `--pwfile=${passwordFile}`,
      "--encoding=UTF8",
      "--locale=C.UTF-8",
    ]);
  }

  async start(): Promise<void> {
    const options = `-c listen_addresses=127.0.0.1 -c port=${this.port} -c unix_socket_directories=''`;
    await runProgram(this.#programs, "pg_ctl", [
      ...["-D", this.#data, "-l", join(this.#folder, "server.log"), "-w", "-o", options, "start"],
    ]);
  }

  async kill(): Promise<void> {
    const pid = await this.#processId();
    if (pid === null) return;
    process.kill(pid, "SIGKILL");
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async stop(): Promise<void> {
    if (await this.isRunning())
      await runProgram(this.#programs, "pg_ctl", ["-D", this.#data, "-m", "immediate", "-w", "stop"]);
  }

  async isRunning(): Promise<boolean> {
    const pid = await this.#processId();
    return pid !== null && isAlive(pid);
  }

  async #processId(): Promise<number | null> {
    const text = await readFile(join(this.#data, "postmaster.pid"), "utf8").catch(() => null);
    return text === null ? null : Number(text.split("\n")[0]);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Removes a server's folder. */
export const removeServer = (folder: string) => rm(folder, { recursive: true, force: true });
