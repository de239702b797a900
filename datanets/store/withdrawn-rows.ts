/**
 * Rows that their contributors have withdrawn: a host erases their bytes and all that it has read from them, and takes them no
 * more. Their hashes and the signed withdrawals stay. take-records.ts erases within its transaction; uploads ask here what is
 * refused.
 */
import { byteStrings, integers } from "@openledger/foundation/database/binary-lists";
import { schemaCopies } from "@openledger/foundation/database/migrate";
import type { Queries, Transactions } from "@openledger/foundation/database/queries";
import { datanetError } from "../datanet-errors.ts";
import type { BodyOf, SignedRecord } from "../records/record.ts";
import { DIGEST_BYTES } from "../rows/row-wire.ts";
import { HOST_PART } from "./host-schema.ts";
import { byAlias, missingPositions, writeDigests } from "./listed-digests.ts";
import { everPublishedAmong } from "./published-rows.ts";
import { digestsSql } from "./sql-values.ts";

/**
 * Advisory lock of all Datanets' contents: uploads share it, an erasure has it alone. Without it an upload could count on bytes
 * that another Datanet's erasure takes away in the same moment.
 */
const CONTENTS_LOCK = 0x63_6f_6e_74;
/** Bytes of a list that one statement reads. */
const LIST_SLICE_BYTES = 4 * 1024 * 1024;

export const shareContents = ({ query }: Queries): Promise<unknown> =>
  query("select pg_advisory_xact_lock_shared($1::bigint)", [CONTENTS_LOCK]);

const lockContents = ({ query }: Queries): Promise<unknown> =>
  query("select pg_advisory_xact_lock($1::bigint)", [CONTENTS_LOCK]);

/** @param digests of withdrawn rows, among those that a request names */
export const rowWithdrawn = (datanetId: number, digests: readonly string[], data: object = {}) =>
  datanetError(
    "DNT_ROW_WITHDRAWN",
    digests.length === 1
      ? `row ${digests[0]} was withdrawn by its contributor`
      : `${digests.length} rows were withdrawn by their contributors, the first is ${digests[0]}`,
    { data: { datanetId, digests, ...data } },
  );

/** Position of a row in a commit whose list is here, but not all of its rows. */
export interface ListedPosition {
  readonly commitNumber: number;
  readonly commitIndex: number;
  readonly contributorId: number;
  readonly place: number;
  /** True if the list has an alias of the row's digest there. */
  readonly isAlias: boolean;
}

/**
 * Finds rows in the lists of commits whose rows have not all come: the contributor of a row may withdraw it before it comes, and
 * a mirror knows the withdrawal before the commit. Lists are only read for leaves that have committed something to the Datanet.
 * @returns places by digest, earliest commit first
 */
export async function listedPositions(
  { query }: Queries,
  datanetId: number,
  withdrawals: readonly BodyOf<"withdrawal">[],
): Promise<Map<string, ListedPosition[]>> {
  const positions = new Map<string, ListedPosition[]>();
  if (withdrawals.length === 0) return positions;
  const commits = await query<Omit<ListedPosition, "place" | "isAlias"> & { bytes: number }>(
    `select number as "commitNumber", commit_index as "commitIndex", contributor_id as "contributorId", octet_length(list) as bytes
       from commits where datanet_id = $1 and received_count < row_count
        and exists (select 1 from commits as own where own.datanet_id = $1 and own.contributor_id = any($2::int[]))
      order by commit_index`,
    [datanetId, integers(withdrawals.map(({ leafId }) => leafId))],
  );
  const expected = byAlias(withdrawals.map(({ row }) => row));
  for (const { bytes, ...commit } of commits) {
    const found: { row: string; place: number; isAlias: boolean }[] = [];
    for (let at = 0; at < bytes; at += LIST_SLICE_BYTES) {
      const [slice] = await query<{ digests: Buffer }>(
        "select substring(list from $3::int for $4::int) as digests from commits where datanet_id = $1 and number = $2",
        [datanetId, commit.commitNumber, at + 1, LIST_SLICE_BYTES],
      );
      const { digests } = slice!;
      for (let i = 0; i < digests.length; i += DIGEST_BYTES) {
        const row = expected.get(digests.toString("latin1", i, i + DIGEST_BYTES));
        if (row === undefined) continue;
        const isAlias = digests.toString("hex", i, i + DIGEST_BYTES) !== row;
        found.push({ row, place: (at + i) / DIGEST_BYTES, isAlias });
      }
    }
    // What has come is there under its own digest: a withdrawal of an alias of it names no row.
    const missing = await missingPositions({ query }, datanetId, {
      commitNumber: commit.commitNumber,
      places: found.flatMap(({ isAlias, place }) => (isAlias ? [place] : [])),
    });
    for (const { row, ...at } of found)
      if (!at.isAlias || missing.has(at.place))
        positions.set(row, [...(positions.get(row) ?? []), { ...commit, ...at }]);
  }
  return positions;
}

