/** PostgreSQL databases of tests, each in the server that all tests of a checkout share. */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { startLocalServer } from "../database/local-server.ts";

/** The server's folder; its data are made once. */
const FOLDER = new URL("../../.cache/test-database", import.meta.url).pathname;

export interface TestDatabase {
  readonly url: string;
  /** Deletes the database, and stops the server where no other test has one. */
  drop(): Promise<void>;
}

/** Makes an empty database. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await startLocalServer(FOLDER, () => {});
  const name = `test_${randomBytes(8).toString("hex")}`;
  await administer(server.url, `create database ${name}`);
  return {
    url: server.url.replace("/openledger?", `/${name}?`),
    async drop() {
      await administer(server.url, `drop database ${name} with (force)`);
      await server.release();
    },
  };
}

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
