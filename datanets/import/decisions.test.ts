/** Places where people's files admit several readings: what is asked, what is said, and what a choice changes. */
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import {
  type Choices,
  Decisions,
  decisionAnswer,
  mergedDecisions,
  parseChoices,
  requireDecided,
  requireKnownChoices,
} from "./decision.ts";
import { proposeCard } from "./propose-card.ts";
import { readFiles } from "./read-files.ts";
import { type Imported, readImport, rowsOfTable } from "./read-import.ts";

const filesOf = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).map(([name, text]) => ({ name, content: new TextEncoder().encode(text) }));
const tableCard = (fields: Readonly<Record<string, "number" | "category" | "text" | "boolean">>) =>
  sampleCard({
    row: {
      kind: "table",
      fields: Object.entries(fields).map(([name, type]) => ({ name, type, description: "" })),
      maxBytes: 2_000,
    },
    labels: [],
    examples: [],
  });
const textCard = (...labels: readonly string[]) =>
  sampleCard({
    row: { kind: "text", fields: [], maxBytes: 2_000 },
    labels: labels.map((name) => ({ name, description: "" })),
    examples: [],
  });
type Rules = Parameters<typeof readImport>[0];
const read = (card: Rules, files: Readonly<Record<string, string>>, choices: Choices = {}) =>
  readImport(card, filesOf(files), {}, { choices });
const rows = (imported: Pick<Imported, "rows">) =>
  imported.rows.map((row) => JSON.parse(new TextDecoder().decode(row)) as Record<string, unknown>);
const column = (imported: Pick<Imported, "rows">, name: string) => rows(imported).map((row) => row[name]);
const open = ({ decisions }: Pick<Imported, "decisions">) =>
  decisions.flatMap((one) => (one.isOpen ? [[one.kind, one.column ?? one.file]] : []));
const said = ({ decisions }: Pick<Imported, "decisions">) =>
  decisions.map(({ cells, kind, seen, taken }) => [kind, seen, cells, taken.name]);

