/**
 * Search of a host among a Datanet's rows, by words, label, contributor and state; row-routes.ts serves it. Rows with the words
 * come by how well they match; all others, and those of words that more rows have than are counted, in the order in which they
 * came to the host.
 *
 * A search by words, a label or a state costs no more in a larger Datanet: at most MAX_COUNTED rows are counted and ranked, and
 * those behind them are found by the number of the row before.
 */
import { LRUCache } from "lru-cache";
import type { Card } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import type { RowOutcome } from "../records/record-state.ts";
import type { FieldFilter } from "../rows/field-filter.ts";
import { fieldConditions, requireFieldFilters } from "./field-filters.ts";
import { BLOCK_ROWS, BLOCKS_SQL, blockOf } from "./host-schema.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { outcomeSql } from "./row-outcome.ts";
import { configurationsOf, datanetWord, isEmptyQuery, queryOf, querySql } from "./row-words.ts";
import { SqlValues } from "./sql-values.ts";

export const ROW_STATES = ["waiting", "disputed", "accepted", "leftOut"] as const;

export interface RowFilter {
  readonly text?: string | undefined;
  /** The accepted label, else the contributor's once the row has enough labels. */
  readonly label?: string | undefined;
  readonly contributorId?: number | undefined;
  /** The root of the commit that the row counts for. */
  readonly commit?: string | undefined;
  readonly state?: RowOutcome["state"] | undefined;
  /** Rows that are not of the card's kind, or those that are. */
  readonly isWellFormed?: boolean | undefined;
  /** Conditions on fields of the card, all of them. */
  readonly fields?: readonly FieldFilter[] | undefined;
}

export interface RowPage {
  readonly from: number;
  /** Number of the last row of the page before; it goes before `from`. */
  readonly after?: number | undefined;
  readonly limit: number;
}

interface Total {
  /** MAX_COUNTED where there are more. */
  readonly total: number;
  readonly isTotalExact: boolean;
}

export interface FoundRows extends Total {
  /** Place of the first of these rows among all; null where it is behind the rows that are counted. */
  readonly from: number | null;
  /** Row numbers. */
  readonly rows: readonly number[];
  /** Number of the last of these rows where others follow, else null. */
  readonly next: number | null;
}

/** Maximum rows of a search that are counted, and ranked: each one's words are read for it. */
export const MAX_COUNTED = 10_000;
/** Totals, and places of pages, of one state of a Datanet each. */
const MAX_CACHED = 1_000;
/**
 * Rows from all over the Datanet that tell whether many have the words: MIN_COMMON of them make words common, MIN_DENSE so common
 * that rows are read one after another.
 */
const SAMPLE_ROWS = 200;
const MIN_COMMON = 6;
const MIN_DENSE = 20;
/** Smaller Datanets are searched whole. */
const MIN_SAMPLED_ROWS = 4 * BLOCK_ROWS;
/** Multiples of it, less their whole parts, are spread evenly, whatever pattern the rows have. */
const GOLDEN_RATIO = 0.618_033_988_749_895;

/** A filter of one Datanet's rows. */
interface Query {
  readonly datanet: HostedDatanet;
  readonly card: Card;
  readonly filter: RowFilter;
  /** Identifies the filter's result at this state of the Datanet. */
  readonly key: string;
  readonly isUnfiltered: boolean;
  readonly hasWordsAlone: boolean;
  /** True if a word is a beginning. */
  readonly hasBeginning: boolean;
}

/** Rows that a filter leaves, in SQL. */
interface Matching {
  readonly from: string;
  /** Table that has the numbers of rows. */
  readonly base: "rows" | "row_words" | "row_values";
  readonly where: string;
  /** Conditions of which each of the rows meets exactly one. Each has an index of its own. */
  readonly parts: readonly string[];
  /** null without words. */
  readonly words: string | null;
}

export class RowSearch {
  /** Cache by the Datanet's revision, so that what any host writes makes them old. */
  readonly #totals = new LRUCache<string, Total>({ max: MAX_CACHED });
  readonly #places = new LRUCache<string, number>({ max: MAX_CACHED });

