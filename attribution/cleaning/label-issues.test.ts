import { beforeAll, describe, expect, it } from "vitest";
import { sparseFromDense, sparseRows } from "../maths/sparse-rows.ts";
import { hashedTerms } from "../testing/hashed-terms.ts";
import { emailRows, relabel, splitIndices, wrongLabels } from "../testing/labelled-rows.ts";
import { mislabelAuc } from "../testing/quality-metrics.ts";
import { emailContents } from "../testing/sample-emails.ts";
import { labelIssues } from "./label-issues.ts";

const BUCKETS = 256;

function mails(count: number) {
  const all = emailContents();
  const { train } = splitIndices(all.length, { trainCount: count, testCount: 0 }, "issues");
  return emailRows(
    Array.from(train, (i) => all[i]!),
    BUCKETS,
  );
}

describe("labelIssues", () => {
  const clean = mails(400);
  const isWrong = Array.from(clean.labels, (_, i) => i % 10 === 0);
  const wrong = [...isWrong.keys()].filter((i) => isWrong[i]);
  const rows = relabel(clean, wrongLabels(clean, wrong, "issues"));

  const stages = new Set<string>();
  let found: ReturnType<typeof labelIssues>;
  beforeAll(() => {
    found = labelIssues(rows.features, rows.labels, { onProgress: ({ stage }) => stages.add(stage) });
  });

  it("finds flipped labels of e-mails by contradiction and by self-influence", () => {
    const { contradiction, isJudged, predicted, selfInfluence } = found;
    expect(mislabelAuc(contradiction, isWrong, "a").value).toBeGreaterThan(0.85);
    expect(mislabelAuc(selfInfluence, isWrong, "a").value).toBeGreaterThan(0.85);
    expect(isJudged.every((judged) => judged === 1)).toBe(true);
    for (const [i, label] of rows.labels.entries())
      expect(contradiction[i]! > 0.5).toBe(predicted[i] !== label);
    expect([...stages]).toEqual(expect.arrayContaining(["train", "held-out", "outliers"]));
  });

  it("finds rows that are unlike the others whatever their labels", () => {
    const cut = clean.contents.map((content, i) => content.subarray(0, isWrong[i] ? 20 : -1));
    const inputs = sparseRows(
      BUCKETS,
      cut.map((text) => hashedTerms(text, BUCKETS)),
    );
    const { outlier } = labelIssues(inputs, clean.labels);
    expect(mislabelAuc(outlier, isWrong, "a").value).toBeGreaterThan(0.9);
  });

  it("gives the same scores where columns are more than rows, which another factor computes", () => {
    const wide = { ...rows.features, columnCount: 4 * BUCKETS };
    expect(rows.features.rowCount).toBeLessThan(wide.columnCount);
    expect(rows.features.rowCount).toBeGreaterThan(BUCKETS);
    const wideScores = labelIssues(wide, rows.labels);
    for (const name of ["outlier", "selfInfluence"] as const)
      for (const [i, score] of found[name].entries())
        expect(wideScores[name][i]! / score - 1, `${name} of row ${i}`).toBeCloseTo(0, 9);
  });

  it("does not let an owner's rows vouch for one another", () => {
    // Ten owners with the same two inputs; one owner calls them the other way round, five times.
    const owners = Int32Array.from({ length: 100 }, (_, i) => Math.floor(i / 10));
    const labels = Int32Array.from(owners, (owner, i) => (i + (owner === 3 ? 1 : 0)) % 2);
    const inputs = sparseFromDense(
      Float64Array.from({ length: 200 }, (_, k) => (Math.floor(k / 2) % 2 === k % 2 ? 1 : 0)),
      100,
      2,
    );
    const { contradiction } = labelIssues(inputs, labels, { owners });
    for (const [i, owner] of owners.entries()) expect(contradiction[i]! > 0.5).toBe(owner === 3);
  });

  it("says nothing where there is one label, and takes rows without content", () => {
    const inputs = sparseRows(4, [[[0, 1]], [], [[1, 1]]]);
    const { contradiction, isJudged, outlier } = labelIssues(inputs, new Int32Array(3));
    expect([...isJudged]).toEqual([0, 0, 0]);
    expect([...contradiction]).toEqual([0, 0, 0]);
    expect(outlier.every(Number.isFinite)).toBe(true);
    expect(labelIssues(sparseRows(4, []), new Int32Array(0)).predicted.length).toBe(0);
  });

  it("refuses labels that do not fit the rows", () => {
    expect(() => labelIssues(rows.features, rows.labels.subarray(1))).toThrow(/400 rows, 399 labels/);
  });
});