describe("marks of numbers", () => {
  const card = tableCard({ n: "number" });

  it("are asked in a comma file too, thousands first, unless another value tells", async () => {
    const found = await read(card, { "a.csv": 'n,m\n"28,442",a\n323,b\n"5,968",c\n' });
    expect(column(found, "n")).toEqual([28_442, 323, 5_968]);
    expect(said(found)).toEqual([["number-marks", "28,442", 2, "thousands"]]);
    expect(open(found)).toEqual([["number-marks", "n"]]);
    for (const [text, value] of [
      ['n,m\n"28,442",a\n"1,028,442",b\n', 28_442],
      ['n,m\n"28,442",a\n"28,442.50",b\n', 28_442],
      ['n,m\n"28,442",1.5\n"5,968",2.25\n', 28_442],
      ['n,m\n"28,442",a\n"28,4",b\n', 28.442],
    ] as const) {
      const sure = await read(card, { "a.csv": text });
      expect([column(sure, "n")[0], open(sure)], text).toEqual([value, []]);
    }
    const chosen = await read(
      card,
      { "a.csv": 'n,m\n"28,442",a\n323,b\n' },
      { "number-marks:n": "decimals" },
    );
    expect(column(chosen, "n")).toEqual([28.442, 323]);
  });

  it("are asked where three digits stand behind a single one", async () => {
    for (const text of ["n;m\n1.234;a\n946;b\n12.500;c\n", "n;m\n1,234;a\n946;b\n12,500;c\n"]) {
      const found = await read(card, { "a.csv": text });
      expect(open(found), text).toEqual([["number-marks", "n"]]);
      expect(() => requireDecided(found.decisions)).toThrow(
        expect.objectContaining({
          code: "DNT_READING_OPEN",
          message: expect.stringMatching(
            /--read number-marks:n=thousands .*1234\n.*=decimals .*1\.234|=decimals/s,
          ),
        }),
      );
      const thousands = await read(card, { "a.csv": text }, { "number-marks:n": "thousands" });
      expect(column(thousands, "n"), text).toEqual([1_234, 946, 12_500]);
      const decimals = await read(card, { "a.csv": text }, { "number-marks": "decimals" });
      expect(column(decimals, "n"), text).toEqual([1.234, 946, 12.5]);
      expect(open(decimals)).toEqual([]);
    }
  });

  it("follow from other values of the column, or of the file", async () => {
    for (const [text, values] of [
      ["n;m\n1.234;a\n1.234.567;b\n", [1_234, 1_234_567]],
      ["n;m\n1.234;a\n2.602,21;b\n", [1_234, 2_602.21]],
      ["n;m\n1.234;a\n0.500;b\n", [1.234, 0.5]],
      ["n;m\n1.234;a\n12345.678;b\n", [1.234, 12_345.678]],
      ["n;m\n1,234;a\n12.5;b\n", [1_234, 12.5]],
      ["n;m\n1 234;a\n12,5;b\n", [1_234, 12.5]],
      ["n;m\n1'234.50;a\n7;b\n", [1_234.5, 7]],
      ["n;m\n12,34,567;a\n7;b\n", [1_234_567, 7]],
      // The other column has decimal commas.
      ["n;m\n1.234;2,5\n2.000;3,25\n", [1_234, 2_000]],
      ["n;m\n1.234;2.5\n2.000;3.25\n", [1.234, 2]],
    ] as const) {
      const found = await read(card, { "a.csv": text });
      expect([column(found, "n"), open(found)], text).toEqual([values, []]);
    }
    // A comma file whose other column has decimal commas: nobody knows.
    const mixed = await read(card, { "a.csv": 'n,m\n"1,234","2,5"\n"2,000","3,25"\n' });
    expect([column(mixed, "n"), open(mixed)]).toEqual([[1.234, 2], []]);
  });

  it("go with signs, exponents, percent and currencies, which are said", async () => {
    const text = "n;p;c\n.5;12 %;€ 1.234,50\n+5;0,5 %;€ 7,00\n1e3;0;€ 0,10\n5.;100 %;€ 1,00\n";
    const found = await read(tableCard({ n: "number", p: "number", c: "number" }), { "a.csv": text });
    expect(found.refused).toEqual([]);
    expect([column(found, "n"), column(found, "p"), column(found, "c")]).toEqual([
      [0.5, 5, 1_000, 5],
      [12, 0.5, 0, 100],
      [1_234.5, 7, 0.1, 1],
    ]);
    expect(said(found)).toEqual([
      ["number-marks", ".5", 4, "number"],
      ["number-marks", "12 %", 3, "number"],
      ["number-marks", "€ 1.234,50", 4, "number"],
    ]);
    const parts = await read(
      tableCard({ p: "number" }),
      { "a.csv": text },
      { "number-marks:p": "hundredths" },
    );
    expect(column(parts, "p")).toEqual([0.12, 0.005, 0, 1]);
  });

  it("may stand in parentheses where they are negative", async () => {
    const found = await read(card, { "a.csv": 'n,m\n"$1,234.50",a\n($5.00),b\n(-5),c\n' });
    expect([column(found, "n"), found.refused.map(({ line }) => line)]).toEqual([[1_234.5, -5], [4]]);
  });

  it("refuse by line what is another unit, and keep all digits", async () => {
    const found = await read(card, { "a.csv": "n;m\n$ 5;a\n€ 6;b\n$ 7;c\n00123;d\nabc;e\n" });
    expect(column(found, "n")).toEqual([5, 7]);
    expect(found.refused.map(({ line, why }) => [line, why.replace(/:.*/, "")])).toEqual([
      [3, '"n" is no number'],
      [5, '"n" is 00123, which a row\'s number cannot hold'],
      [6, '"n" is no number'],
    ]);
    const long = await read(card, { "a.csv": 'n,m\n"9,007,199,254,740,993",a\n"9,007,199,254,740,991",b\n' });
    expect(column(long, "n")).toEqual([9_007_199_254_740_991]);
    expect(long.refused).toMatchObject([{ line: 2 }]);
  });

  it("are no matter in a field of texts", async () => {
    const found = await read(tableCard({ n: "text" }), { "a.csv": "n;m\n1.234;a\nNA;b\n" });
    expect([column(found, "n"), open(found)]).toEqual([["1.234", null], [["missing-values", "n"]]]);
  });

  it("are one question for several columns and files", async () => {
    const two = tableCard({ a: "number", b: "number" });
    const files = { "x.csv": "a;b\n1.234;2.345\n", "y.csv": "a;b\n9.876;5.432\n" };
    const found = await read(two, files);
    expect(found.decisions).toMatchObject([
      { kind: "number-marks", file: null, column: null, columns: ["a", "b"], cells: 4, isOpen: true },
    ]);
    expect(decisionAnswer(found.decisions[0]!).option).toMatch(/^--read number-marks=/);
    const chosen = await read(
      two,
      files,
      parseChoices(["number-marks:a=thousands", "number-marks:b=decimals"]),
    );
    expect(rows(chosen)).toEqual([
      { a: 1_234, b: 2.345 },
      { a: 9_876, b: 5.432 },
    ]);
    // The printed option answers it, of one file too.
    const one = { "x.csv": "a;b\n1.234;2.345\n" };
    const { option } = decisionAnswer((await read(two, one)).decisions[0]!);
    const answered = await read(two, one, parseChoices([option.replace("--read ", "")]));
    expect([open(answered), rows(answered)]).toEqual([[], [{ a: 1_234, b: 2_345 }]]);
    expect(() =>
      requireKnownChoices(parseChoices([option.replace("--read ", "")]), answered.decisions),
    ).not.toThrow();
    const apart = await read(two, files, { "number-marks:x.csv:a": "thousands", "number-marks": "decimals" });
    expect(column(apart, "a")).toEqual([1_234, 9.876]);
  });
});

