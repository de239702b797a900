/**
 * Search of a host among a Datanet's rows, by words, label, contributor and state; row-routes.ts serves it. The first MAX_RANKED
 * rows with the words come by how well they match; those behind them, and rows of a search without words, in the order in which
 * they came to the host.
 *
 * A search by words, a label or a state costs no more in a larger Datanet: a limited number of rows is ranked or counted, and
 * those behind them are found by the number of the row before.
 */
import { LRUCache } from "lru-cache";
import type { Card } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import { requireFieldFilters } from "./field-filters.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { outcomeSql } from "./row-outcome.ts";
import {
  matchingOf,
  partsWithRecords,
  type Query,
  type RowFilter,
  stateWithoutRecords,
} from "./row-query.ts";
import { positionBehind, type RankedRows, rankRows, wordsAfter } from "./row-ranking.ts";
import { isEmptyQuery, queryOf } from "./row-words.ts";
import { SqlValues } from "./sql-values.ts";

export interface RowPage {
  readonly from: number;
  /** Number of the last row of the page before; it goes before `from`. */
  readonly after?: number | undefined;
  readonly limit: number;
}

interface Total {
  /** MAX_COUNTED where there are more, MAX_RANKED with words. */
  readonly total: number;
  readonly isTotalExact: boolean;
}

export interface FoundRows extends Total {
  /** Position of the first of these rows among all; null where it is behind the rows that are counted. */
  readonly from: number | null;
  /** Row numbers. */
  readonly rows: readonly number[];
  /** Number of the last of these rows where others follow, else null. */
  readonly next: number | null;
}

/** Maximum rows of a search without words that are counted. */
export const MAX_COUNTED = 10_000;
/** Totals, and places of pages, of one state of a Datanet each. */
const MAX_CACHED = 1_000;
/** Ranked rows of all searches together, at eight bytes. */
const MAX_CACHED_RANKED = 1_000_000;

interface Page {
  readonly total: Total;
  readonly from: number | null;
  readonly rows: readonly number[];
}

export class RowSearch {
  /** Caches by the Datanet's revision, so that what any host writes makes them old. */
  readonly #totals = new LRUCache<string, Total>({ max: MAX_CACHED });
  readonly #positions = new LRUCache<string, number>({ max: MAX_CACHED });
  readonly #ranked = new LRUCache<string, RankedRows>({
    maxSize: MAX_CACHED_RANKED,
    sizeCalculation: ({ numbers }) => numbers.length + 1,
  });

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
    const question = { ...page, limit: page.limit + 1 };
    const found = await (words === null
      ? this.#pageInOrder(query, question)
      : this.#pageByRank(query, question));
    const rows = found.rows.slice(0, page.limit);
    const next = found.rows.length > rows.length ? (rows.at(-1) ?? null) : null;
    if (words === null && next !== null && found.from !== null)
      this.#positions.set(`${query.key} ${next}`, found.from + rows.length);
    return { ...found.total, from: found.from, rows, next };
  }

  async #pageByRank(query: Query, { after, from, limit }: RowPage): Promise<Page> {
    let ranked = this.#ranked.get(query.key);
    if (ranked === undefined) {
      ranked = await rankRows(query);
      this.#ranked.set(query.key, ranked);
    }
    const { boundary, numbers } = ranked;
    const total = { total: numbers.length, isTotalExact: boundary === null };
    if (after !== undefined && boundary !== null && after > boundary)
      return { total, from: null, rows: await numbersAfter(query, { after, limit }) };
    if (after === undefined) requireCounted(total, from);
    const position = after === undefined ? from : await positionBehind(query, ranked, after);
    const rows = [...numbers.subarray(position, position + limit)];
    if (rows.length < limit && boundary !== null)
      rows.push(...(await numbersAfter(query, { after: boundary, limit: limit - rows.length })));
    return { total, from: position, rows };
  }

  async #pageInOrder(query: Query, { after, from, limit }: RowPage): Promise<Page> {
    const total = query.isUnfiltered
      ? { total: query.datanet.rowCount, isTotalExact: true }
      : (this.#totals.get(query.key) ?? (await countedBefore(query)) ?? (await countRows(query)));
    this.#totals.set(query.key, total);
    if (after !== undefined) {
      const position = this.#positions.get(`${query.key} ${after}`) ?? (await countAsFarAs(query, after));
      return { total, from: position, rows: await numbersAfter(query, { after, limit }) };
    }
    requireCounted(total, from);
    // Unfiltered rows have all numbers from 0 on.
    const start = query.isUnfiltered ? { after: from - 1 } : { after: -1, offset: from };
    return { total, from, rows: await numbersAfter(query, { ...start, limit }) };
  }
}

