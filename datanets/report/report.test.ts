import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { describe, expect, it } from "vitest";
import type { Card } from "../card/card.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { type JudgedRows, makeReport, type ReportedModel, type ReportedRow } from "./make-report.ts";
import { differenceOf, nameReport, noticesOf, type Report, readReport } from "./report.ts";

const FIELDS: Card["row"]["fields"] = [
  { name: "city", type: "category", description: "" },
  { name: "age", type: "number", description: "" },
  { name: "says", type: "text", description: "" },
  { name: "is new", type: "boolean", description: "" },
];
const card = sampleCard({ row: { kind: "table", fields: FIELDS, maxBytes: 1_000 } });

/** Rows of three cities; those of Athens are written in Greek. */
function tableRows(count: number): ReportedRow[] {
  return Array.from({ length: count }, (_, i) => {
    const city = ["Oslo", "Athens", "Lima"][i % 3]!;
    const says = city === "Athens" ? `Ο ήλιος ${i}` : i % 7 === 0 ? null : `The sun shines all day long ${i}`;
    const content = encodeTableRow(FIELDS, [city, i, says, i % 2 === 0]);
    const label = i % 5 === 0 ? "bad" : "good";
    // Two labellers; they differ about one row of eight.
    const labels = new Map([
      [3, label],
      [4, i % 8 === 0 ? "bad" : label],
    ]);
    return { content, digest: sha256Hex(content), contributorId: 5 + (i % 4), label, labels };
  });
}

const reported = (rows: readonly ReportedRow[], ofCard: Card = card) => ({
  domain: 7n,
  datanetId: 10,
  number: 2,
  rowsRoot: 3n,
  rowCount: rows.length,
  withdrawnCount: 0,
  policy: 4n,
  card: ofCard,
  rows,
  labels: { untilMs: 1_000, root: 5n, unsignedCount: 0, otherKeyCount: 0 },
});

/** A model that labels rows of a city wrongly every `of`-th time, and others every twentieth. */
function modelWith(rows: readonly ReportedRow[], city: string, of: number): ReportedModel {
  const values = new Map(
    rows.map(({ content, digest }, i) => {
      const isOfCity = new TextDecoder().decode(content).includes(city);
      return [digest, Math.floor(i / 3) % (isOfCity ? of : 20) === 0 ? 1 : 0];
    }),
  );
  const error: JudgedRows = { unit: "errors in a million rows", how: "by hand", values };
  return { id: 13, root: 6n, family: "direct", error, pay: { why: "none" }, movers: { why: "none" } };
}

const sliceOf = ({ slices }: Report, by: string, name: string, field: string | null = null) =>
  slices.find((slice) => slice.by === by && slice.name === name && slice.field === field)!;