/** A withdrawn row that the host never had: its hash has a number, so that records can be about it. */
export interface AbsentRow {
  readonly number: number;
  readonly digest: string;
  readonly at: ListedPosition;
}

/** Gives numbers to withdrawn rows that have not come. */
export async function addAbsentRows(
  { query }: Queries,
  datanetId: number,
  rows: readonly AbsentRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await query(
    `insert into rows (datanet_id, number, digest, commit_number, place, bytes, is_well_formed)
       select $1, part.*, 0, true from unnest($2::int[], $3::bytea[], $4::int[], $5::int[]) as part (number, digest, commit_number, place)`,
    [
      datanetId,
      integers(rows.map(({ number }) => number)),
      byteStrings(rows.map(({ digest }) => Buffer.from(digest, "hex"))),
      integers(rows.map(({ at }) => at.commitNumber)),
      integers(rows.map(({ at }) => at.place)),
    ],
  );
  await query(
    `update commits set own_count = own_count + owned.count
       from (select number, count(*) as count from unnest($2::int[]) as part (number) group by 1) as owned
      where datanet_id = $1 and commits.number = owned.number`,
    [datanetId, integers(rows.map(({ at }) => at.commitNumber))],
  );
}

/**
 * Erases rows of a Datanet, which is locked: bytes that no other Datanet has, search words, values, findings and reservations.
 * Their places in commits whose rows still come count as received.
 * @returns the bytes that the rows had
 */
export async function eraseRows(
  queries: Queries,
  datanetId: number,
  rows: readonly { readonly number: number; readonly digest: string }[],
  positions: ReadonlyMap<string, readonly ListedPosition[]>,
): Promise<number> {
  if (rows.length === 0) return 0;
  const { query } = queries;
  const numbers = integers(rows.map(({ number }) => number));
  const digests = rows.map(({ digest }) => digest);
  await lockContents(queries);
  const [erased] = await query<{ bytes: number }>(
    `with before as (select number, bytes from rows where datanet_id = $1 and number = any($2::int[])),
          changed as (update rows set is_withdrawn = true, is_well_formed = true, bytes = 0
                       where datanet_id = $1 and number = any($2::int[]))
     select coalesce(sum(bytes), 0)::float8 as bytes from before`,
    [datanetId, numbers],
  );
  await query("delete from label_leases where datanet_id = $1 and row_number = any($2::int[])", [
    datanetId,
    numbers,
  ]);
  await eraseFrom(queries, HOST_PART.name, datanetId, { numbers, digests });
  for (const copy of await schemaCopies(queries, HOST_PART))
    await eraseFrom(queries, copy, datanetId, { numbers, digests });
  const listed = rows.flatMap(({ digest }) => (positions.get(digest) ?? []).map((at) => ({ ...at, digest })));
  for (const { digest, isAlias, ...at } of listed)
    if (isAlias) await writeDigests(queries, datanetId, at, Buffer.from(digest, "hex"));
  await receivePositions(queries, datanetId, listed);
  await query("update datanets set withdrawal_count = withdrawal_count + $2 where id = $1", [
    datanetId,
    rows.length,
  ]);
  return erased!.bytes;
}

/**
 * Erases what a schema has of rows of a Datanet that are marked as withdrawn: the host's own, or a copy from before a migration,
 * which may lack tables.
 */