function requireCounted({ isTotalExact, total }: Total, from: number): void {
  if (!isTotalExact && from > total)
    throw datanetError(
      "SRV_BAD_REQUEST",
      `more than ${total} rows match: go on behind a page by its \`next\`, given as \`after\``,
      { data: { reason: "beyond-counted", from, maxCounted: total } },
    );
}

/** Numbers of the rows that match, in their order, behind a row. */
async function numbersAfter(
  query: Query,
  { after, limit, offset = 0 }: { after: number; limit: number; offset?: number },
): Promise<number[]> {
  if (query.hasWordsAlone) return (await wordsAfter(query, { after, limit })).map(({ number }) => number);
  const { bind, values } = new SqlValues();
  const numbers = numbersSql(query, bind, {
    after,
    until: query.datanet.rowCount,
    offset,
    limit,
    isOrdered: true,
  });
  const found = await query.datanet.database.query<{ number: number }>(numbers, values);
  return found.map(({ number }) => number);
}

/** Counts the matching rows, up to one more than are counted. */
async function countRows(query: Query): Promise<Total> {
  const count = await countUntil(query, query.datanet.rowCount);
  return { total: Math.min(count, MAX_COUNTED), isTotalExact: count <= MAX_COUNTED };
}

/** Place behind a row, of rows in their order; null where it is behind the rows that are counted. */
async function countAsFarAs(query: Query, row: number): Promise<number | null> {
  const until = Math.min(row + 1, query.datanet.rowCount);
  if (query.isUnfiltered) return until;
  const count = await countUntil(query, until);
  return count > MAX_COUNTED ? null : count;
}

/** Counts the matching rows before number `until`, up to one more than are counted. */
async function countUntil(query: Query, until: number): Promise<number> {
  const { bind, values } = new SqlValues();
  const limit = MAX_COUNTED + 1;
  const numbers = numbersSql(query, bind, { after: -1, until, offset: 0, limit, isOrdered: false });
  const [counted] = await query.datanet.database.query<{ count: number }>(
    `select count(*)::int as count from (${numbers}) as counted`,
    values,
  );
  return counted!.count;
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
  const outcome = outcomeSql(card);
  const others = partsWithRecords(outcome, `${outcome.state} <> $2`).map(
    (part) => `(select 1 from rows where datanet_id = $1 and ${part} limit ${MAX_COUNTED + 1})`,
  );
  const [counted] = await datanet.database.query<{ count: number }>(
    `select count(*)::int as count from (${others.join(" union all ")} limit ${MAX_COUNTED + 1}) as others`,
    [datanet.id, state],
  );
  const { count } = counted!;
  return count > MAX_COUNTED ? null : { total: datanet.rowCount - count, isTotalExact: true };
}

/** SQL of the numbers of matching rows behind number `after` and before `until`. */
function numbersSql(
  query: Query,
  bind: SqlValues["bind"],
  {
    after,
    isOrdered,
    limit,
    offset,
    until,
  }: { after: number; until: number; offset: number; limit: number; isOrdered: boolean },
): string {
  const { base, from, parts, where } = matchingOf(query, bind);
  const enough = `limit ${bind(offset + limit)}::bigint`;
  const order = isOrdered ? "order by number" : "";
  const bounds = `${base}.number > ${bind(after)}::bigint and ${base}.number < ${bind(until)}::bigint`;
  const selects = parts.map(
    (part) =>
      `(select ${base}.number from ${from} where ${where} and ${part} and ${bounds} ${order} ${enough})`,
  );
  return `select number from (${selects.join(" union all ")}) as found ${order} offset ${bind(offset)}::bigint limit ${bind(limit)}::bigint`;
}
