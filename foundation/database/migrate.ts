/**
 * Versions of a part's schema, in the table `openledger.parts`. A part is one schema of PostgreSQL, with the tables of one kind
 * of process. The record of each names the rollup whose data it holds and the block of its deployment, as `STORE.json` does in a
 * directory.
 */

import { processErrors } from "../error-table.ts";
import { type DeploymentBlock, isBefore, type StoreRollup } from "../store/store-identity.ts";
import { sqlStateOf } from "./database-errors.ts";
import type { DatabaseLogger, Queries, Transactions } from "./queries.ts";

/** A part of the database: its tables, as the statements that have made them, version by version. */
export interface DatabasePart {
  /** Name of the schema, in small letters. */
  readonly name: string;
  /**
   * Statements from each version to the next; the first ones make version 1. Never change what was released: add one. Tables are
   * named without their schema.
   */
  readonly migrations: readonly string[];
}

/** Lock of PostgreSQL that a migration has: any number, always the same. */
const LOCK_ID = 7_301_944;
const UNKNOWN_TABLE = "42P01";
const NO_RIGHT = "42501";

interface PartRecord {
  readonly version: number;
  readonly chain_id: string | null;
  readonly rollup_address: string | null;
  /** Null until a process knows it. */
  readonly deployment_block: string | null;
  readonly changed_at: Date;
}

/**
 * Brings the part's schema to this version, after a copy of it (`NAME_before_VERSION`) where it has data of an older one.
 * @throws SRV_WRONG_DATABASE for another rollup's data, or those of an earlier chain; SRV_DATABASE_SCHEMA for a newer version, or an older one that this process or
 * its role may not migrate
 */
export async function migrate(
  database: Transactions,
  part: DatabasePart,
  {
    logger,
    mayMigrate,
    rollup,
  }: { rollup: StoreRollup | null; mayMigrate: boolean; logger: Pick<DatabaseLogger, "info"> },
): Promise<void> {
  const expected = part.migrations.length;
  const found = await recordOf(database, part.name).catch((error: unknown) => {
    if (sqlStateOf(error) === UNKNOWN_TABLE) return undefined;
    throw error;
  });
  if (found !== undefined) requireOwn(found, part, rollup);
  const blockHash = rollup?.deployedIn?.blockHash.toLowerCase() ?? null;
  if (found?.version === expected && (found.deployment_block !== null || blockHash === null || !mayMigrate))
    return;
  if (!mayMigrate) throw schemaError(part, found?.version ?? 0, expected);
  const bring = async (queries: Queries) => {
    await queries.query("select pg_advisory_xact_lock($1)", [LOCK_ID]);
    await queries.query("create schema if not exists openledger");
    await queries.query(
      `create table if not exists openledger.parts
         (name text primary key, version integer not null, chain_id bigint, rollup_address text, changed_at timestamptz not null,
          deployment_block text)`,
    );
    const [column] = await queries.query(
      "select from pg_attribute where attrelid = 'openledger.parts'::regclass and attname = 'deployment_block'",
    );
    if (column === undefined)
      await queries.query("alter table openledger.parts add column deployment_block text");
    // Another process may have been faster.
    const now = await recordOf(queries, part.name);
    if (now !== undefined) requireOwn(now, part, rollup);
    const version = now?.version ?? 0;
    if (now !== undefined && now.deployment_block === null && blockHash !== null) {
      await queries.query("update openledger.parts set deployment_block = $2 where name = $1", [
        part.name,
        blockHash,
      ]);
      logger.info(
        { part: part.name, blockHash },
        "the database names the block of the rollup's deployment now",
      );
    }
    if (version === expected) return;
    if (version === 0) await queries.query(`create schema ${part.name}`);
    else await copySchema(queries, part.name, version);
    for (const statements of part.migrations.slice(version)) await queries.query(statements);
    await queries.query(
      `insert into openledger.parts (name, version, chain_id, rollup_address, changed_at, deployment_block)
         values ($1, $2, $3, $4, now(), $5)
         on conflict (name) do update set version = excluded.version, changed_at = now()`,
      [part.name, expected, rollup?.chainId ?? null, rollup?.rollupAddress.toLowerCase() ?? null, blockHash],
    );
    logger.info({ part: part.name, from: version, to: expected }, "the database's schema is in this version");
  };
  // A copy of large tables, and their new indexes, take longer than a statement may.
  await database.transaction(bring, { isUnlimited: true }).catch((error: unknown) => {
    if (sqlStateOf(error) !== NO_RIGHT) throw error;
    // A role of rows alone: the owner of the tables names the block.
    if (found?.version !== expected) throw schemaError(part, found?.version ?? 0, expected);
  });
}

async function recordOf(queries: Queries, name: string): Promise<PartRecord | undefined> {
  const [record] = await queries.query<PartRecord>(
    // Earlier versions have no column for the block.
    `select version, chain_id, rollup_address, changed_at, to_jsonb(parts) ->> 'deployment_block' as deployment_block
       from openledger.parts where name = $1`,
    [name],
  );
  return record;
}