  /** @throws SRV_BAD_REQUEST for a page by place behind the rows that are counted, and for a filter that the card has no field for */
  async find(datanet: HostedDatanet, card: Card, filter: RowFilter, page: RowPage): Promise<FoundRows> {
    const words = filter.text === undefined ? null : queryOf(filter.text);
    if (words !== null && isEmptyQuery(words))
      return { total: 0, isTotalExact: true, from: 0, rows: [], next: null };
    requireFieldFilters(card, filter.fields ?? [], { rowCount: datanet.rowCount, hasWords: words !== null });
    const used = Object.values(filter).filter((value) => value !== undefined);
    const query: Query = {
      datanet,
      card,
      filter,
      key: JSON.stringify([
        datanet.id,
        datanet.revision,
        card.labelling,
        card.labels.length,
        card.languages,
        filter,
      ]),
      isUnfiltered: used.length === 0,
      hasWordsAlone: used.length === 1 && words !== null,
      hasBeginning: words !== null && `${words.words} ${words.beginning}`.includes(":*"),
    };
    // One row more tells whether others follow.
    const asked = { ...page, limit: page.limit + 1 };
    const { from, rows: found, total } = await this.#page(query, asked);
    const rows = found.slice(0, page.limit);
    const last = rows.at(-1);
    if (last !== undefined && from !== null) this.#places.set(`${query.key} ${last}`, from + rows.length);
    return { ...total, from, rows, next: found.length > rows.length ? (last ?? null) : null };
  }

  async #page(
    query: Query,
    { after, from, limit }: RowPage,
  ): Promise<{ total: Total; from: number | null; rows: number[] }> {
    let total = query.isUnfiltered
      ? { total: query.datanet.rowCount, isTotalExact: true }
      : this.#totals.get(query.key);
    if (total === undefined) {
      const sampled = await sample(query);
      if (query.filter.text !== undefined && after === undefined && sampled.length < MIN_COMMON) {
        const page = await rankedPage(query, { from, limit });
        if (page !== null) {
          this.#totals.set(query.key, page.total);
          if (page.total.isTotalExact) return { ...page, from };
        }
      }
      total =
        this.#totals.get(query.key) ?? (await countedBefore(query)) ?? (await countRows(query, sampled));
      this.#totals.set(query.key, total);
    }
    if (after === undefined) return { total, from, rows: await pageFrom(query, total, { from, limit }) };
    return { total, ...(await this.#pageAfter(query, total, { after, limit })) };
  }

  async #pageAfter(
    query: Query,
    total: Total,
    { after, limit }: { after: number; limit: number },
  ): Promise<{ from: number | null; rows: number[] }> {
    const from =
      this.#places.get(`${query.key} ${after}`) ??
      (await placeAfter(query, { after, isRanked: isRanked(query, total) }));
    if (!isRanked(query, total)) return { from, rows: await numbersAfter(query, { after, limit }) };
    const { bind, values } = new SqlValues();
    const { from: tables, where, words } = matchingOf(query, bind);
    const row = `${bind(after)}::bigint`;
    const rows = await read(
      query,
      `with last as (${lastSql(words!, bind(query.datanet.id), row)})
         select number from (select row_words.number, ${rankSql(words!)} as rank from ${tables} where ${where}) as ranked
          where not exists (select 1 from last) or rank < (select rank from last) or (rank = (select rank from last) and number > ${row})
          order by rank desc, number limit ${bind(limit)}`,
      values,
    );
    return { from, rows };
  }
}

/** True where rows come by how well they match. */
const isRanked = ({ filter }: Query, { isTotalExact }: Total) => filter.text !== undefined && isTotalExact;

async function pageFrom(query: Query, total: Total, { from, limit }: RowPage): Promise<number[]> {
  // Rows have all numbers from 0 on.
  if (query.isUnfiltered) return numbersAfter(query, { after: from - 1, limit });
  if (!total.isTotalExact && from > MAX_COUNTED)
    throw datanetError(
      "SRV_BAD_REQUEST",
      `more than ${MAX_COUNTED} rows match: go on behind a page by its \`next\`, given as \`after\``,
      { data: { reason: "beyond-counted", from, maxCounted: MAX_COUNTED } },
    );
  if (!isRanked(query, total)) return numbersAfter(query, { after: -1, limit, offset: from });
  return (await rankedPage(query, { from, limit }))?.rows ?? [];
}

