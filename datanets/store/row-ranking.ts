/**
 * Ranks the first rows of a Datanet that match words, by how often they have them for their length; row-search.ts pages them.
 * Every way to the rows ends after a limited number of them, however many the Datanet has.
 */
import { BLOCK_ROWS, BLOCKS_SQL, blockOf } from "./host-schema.ts";
import { matchingOf, type Query, wordsSql } from "./row-query.ts";
import { SqlValues } from "./sql-values.ts";

/** Maximum rows of a search by words that are counted, and ranked: the words of each are read for it, from a page of its own. */
export const MAX_RANKED = 1_000;
/** Rows that are read one after another, to see whether many have the words: one of DENSE_SHARE. */
const WALKED_ROWS = 1_024;
const DENSE_SHARE = 8;
/** Rows that are read at a time, by those that probably have as many matches as are wanted. */
const MARGIN = 1.2;
/** Blocks that are read next for the beginning of a word, by those that were read before. */
const BLOCK_GROWTH = 0.3;

/** Rows that match words, by their numbers, with how well they match. */
interface MatchingRow {
  readonly number: number;
  readonly rank: number;
}

interface Expected {
  /** Number of the row before. */
  readonly after: number;
  readonly limit: number;
}

/** The first rows that match words, the best first. */
export interface RankedRows {
  readonly numbers: Int32Array;
  readonly ranks: Float32Array;
  /** Highest number of these rows where others follow, else null. */
  readonly boundary: number | null;
}

/** The first rows that match words, in the order in which they came to the host, by how well they match. */
export async function rankRows(query: Query): Promise<RankedRows> {
  const found = await firstMatches(query);
  const rows = found.slice(0, MAX_RANKED);
  const boundary = found.length > rows.length ? rows.at(-1)!.number : null;
  // Equal ones stay in the order in which they came.
  rows.sort((a, b) => b.rank - a.rank);
  return {
    numbers: Int32Array.from(rows, ({ number }) => number),
    ranks: Float32Array.from(rows, ({ rank }) => rank),
    boundary,
  };
}

/** One more than are ranked where others follow. */
async function firstMatches(query: Query): Promise<MatchingRow[]> {
  const first = { after: -1, limit: MAX_RANKED + 1 };
  if (query.hasWordsAlone) return wordsAfter(query, first);
  // Few match, as a rule: for an order all of them would be read.
  const some = await someMatches(query, first);
  return some.length < first.limit ? some : someMatches(query, first, "order by row_words.number");
}

/** Any of the rows behind a row that match words. */
const someMatches = (query: Query, { after, limit }: Expected, order = "") =>
  readMatching(query, (bind) => {
    const { from, where } = matchingOf(query, bind);
    const bounds = `row_words.number > ${bind(after)}::bigint and row_words.number < ${bind(query.datanet.rowCount)}::bigint`;
    return `select row_words.number, words from ${from} where ${where} and ${bounds} ${order} limit ${bind(limit)}`;
  });

/** The first rows behind a row that have words, of a search by these alone, in the order of their numbers. */
export async function wordsAfter(query: Query, { after, limit }: Expected): Promise<MatchingRow[]> {
  const { rowCount } = query.datanet;
  const found: MatchingRow[] = [];
  let last = after;
  const rowsForRest = () => (MARGIN * (limit - found.length) * (last - after)) / found.length;
  for (let count = WALKED_ROWS; ; count = Math.ceil(rowsForRest())) {
    const end = Math.min(last + 1 + count, rowCount);
    const part = await readMatching(query, (bind) => rowsInTurnSql(query, bind, { after: last, end }));
    found.push(...part);
    last = end - 1;
    if (found.length >= limit || end === rowCount) return found.slice(0, limit);
    if (part.length * DENSE_SHARE < count) break;
  }
  const rest = { after: last, limit: limit - found.length };
  if (query.hasBeginning && found.length === 0) {
    const some = await someMatches(query, { after: last, limit: MAX_RANKED + 1 });
    if (some.length <= MAX_RANKED) return some.slice(0, limit);
  }
  // One standard deviation below what is probably wanted: rows in excess cost more than another look at the index.
  const blocks = (1 - 1 / Math.sqrt(found.length)) * (rowsForRest() / BLOCK_ROWS);
  const firstBlocks = query.hasBeginning && found.length > 1 ? Math.ceil(blocks) : 1;
  const behind = await readMatching(query, (bind) => rowsByBlocksSql(query, bind, { ...rest, firstBlocks }));
  return [...found, ...behind];
}

