/**
 * Statistics of a table's fields for its readers: numbers and lengths of texts in bins, categories by count, what is missing.
 * SQL counts them; of a large table a sample of rows is counted, spread evenly. Cached for a minute; row-routes.ts serves them.
 */
import type { FieldType } from "@openledger/attribution/rows/row-kinds";
import type { TableField } from "@openledger/attribution/rows/table-rows";
import { LRUCache } from "lru-cache";
import type { Card } from "../card/card.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { arrayText, fieldsOfColumn, PRESENT_VALUES } from "./row-values.ts";

/** Maximum values that are counted: rows, times fields. */
export const MAX_VALUES = 200_000;
const BINS = 20;
/** Categories that are named; the others are counted together. */
const MAX_NAMES = 20;
const MAX_CACHED = 50;
const CACHED_MS = 60_000;

interface FieldFacts {
  readonly name: string;
  readonly type: FieldType;
  /** Rows without a value, of those that were counted. */
  readonly missingCount: number;
}

/** Numbers, or lengths of texts in UTF-16 code units. */
interface NumberStatistics extends FieldFacts {
  readonly type: "number" | "text";
  /** null without a value. */
  readonly span: { readonly min: number; readonly median: number; readonly max: number } | null;
  /** Rows by value, from `min` to `max` in bins of one width; empty without a value. */
  readonly bins: readonly number[];
}

interface NameStatistics extends FieldFacts {
  readonly type: "category" | "boolean";
  /** Different names. */
  readonly nameCount: number;
  /** The most frequent names. */
  readonly names: readonly { readonly name: string; readonly rowCount: number }[];
}

export interface FieldStatistics {
  /** Rows that were counted. Fewer than there are: a sample, and rows that are none of the table. */
  readonly rowCount: number;
  readonly isSample: boolean;
  readonly fields: readonly (NumberStatistics | NameStatistics)[];
}

export class FieldStatisticsCache {
  /** Cache by the card, withdrawals and, in a Datanet that is counted whole, its revision. */
  readonly #cache = new LRUCache<string, FieldStatistics>({ max: MAX_CACHED, ttl: CACHED_MS });

  async of(datanet: HostedDatanet, card: Pick<Card, "row">): Promise<FieldStatistics> {
    const revision = isWhole(datanet, card) ? datanet.revision : null;
    const key = JSON.stringify([datanet.id, revision, datanet.withdrawalCount, card.row]);
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const statistics = await fieldStatistics(datanet, card);
    this.#cache.set(key, statistics);
    return statistics;
  }
}

/** Values that the statistics of a Datanet's fields go through: their cost. */
export const countedValues = (rowCount: number, { row }: Pick<Card, "row">): number =>
  Math.min(MAX_VALUES, rowCount * row.fields.length);

const isWhole = ({ rowCount }: HostedDatanet, { row }: Pick<Card, "row">) =>
  rowCount * row.fields.length <= MAX_VALUES;

async function fieldStatistics(datanet: HostedDatanet, card: Pick<Card, "row">): Promise<FieldStatistics> {
  const { fields } = card.row;
  const isSample = !isWhole(datanet, card);
  if (fields.length === 0) return { rowCount: 0, isSample: false, fields: [] };
  const sample: Sample = {
    datanet,
    count: isSample ? Math.floor(MAX_VALUES / fields.length) : datanet.rowCount,
    isSample,
  };
  const [rowCount, numbers, names] = await Promise.all([
    countSample(sample),
    numberStatistics(sample, fieldsOfColumn(fields, "numbers")),
    nameStatistics(sample, fieldsOfColumn(fields, "names")),
  ]);
  return {
    rowCount,
    isSample,
    fields: fields.map(({ name }) => numbers.get(name) ?? names.get(name)!),
  };
}

interface Sample {
  readonly datanet: HostedDatanet;
  readonly count: number;
  readonly isSample: boolean;
}

/** SQL of the values of the rows that are counted. Parameters: the Datanet, its rows, the rows that are counted. */
const sampleSql = ({ isSample }: Sample) =>
  isSample
    ? `(select row_values.numbers, row_values.names
         from (select (place * $2::bigint / $3::bigint)::int as number from generate_series(0, $3::bigint - 1) as place) as picked
         join row_values on datanet_id = $1 and row_values.number = picked.number where ${PRESENT_VALUES})`
    : `(select numbers, names from row_values
         where datanet_id = $1 and number < $2::bigint and number < $3::bigint and ${PRESENT_VALUES})`;