/** The best matches, of all that are counted, with their total; null where none is at that place. */
async function rankedPage(
  query: Query,
  { from, limit }: RowPage,
): Promise<{ total: Total; rows: number[] } | null> {
  const { bind, values } = new SqlValues();
  const { from: tables, where, words } = matchingOf(query, bind);
  const found = await query.datanet.database.query<{ number: number; count: number }>(
    `select number, (count(*) over ())::int as count from (
        select row_words.number, ${rankSql(words!)} as rank from ${tables} where ${where} limit ${MAX_COUNTED + 1}) as ranked
      order by rank desc, number offset ${bind(from)}::bigint limit ${bind(limit)}`,
    values,
  );
  if (found.length === 0) return null;
  return { total: totalOf(found[0]!.count), rows: found.map(({ number }) => number) };
}

/** Numbers of the rows that match, in their order, behind a row. */
async function numbersAfter(
  query: Query,
  { after, limit, offset = 0 }: { after: number; limit: number; offset?: number },
): Promise<number[]> {
  if (query.hasWordsAlone && offset === 0) {
    // Common words are in one of the next rows, as a rule, wherever the index has them.
    const near = await scan(query, { after, until: after + 1 + BLOCK_ROWS, limit });
    if (near.length === limit) return near;
  }
  const { bind, values } = new SqlValues();
  const numbers = numbersSql(query, bind, {
    after,
    until: query.datanet.rowCount,
    offset,
    limit,
    isOrdered: true,
    isByBlocks: query.hasWordsAlone && !query.hasBeginning,
  });
  return read(query, numbers, values);
}

/** Numbers of the rows that have the words, in their order, by a look at each row behind `after` and before `until`. */
async function scan(
  { card, datanet, filter }: Query,
  { after, limit, until }: { after: number; until: number; limit: number },
): Promise<number[]> {
  const { bind, values } = new SqlValues();
  const found = await datanet.database.query<{ number: number }>(
    `select number from (select number, words from row_words
        where datanet_id = ${bind(datanet.id)} and number > ${bind(after)}::bigint and number < ${bind(Math.min(until, datanet.rowCount))}::bigint
        order by number offset 0) as near
      where words @@ (${wordsSql(filter.text!, card, bind)}) limit ${bind(limit)}`,
    values,
  );
  return found.map(({ number }) => number);
}

async function countRows(query: Query, sampled: readonly number[]): Promise<Total> {
  const isCommon = sampled.length >= MIN_COMMON;
  if (query.hasBeginning && sampled.length >= MIN_DENSE) {
    // The index puts all rows with the beginning together first.
    const count = (
      await scan(query, {
        after: densest(query, sampled) - 1,
        until: query.datanet.rowCount,
        limit: MAX_COUNTED + 1,
      })
    ).length;
    if (count > MAX_COUNTED) return totalOf(count);
  }
  const isByBlocks = isCommon && !query.hasBeginning;
  return totalOf(await countUntil(query, { until: query.datanet.rowCount, isByBlocks }));
}

/** Number of a row from which on, by a sample, more rows than are counted come soonest. */
function densest({ datanet }: Query, sampled: readonly number[]): number {
  const rowsOfOne = datanet.rowCount / SAMPLE_ROWS;
  const count = Math.min(sampled.length, Math.ceil(MAX_COUNTED / rowsOfOne) + 2);
  let best = 0;
  const spanAt = (i: number) => sampled[i + count - 1]! - sampled[i]!;
  for (let i = 1; i + count <= sampled.length; i++) if (spanAt(i) < spanAt(best)) best = i;
  return sampled[best]!;
}

const totalOf = (count: number): Total => ({
  total: Math.min(count, MAX_COUNTED),
  isTotalExact: count <= MAX_COUNTED,
});

/** Counts the matching rows before number `until`, up to one more than are counted. */
async function countUntil(
  query: Query,
  { isByBlocks, until }: { until: number; isByBlocks: boolean },
): Promise<number> {
  const { bind, values } = new SqlValues();
  const numbers = numbersSql(query, bind, {
    after: -1,
    until,
    offset: 0,
    limit: MAX_COUNTED + 1,
    isOrdered: false,
    isByBlocks,
  });
  const [counted] = await query.datanet.database.query<{ count: number }>(
    `select count(*)::int as count from (${numbers}) as counted`,
    values,
  );
  return counted!.count;
}

