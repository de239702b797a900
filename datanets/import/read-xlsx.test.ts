/** Tests of Excel workbooks: values as the cells show them, sheets, and what is refused. */
import { describe, expect, it } from "vitest";
import { sheetRow, xlsxOf } from "../testing/sample-workbooks.ts";
import type { Cell } from "./cell.ts";
import { LossyCell } from "./cell.ts";
import type { Choices } from "./decision.ts";
import { proposeCard } from "./propose-card.ts";
import { readFiles } from "./read-files.ts";
import { rowsOfTable } from "./read-import.ts";
import { isoOfSerial, percentOf, sheetFormat } from "./sheet-formats.ts";

const shown = (cell: Cell) => {
  if (cell instanceof LossyCell) return { why: cell.why };
  return typeof cell === "object" && cell !== null ? `#${String(cell)}` : cell;
};

async function read(content: Uint8Array, choices: Choices = {}) {
  const table = await readFiles([{ name: "book.xlsx", content }], { choices });
  const rows = table.records.map(({ values }) => [...values.values()].map(shown));
  return { ...table, rows, names: table.columns.map(({ name }) => name) };
}

/** Members of a club, as a spreadsheet program writes them. */
const members = () =>
  xlsxOf({
    texts: [
      "<t>name</t>",
      '<r><rPr><b/></rPr><t>Aoi </t></r><r><t>東</t></r><rPh sb="0" eb="1"><t>ヒガシ</t></rPh>',
      "<t>two_x000D_\nlines &amp; more</t>",
    ],
    formats: [14, "yyyy\\-mm\\-dd\\ hh:mm", 10, "00000", "[h]:mm", '#,##0.00" days"', "[$-409]d mmm yyyy;@"],
    sheets: [
      {
        name: "Members",
        rows: [
          '<row r="3"><c r="B3" t="s"><v>0</v></c><c r="C3" t="inlineStr"><is><t>joined</t></is></c><c r="D3" t="inlineStr"><is><t>seen</t></is></c><c r="E3" t="inlineStr"><is><t>share</t></is></c><c r="F3" t="inlineStr"><is><t>code</t></is></c><c r="G3" t="inlineStr"><is><t>hours</t></is></c><c r="H3" t="inlineStr"><is><t>fee</t></is></c><c r="I3" t="inlineStr"><is><t>paid</t></is></c></row>',
          '<row r="4"><c r="B4" t="s"><v>1</v></c><c r="C4" s="1"><v>44775</v></c><c r="D4" s="2"><v>44775.5</v></c><c r="E4" s="3"><v>0.125</v></c><c r="F4" s="4"><v>1234</v></c><c r="G4" s="5"><v>1.5625</v></c><c r="H4" s="6"><v>2.2999999999999998</v></c><c r="I4" t="b"><v>1</v></c></row>',
          '<row r="5" hidden="1"><c r="B5" t="s"><v>2</v></c><c r="C5" s="7"><v>36526</v></c><c r="D5" s="2"><v>36526.75</v></c><c r="E5" s="3"><v>7.0000000000000007E-2</v></c><c r="F5" s="4"><v>98765</v></c><c r="G5" s="5"><v>0.25</v></c><c r="H5" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="I5" t="b"><v>0</v></c></row>',
          '<row r="7"><c t="str"><f>A1</f><v></v></c><c t="str"><f>B1&amp;"x"</f><v>Bo</v></c><c r="H7"><f>SUM(H1)</f></c></row>',
        ].join(""),
        after: '<mergeCells count="1"><mergeCell ref="B7:C7"/></mergeCells>',
      },
    ],
  });

