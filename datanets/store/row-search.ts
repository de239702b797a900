/**
 * Search of a host among a Datanet's rows, by words, label, contributor and state; row-routes.ts serves it. Rows with the words
 * come by how well they match; all others, and those of words that very many rows have, in the order in which they came to the
 * host.
 */
import { LRUCache } from "lru-cache";
import type { Card } from "../card/card.ts";
import type { RowOutcome } from "../records/record-state.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { outcomeSql } from "./row-outcome.ts";
import { configurationsOf, datanetWord, isEmptyQuery, queryOf, querySql } from "./row-words.ts";
import { SqlValues } from "./sql-values.ts";

export const ROW_STATES = ["waiting", "disputed", "accepted", "leftOut"] as const;

export interface RowFilter {
  readonly text?: string | undefined;
  /** The accepted label, else the row's own. */
  readonly label?: string | undefined;
  readonly contributorId?: number | undefined;
  /** The root of the commit that the row counts for. */
  readonly commit?: string | undefined;
  readonly state?: RowOutcome["state"] | undefined;
  /** Rows that are not of the card's kind, or those that are. */
  readonly isWellFormed?: boolean | undefined;
}

export interface RowPage {
  readonly from: number;
  /** Number of the last row of the page before; it goes before `from`. */
  readonly after?: number | undefined;
  readonly limit: number;
}

export interface FoundRows {
  readonly total: number;
  /** Place of the first of these rows among all. */
  readonly from: number;
  /** Row numbers. */
  readonly rows: readonly number[];
}

/** Maximum matching rows that are ranked: each one's words are read for it. */
const MAX_RANKED = 5_000;
/** Totals, and places of pages, of one state of a Datanet each. */
const MAX_CACHED = 1_000;

/** Rows that a filter leaves, in SQL. */
interface Matching {
  readonly from: string;
  /** The table that has the numbers of rows. */
  readonly base: "rows" | "row_words";
  readonly where: string;
  /** null if there are no words. */
  readonly words: string | null;
}

export class RowSearch {
  /** Cache by the Datanet's revision, so that what any host writes makes them old. */
  readonly #totals = new LRUCache<string, number>({ max: MAX_CACHED });
  readonly #places = new LRUCache<string, number>({ max: MAX_CACHED });

  async find(datanet: HostedDatanet, card: Card, filter: RowFilter, page: RowPage): Promise<FoundRows> {
    if (filter.text !== undefined && isEmptyQuery(queryOf(filter.text)))
      return { total: 0, from: 0, rows: [] };
    const key = JSON.stringify([datanet.id, datanet.revision, card.labelling, card.languages, filter]);
    const total = await this.#total(datanet, card, filter, key);
    const found = await this.#page(datanet, card, filter, { ...page, total, key });
    const last = found.rows.at(-1);
    if (last !== undefined) this.#places.set(`${key} ${last}`, found.from + found.rows.length);
    return { total, ...found };
  }

  async #total(datanet: HostedDatanet, card: Card, filter: RowFilter, key: string): Promise<number> {
    if (Object.values(filter).every((value) => value === undefined)) return datanet.rowCount;
    const known = this.#totals.get(key);
    if (known !== undefined) return known;
    const total = (await countedBefore(datanet, card, filter)) ?? (await countRows(datanet, card, filter));
    this.#totals.set(key, total);
    return total;
  }

  async #page(
    datanet: HostedDatanet,
    card: Card,
    filter: RowFilter,
    { after, from, key, limit, total }: RowPage & { total: number; key: string },
  ): Promise<{ from: number; rows: number[] }> {
    const { bind, values } = new SqlValues();
    const { base, from: tables, where, words } = matchingOf(datanet, card, filter, bind);
    const isRanked = words !== null && total <= MAX_RANKED;
    const ranked = `select ${base}.number, ${isRanked ? rankSql(words) : "0::float4"} as rank from ${tables} where ${where}`;
    const order = isRanked ? "rank desc, number" : "number";
    const read = async (text: string) =>
      (await datanet.database.query<{ number: number }>(text, values)).map(({ number }) => number);
    if (after === undefined) {
      const offset = `offset ${bind(from)}::bigint`;
      return { from, rows: await read(`${ranked} order by ${order} ${offset} limit ${bind(limit)}`) };
    }
    const place =
      this.#places.get(`${key} ${after}`) ??
      (await this.#placeAfter(datanet, card, filter, { after, isRanked }));
    const row = `${bind(after)}::bigint`;
    const behind = isRanked
      ? `with last as (${lastSql(words, bind(datanet.id), row)})
         select number from (${ranked}) as ranked
          where not exists (select 1 from last) or rank < (select rank from last) or (rank = (select rank from last) and number > ${row})
          order by ${order} limit ${bind(limit)}`
      : `${ranked} and ${base}.number > ${row} order by ${base}.number limit ${bind(limit)}`;
    return { from: place, rows: await read(behind) };
  }

  /** Number of the search's rows before the one behind `after`. */
  async #placeAfter(
    datanet: HostedDatanet,
    card: Card,
    filter: RowFilter,
    { after, isRanked }: { after: number; isRanked: boolean },
  ): Promise<number> {
    if (Object.values(filter).every((value) => value === undefined))
      return Math.min(after + 1, datanet.rowCount);
    const { bind, values } = new SqlValues();
    const { base, from, where, words } = matchingOf(datanet, card, filter, bind);
    const row = `${bind(after)}::bigint`;
    const before =
      isRanked && words !== null
        ? `(${rankSql(words)} > last.rank or (${rankSql(words)} = last.rank and ${base}.number <= ${row}))`
        : `${base}.number <= ${row}`;
    const last = isRanked && words !== null ? `, (${lastSql(words, bind(datanet.id), row)}) as last` : "";
    const [counted] = await datanet.database.query<{ count: number }>(
      `select count(*)::int as count from ${from}${last} where ${where} and ${before}`,
      values,
    );
    return counted!.count;
  }
}