describe("more than three questions", () => {
  const fields = { amount: "number", day: "number", city: "category", kind: "category" } as const;
  const text = [
    "amount;day;city;kind",
    "1.250;03/04/2024;Oslo;NA",
    "2.750;05/06/2024;oslo;a",
    "3.500;07/08/2024;Oslo;b",
    "4.125;09/10/2024;Bergen;a",
  ].join("\n");

  it("become three, and one choice answers both halves", async () => {
    const files = { "a.csv": text };
    const found = await read(tableCard(fields), files);
    expect(open(found).map(([kind]) => kind)).toEqual([
      "category-twins",
      "missing-values",
      "number-and-date-forms",
    ]);
    const joint = found.decisions.find(({ kind }) => kind === "number-and-date-forms")!;
    expect([joint.columns, joint.cells, joint.file]).toEqual([["amount", "day"], 8, "a.csv"]);
    const names = [joint.taken, ...joint.others].map(({ name }) => name);
    expect([...names].sort()).toEqual([
      "decimals+day-first",
      "decimals+month-first",
      "thousands+day-first",
      "thousands+month-first",
    ]);
    for (const name of names) {
      const key = decisionAnswer(joint).options.find((option) => option.includes(name))!;
      const choices = parseChoices([key.replace("--read ", "")]);
      const answered = await read(tableCard(fields), files, choices);
      expect(() => requireKnownChoices(choices, answered.decisions)).not.toThrow();
      const [marks, order] = name.split("+");
      // 3 April or 4 March 2024.
      expect([column(answered, "amount")[0], column(answered, "day")[0]], name).toEqual([
        marks === "decimals" ? 1.25 : 1_250,
        order === "day-first" ? 19_816 : 19_786,
      ]);
      expect(open(answered).length, name).toBe(2);
    }
    // What is answered divides no question: the other three stay three.
    const one = await read(tableCard(fields), files, { "category-twins:city": "same" });
    expect(open(one)).toHaveLength(2);
    const apart = await read(tableCard(fields), files, {
      "number-marks": "thousands",
      "date-form": "day-first",
      "missing-values": "value",
      "category-twins": "same",
    });
    expect(open(apart)).toEqual([]);
  });

  it("refuse a reading that is none of the pairs by asking again", async () => {
    const choices = { "number-and-date-forms:a.csv": "decimals+never" };
    const found = await read(tableCard(fields), { "a.csv": text }, choices);
    expect(open(found).map(([kind]) => kind)).toContain("date-form");
    expect(() => requireDecided(found.decisions)).toThrow(
      expect.objectContaining({ code: "DNT_READING_OPEN" }),
    );
    expect(() => requireKnownChoices({ "missing-and-dates": "x" }, found.decisions)).toThrow(
      expect.objectContaining({ code: "DNT_READING_UNKNOWN" }),
    );
  });
});