/** Numbers of sampled rows that have the words, in their order; none of a small Datanet, or where there are other filters. */
async function sample({ card, datanet, filter, hasWordsAlone }: Query): Promise<number[]> {
  if (!hasWordsAlone || datanet.rowCount < MIN_SAMPLED_ROWS) return [];
  const { bind, values } = new SqlValues();
  const numbers = Array.from({ length: SAMPLE_ROWS }, (_, i) =>
    Math.floor(((i * GOLDEN_RATIO) % 1) * datanet.rowCount),
  );
  const found = await datanet.database.query<{ number: number }>(
    `select number from row_words
      where datanet_id = ${bind(datanet.id)} and number = any(${bind(numbers)}) and words @@ (${wordsSql(filter.text!, card, bind)})
      order by number`,
    values,
  );
  return found.map(({ number }) => number);
}

/** The number of rows of a filter that tables have counted already; null for every other one. */
async function countedBefore({ card, datanet, filter }: Query): Promise<Total | null> {
  const used = Object.entries(filter).filter(([, value]) => value !== undefined);
  const { commit, contributorId, state } = filter;
  if (used.length !== 1) return null;
  if (commit !== undefined || contributorId !== undefined) {
    const [counted] = await datanet.database.query<{ total: number }>(
      `select coalesce(sum(own_count), 0)::int as total from commits
        where datanet_id = $1 and (rows_root = $2 or contributor_id = $3::bigint)`,
      [datanet.id, commit ?? null, contributorId ?? null],
    );
    return { total: counted!.total, isTotalExact: true };
  }
  if (state !== stateWithoutRecords(card)) return null;
  // Few have another state, as a rule.
  const [counted] = await datanet.database.query<{ count: number }>(
    `select count(*)::int as count from (select 1 from rows
      where datanet_id = $1 and begun_at is not null and ${outcomeSql(card).state} <> $2 limit ${MAX_COUNTED + 1}) as others`,
    [datanet.id, state],
  );
  const { count } = counted!;
  return count > MAX_COUNTED ? null : { total: datanet.rowCount - count, isTotalExact: true };
}

/** Place among all of the row behind `after`; null where it is behind the rows that are counted. */
async function placeAfter(
  query: Query,
  { after, isRanked }: { after: number; isRanked: boolean },
): Promise<number | null> {
  const { datanet, hasBeginning, hasWordsAlone, isUnfiltered } = query;
  const until = Math.min(after + 1, datanet.rowCount);
  if (isUnfiltered) return until;
  if (!isRanked) {
    const count = await countUntil(query, { until, isByBlocks: hasWordsAlone && !hasBeginning });
    return count > MAX_COUNTED ? null : count;
  }
  const { bind, values } = new SqlValues();
  const { from, where, words } = matchingOf(query, bind);
  const row = `${bind(after)}::bigint`;
  const [counted] = await datanet.database.query<{ count: number }>(
    `select count(*)::int as count from ${from}, (${lastSql(words!, bind(datanet.id), row)}) as last
      where ${where} and (${rankSql(words!)} > last.rank or (${rankSql(words!)} = last.rank and row_words.number <= ${row}))`,
    values,
  );
  return counted!.count;
}

/**
 * SQL of the numbers of matching rows behind number `after` and before `until`.
 * @param isByBlocks true for words alone that many rows have: their index is read a block of rows at a time, until there are enough
 */
function numbersSql(
  query: Query,
  bind: SqlValues["bind"],
  {
    after,
    isByBlocks,
    isOrdered,
    limit,
    offset,
    until,
  }: { after: number; until: number; offset: number; limit: number; isOrdered: boolean; isByBlocks: boolean },
): string {
  const { card, datanet, filter } = query;
  const enough = `limit ${bind(offset + limit)}::bigint`;
  const page = `offset ${bind(offset)}::bigint limit ${bind(limit)}::bigint`;
  const order = isOrdered ? "order by number" : "";
  const boundsOf = (number: string) =>
    `${number} > ${bind(after)}::bigint and ${number} < ${bind(until)}::bigint`;
  if (isByBlocks) {
    const [first, last] = [blockOf(datanet.id, Math.min(after + 1, until)), blockOf(datanet.id, until)];
    // Blocks come in their order, one by one, and none behind the last row that is wanted.
    return `select found.number from generate_series(${bind(first)}::bigint, ${bind(last)}::bigint) as block, lateral (
        select number from row_words
         where ${BLOCKS_SQL} @> array[block] and words @@ (${wordsSql(filter.text!, card, bind)}) and ${boundsOf("number")}
         ${order} ${enough}) as found
      ${page}`;
  }
  const { base, from, parts, where } = matchingOf(query, bind);
  const bounds = boundsOf(`${base}.number`);
  const selects = parts.map(
    (part) =>
      `(select ${base}.number from ${from} where ${where} and ${part} and ${bounds} ${order} ${enough})`,
  );
  return `select number from (${selects.join(" union all ")}) as found ${order} ${page}`;
}

