/**
 * Tables of the queues of jobs (job-queue.ts) in PostgreSQL: pg-boss's own, and beside them large inputs and the present
 * workers. Also the database role of a worker.
 */
import type PgBoss from "pg-boss";
import type { DatabasePart } from "./migrate.ts";
import type { Queries, SqlValue } from "./queries.ts";
import { makeRole, type Rights } from "./roles.ts";

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

/**
 * Rights of a worker's role, and no others: it takes, renews and ends the jobs of its queues, reads inputs, and says that it is
 * there.
 * @param queues names of queues, in small letters
 */
export const workerRights = (queues: readonly string[]): Rights => [
  "grant usage on schema openledger, jobs to %I",
  "grant select on openledger.parts, jobs.version, jobs.queue, jobs.inputs to %I",
  "grant select, insert, update, delete on jobs.job, jobs.workers to %I",
  // One statement each: nobody meets the table with half of its policies. No role has a name with a space.
  `do $$ begin
     if not exists (select from pg_policies where schemaname = 'jobs' and tablename = 'job' and policyname = 'every role') then
       create policy "every role" on jobs.job using (true);
       alter table jobs.job enable row level security;
     end if;
   end $$`,
  `do $$ begin
     drop policy if exists %1$I on jobs.job;
     create policy %1$I on jobs.job as restrictive to %1$I using (name in (${queues.map((name) => `'${name}'`).join(", ")}));
   end $$`,
];

/**
 * Makes a role for workers of some queues, or gives the one of this name a new password and these queues. Open a `JobQueue` first:
 * it makes the tables.
 * @throws SRV_CONFIG_INVALID for a name with other letters; SRV_DATABASE_FAILED for a connection that may not make roles
 */
export const makeWorkerRole = (
  queries: Queries,
  {
    name,
    password,
    queues,
    rights = [],
  }: {
    readonly name: string;
    readonly password: string;
    readonly queues: readonly string[];
    /** Rights to further tables. */
    readonly rights?: Rights;
  },
): Promise<void> => makeRole(queries, { name, password, rights: [...workerRights(queues), ...rights] });

/** A database or a transaction as pg-boss takes it. It has `undefined` for NULL. */
export const sqlOf = (queries: Queries): PgBoss.Db => ({
  executeSql: async (text, values: unknown[] = []) => ({
    rows: await queries.query(
      text,
      values.map((value) => (value === undefined ? null : value)) as SqlValue[],
    ),
  }),
});
