import type { Card } from "../card/card.ts";
import { agreementOf, sum } from "../records/agreement.ts";
import { outcomeOf } from "../records/record-state.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { outcomeAt } from "./row-search.ts";

const DAY_MS = 86_400_000;

/** Counts for people and pictures: classes, states, lengths by powers of two, growth by day (UTC). */
export function rowStatistics(datanet: HostedDatanet, card: Card, nowMs: number) {
  const { commits, rows } = datanet;
  const labels: Record<string, number> = Object.create(null);
  const states = { waiting: 0, disputed: 0, accepted: 0, leftOut: 0 };
  const lengths: number[] = [];
  const contributors = new Map<number, number>();
  let malformedCount = 0;
  let bytes = 0;
  for (let row = 0; row < rows.size; row++) {
    const outcome = outcomeAt(datanet, card, row);
    const { isWellFormed, label } = rows.facts(row);
    const name = outcome.state === "accepted" ? outcome.label : (label ?? "");
    labels[name] = (labels[name] ?? 0) + 1;
    states[outcome.state] += 1;
    if (!isWellFormed) malformedCount += 1;
    const length = rows.lengthOf(row);
    bytes += length;
    const power = Math.max(0, 32 - Math.clz32(length - 1));
    lengths[power] = (lengths[power] ?? 0) + 1;
    const { contributorId } = commits[rows.commitOf(row)]!.facts;
    contributors.set(contributorId, (contributors.get(contributorId) ?? 0) + 1);
  }
  return {
    rowCount: rows.size,
    bytes,
    malformedCount,
    /** Row counts by accepted label, else by the row's own; "" = neither. */
    labels: Object.entries(labels).map(([label, rowCount]) => ({ label, rowCount })),
    states,
    lengths: Array.from(lengths, (rowCount = 0, power) => ({ maxBytes: 2 ** power, rowCount })),
    contributors: [...contributors].map(([contributorId, rowCount]) => ({ contributorId, rowCount })),
    growth: growthOf(datanet),
    labelling: labellingOf(datanet, card, nowMs),
  };
}

/** Rows committed by day, of the commits whose lists are here. */
function growthOf({ commits }: HostedDatanet): { day: string; rowCount: number }[] {
  const days = new Map<string, number>();
  for (const { facts } of commits) {
    if (facts.committedAtMs === null) continue;
    const day = new Date(Math.floor(facts.committedAtMs / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
    days.set(day, (days.get(day) ?? 0) + facts.rowCount);
  }
  return [...days].sort(([a], [b]) => (a < b ? -1 : 1)).map(([day, rowCount]) => ({ day, rowCount }));
}

/**
 * Agreement of all labels, by day of a row's last label and by team; how often each labeller meets gold rows' labels; and
 * how often labels say what a model suggests, by whether the labeller saw it.
 */
function labellingOf({ recordState }: HostedDatanet, card: Card, nowMs: number) {
  const teams = (card.labelling.teams ?? []).map((team) => ({ ...team, ids: new Set(team.members) }));
  const byTeam = teams.map(() => ({ weekCount: 0, labels: [] as Map<number, string>[] }));
  const suggestions = { rowCount: 0, seen: { same: 0, other: 0 }, unseen: { same: 0, other: 0 } };
  const all: Map<number, string>[] = [];
  const byDay = new Map<string, Map<number, string>[]>();
  const gold = new Map<number, { right: number; wrong: number }>();
  for (const [, row] of recordState.rows()) {
    if (row.suggestion !== null) suggestions.rowCount += 1;
    if (row.labels.size === 0) continue;
    // While a row waits for labels, nobody learns its labels.
    const isSettled = row.suggestion !== null && outcomeOf(card, row).state !== "waiting";
    for (const { label, sawSuggestion } of isSettled ? row.labels.values() : [])
      suggestions[sawSuggestion === true ? "seen" : "unseen"][
        label === row.suggestion!.label ? "same" : "other"
      ] += 1;
    const labelOf = new Map([...row.labels.values()].map(({ label, leafId }) => [leafId, label]));
    all.push(labelOf);
    for (const [i, { ids }] of teams.entries()) {
      const own = [...row.labels.values()].filter(({ leafId }) => ids.has(leafId));
      if (own.length === 0) continue;
      byTeam[i]!.labels.push(new Map(own.map(({ label, leafId }) => [leafId, label])));
      byTeam[i]!.weekCount += own.filter(({ atMs }) => atMs > nowMs - 7 * DAY_MS).length;
    }
    const lastMs = Math.max(...[...row.labels.values()].map(({ atMs }) => atMs));
    const day = new Date(lastMs).toISOString().slice(0, 10);
    byDay.set(day, [...(byDay.get(day) ?? []), labelOf]);
    if (row.gold === null) continue;
    for (const [leafId, label] of labelOf) {
      const score = gold.get(leafId) ?? { right: 0, wrong: 0 };
      if (label === row.gold.label) score.right += 1;
      else score.wrong += 1;
      gold.set(leafId, score);
    }
  }
  return {
    agreement: agreementOf(all),
    agreementByDay: [...byDay]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([day, rows]) => ({ day, ...agreementOf(rows) })),
    labellers: [...recordState.labelCounts].map(([leafId, labelCount]) => ({
      leafId,
      labelCount,
      gold: gold.get(leafId) ?? { right: 0, wrong: 0 },
    })),
    teams: teams.map(({ members, name }, i) => {
      const scores = members.map((leafId) => gold.get(leafId) ?? { right: 0, wrong: 0 });
      return {
        name,
        memberCount: members.length,
        labelCount: sum(members.map((leafId) => recordState.labelCounts.get(leafId) ?? 0)),
        weekCount: byTeam[i]!.weekCount,
        gold: { right: sum(scores.map(({ right }) => right)), wrong: sum(scores.map(({ wrong }) => wrong)) },
        agreement: agreementOf(byTeam[i]!.labels),
      };
    }),
    suggestions,
  };
}