const read = async ({ datanet }: Query, text: string, values: SqlValues["values"]): Promise<number[]> =>
  (await datanet.database.query<{ number: number }>(text, values)).map(({ number }) => number);

/** SQL of how well a row matches: the more often it has the words, for its length, the better. */
const rankSql = (words: string) => `ts_rank(row_words.words, ${words}, 1)`;

const lastSql = (words: string, datanetId: string, row: string) =>
  `select ${rankSql(words)} as rank from row_words where datanet_id = ${datanetId} and number = ${row}`;

const wordsSql = (text: string, card: Card, bind: SqlValues["bind"]) =>
  querySql(queryOf(text), configurationsOf(card), bind);

/** State of the rows that no record is about. */
const stateWithoutRecords = ({ labels }: Card): RowOutcome["state"] =>
  labels.length === 0 ? "accepted" : "waiting";

function matchingOf({ card, datanet, filter }: Query, bind: SqlValues["bind"]): Matching {
  const { commit, contributorId, fields, isWellFormed, label, state, text } = filter;
  const base = text !== undefined ? "row_words" : fields !== undefined ? "row_values" : "rows";
  const where = [`${base}.datanet_id = ${bind(datanet.id)}`];
  const outcome = outcomeSql(card);
  const commitsOf = (condition: string) =>
    `rows.commit_number in (select number from commits where datanet_id = ${bind(datanet.id)} and ${condition})`;
  let parts = ["true"];
  let words: string | null = null;
  if (text !== undefined) {
    words = `(${wordsSql(text, card, bind)})`;
    // Words of all Datanets lie in one index.
    where.push(`row_words.words @@ (${words} && ${bind(`'${datanetWord(datanet.id)}'`)}::tsquery)`);
  }
  if (contributorId !== undefined) where.push(commitsOf(`contributor_id = ${bind(contributorId)}::bigint`));
  if (commit !== undefined) where.push(commitsOf(`rows_root = ${bind(commit)}`));
  if (isWellFormed !== undefined) where.push(`rows.is_well_formed = ${bind(isWellFormed)}`);
  if (state !== undefined) {
    const isSo = `${outcome.state} = ${bind(state)}`;
    const isBegun = `rows.begun_at is not null and ${isSo}`;
    if (state !== stateWithoutRecords(card)) where.push(isBegun);
    // Rows without records are known by an index.
    else if (text === undefined && label === undefined) parts = ["rows.begun_at is null", isBegun];
    else where.push(`(rows.begun_at is null or ${isSo})`);
  }
  if (label !== undefined) {
    const named = bind(label);
    where.push(`${outcome.shown} = ${named}`);
    // The outcome depends on the card, so that no index has it: but it is one of these three.
    if (text === undefined)
      parts = [
        `rows.label = ${named}`,
        `rows.top_label = ${named} and rows.label is distinct from ${named}`,
        `rows.decided_label = ${named} and rows.label is distinct from ${named} and rows.top_label is distinct from ${named}`,
      ];
  }
  const isOfFacts = [commit, contributorId, isWellFormed, label, state].some((fact) => fact !== undefined);
  if (fields !== undefined) where.push(...fieldConditions(card, fields, bind));
  const joined = [...(isOfFacts ? ["rows"] : []), ...(fields === undefined ? [] : ["row_values"])]
    .filter((table) => table !== base)
    .map(
      (table) =>
        ` join ${table} on ${table}.datanet_id = ${base}.datanet_id and ${table}.number = ${base}.number`,
    );
  return { base, from: `${base}${joined.join("")}`, where: where.join(" and "), parts, words };
}