function requireOwn(found: PartRecord, part: DatabasePart, rollup: StoreRollup | null): void {
  const isSame =
    (found.chain_id === null ? null : Number(found.chain_id)) === (rollup?.chainId ?? null) &&
    found.rollup_address === (rollup?.rollupAddress.toLowerCase() ?? null);
  if (!isSame) {
    throw processErrors.raise(
      "SRV_WRONG_DATABASE",
      `the database's schema ${part.name} belongs to rollup ${found.rollup_address} on chain ${found.chain_id}, and this process was started ` +
        `for ${rollup?.rollupAddress} on chain ${rollup?.chainId}: name that rollup's own database in OPENLEDGER_DATABASE_URL`,
      {
        data: {
          reason: "other-rollup",
          found: { chainId: found.chain_id, rollupAddress: found.rollup_address },
          expected: rollup,
        },
      },
    );
  }
  const deployedIn = rollup?.deployedIn ?? null;
  const block = found.deployment_block;
  const isEarlier = (deployed: DeploymentBlock) =>
    block === null
      ? isBefore(found.changed_at.getTime(), deployed)
      : block !== deployed.blockHash.toLowerCase();
  if (deployedIn !== null && isEarlier(deployedIn)) {
    const why =
      block === null ? "it is older than the deployment" : `its rollup was deployed in block ${block}`;
    throw processErrors.raise(
      "SRV_WRONG_DATABASE",
      `the database's schema ${part.name} belongs to a rollup of the same address on another chain: ${why}, and this process was ` +
        `started for the one that was deployed in block ${deployedIn.blockHash}: name this rollup's own database in OPENLEDGER_DATABASE_URL`,
      {
        data: {
          reason: "other-deployment",
          found: { deploymentBlock: block },
          expected: { deploymentBlock: deployedIn.blockHash },
        },
      },
    );
  }
  if (found.version > part.migrations.length) throw schemaError(part, found.version, part.migrations.length);
}

function schemaError({ name }: DatabasePart, found: number, expected: number) {
  const todo =
    found > expected
      ? "start the later version that wrote it"
      : "run openledger operator prepare-database, or start a process first that may make its tables: a Datanet host, a factory, a model server or a sequencer";
  return processErrors.raise(
    "SRV_DATABASE_SCHEMA",
    `the database's schema ${name} has version ${found}, and this version works with ${expected}: ${todo}`,
    { data: { reason: found > expected ? "newer" : "older", part: name, found, expected } },
  );
}

/**
 * Lists the copies of a part's schema that migrations have left: what a part erases from its tables, it erases there too.
 */
export async function schemaCopies(
  { query }: Queries,
  { name }: Pick<DatabasePart, "name">,
): Promise<string[]> {
  const found = await query<{ copy: string }>(
    "select nspname as copy from pg_namespace where nspname ~ $1 order by 1",
    [copyPattern(name)],
  );
  return found.map(({ copy }) => copy);
}

/** Regular expression of PostgreSQL for the names of a part's copies. */
export const copyPattern = (name: string): string => `^${name}_before_[0-9]+$`;

/**
 * Drops the schemas of a rollup's data, with the copies that migrations made. Parts of any rollup stay.
 * @returns the names of the parts
 */
export function forgetRollup(database: Transactions, rollup: StoreRollup): Promise<string[]> {
  return database.transaction(async (queries) => {
    await queries.query("select pg_advisory_xact_lock($1)", [LOCK_ID]);
    const parts = await queries.query<{ name: string }>(
      `select name from openledger.parts where chain_id = $1 and rollup_address = $2
         and coalesce(to_jsonb(parts) ->> 'deployment_block', $3) is not distinct from $3`,
      [
        rollup.chainId,
        rollup.rollupAddress.toLowerCase(),
        rollup.deployedIn?.blockHash.toLowerCase() ?? null,
      ],
    );
    const names = parts.map(({ name }) => name);
    const schemas = await queries.query<{ statement: string }>(
      `select format('drop schema %I cascade', nspname) as statement from pg_namespace
         where nspname = any($1) or regexp_replace(nspname, '_before_[0-9]+$', '') = any($1)`,
      [names],
    );
    for (const { statement } of schemas) await queries.query(statement);
    await queries.query("delete from openledger.parts where name = any($1)", [names]);
    return names;
  });
}

/** Copies each table of a schema, with its rows and its primary key, into a schema beside it. */
async function copySchema(queries: Queries, name: string, version: number): Promise<void> {
  const copy = `${name}_before_${version + 1}`;
  await queries.query(`drop schema if exists ${copy} cascade`);
  await queries.query(`create schema ${copy}`);
  const tables = await queries.query<{ tablename: string }>(
    "select tablename from pg_tables where schemaname = $1 order by tablename",
    [name],
  );
  for (const { tablename } of tables)
    await queries.query(`create table ${copy}."${tablename}" as table ${name}."${tablename}"`);
  const keys = await queries.query<{ tablename: string; key: string }>(
    `select relname as tablename, pg_get_constraintdef(pg_constraint.oid) as key
       from pg_constraint join pg_class on pg_class.oid = conrelid
      where contype = 'p' and connamespace = $1::regnamespace order by relname`,
    [name],
  );
  for (const { key, tablename } of keys) await queries.query(`alter table ${copy}."${tablename}" add ${key}`);
}