describe("missing values", () => {
  it("leave a column of numbers one, and are said", async () => {
    const spellings = ["NA", "NaN", "null", "-", "n/a", "", "#N/A", "None", "."];
    const text = `n,m\n${spellings.map((spelling) => `1.5,a\n${spelling},b\n`).join("")}`;
    const found = await read(tableCard({ n: "number" }), { "a.csv": text });
    expect(column(found, "n")).toEqual(spellings.flatMap(() => [1.5, null]));
    expect(said(found)).toEqual([["missing-values", "NA", 8, "missing"]]);
    const { columns } = await readFiles(filesOf({ "a.csv": text }));
    expect(columns[0]).toMatchObject({ name: "n", type: "number" });
  });

  it("are those of NumPy and JSON too, and an infinite number is refused by itself", async () => {
    const found = await read(tableCard({ n: "number" }), {
      "a.jsonl": '{"n":1}\n{"n":"NaN"}\n{"n":null}\n{"n":1e999}\n',
    });
    expect(column(found, "n")).toEqual([1, null, null]);
    expect(found.refused).toMatchObject([{ line: 4 }]);
  });

  it("are asked among categories and texts of CSV, which has no null of its own", async () => {
    const card = tableCard({ continent: "category" });
    const files = { "a.csv": "continent,n\nEU,1\nNA,2\nEU,3\n" };
    const found = await read(card, files);
    expect([column(found, "continent"), said(found), open(found)]).toEqual([
      ["EU", "NA", "EU"],
      [["missing-values", "NA", 1, "value"]],
      [["missing-values", "continent"]],
    ]);
    const none = await read(card, { "a.csv": "continent,n\nEU,1\nnone,2\nEU,3\n" });
    expect([column(none, "continent"), open(none)]).toEqual([["EU", "none", "EU"], []]);
    const lines = await read(card, { "a.jsonl": '{"continent":"NA"}\n{"continent":null}\n' });
    expect([column(lines, "continent"), open(lines)]).toEqual([["NA", null], []]);
    // Where numbers of the file are missing by the same spelling, that comes first.
    const numbers = await read(tableCard({ continent: "text", n: "number" }), {
      "a.csv": "continent,n\nEU,1\nNA,NA\n",
    });
    expect([column(numbers, "continent"), open(numbers)]).toEqual([
      ["EU", null],
      [["missing-values", "continent"]],
    ]);
    const missing = await read(card, files, { "missing-values:continent": "missing" });
    expect(column(missing, "continent")).toEqual(["EU", null, "EU"]);
  });

  it("are asked among the rows of a text Datanet, too", async () => {
    const files = { "a.csv": "text,n\nSun,1\nNA,2\n" };
    const found = await read(textCard("good"), files);
    expect([found.rows.length, open(found)]).toEqual([2, [["missing-values", "text"]]]);
    const missing = await read(textCard("good"), files, { "missing-values:text": "missing" });
    expect([missing.rows.length, missing.refused.map(({ line }) => line)]).toEqual([1, [3]]);
  });

  it("are no labels, unless the card has them", async () => {
    const file = { "a.csv": "text,label\nSun,good\nFog,NA\n" };
    expect((await read(textCard("good", "bad"), file)).labels).toEqual(["good", null]);
    expect((await read(textCard("good", "NA"), file)).labels).toEqual(["good", "NA"]);
  });
});

