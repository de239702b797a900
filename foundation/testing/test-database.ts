/** PostgreSQL databases of tests, each in the server that all tests of a checkout share. */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { makeWorkerRole } from "../database/job-tables.ts";
import { type LocalServer, startLocalServer } from "../database/local-server.ts";
import type { DatabaseConfig } from "../database/open-database.ts";
import type { Queries } from "../database/queries.ts";
import { Secret } from "../secret.ts";

const SILENT = { info() {}, warn() {} };
/** Folder of the server that test files start by themselves; its data are made once. */
const FOLDER = new URL("../../.cache/test-database", import.meta.url).pathname;

export interface TestDatabase {
  readonly url: string;
  /**
   * Makes a role for workers of queues (job-tables.ts).
   * @param rights more of them
   * @param queues default: all that are there
   * @returns its address
   */
  workerUrl(rights?: readonly string[], queues?: readonly string[]): Promise<string>;
  /** Deletes the database, and stops the server where no other test has one. */
  drop(): Promise<void>;
}

/** Settings of a server whose data nobody misses after a power cut: its commits wait for no disk. A kill loses nothing by them. */
const QUICK = ["fsync", "full_page_writes", "synchronous_commit"];
let isQuick = false;

/** Starts or joins the server. A run of many files holds it, so that none of them has to start it. */
export async function startTestServer(folder = FOLDER): Promise<LocalServer> {
  const server = await startLocalServer(folder, SILENT);
  if (isQuick) return server;
  for (const name of QUICK) await administer(server.url, `alter system set ${name} = off`);
  await administer(server.url, "select pg_reload_conf()");
  isQuick = true;
  return server;
}

/** Address of the server that a run holds, for its test files. */
export const TEST_SERVER_URL = "TEST_SERVER_URL";

async function joinTestServer(): Promise<LocalServer> {
  const url = process.env[TEST_SERVER_URL];
  return url === undefined ? startTestServer() : { url, release: async () => {} };
}

/** Makes an empty database. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await joinTestServer();
  const name = `test_${randomBytes(8).toString("hex")}`;
  await administer(server.url, `create database ${name} strategy file_copy`);
  const url = server.url.replace("/openledger?", `/${name}?`);
  // Roles are the server's, not the database's.
  const role = `${name}_worker`;
  return {
    url,
    async workerUrl(rights = [], queues) {
      const client = new Client({ connectionString: url });
      await client.connect();
      const password = randomBytes(8).toString("hex");
      const query: Queries["query"] = async (text, values) =>
        (await client.query(text, values as unknown[])).rows;
      try {
        const all = await query<{ name: string }>("select name from jobs.queue");
        await makeWorkerRole(
          { query },
          { name: role, password, queues: queues ?? all.map(({ name }) => name), rights },
        );
      } finally {
        await client.end();
      }
      return url.replace("user=postgres", `user=${role}&password=${password}`);
    },
    async drop() {
      await administer(server.url, `drop database ${name} with (force)`);
      await administer(server.url, `drop role if exists ${role}`);
      await server.release();
    },
  };
}

/** Configuration of a process that uses a database at an address. */
export const databaseAt = (url: string): DatabaseConfig => ({
  databaseUrl: new Secret(url),
  databasePath: "",
});

/** Runs one statement outside of any transaction. */
export async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