const sampleValues = ({ count, datanet }: Sample) => [datanet.id, datanet.rowCount, count];

async function countSample(sample: Sample): Promise<number> {
  const [counted] = await sample.datanet.database.query<{ count: number }>(
    `select count(*)::int as count from ${sampleSql(sample)} as counted`,
    sampleValues(sample),
  );
  return counted!.count;
}

async function numberStatistics(
  sample: Sample,
  fields: readonly TableField[],
): Promise<Map<string, NumberStatistics>> {
  if (fields.length === 0) return new Map();
  const { database } = sample.datanet;
  const values = sampleValues(sample);
  const listed = `${sampleSql(sample)} as counted, unnest(numbers) with ordinality as part (value, place)`;
  const spans = await database.query<{
    place: number;
    missing: number;
    valueCount: number;
    min: number | null;
    median: number | null;
    max: number | null;
  }>(
    `select place::int as place, (count(*) filter (where value is null))::int as missing, count(value)::int as "valueCount", min(value) as min, max(value) as max,
            percentile_disc(0.5) within group (order by value) as median
       from ${listed} group by place`,
    values,
  );
  const limits = spans.flatMap(({ max, min, place }) =>
    min === null || max === null || min === max ? [] : [{ place, limits: limitsOf(min, max) }],
  );
  // Values are compared with the bins' limits, and nothing is computed of them: PostgreSQL refuses to divide the smallest number.
  const bins =
    limits.length === 0
      ? []
      : await database.query<{ place: number; bin: number; rowCount: number }>(
          `select place::int as place, width_bucket(value, limits) as bin, count(*)::int as "rowCount"
             from ${listed}
             join (select span::bigint as span, limits::float8[] as limits from unnest($4::int[], $5::text[]) as part (span, limits)) as spans
               on span = place
            where value is not null group by 1, 2`,
          [...values, limits.map(({ place }) => place), limits.map((span) => arrayText(span.limits))],
        );
  const statistics = fields.map(({ name, type }, i): NumberStatistics => {
    const span = spans.find(({ place }) => place === i + 1);
    const { max = null, median = null, min = null, missing = 0, valueCount = 0 } = span ?? {};
    const counted = bins.filter(({ place }) => place === i + 1);
    const ofBin = (bin: number) => counted.find((one) => one.bin === bin)?.rowCount ?? 0;
    return {
      name,
      type: type as NumberStatistics["type"],
      missingCount: missing,
      span: min === null || max === null || median === null ? null : { min, median, max },
      bins:
        min === null ? [] : min === max ? [valueCount] : Array.from({ length: BINS }, (_, bin) => ofBin(bin)),
    };
  });
  return new Map(statistics.map((one) => [one.name, one]));
}

/** Limits between the bins of a span, ascending. */
function limitsOf(min: number, max: number): number[] {
  // Of halves: the difference of the largest numbers is none.
  const width = (max / 2 - min / 2) / BINS;
  return Array.from({ length: BINS - 1 }, (_, i) => min + width * (i + 1) + width * (i + 1));
}

async function nameStatistics(
  sample: Sample,
  fields: readonly TableField[],
): Promise<Map<string, NameStatistics>> {
  if (fields.length === 0) return new Map();
  const found = await sample.datanet.database.query<{
    place: number;
    name: string | null;
    rowCount: number;
    nameCount: number;
  }>(
    `select place, name, "rowCount", "nameCount" from (
        select place::int as place, name, count(*)::int as "rowCount", (count(name) over (partition by place))::int as "nameCount",
               row_number() over (partition by place, name is null order by count(*) desc, name) as rank
          from ${sampleSql(sample)} as counted, unnest(names) with ordinality as part (name, place)
         group by place, name) as ranked
      where rank <= ${MAX_NAMES} order by place, rank`,
    sampleValues(sample),
  );
  const statistics = fields.map(({ name, type }, i): NameStatistics => {
    const own = found.filter(({ place }) => place === i + 1);
    return {
      name,
      type: type as NameStatistics["type"],
      missingCount: own.find((one) => one.name === null)?.rowCount ?? 0,
      nameCount: own[0]?.nameCount ?? 0,
      names: own.flatMap(({ name: of, rowCount }) => (of === null ? [] : [{ name: of, rowCount }])),
    };
  });
  return new Map(statistics.map((one) => [one.name, one]));
}