describe("a workbook", () => {
  it("has the values that its cells show, and says what is hidden and merged", async () => {
    const { columns, decisions, names, notices, refused, rows, records } = await read(await members());
    expect(refused).toEqual([]);
    expect(names).toEqual(["name", "joined", "seen", "share", "code", "hours", "fee", "paid"]);
    expect(rows).toEqual([
      ["Aoi 東", "2022-08-02", "2022-08-02T12:00:00", "12.5%", "01234", "37:30:00", "#2.3", true],
      [
        ...["two\r\nlines & more", "2000-01-01", "2000-01-01T18:00:00", "7%", "98765"],
        ...["06:00:00", { why: "is the error #DIV/0!" }, false],
      ],
      [
        ...["Bo", null, null, null, null, null],
        { why: "is a formula without a value: open the file in a spreadsheet program and save it" },
        null,
      ],
    ]);
    expect(records.map(({ line, unit }) => [unit, line])).toEqual([
      ["row", 4],
      ["row", 5],
      ["row", 7],
    ]);
    // A faulty cell says nothing of its column.
    expect(columns.map(({ type }) => type)).toEqual([
      "text",
      "date",
      "text",
      "number",
      "text",
      "text",
      "number",
      "boolean",
    ]);
    expect(notices).toEqual([
      "book.xlsx: 1 hidden row is read, too",
      "book.xlsx: 1 group of merged cells: the value is that of the first cell, the others are empty",
    ]);
    expect(decisions).toEqual([]);
  });

  it("becomes rows of a card; a cell with an error is refused by its row and column", async () => {
    const { kind, fields } = proposeCard(await read(await members()), "table");
    expect([kind, fields.find(({ name }) => name === "fee")?.type]).toEqual(["table", "number"]);
    const card = {
      row: { kind, fields: [{ name: "fee", type: "number" as const, description: "" }], maxBytes: 1_000 },
      labels: [],
    };
    const { refused, rows } = rowsOfTable(card, await read(await members()));
    expect(rows.map((row) => new TextDecoder().decode(row))).toEqual(['{"fee":2.3}']);
    expect(refused).toMatchObject([
      { line: 5, unit: "row", field: "fee", why: '"fee" is the error #DIV/0!' },
      { line: 7, field: "fee" },
    ]);
  });

  const harbour = (more: { is1904?: boolean } = {}) =>
    xlsxOf({
      ...more,
      formats: [14],
      sheets: [
        {
          name: "2024",
          rows: [
            sheetRow(1, ["Ships of the harbour"]),
            sheetRow(3, ["ship", "tons"]),
            sheetRow(4, ["Aurora", 1200]),
            sheetRow(5, ["Borealis", 946.5]),
          ].join(""),
        },
        {
          name: "2025",
          rows: sheetRow(1, ["ship", "tons"]) + sheetRow(2, ["Cygnus", 12345678901234567890n]),
        },
        { name: "old", state: "hidden", rows: sheetRow(1, ["ship"]) + sheetRow(2, ["Draco"]) },
        { name: "empty", rows: '<row r="1"><c r="A1" s="1"/></row>' },
      ],
    });

  it("with several sheets asks which, and a title above a table is asked about", async () => {
    const { decisions, notices } = await read(await harbour());
    expect(
      decisions.map(({ isOpen, kind, others, taken }) => [
        kind,
        isOpen,
        taken.name,
        ...others.map(({ name }) => name),
      ]),
    ).toEqual([
      ["sheet", true, "2024", "2025", "old", "all sheets"],
      ["first-line", true, "title", "names"],
    ]);
    expect(notices).toEqual(['book.xlsx: the hidden sheet "old" is left out']);
    const all = await read(await harbour(), { sheet: "all sheets", "first-line": "title" });
    expect(all.rows).toEqual([
      ["Aurora", "#1200"],
      ["Borealis", "#946.5"],
      ["Cygnus", "#12345678901234567890"],
    ]);
    // More digits than a number of 64 bits has are kept.
    expect((await read(await harbour(), { sheet: "2025" })).rows).toEqual([
      ["Cygnus", "#12345678901234567890"],
    ]);
    expect((await read(await harbour(), { sheet: "old" })).rows).toEqual([["Draco"]]);
  });

  it("that is none, is protected, or has more than the limits is refused by name", async () => {
    const why = async (content: Uint8Array, limits = {}) =>
      (await readFiles([{ name: "a.xlsx", content }], { limits })).refused[0]?.why;
    expect(await why(new TextEncoder().encode("no zip"))).toContain("zip");
    expect(await why(new Uint8Array([0xd0, 0xcf, 0x11, 0xe0, 0, 0]))).toContain("password");
    const large = await xlsxOf({ sheets: [{ name: "a", rows: sheetRow(1, ["x".repeat(200_000)]) }] });
    expect(large.length).toBeLessThan(20_000);
    expect(await why(large, { bytes: 100_000 })).toContain("bytes");
    const wide = await xlsxOf({ sheets: [{ name: "a", rows: sheetRow(1, ["a", "b", "c"]) }] });
    expect(await why(wide, { columns: 2 })).toContain("columns");
    const outside = await xlsxOf({
      sheets: [{ name: "a", rows: '<row r="1"><c r="ZZZ1"><v>1</v></c></row>' }],
    });
    expect(await why(outside)).toContain("no cell ZZZ1");
    const broken = await xlsxOf({ sheets: [{ name: "a", rows: "<row><c>" }] });
    expect(await why(broken)).toContain("workbook");
  });
});

describe("formats", () => {
  it.each([
    [0, undefined, "number"],
    [14, undefined, "date"],
    [22, undefined, "moment"],
    [46, undefined, "time"],
    [200, "dd/mm/yyyy", "date"],
    [200, "mmm\\-yy", "date"],
    [200, "[mm]:ss", "time"],
    [200, "h:mm AM/PM", "time"],
    [200, "0.0%", "percent"],
    [200, '0.00" m"', "number"],
    [200, "[Red]#,##0;[Blue]-#,##0", "number"],
    [200, '"day" 0', "number"],
    [200, "000", { zeros: 3 }],
    [200, "General", "number"],
  ] as const)("%i %s shows a %s", (id, code, format) => {
    expect(sheetFormat(id, code)).toEqual(format);
  });

  it("dates are those of both calendars, and days that were none are none", () => {
    expect(isoOfSerial(1, "date", false)).toBe("1900-01-01");
    expect(isoOfSerial(59, "date", false)).toBe("1900-02-28");
    expect(isoOfSerial(60, "date", false)).toBeNull();
    expect(isoOfSerial(61, "date", false)).toBe("1900-03-01");
    expect(isoOfSerial(0, "date", true)).toBe("1904-01-01");
    expect(isoOfSerial(44_775 + 1 / 86_400, "moment", false)).toBe("2022-08-02T00:00:01");
    expect(isoOfSerial(-1, "date", false)).toBeNull();
    expect(["0.125", "1e-7", "12", "-0.5", "1e21", "0"].map((text) => percentOf(Number(text)))).toEqual([
      ...["12.5%", "0.00001%", "1200%", "-50%", "100000000000000000000000%", "0%"],
    ]);
  });
});
