/**
 * The test by which datanet-check.ts refuses a commit: so many of its labels are contradicted that an honest one of the Datanet's would hardly
 * have as many. A fixed part would refuse honest commits where the model is poor, and let wrong ones pass where it is good.
 */

/** A row whose label a model of the other contributors' rows has judged. */
export interface JudgedLabel {
  readonly commit: number;
  /** Any number or name. */
  readonly label: string | number;
  readonly isContradicted: boolean;
}

/**
 * Probability that a Datanet of honest commits alone has one refused, at most (Bonferroni: each commit has this divided by the number of
 * commits that are judged).
 */
const LEVEL = 0.01;
/** Contributors differ: of the labels that are expected to be confirmed more than this part has to be contradicted. Guess. */
const CONTRADICTED = 0.5;
/** Counts less likely than this are left out of the sum. */
const NEGLIGIBLE = 1e-40;

/**
 * Returns true for each commit that is refused. The base rate of a label is that of the other commits' rows with it. Where the commit has more
 * of them than all others together, it is that of all rows: a label that one contributor knows best is contradicted often, and says nothing
 * against them.
 */
export function refusedCommits(judged: readonly JudgedLabel[], commitCount: number): boolean[] {
  const all = countByLabel(judged);
  const byCommit = Array.from({ length: commitCount }, (): JudgedLabel[] => []);
  for (const row of judged) byCommit[row.commit]!.push(row);
  const level = LEVEL / Math.max(1, byCommit.filter(({ length }) => length > 0).length);
  return byCommit.map((rows) => {
    const count = rows.filter(({ isContradicted }) => isContradicted).length;
    const own = countByLabel(rows);
    const expected = rows.map(({ label }) => expectedRate(own.get(label)!, all.get(label)!));
    const expectedCount = expected.reduce((sum, rate) => sum + rate, 0);
    const isMost = count - expectedCount > CONTRADICTED * (rows.length - expectedCount);
    return isMost && tailOf(expected, count) < level;
  });
}

interface LabelCount {
  readonly rows: number;
  readonly contradicted: number;
}

function countByLabel(judged: readonly JudgedLabel[]): Map<JudgedLabel["label"], LabelCount> {
  const counts = new Map<JudgedLabel["label"], LabelCount>();
  for (const { isContradicted, label } of judged) {
    const { contradicted, rows } = counts.get(label) ?? { rows: 0, contradicted: 0 };
    counts.set(label, { rows: rows + 1, contradicted: contradicted + (isContradicted ? 1 : 0) });
  }
  return counts;
}

/** Half a row is added to each side, since few rows of which none is contradicted are no proof that none can be. */
function expectedRate(own: LabelCount, all: LabelCount): number {
  const otherRows = all.rows - own.rows;
  if (otherRows < own.rows) return all.contradicted / all.rows;
  return (all.contradicted - own.contradicted + 0.5) / (otherRows + 1);
}

/**
 * Probability that at least `count` of independent events of these probabilities happen: of equal ones the binomial distribution's tail.
 * Sums of products alone, so the same on every machine.
 */
export function tailOf(probabilities: readonly number[], count: number): number {
  /** Probability of each number of events so far; those between `from` and `to` are not negligible. */
  const byCount = new Float64Array(probabilities.length + 1);
  byCount[0] = 1;
  let [from, to] = [0, 0];
  for (const probability of probabilities) {
    to += 1;
    for (let k = to; k > from; k--)
      byCount[k] = byCount[k]! * (1 - probability) + byCount[k - 1]! * probability;
    byCount[from] = byCount[from]! * (1 - probability);
    while (from < to && byCount[from]! < NEGLIGIBLE) byCount[from++] = 0;
    while (to > from && byCount[to]! < NEGLIGIBLE) byCount[to--] = 0;
  }
  return byCount.subarray(count).reduce((sum, one) => sum + one, 0);
}