/** @param rowsSql SQL of `number` and `words` */
async function readMatching(
  query: Query,
  rowsSql: (bind: SqlValues["bind"]) => string,
): Promise<MatchingRow[]> {
  const { bind, values } = new SqlValues();
  const [found] = await query.datanet.database.query<{ numbers: Buffer | null; ranks: Buffer | null }>(
    `select string_agg(int4send(number), '' order by number) as numbers, string_agg(float4send(rank), '' order by number) as ranks
       from (select number, ${rankSql(wordsSql(query, bind))} as rank from (${rowsSql(bind)}) as matching) as ranked`,
    values,
  );
  const { numbers, ranks } = found!;
  return Array.from({ length: (numbers?.length ?? 0) / 4 }, (_, i) => ({
    number: numbers!.readInt32BE(4 * i),
    rank: ranks!.readFloatBE(4 * i),
  }));
}

/** Place behind a row, of those that are ranked; the row may have ceased to match. */
export async function positionBehind(query: Query, ranked: RankedRows, row: number): Promise<number> {
  const position = ranked.numbers.indexOf(row);
  if (position >= 0) return position + 1;
  const { bind, values } = new SqlValues();
  const { datanet } = query;
  const [found] = await datanet.database.query<{ rank: Buffer }>(
    `select float4send(${rankSql(wordsSql(query, bind))}) as rank from row_words
      where datanet_id = ${bind(datanet.id)} and number = ${bind(row)}::bigint`,
    values,
  );
  const rank = found?.rank.readFloatBE() ?? 0;
  const isBehind = (one: number, i: number) => one < rank || (one === rank && ranked.numbers[i]! > row);
  const next = ranked.ranks.findIndex(isBehind);
  return next < 0 ? ranked.numbers.length : next;
}

/** SQL of the rows between numbers `after` and `end` that have the words, by a look at each row there. */
const rowsInTurnSql = (
  query: Query,
  bind: SqlValues["bind"],
  { after, end }: { after: number; end: number },
) =>
  `select number, words from (select number, words from row_words
      where datanet_id = ${bind(query.datanet.id)} and number > ${bind(after)}::bigint and number < ${bind(end)}::bigint
      order by number offset 0) as near
    where words @@ (${wordsSql(query, bind)})`;

/**
 * SQL of the first rows behind number `after` that have the words, with these, in their order: the index is read some blocks of
 * rows at a time, until there are enough.
 */
function rowsByBlocksSql(
  query: Query,
  bind: SqlValues["bind"],
  { after, firstBlocks, limit }: Expected & { readonly firstBlocks: number },
): string {
  const { datanet, hasBeginning } = query;
  const [first, last] = [after + 1, datanet.rowCount - 1].map((number) => blockOf(datanet.id, number));
  const starts: number[] = [];
  // The index puts all rows with a beginning together each time that it is read.
  const sizeAt = (block: number) =>
    hasBeginning ? Math.max(firstBlocks, Math.ceil(BLOCK_GROWTH * (block - first!))) : 1;
  for (let block = first!; block <= last!; block += sizeAt(block)) starts.push(block);
  const ends = [...starts.slice(1), last! + 1];
  const enough = `limit ${bind(limit)}::int`;
  return `select found.number, words
      from unnest(${bind(starts)}::bigint[], ${bind(ends)}::bigint[]) as part (start, "end"), lateral (
        select number, words from row_words
         where ${BLOCKS_SQL} && array(select generate_series(part.start, part.end - 1))
           and words @@ (${wordsSql(query, bind)}) and number > ${bind(after)}::bigint and number < ${bind(datanet.rowCount)}::bigint
         order by number ${enough}) as found
     ${enough}`;
}

/** SQL of how well a row matches: the more often it has the words, for its length, the better. */
const rankSql = (words: string) => `ts_rank(words, ${words}, 1)`;
