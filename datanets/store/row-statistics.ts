/**
 * Statistics of a Datanet's rows for its page: counts by label and state, lengths by powers of two, growth by day (UTC), and
 * agreement of labellers. Cached for a minute; row-routes.ts serves them.
 */
import { LRUCache } from "lru-cache";
import type { Card } from "../card/card.ts";
import { agreementOf, sum } from "../records/agreement.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { isLabellersSql, outcomeSql } from "./row-outcome.ts";

const DAY_MS = 86_400_000;
const MAX_CACHED = 50;
/** Counts are of now and of the last seven days: they are made again after this time though nothing has changed. */
const CACHED_MS = 60_000;
/** Rows from which on writes do not make statistics old: all rows are read for them. */
const MIN_LARGE_ROWS = 100_000;

export class RowStatistics {
  /** Cache by the Datanet's revision, so that what any host writes makes them old; those of a large one are up to a minute old. */
  readonly #cache = new LRUCache<string, Awaited<ReturnType<typeof rowStatistics>>>({
    max: MAX_CACHED,
    ttl: CACHED_MS,
  });

  async of(datanet: HostedDatanet, card: Card, nowMs: number) {
    const revision = datanet.rowCount < MIN_LARGE_ROWS ? datanet.revision : null;
    const key = JSON.stringify([
      datanet.id,
      revision,
      card.labelling,
      card.labels.length,
      Math.floor(nowMs / CACHED_MS),
    ]);
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const statistics = await rowStatistics(datanet, card, nowMs);
    this.#cache.set(key, statistics);
    return statistics;
  }
}

async function rowStatistics(datanet: HostedDatanet, card: Card, nowMs: number) {
  const { database } = datanet;
  const id = [datanet.id];
  const outcome = outcomeSql(card);
  const [groups, lengths, contributors, growth, labelling] = await Promise.all([
    database.query<{ state: keyof typeof states; label: string; isWellFormed: boolean; rowCount: number }>(
      `select ${outcome.state} as state, coalesce(${outcome.shown}, '') as label, is_well_formed as "isWellFormed",
              count(*)::int as "rowCount", min(number) as first
         from rows where datanet_id = $1 group by 1, 2, 3 order by first`,
      id,
    ),
    database.query<{ bytes: number; rowCount: number }>(
      `select bytes, count(*)::int as "rowCount" from rows where datanet_id = $1 group by bytes`,
      id,
    ),
    database.query<{ contributorId: number; rowCount: number }>(
      `select contributor_id as "contributorId", sum(counted.rows)::int as "rowCount", min(counted.first) as first
         from (select commit_number, count(*) as rows, min(number) as first from rows where datanet_id = $1 group by commit_number) as counted
         join commits on datanet_id = $1 and commits.number = commit_number
        group by contributor_id order by first`,
      id,
    ),
    // Rows committed by day, of the commits whose lists are here.
    database.query<{ day: string; rowCount: number }>(
      `select to_char(to_timestamp(committed_at_ms / 1000), 'YYYY-MM-DD') as day, sum(row_count)::int as "rowCount"
         from commits where datanet_id = $1 and committed_at_ms is not null group by 1 order by 1`,
      id,
    ),
    labellingOf(datanet, card, nowMs),
  ]);
  const states = { waiting: 0, disputed: 0, accepted: 0, leftOut: 0 };
  const labels = new Map<string, number>();
  for (const { label, rowCount, state } of groups) {
    states[state] += rowCount;
    labels.set(label, (labels.get(label) ?? 0) + rowCount);
  }
  const powers: number[] = [];
  for (const { bytes, rowCount } of lengths) {
    // Withdrawn rows have no length.
    if (bytes === 0) continue;
    const power = Math.max(0, 32 - Math.clz32(bytes - 1));
    powers[power] = (powers[power] ?? 0) + rowCount;
  }
  return {
    rowCount: sum(lengths.map(({ rowCount }) => rowCount)),
    bytes: sum(lengths.map(({ bytes, rowCount }) => bytes * rowCount)),
    malformedCount: sum(groups.map(({ isWellFormed, rowCount }) => (isWellFormed ? 0 : rowCount))),
    /** Row counts by accepted label, else by the contributor's once a row has enough labels; "" = neither. */
    labels: [...labels].map(([label, rowCount]) => ({ label, rowCount })),
    states,
    lengths: Array.from(powers, (rowCount = 0, power) => ({ maxBytes: 2 ** power, rowCount })),
    contributors: contributors.map(({ contributorId, rowCount }) => ({ contributorId, rowCount })),
    growth,
    labelling,
  };
}

/**
 * Agreement of all labels, the contributors' too, by day of a row's last label and by team; how often each labeller meets gold rows' labels; and
 * how often labels say what a model suggests, by whether the labeller saw it.
 */
