import { describe, expect, it } from "vitest";
import { agreementOf, cohenKappa, fleissKappa, krippendorffAlpha } from "./agreement.ts";

/** A row's counts of the labels 0, 1, 2 …; those of 0 do not occur. */
const counted = (counts: readonly number[]) =>
  new Map(counts.flatMap((count, label) => (count > 0 ? [[String(label), count] as const] : [])));

/** One labeller a line, one row a place; null = not labelled. */
function rowsOf(lines: readonly (readonly (number | null)[])[]) {
  return lines[0]!.map(
    (_, row) =>
      new Map(
        lines.flatMap((line, labeller) =>
          line[row] === null ? [] : [[labeller, String(line[row])] as const],
        ),
      ),
  );
}

describe("Cohen's kappa", () => {
  it("is 0.492 for the psychiatrists of Cohen 1960, table 1, in hundredths", () => {
    const table = [
      [44, 5, 1],
      [7, 20, 3],
      [9, 5, 6],
    ];
    const pairs = table.flatMap((line, a) =>
      line.flatMap((count, b) => Array<[string, string]>(count).fill([String(a), String(b)])),
    );
    expect(cohenKappa(pairs)).toBeCloseTo(0.492, 3);
  });

  it("is 0.40 for the fifty grants of Wikipedia's example", () => {
    const pairs = [
      ["yes", "yes", 20],
      ["yes", "no", 5],
      ["no", "yes", 10],
      ["no", "no", 15],
    ].flatMap(([a, b, count]) => Array<[string, string]>(count as number).fill([a as string, b as string]));
    expect(cohenKappa(pairs)).toBeCloseTo(0.4, 12);
  });
});

describe("Fleiss' kappa", () => {
  it("is 0.210 for the fourteen raters of Wikipedia's worked example", () => {
    const table = [
      [0, 0, 0, 0, 14],
      [0, 2, 6, 4, 2],
      [0, 0, 3, 5, 6],
      [0, 3, 9, 2, 0],
      [2, 2, 8, 1, 1],
      [7, 7, 0, 0, 0],
      [3, 2, 6, 3, 0],
      [2, 5, 3, 2, 2],
      [6, 5, 2, 1, 0],
      [0, 2, 2, 3, 7],
    ];
    expect(fleissKappa(table.map(counted))).toBeCloseTo(0.21, 3);
  });
});

describe("Krippendorff's alpha", () => {
  const _ = null;

  it("is 0.743 for Krippendorff's four observers with missing values (also R, irr::kripp.alpha)", () => {
    const rows = rowsOf([
      [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
      [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
      [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
      [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]);
    expect(agreementOf(rows)).toMatchObject({ method: "krippendorff", rowCount: 11, labellerCount: 4 });
    expect(agreementOf(rows).value).toBeCloseTo(0.743, 3);
  });

  it("is 0.691 for the three coders of Wikipedia's computational example", () => {
    const rows = rowsOf([
      [_, _, _, _, _, 3, 4, 1, 2, 1, 1, 3, 3, _, 3],
      [1, _, 2, 1, 3, 3, 4, 3, _, _, _, _, _, _, _],
      [_, _, 2, 1, 3, 4, 4, _, 2, 1, 1, 3, 3, _, 4],
    ]);
    expect(agreementOf(rows).value).toBeCloseTo(0.691, 3);
  });

  it("is Fleiss' kappa where samples are large, and no number where there is one label only", () => {
    const many = Array.from({ length: 4_000 }, (_, i) => counted([i % 3 === 0 ? 3 : 1, i % 3 === 0 ? 0 : 2]));
    expect(krippendorffAlpha(many)).toBeCloseTo(fleissKappa(many)!, 3);
    expect(krippendorffAlpha([counted([3]), counted([2])])).toBeNull();
    expect(agreementOf([]).value).toBeNull();
  });
});

describe("the method", () => {
  const labels = (...of: [number, string][]) => new Map(of);

  it("is Cohen's for two people, Fleiss' for as many labels in each row, else Krippendorff's", () => {
    const methodOf = (...rows: Map<number, string>[]) => agreementOf(rows).method;
    expect(methodOf(labels([1, "a"], [2, "b"]), labels([2, "a"], [1, "a"]))).toBe("cohen");
    expect(methodOf(labels([1, "a"], [2, "b"]), labels([2, "a"], [3, "a"]))).toBe("fleiss");
    expect(methodOf(labels([1, "a"], [2, "b"]), labels([1, "a"], [2, "a"], [3, "a"]))).toBe("krippendorff");
  });
});