async function countRows(datanet: HostedDatanet, card: Card, filter: RowFilter): Promise<number> {
  const { bind, values } = new SqlValues();
  const { from, where } = matchingOf(datanet, card, filter, bind);
  const [counted] = await datanet.database.query<{ total: number }>(
    `select count(*)::int as total from ${from} where ${where}`,
    values,
  );
  return counted!.total;
}

/** The number of rows of a filter that tables have counted already; null for every other one. */
async function countedBefore(datanet: HostedDatanet, card: Card, filter: RowFilter): Promise<number | null> {
  const used = Object.entries(filter).filter(([, value]) => value !== undefined);
  const { commit, contributorId, state } = filter;
  if (used.length !== 1) return null;
  if (commit !== undefined || contributorId !== undefined) {
    const [counted] = await datanet.database.query<{ total: number }>(
      `select coalesce(sum(own_count), 0)::int as total from commits
        where datanet_id = $1 and (rows_root = $2 or contributor_id = $3::bigint)`,
      [datanet.id, commit ?? null, contributorId ?? null],
    );
    return counted!.total;
  }
  if (state !== "waiting") return null;
  const [counted] = await datanet.database.query<{ total: number }>(
    `select count(*)::int as total from rows
      where datanet_id = $1 and begun_at is not null and ${outcomeSql(card).state} <> 'waiting'`,
    [datanet.id],
  );
  return datanet.rowCount - counted!.total;
}

/** SQL of how well a row matches: the more often it has the words, for its length, the better. */
const rankSql = (words: string) => `ts_rank(row_words.words, ${words}, 1)`;

const lastSql = (words: string, datanetId: string, row: string) =>
  `select ${rankSql(words)} as rank from row_words where datanet_id = ${datanetId} and number = ${row}`;

function matchingOf(
  datanet: HostedDatanet,
  card: Card,
  filter: RowFilter,
  bind: SqlValues["bind"],
): Matching {
  const { commit, contributorId, isWellFormed, label, state, text } = filter;
  const base = text === undefined ? "rows" : "row_words";
  const where = [`${base}.datanet_id = ${bind(datanet.id)}`];
  const outcome = outcomeSql(card);
  const commitsOf = (condition: string) =>
    `rows.commit_number in (select number from commits where datanet_id = ${bind(datanet.id)} and ${condition})`;
  let words: string | null = null;
  if (text !== undefined) {
    words = `(${querySql(queryOf(text), configurationsOf(card), bind)})`;
    // Words of all Datanets lie in one index.
    where.push(`row_words.words @@ (${words} && ${bind(`'${datanetWord(datanet.id)}'`)}::tsquery)`);
  }
  if (contributorId !== undefined) where.push(commitsOf(`contributor_id = ${bind(contributorId)}::bigint`));
  if (commit !== undefined) where.push(commitsOf(`rows_root = ${bind(commit)}`));
  if (isWellFormed !== undefined) where.push(`rows.is_well_formed = ${bind(isWellFormed)}`);
  if (label !== undefined) where.push(`${outcome.shown} = ${bind(label)}`);
  if (state !== undefined) {
    const isSo = `${outcome.state} = ${bind(state)}`;
    // Rows without records are known by an index.
    where.push(
      state === "waiting" ? `(rows.begun_at is null or ${isSo})` : `rows.begun_at is not null and ${isSo}`,
    );
  }
  const isJoined = base === "row_words" && where.length > 2;
  const from = isJoined
    ? "row_words join rows on rows.datanet_id = row_words.datanet_id and rows.number = row_words.number"
    : base;
  return { base, from, where: where.join(" and "), words };
}