describe("a report of bias", () => {
  const rows = tableRows(600);

  it("has the same bytes in whatever order its rows and labels come, and names a changed row", () => {
    const model = modelWith(rows, "Athens", 2);
    const first = makeReport(reported(rows), model);
    const turned = rows.toReversed().map((row) => ({ ...row, labels: new Map([...row.labels].reverse()) }));
    const again = makeReport(reported(turned), {
      ...model,
      error: {
        ...(model.error as JudgedRows),
        values: new Map([...(model.error as JudgedRows).values].reverse()),
      },
    });
    expect(again.text).toBe(first.text);
    expect(again.sha256).toBe(first.sha256);
    expect(readReport(`${first.text}\n`)).toEqual(first);
    const changed = rows.with(1, { ...rows[1]!, label: "bad" });
    const other = makeReport(reported(changed), model);
    expect(other.sha256).not.toBe(first.sha256);
    expect(differenceOf(first.report, other.report)).toEqual({
      path: "slices.0.rowCount",
      stated: "480",
      computed: "479",
    });
    expect(differenceOf(first.report, again.report)).toBeNull();
  });

  it("has each row in one slice of each way to slice", () => {
    const { report } = makeReport(reported(rows), null);
    const ways = new Map<string, number>();
    for (const { by, field, rowCount } of report.slices)
      ways.set(`${by} ${field}`, (ways.get(`${by} ${field}`) ?? 0) + rowCount);
    expect([...ways].map(([way]) => way)).toEqual([
      "label null",
      "contributor null",
      "length null",
      "script null",
      "field city",
      "field age",
      "field says",
      "field is new",
    ]);
    expect(new Set(ways.values())).toEqual(new Set([600]));
    expect(sliceOf(report, "script", "Greek").rowCount).toBe(200);
    expect(sliceOf(report, "field", "150 to below 300", "age").rowCount).toBe(150);
    expect(sliceOf(report, "field", "Lima", "city").rowCount).toBe(200);
    expect(sliceOf(report, "field", "true", "is new").rowCount).toBe(300);
    const missing = report.slices.find(({ field, kind }) => field === "says" && kind === "missing");
    expect(missing!.rowCount).toBe(rows.filter((_, i) => i % 3 !== 1 && i % 7 === 0).length);
    expect(report.languages).toMatchObject({ declared: ["en"], rows: { why: expect.any(String) } });
    expect(report.model).toBeNull();
  });

  it("measures agreement of all rows and of each slice", () => {
    const { report } = makeReport(reported(rows), null);
    // Of rows that divide by eight those that do not divide by five are labelled differently.
    const differing = rows.filter((_, i) => i % 8 === 0 && i % 5 !== 0).length;
    expect(report.agreement).toMatchObject({ rowCount: 600, unanimousCount: 600 - differing });
    expect(sliceOf(report, "label", "bad").agreement).toMatchObject({ rowCount: 120, unanimousCount: 120 });
    const one = tableRows(4).map((row) => ({ ...row, labels: new Map([[3, "good"]]) }));
    const { agreement, slices } = makeReport(reported(one), null).report;
    expect(agreement).toEqual({ why: "no row has labels of two leaves" });
    expect(slices.every((slice) => slice.agreement === null)).toBe(true);
  });

  it("notices a slice whose error is more than twice the whole's, if the interval says so", () => {
    const noticed = (of: number, count = 600) => {
      const some = tableRows(count);
      const { report } = makeReport(reported(some), modelWith(some, "Athens", of));
      return noticesOf(report).map(({ slice }) => `${slice.by} ${slice.name}`);
    };
    // One row of two in a third of the rows: 0.5 is more than twice 0.2.
    expect(noticed(2)).toEqual(["script Greek", "field Athens"]);
    expect(noticed(20)).toEqual([]);
    // As bad as before, but of ten rows nobody knows it.
    expect(noticed(2, 30)).toEqual([]);
  });

  it("measures losses by their mean, and notices them alike", () => {
    const values = new Map(
      rows.slice(0, 30).map(({ digest }, i) => [digest, i % 3 === 1 ? 9_000_000 + i : 1_000_000 + i]),
    );
    const error: JudgedRows = { unit: "micronats a token", how: "by hand", values };
    const { report } = makeReport(reported(rows), { ...modelWith(rows, "", 2), error });
    expect(report.model!.error).toMatchObject({ rowCount: 30, errorCount: null, value: 3_666_681 });
    expect(noticesOf(report).map(({ slice }) => slice.name)).toEqual(["Greek", "Athens"]);
    const single = new Map([...values].slice(0, 1));
    const alone = makeReport(reported(rows), {
      ...modelWith(rows, "", 2),
      error: { ...error, values: single },
    });
    expect(alone.report.model!.error).toMatchObject({ rowCount: 1, low: null, high: null });
    expect(noticesOf(alone.report)).toEqual([]);
  });

  it("stays small: of many values the largest slices, and the rest together", () => {
    const many = Array.from({ length: 3_000 }, (_, i): ReportedRow => {
      const content = encodeTableRow(FIELDS, [`city ${"x".repeat(90)} ${i}`, 1, "a", true]);
      return { content, digest: sha256Hex(content), contributorId: i, label: null, labels: new Map() };
    });
    const { report, text } = makeReport(reported(many), null);
    expect(text.length).toBeLessThan(100_000);
    const rest = report.slices.filter(({ kind }) => kind === "rest");
    expect(rest.map(({ by, name, rowCount }) => [by, name, rowCount])).toEqual([
      ["contributor", "2950", 2_950],
      ["field", "2980", 2_980],
    ]);
    expect(report.slices.find(({ field }) => field === "city")!.name).toMatch(/…$/);
  });

  it("is read only where it is exactly a report's text", () => {
    const { report, text } = makeReport(reported(rows), null);
    const refused = (value: string) =>
      expect(() => readReport(value)).toThrow(expect.objectContaining({ code: "DNT_REPORT_INVALID" }));
    refused("{");
    refused(text.replace('"datanetId":10', '"datanetId": 10'));
    refused(text.replace('"datanetId":10', '"datanetId":10,"more":1'));
    refused(text.replace('"datanetId":10', '"datanetId":-1'));
    refused(" ".repeat(2_000_000));
    expect(() => nameReport({ ...report, slices: [{ ...report.slices[0]!, rowCount: 1.5 }] })).toThrow();
  });
});