describe("the first line", () => {
  it("is asked where it seems to be a record", async () => {
    for (const [name, text] of [
      ["mail.tsv", "ham\tGo until jurong\nspam\tFree entry\nham\tOk lar\n"],
      ["mail.csv", "Sun all day long\n".repeat(1) + "Rain tonight\nFog\n".repeat(1)],
      ["iris.csv", "5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,3.3,virginica\n"],
      ["dates.csv", "2024-01-02;Oslo\n2024-02-03;Bergen\n"],
    ] as const) {
      const { decisions } = await readFiles(filesOf({ [name]: text }));
      expect(open({ decisions }), name).toEqual(name === "mail.csv" ? [] : [["first-line", name]]);
    }
    const card = textCard("ham", "spam");
    const files = { "sms.tsv": "spam\tFree entry\nham\tOk lar\n" };
    // A label of the card is no name, though it comes once.
    expect(open(await read(card, files))).toEqual([["first-line", "sms.tsv"]]);
    const chosen = await read(card, files, { "first-line:sms.tsv": "data" });
    expect([chosen.rows.length, chosen.labels, chosen.places[0]]).toEqual([
      2,
      ["spam", "ham"],
      { file: "sms.tsv", line: 1 },
    ]);
    const names = await read(card, files, { "first-line:sms.tsv": "names" });
    expect([names.rows.length, open(names)]).toEqual([1, []]);
  });

  it("is no question where the values below differ from it", async () => {
    for (const text of [
      "age,city\n20,Oslo\n30,Bergen\n",
      "country,2019,2020\nNorway,5,6\nSweden,7,8\n",
      "text,label\nSun all day,good\nRain at night,bad\n",
      "n\n1\n2\n",
      "How satisfied are you with our service this year?,age\n5,20\n4,30\n",
    ])
      expect(open(await readFiles(filesOf({ "a.csv": text }))), text).toEqual([]);
  });

  it("is above the names: titles are asked, comments are said", async () => {
    const card = tableCard({ shop: "category", visits: "number" });
    for (const title of ["Customers 2026,\n", "Customers 2026\n", "Customers 2026\n\n"]) {
      const files = { "a.csv": `${title}shop,visits\nA,1\nB,2\nA,3\n` };
      const found = await read(card, files);
      expect([open(found), column(found, "visits")], title).toEqual([[["first-line", "a.csv"]], [1, 2, 3]]);
      const decided = await read(card, files, { "first-line:a.csv": "title" });
      expect([open(decided), decided.places[0]!.line], title).toEqual([[], title.split("\n").length + 1]);
    }
    const found = await read(card, { "a.csv": "# exported 2026-11-30\n# by hand\nshop,visits\nA,1\nB,2\n" });
    expect([column(found, "visits"), said(found), found.places[0]!.line]).toEqual([
      [1, 2],
      [["comment-lines", "# exported 2026-11-30", 2, "left-out"]],
      4,
    ]);
    const hash = await read(tableCard({ visits: "number" }), { "a.tsv": "#shop\tvisits\nA\t1\nB\t2\n" });
    expect([column(hash, "visits"), hash.decisions]).toEqual([[1, 2], []]);
  });

  it("has units below or above it, which are asked", async () => {
    const card = tableCard({ weight: "number", height: "number" });
    const below = { "a.csv": "name,weight,height\n,kg,cm\nAnn,60,170\nBen,80,180\n" };
    const found = await read(card, below);
    expect([open(found), column(found, "weight")]).toEqual([[["first-line", "a.csv"]], [60, 80]]);
    const above = await read(card, { "b.csv": ",kg,cm\nname,weight,height\nAnn,60,170\nBen,80,180\n" });
    expect([open(above), column(above, "height")]).toEqual([[["first-line", "b.csv"]], [170, 180]]);
    const data = await read(card, below, { "first-line": "names" });
    expect([column(data, "weight"), data.refused.map(({ line }) => line)]).toEqual([[60, 80], [2]]);
  });

  it("comes once more in files that were put together", async () => {
    const found = await read(tableCard({ visits: "number" }), {
      "a.csv": "shop,visits\nA,1\nshop,visits\nB,2\n",
    });
    expect([column(found, "visits"), found.refused, said(found)]).toEqual([
      [1, 2],
      [],
      [["comment-lines", "shop, visits", 1, "left-out"]],
    ]);
  });

  it("lacks the name of R's row names, or has nothing behind a last separator", async () => {
    const card = tableCard({ visits: "number" });
    const rowNames = await read(card, { "a.csv": "shop,visits\n1,A,1\n2,B,2\n" });
    expect([column(rowNames, "visits"), rowNames.refused]).toEqual([[1, 2], []]);
    const ended = await read(card, { "a.csv": "shop,visits\nA,1,\nB,2,\n" });
    expect([column(ended, "visits"), ended.refused]).toEqual([[1, 2], []]);
  });
});