async function eraseFrom(
  { query }: Queries,
  schema: string,
  datanetId: number,
  {
    digests,
    numbers,
  }: { readonly digests: readonly string[]; readonly numbers: ReturnType<typeof integers> },
): Promise<void> {
  const found = await query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = $1",
    [schema],
  );
  const tables = new Set(found.map(({ name }) => name));
  for (const table of ["row_words", "row_values"])
    if (tables.has(table))
      await query(`delete from ${schema}.${table} where datanet_id = $1 and number = any($2::int[])`, [
        datanetId,
        numbers,
      ]);
  await query(
    `delete from ${schema}.contents where digest = any($1::bytea[])
        and not exists (select 1 from rows where rows.digest = contents.digest and not is_withdrawn)`,
    [byteStrings(digests.map((digest) => Buffer.from(digest, "hex")))],
  );
  // What a check has noticed may quote a row.
  await query(
    `update ${schema}.checks set findings = (
        select coalesce(json_agg(finding order by place), '[]')::text
          from json_array_elements(findings::json) with ordinality as listed (finding, place)
         where not (finding ->> 'row' = any($2::text[])))
      where datanet_id = $1 and findings is not null`,
    [datanetId, digests],
  );
}

/** Rows of a Datanet that one transaction erases from copies. */
const COPIES_PART_ROWS = 1_024;

/**
 * Erases withdrawn rows from copies that migrations have left: those that were withdrawn before this version erased from copies,
 * or while a copy was made.
 * @returns false: nothing is left to do
 */
export async function eraseFromCopies(database: Transactions): Promise<false> {
  if ((await schemaCopies(database, HOST_PART)).length === 0) return false;
  const datanets = await database.query<{ id: number }>(
    "select id from datanets where withdrawal_count > 0 order by id",
  );
  for (const { id } of datanets)
    for (let after = -1; ; ) {
      const last = await database.transaction(async (queries) => {
        const rows = await queries.query<{ number: number; digest: Buffer }>(
          "select number, digest from rows where datanet_id = $1 and is_withdrawn and number > $2 order by number limit $3",
          [id, after, COPIES_PART_ROWS],
        );
        if (rows.length === 0) return null;
        const numbers = integers(rows.map(({ number }) => number));
        const digests = rows.map(({ digest }) => digest.toString("hex"));
        await lockContents(queries);
        for (const copy of await schemaCopies(queries, HOST_PART))
          await eraseFrom(queries, copy, id, { numbers, digests });
        return rows.at(-1)!.number;
      });
      if (last === null) break;
      after = last;
    }
  return false;
}

/**
 * Deletes what was just read from rows that were withdrawn in the meantime. The Datanet is locked.
 * @param end number after the last row
 */
export async function dropWithdrawn(
  { query }: Queries,
  datanetId: number,
  first: number,
  end: number,
): Promise<void> {
  for (const table of ["row_words", "row_values"])
    await query(
      `delete from ${table} using rows where rows.datanet_id = $1 and is_withdrawn and rows.number >= $2 and rows.number < $3
          and ${table}.datanet_id = rows.datanet_id and ${table}.number = rows.number`,
      [datanetId, first, end],
    );
}

/** Counts places of commits as received: nobody is to send these rows. */
async function receivePositions(
  { query }: Queries,
  datanetId: number,
  positions: readonly Pick<ListedPosition, "commitNumber" | "place">[],
): Promise<void> {
  const runs = new Map<number, string[]>();
  for (const { commitNumber, place } of positions)
    runs.set(commitNumber, [...(runs.get(commitNumber) ?? []), `[${place},${place + 1})`]);
  for (const [commitNumber, own] of runs)
    await query(
      `update commits set received = received + added.runs, received_count = (
          select sum(upper(run) - lower(run)) from unnest(commits.received + added.runs) as run)
         from (select $3::int4multirange as runs) as added where datanet_id = $1 and number = $2`,
      [datanetId, commitNumber, `{${own.join(",")}}`],
    );
}

/**
 * Counts as received what is withdrawn of a commit whose list has just come. Rows stay missing that a later contributor has
 * withdrawn: they are no longer that contributor's.
 */