async function labellingOf(datanet: HostedDatanet, card: Card, nowMs: number) {
  const { database } = datanet;
  const outcome = outcomeSql(card);
  const [groups, leaves, gold, suggestions, [suggested]] = await Promise.all([
    // Rows with the same labels of the same leaves on the same day are counted together.
    database.query<{ leafIds: number[]; labels: string[]; day: string; rowCount: number }>(
      `select leaf_ids as "leafIds", labels, day, count(*)::int as "rowCount" from (
          select array_agg(leaf_id order by leaf_id) as leaf_ids, array_agg(label order by leaf_id) as labels,
                 to_char(to_timestamp(max(at_ms) / 1000), 'YYYY-MM-DD') as day
            from labels where datanet_id = $1 group by row_number) as labelled
        group by 1, 2, 3 order by day`,
      [datanet.id],
    ),
    database.query<{ leafId: number; labelCount: number; weekCount: number }>(
      `select leaf_id as "leafId", count(*)::int as "labelCount",
              (count(*) filter (where at_ms > $2::bigint))::int as "weekCount"
         from labels where datanet_id = $1 and ${isLabellersSql(card)} group by leaf_id order by min(first_record)`,
      [datanet.id, Math.floor(nowMs) - 7 * DAY_MS],
    ),
    database.query<{ leafId: number; right: number; wrong: number }>(
      `select leaf_id as "leafId", (count(*) filter (where labels.label = gold_label))::int as "right",
              (count(*) filter (where labels.label <> gold_label))::int as "wrong"
         from labels join rows on rows.datanet_id = labels.datanet_id and rows.number = row_number
        where labels.datanet_id = $1 and gold_label is not null and ${isLabellersSql(card)} group by leaf_id`,
      [datanet.id],
    ),
    // While a row waits for labels, nobody learns its labels.
    database.query<{ sawSuggestion: boolean; isSame: boolean; count: number }>(
      `select saw_suggestion as "sawSuggestion", labels.label = suggested_label as "isSame", count(*)::int as count
         from labels join rows on rows.datanet_id = labels.datanet_id and rows.number = row_number
        where labels.datanet_id = $1 and suggested_label is not null and ${isLabellersSql(card)} and ${outcome.state} <> 'waiting' group by 1, 2`,
      [datanet.id],
    ),
    database.query<{ rowCount: number }>(
      `select count(*)::int as "rowCount" from rows where datanet_id = $1 and suggested_label is not null`,
      [datanet.id],
    ),
  ]);
  /** Labels of each row, of some leaves. */
  const rowsOf = (some: typeof groups, isCounted: (leafId: number) => boolean = () => true) =>
    some.flatMap(({ labels, leafIds, rowCount }) => {
      const counted = leafIds.flatMap((leafId, i): [number, string][] =>
        isCounted(leafId) ? [[leafId, labels[i]!]] : [],
      );
      return counted.length === 0 ? [] : Array<Map<number, string>>(rowCount).fill(new Map(counted));
    });
  const goldOf = (leafId: number) => {
    const { right = 0, wrong = 0 } = gold.find((one) => one.leafId === leafId) ?? {};
    return { right, wrong };
  };
  const countOf = (sawSuggestion: boolean, isSame: boolean) =>
    suggestions.find((one) => one.sawSuggestion === sawSuggestion && one.isSame === isSame)?.count ?? 0;
  const days = [...new Set(groups.map(({ day }) => day))];
  return {
    agreement: agreementOf(rowsOf(groups)),
    agreementByDay: days.map((day) => ({
      day,
      ...agreementOf(rowsOf(groups.filter((group) => group.day === day))),
    })),
    labellers: leaves.map(({ labelCount, leafId }) => ({ leafId, labelCount, gold: goldOf(leafId) })),
    teams: (card.labelling.teams ?? []).map(({ members, name }) => {
      const own = leaves.filter(({ leafId }) => members.includes(leafId));
      const scores = members.map(goldOf);
      return {
        name,
        memberCount: members.length,
        labelCount: sum(own.map(({ labelCount }) => labelCount)),
        weekCount: sum(own.map(({ weekCount }) => weekCount)),
        gold: { right: sum(scores.map(({ right }) => right)), wrong: sum(scores.map(({ wrong }) => wrong)) },
        agreement: agreementOf(rowsOf(groups, (leafId) => members.includes(leafId))),
      };
    }),
    suggestions: {
      rowCount: suggested!.rowCount,
      seen: { same: countOf(true, true), other: countOf(true, false) },
      unseen: { same: countOf(false, true), other: countOf(false, false) },
    },
  };
}