describe("dates", () => {
  it("are days, months or weekdays where a field is a number", async () => {
    const card = tableCard({ when: "number" });
    const files = { "a.csv": "when,n\n1970-01-01,1\n2021-08-02,2\n1969-12-31,3\n2024-02-29,4\n" };
    expect(column(await read(card, files), "when")).toEqual([0, 18_841, -1, 19_782]);
    for (const [part, values] of [
      ["month", [1, 8, 12, 2]],
      ["weekday", [4, 1, 3, 4]],
    ] as const)
      expect(column(await read(card, files, { "date-form:when": part }), "when"), part).toEqual(values);
    const text = await read(tableCard({ when: "text" }), files);
    expect([column(text, "when")[1], text.decisions]).toEqual(["2021-08-02", []]);
  });

  it("are asked where day and month may be either", async () => {
    const card = tableCard({ when: "number" });
    const files = { "a.csv": "when;n\n02.03.2024;1\n05.05.2024;2\n" };
    expect(open(await read(card, files))).toEqual([["date-form", "when"]]);
    const [day] = column(await read(card, files, { "date-form:when": "day-first" }), "when");
    const [month] = column(await read(card, files, { "date-form:when": "month-first" }), "when");
    expect([day, month]).toEqual([19_784, 19_756]);
    const clear = await read(card, { "a.csv": "when;n\n02.03.2024;1\n31.03.2024;2\n" });
    expect([open(clear), column(clear, "when")]).toEqual([[], [19_784, 19_813]]);
  });
});

describe("labels that look the same", () => {
  it("are one: blanks around them, and Unicode forms", async () => {
    const [composed, decomposed] = ["café", "cafe\u0301"];
    const file = { "a.csv": `text,label\nSun,ham \nRain,${decomposed}\nFog,${composed}\n` };
    const found = await read(textCard("ham", composed), file);
    expect([found.labels, open(found)]).toEqual([["ham", composed, composed], []]);
    expect(said(found)).toEqual([["label-twins", "ham ", 2, "tidy"]]);
    const proposal = proposeCard(await readFiles(filesOf(file)), null);
    expect(proposal.labels).toEqual(["ham", composed]);
  });

  it("are asked where capitals or joined names differ", async () => {
    const files = { "a.csv": "text,label\nSun,Yes\nRain,yes\nFog,no\nIce,yes\n" };
    const proposal = proposeCard(await readFiles(filesOf(files)), null);
    expect([open(proposal), proposal.labels.length]).toEqual([[["label-twins", "label"]], 2]);
    const two = proposeCard(await readFiles(filesOf(files)), null, { "label-twins:label": "different" });
    expect(two.labels).toEqual(["Yes", "yes", "no"]);
    const read3 = await read(textCard("yes", "no"), files);
    expect(open(read3)).toEqual([["label-twins", "label"]]);
    const same = await read(textCard("yes", "no"), files, { "label-twins": "same" });
    expect(same.labels).toEqual(["yes", "yes", "no", "yes"]);
    const apart = await read(textCard("yes", "no"), files, { "label-twins": "different" });
    expect(apart.refused).toMatchObject([{ line: 2, field: "label" }]);
    const joined = { "a.csv": "text,label\nSun,spam\nRain,urgent\nFog,spam#urgent\nIce,urgent#spam\n" };
    expect(open(proposeCard(await readFiles(filesOf(joined)), null))).toEqual([["label-twins", "label"]]);
  });

  it("are categories too", async () => {
    const card = tableCard({ city: "category" });
    const found = await read(card, { "a.csv": "city,n\nOslo ,1\nOslo,2\n" });
    expect([column(found, "city"), said(found)]).toEqual([
      ["Oslo", "Oslo"],
      [["category-twins", "Oslo ", 1, "tidy"]],
    ]);
    const files = { "a.csv": "city,n\nBergen,1\nbergen,2\nBergen,3\n" };
    expect(open(await read(card, files))).toEqual([["category-twins", "city"]]);
    expect(column(await read(card, files, { "category-twins:city": "same" }), "city")).toEqual([
      "Bergen",
      "Bergen",
      "Bergen",
    ]);
  });
});