export async function receiveWithdrawn(
  queries: Queries,
  datanetId: number,
  { commitNumber, digests }: { commitNumber: number; digests: Buffer },
): Promise<void> {
  const withdrawn = await queries.query<{ digest: Buffer }>(
    `select digest from rows
       join commits as first on first.datanet_id = rows.datanet_id and first.number = rows.commit_number
       join commits as own on own.datanet_id = $1 and own.number = $2
      where rows.datanet_id = $1 and rows.is_withdrawn
        and (first.commit_index < own.commit_index or first.contributor_id = own.contributor_id)`,
    [datanetId, commitNumber],
  );
  const expected = byAlias(withdrawn.map(({ digest }) => digest.toString("hex")));
  const found: { place: number; digest: string; isAlias: boolean }[] = [];
  for (let at = 0; at < digests.length; at += DIGEST_BYTES) {
    const digest = expected.get(digests.toString("latin1", at, at + DIGEST_BYTES));
    if (digest === undefined) continue;
    const isAlias = digests.toString("hex", at, at + DIGEST_BYTES) !== digest;
    found.push({ place: at / DIGEST_BYTES, digest, isAlias });
  }
  for (const { digest, isAlias, place } of found)
    if (isAlias) await writeDigests(queries, datanetId, { commitNumber, place }, Buffer.from(digest, "hex"));
  await receivePositions(
    queries,
    datanetId,
    found.map(({ place }) => ({ commitNumber, place })),
  );
}

/**
 * Refuses rows that their contributor has withdrawn. One that a later contributor has withdrawn comes back with the earlier commit,
 * unless some version has, or had, it under the later one.
 * @returns true if some come back. @throws DNT_ROW_WITHDRAWN
 */
export async function requireNoneWithdrawn(
  { query }: Queries,
  datanetId: number,
  commit: {
    readonly commitIndex: number;
    readonly contributorId: number;
  },
  digests: readonly Buffer[],
): Promise<boolean> {
  const found = await query<{ digest: Buffer; commitIndex: number; contributorId: number }>(
    `select digest, commit_index as "commitIndex", contributor_id as "contributorId"
       from rows join commits on commits.datanet_id = rows.datanet_id and commits.number = commit_number
      where rows.datanet_id = $1 and is_withdrawn and digest = any($2::bytea[])`,
    [datanetId, byteStrings(digests)],
  );
  // Attack: somebody brings an earlier commit of a published row that its contributor has withdrawn, and it is there again. Also once the
  // next version has left it out.
  const later = found.filter(
    (row) => row.commitIndex > commit.commitIndex && row.contributorId !== commit.contributorId,
  );
  const held = await everPublishedAmong({ query }, datanetId, later);
  const refused = found.filter(
    (row) =>
      row.commitIndex <= commit.commitIndex ||
      row.contributorId === commit.contributorId ||
      held.has(row.digest.toString("hex")),
  );
  if (refused.length > 0)
    throw rowWithdrawn(
      datanetId,
      refused.map(({ digest }) => digest.toString("hex")),
    );
  return found.length > 0;
}

/** Withdrawn rows among these digests, 32 bytes each, in the order asked for. */
export async function withdrawnAmong(
  { query }: Queries,
  datanetId: number,
  digests: Buffer,
): Promise<{ place: number; digest: string }[]> {
  const found = await query<{ place: number; digest: Buffer }>(
    `select asked.place, digest from ${digestsSql("$2")} as asked join rows using (digest)
      where datanet_id = $1 and is_withdrawn order by asked.place`,
    [datanetId, digests],
  );
  return found.map(({ digest, place }) => ({ place, digest: digest.toString("hex") }));
}

/** Withdrawals that hold, with their signatures, in the order in which they came. */
export async function listWithdrawals(
  { query }: Queries,
  datanetId: number,
  { from, limit, row }: { from: number; limit: number; row: string | null },
): Promise<{ records: SignedRecord[]; total: number }> {
  const where = `from records join rows on rows.datanet_id = records.datanet_id and rows.number = row_number
      join commits on commits.datanet_id = rows.datanet_id and commits.number = commit_number
     where records.datanet_id = $1 and is_withdrawn and is_current and kind = 'withdrawal' and leaf_id = contributor_id
       and ($2::bytea is null or digest = $2::bytea)`;
  const digest = row === null ? null : Buffer.from(row, "hex");
  const [[counted], found] = await Promise.all([
    query<{ total: number }>(`select count(*)::int as total ${where}`, [datanetId, digest]),
    query<{ record: string }>(`select record ${where} order by records.number offset $3::bigint limit $4`, [
      datanetId,
      digest,
      from,
      limit,
    ]),
  ]);
  return { total: counted!.total, records: found.map(({ record }) => JSON.parse(record) as SignedRecord) };
}
