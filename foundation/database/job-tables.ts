/** Tables of the queues of jobs: pg-boss's own, and beside them large inputs and the workers that are there; and a worker's role. */
import type PgBoss from "pg-boss";
import { processErrors } from "../error-table.ts";
import type { DatabasePart } from "./migrate.ts";
import type { Queries, SqlValue } from "./queries.ts";

/**
 * Schema of the queues. pg-boss makes its tables in it (`JobQueue.open`), and migrates them itself: add an empty migration here
 * with a version of pg-boss that has other tables.
 */
export const JOBS: DatabasePart = {
  name: "jobs",
  migrations: [
    `create table inputs (
       hash text not null,
       piece integer not null,
       bytes bytea not null,
       expires_at timestamptz not null,
       primary key (hash, piece)
     );
     -- They are compressed already.
     alter table inputs alter column bytes set storage external;
     create table workers (
       id uuid primary key,
       queue text not null,
       name text not null,
       seen_at timestamptz not null
     )`,
  ],
};

/** Names that PostgreSQL takes without quotes. */
const ROLE_NAME = /^[a-z][a-z0-9_]{0,40}$/;

/** Rights of a worker's role, and no others: it takes, renews and ends jobs, reads inputs, and says that it is there. */
const WORKER_RIGHTS = [
  "grant usage on schema openledger, jobs to %I",
  "grant select on openledger.parts, jobs.version, jobs.queue, jobs.inputs to %I",
  "grant select, insert, update, delete on jobs.job, jobs.workers to %I",
];

/**
 * Makes a role for workers of the queues, or gives the one of this name a new password. Open a `JobQueue` first: it makes the tables.
 * @throws SRV_CONFIG_INVALID for a name with other letters; SRV_DATABASE_FAILED for a connection that may not make roles
 */
export async function makeWorkerRole(
  queries: Queries,
  {
    name,
    password,
    rights = [],
  }: {
    readonly name: string;
    readonly password: string;
    /** Statements for further tables, with %I in the place of the role. */
    readonly rights?: readonly string[];
  },
): Promise<void> {
  if (!ROLE_NAME.test(name)) {
    const problem = "takes small letters, digits and _, and begins with a letter";
    throw processErrors.raise("SRV_CONFIG_INVALID", `the name of a worker's role ${problem}`, {
      data: { problems: [{ env: "name", problem }] },
    });
  }
  // The server quotes: statements of this kind take no parameters.
  const run = async (template: string, ...values: string[]) => {
    const places = values.map((_, i) => `, $${i + 2}::text`).join("");
    const [row] = await queries.query<{ statement: string }>(`select format($1${places}) as statement`, [
      template,
      ...values,
    ]);
    await queries.query(row!.statement);
  };
  const [found] = await queries.query<{ database: string; exists: boolean }>(
    "select current_database() as database, exists (select from pg_roles where rolname = $1)",
    [name],
  );
  const { database, exists } = found!;
  await run(exists ? "alter role %I login password %L" : "create role %I login password %L", name, password);
  // Everybody may connect to a new database, and make temporary tables in it.
  await run("revoke all on database %I from public", database);
  await run("grant connect on database %I to %I", database, name);
  for (const right of [...WORKER_RIGHTS, ...rights]) await run(right, name);
}

/** A database or a transaction as pg-boss takes it. It has `undefined` for NULL. */
export const sqlOf = (queries: Queries): PgBoss.Db => ({
  executeSql: async (text, values: unknown[] = []) => ({
    rows: await queries.query(
      text,
      values.map((value) => (value === undefined ? null : value)) as SqlValue[],
    ),
  }),
});