describe("columns of a new Datanet", () => {
  const texts = (head: string, row: (i: number) => string) =>
    [head, ...Array.from({ length: 12 }, (_, i) => row(i))].join("\n");
  const labelled = (i: number) => `The weather of day ${i} was fine,${i % 2 === 0 ? "good" : "bad"}`;

  it("are a text with its label, whatever numbers the rows", async () => {
    for (const [name, text] of [
      ["pandas", texts(",text,label", (i) => `${i},${labelled(i)}`)],
      ["R", texts('"",text,label', (i) => `"${i + 1}",${labelled(i)}`)],
      ["shuffled", texts(",text,label", (i) => `${(i * 5) % 12},${labelled(i)}`)],
      ["Kaggle", texts("id,text,label", (i) => `${100 + 7 * i},${labelled(i)}`)],
      ["camel", texts("reviewId,text,label", (i) => `r${i},${labelled(i)}`)],
      ["read again", texts("Unnamed: 0,text,label", (i) => `${i},${labelled(i)}`)],
    ] as const) {
      const proposal = proposeCard(await readFiles(filesOf({ "a.csv": text })), null);
      expect([proposal.kind, proposal.labels], name).toEqual(["text", ["good", "bad"]]);
      expect(
        proposal.decisions.map(({ kind, taken }) => [kind, taken.name]),
        name,
      ).toEqual([["columns-left-out", "left-out"]]);
      const { labels, row } = {
        labels: proposal.labels.map((label) => ({ name: label, description: "" })),
        row: { kind: "text" as const, fields: [], maxBytes: 1_000 },
      };
      const table = await readFiles(filesOf({ "a.csv": text }));
      expect(rowsOfTable({ labels, row }, table, proposal.mapping).labels.slice(0, 2), name).toEqual([
        "good",
        "bad",
      ]);
    }
    const kept = await readFiles(filesOf({ "a.csv": texts("id,text,label", (i) => `${i},${labelled(i)}`) }));
    expect(proposeCard(kept, null, { "columns-left-out:id": "field" }).kind).toBe("table");
  });

  it("keep numbers that are none of the rows, and say which tells the label by itself", async () => {
    const lines = Array.from({ length: 20 }, (_, i) => {
      const isGone = i % 4 === 0;
      return `${20 + ((i * 3) % 11)},${isGone ? "churned" : "active"},${(i * 7) % 5},${isGone ? "yes" : "no"}`;
    });
    const table = await readFiles(filesOf({ "a.csv": ["age,status,visits,left", ...lines].join("\n") }));
    const { decisions, fields, target } = proposeCard(table, null);
    expect([fields.map(({ name }) => name), target]).toEqual([["age", "status", "visits"], "left"]);
    expect(decisions).toMatchObject([
      { kind: "columns-left-out", column: "status", taken: { name: "field" }, isOpen: false },
    ]);
  });

  it("are proposed with 77 labels, as a set of intents has", async () => {
    const lines = Array.from({ length: 231 }, (_, i) => `Please help me with matter ${i},intent ${i % 77}`);
    const { kind, labels } = proposeCard(
      await readFiles(filesOf({ "a.csv": ["text,label", ...lines].join("\n") })),
      null,
    );
    expect([kind, labels.length]).toEqual(["text", 77]);
  });
});

