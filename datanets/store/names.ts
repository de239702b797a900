/**
 * Display names that leaves have chosen and signed, in a host's database, the newest of each leaf. name-routes.ts stores and
 * lists them.
 */
import type { Database } from "@openledger/foundation/database/database";
import { datanetError } from "../datanet-errors.ts";
import type { SignedName } from "../records/display-name.ts";
import type { Quotas } from "./quotas.ts";
import { queryOf, querySql, wordsOfText } from "./row-words.ts";
import { SqlValues } from "./sql-values.ts";

const read = (found: readonly object[]): SignedName[] =>
  found.map((row) => JSON.parse((row as { record: string }).record) as SignedName);

/**
 * Replaces the leaf's name, counted against its quota; the same name again is nothing new.
 * @throws DNT_RECORD_OUTDATED, SRV_QUOTA_USED
 */
export function storeName(database: Database, quotas: Quotas, name: SignedName): Promise<void> {
  const { atMs, leafId } = name.body;
  return database.transaction(async (queries) => {
    // Locks the leaf: of two names at once the second one sees the first.
    const usage = await quotas.begin(queries, [leafId]);
    const [known] = read(await queries.query("select record from names where leaf_id = $1", [leafId]));
    if (JSON.stringify(known?.body) === JSON.stringify(name.body)) return;
    if (known !== undefined && atMs <= known.body.atMs)
      throw datanetError("DNT_RECORD_OUTDATED", `leaf ${leafId} has chosen a name after this one`, {
        data: { atMs: known.body.atMs },
      });
    usage.takeRecord(leafId);
    await usage.store();
    await queries.query(
      `insert into names (leaf_id, name, at_ms, words, record) values ($1, $2, $3::bigint, to_tsvector('simple', $4), $5)
         on conflict (leaf_id) do update
            set name = excluded.name, at_ms = excluded.at_ms, words = excluded.words, record = excluded.record`,
      [leafId, name.body.name, atMs, wordsOfText(name.body.name), JSON.stringify(name)],
    );
  });
}

/** Names of leaves, in the order asked for. */
export async function namesOfLeaves(database: Database, leafIds: readonly number[]): Promise<SignedName[]> {
  return read(
    await database.query(
      `select record from unnest($1::bigint[]) with ordinality as asked (leaf_id, place)
         join names using (leaf_id) where name <> '' order by place`,
      [leafIds],
    ),
  );
}

/** Names with words that begin as those of `text` do. */
export async function findNames(database: Database, text: string, limit: number): Promise<SignedName[]> {
  const { bind, values } = new SqlValues();
  const words = querySql(queryOf(text, true), ["simple"], bind);
  if (words === "") return [];
  return read(
    await database.query(
      `select record from names where words @@ (${words}) order by leaf_id limit ${bind(limit)}`,
      values,
    ),
  );
}
