/**
 * Measures how far labellers of a Datanet agree beyond chance, for its statistics (store/row-statistics.ts). Cohen for two
 * people who label the same rows (Educational and Psychological Measurement 20, 1960), Fleiss for an equal number of labels a
 * row, no matter who gave them (Psychological Bulletin 76, 1971), Krippendorff's alpha for everything else (Content Analysis,
 * 2004, chapter 11).
 */

/** A row's labels by the leaves that gave them. */
type RowLabels = ReadonlyMap<number, string>;

interface Agreement {
  readonly method: "cohen" | "fleiss" | "krippendorff";
  /** 1 = always, 0 = as by chance; null if chance alone agrees always, or if no row has two labels. */
  readonly value: number | null;
  readonly rowCount: number;
  readonly labellerCount: number;
}

/** Chooses the method by the number of labellers. Rows with fewer than two labels are left out: they say nothing. */
export function agreementOf(rows: Iterable<RowLabels>): Agreement {
  const labelled = [...rows].filter((labels) => labels.size >= 2);
  const labellers = new Set(labelled.flatMap((labels) => [...labels.keys()]));
  const facts = { rowCount: labelled.length, labellerCount: labellers.size };
  if (labellers.size === 2) {
    const [a, b] = [...labellers] as [number, number];
    const pairs = labelled.map((labels): [string, string] => [labels.get(a)!, labels.get(b)!]);
    return { method: "cohen", value: cohenKappa(pairs), ...facts };
  }
  const counts = labelled.map(countLabels);
  const perRow = new Set(labelled.map((labels) => labels.size));
  return perRow.size === 1
    ? { method: "fleiss", value: fleissKappa(counts), ...facts }
    : { method: "krippendorff", value: krippendorffAlpha(counts), ...facts };
}

/** κ = (pₒ − pₑ) / (1 − pₑ), pₑ from each labeller's own shares. */
export function cohenKappa(pairs: readonly (readonly [string, string])[]): number | null {
  const first = new Map<string, number>();
  const second = new Map<string, number>();
  let same = 0;
  for (const [a, b] of pairs) {
    first.set(a, (first.get(a) ?? 0) + 1);
    second.set(b, (second.get(b) ?? 0) + 1);
    if (a === b) same += 1;
  }
  let byChance = 0;
  for (const [label, count] of first) byChance += count * (second.get(label) ?? 0);
  return beyondChance(same / pairs.length, byChance / pairs.length ** 2);
}

/** κ with pₑ from all labels' shares. @param rows each label's count, the same number of labels in every row */
export function fleissKappa(rows: readonly ReadonlyMap<string, number>[]): number | null {
  const totals = sumCounts(rows);
  const all = sum(totals.values());
  const perRow = all / rows.length;
  let agreeing = 0;
  for (const row of rows) for (const count of row.values()) agreeing += count * (count - 1);
  const chance = sum([...totals.values()].map((count) => (count / all) ** 2));
  return beyondChance(agreeing / (rows.length * perRow * (perRow - 1)), chance);
}

/** α = 1 − Dₒ / Dₑ with nominal differences, by the coincidence matrix. Rows of one label are not counted. */
export function krippendorffAlpha(rows: readonly ReadonlyMap<string, number>[]): number | null {
  const paired = rows.filter((row) => sum(row.values()) >= 2);
  const totals = sumCounts(paired);
  const all = sum(totals.values());
  let agreeing = 0;
  for (const row of paired) {
    const labelCount = sum(row.values());
    for (const count of row.values()) agreeing += (count * (count - 1)) / (labelCount - 1);
  }
  const chance = sum([...totals.values()].map((count) => count * (count - 1)));
  return beyondChance(agreeing / all, chance / (all * (all - 1)));
}

function beyondChance(observed: number, chance: number): number | null {
  const value = (observed - chance) / (1 - chance);
  return Number.isFinite(value) ? value : null;
}

function countLabels(labels: RowLabels): Map<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels.values()) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

function sumCounts(rows: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const row of rows)
    for (const [label, count] of row) totals.set(label, (totals.get(label) ?? 0) + count);
  return totals;
}

export const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