describe("a choice", () => {
  it("of an unknown reading or of no decision is refused", async () => {
    const card = tableCard({ n: "number" });
    const files = { "a.csv": "n;m\n1.234;a\n" };
    const refusal = expect.objectContaining({ code: "DNT_READING_UNKNOWN" });
    await expect(read(card, files, { "number-marks:n": "hundreds" })).rejects.toThrow(refusal);
    const { decisions } = await read(card, files);
    expect(() => requireKnownChoices({ "number-marks:m": "thousands" }, decisions)).toThrow(refusal);
    expect(() => requireKnownChoices({ "number-marks:n": "thousands" }, decisions)).not.toThrow();
    for (const pairs of [["number-marks"], ["=x"], ["a=b", "a=c"]])
      expect(() => parseChoices(pairs), pairs.join()).toThrow(refusal);
    await expect(
      read(textCard("ham"), { "a.tsv": "ham\tx\n" }, { "first-line:a.tsv": "x" }),
    ).resolves.toBeDefined();
    await expect(
      read(textCard("ham"), { "a.tsv": "ham\tx y\nspam\tz\n" }, { "first-line:a.tsv": "x" }),
    ).rejects.toThrow(refusal);
  });

  it("is one question where several files ask the same, and two where their readings differ", () => {
    const decisions = new Decisions({ "first-line:c.csv": "names" });
    const readings = [
      { name: "names", text: "names" },
      { name: "data", text: "data" },
    ] as const;
    const ask = (file: string) =>
      decisions.decide({
        kind: "first-line",
        file,
        column: null,
        cells: 1,
        seen: file,
        readings,
        isUnclear: true,
      });
    expect([ask("a.csv"), ask("b.csv"), ask("c.csv")]).toEqual(["names", "names", "names"]);
    expect(decisions.list).toMatchObject([
      { file: null, cells: 2, isOpen: true },
      { file: "c.csv", isOpen: false },
    ]);
    const other = { ...decisions.list[0]!, others: [{ name: "title", text: "a title" }] };
    expect(mergedDecisions([decisions.list[0]!, other])).toHaveLength(2);
  });
});

it("a column whose numbers go up by one is said to number the records, and may be left out", async () => {
  const fileOf = (numbers: readonly number[]) => [
    {
      name: "orders.csv",
      content: new TextEncoder().encode(
        `order,spent,back\n${numbers.map((n, i) => `${n},${[12, 7, 9, 30, 4, 8][i]},${i % 2 === 0 ? "yes" : "no"}\n`).join("")}`,
      ),
    },
  ];
  const said = async (numbers: readonly number[], choices: Choices = {}) => {
    const { decisions, fields } = proposeCard(await readFiles(fileOf(numbers), { choices }), null, choices);
    return [
      fields.map(({ name }) => name).includes("order"),
      decisions.flatMap(({ column, isOpen, kind, taken }) =>
        kind === "columns-left-out" && column === "order" ? [[taken.name, isOpen]] : [],
      ),
    ];
  };
  const counted = [1001, 1002, 1003, 1004, 1005, 1006];
  expect(await said(counted)).toEqual([true, [["field", false]]]);
  expect(await said(counted, { "columns-left-out:order": "left-out" })).toEqual([
    false,
    [["left-out", false]],
  ]);
  expect(await said([1001, 1002, 1003, 1004, 1006, 1007])).toEqual([true, []]);
});
