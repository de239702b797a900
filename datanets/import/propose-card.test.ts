/** Tests of a card's proposal: what a new Datanet's form takes from people's files. */
import { expect, it } from "vitest";
import { proposeCard, withTarget } from "./propose-card.ts";
import { readFiles } from "./read-files.ts";

const read = (files: Readonly<Record<string, string | Uint8Array>>) =>
  readFiles(
    Object.entries(files).map(([name, content]) => ({
      name,
      content: typeof content === "string" ? new TextEncoder().encode(content) : content,
    })),
  );
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 255]);

it("takes texts and their labels, in the order in which they come", async () => {
  const table = await read({
    "clauses.csv": 'clause;label\n"Ends; at noon";end\nPays;pay\nEnds again;end\n',
  });
  expect(proposeCard(table, null)).toMatchObject({ kind: "text", fields: [], labels: ["end", "pay"] });
});

it("takes a text and a column of few names as texts with labels, whatever the columns are called", async () => {
  const lines = Array.from(
    { length: 12 },
    (_, i) => `${["pays", "ends", "liable"][i % 3]};"Clause ${i}; it holds."`,
  );
  const table = await read({ "clauses.csv": ["type;clause", ...lines].join("\n") });
  const texts = { kind: "text", fields: [], labels: ["pays", "ends", "liable"], target: null };
  expect(proposeCard(table, null)).toMatchObject(texts);
  expect(proposeCard(table, "text")).toMatchObject(texts);
  const numbers = await read({
    "rooms.csv": ["place;beds", ...lines.map((_, i) => `Room ${i};${i % 2}`)].join("\n"),
  });
  expect(proposeCard(numbers, null)).toMatchObject({ kind: "table", target: "beds" });
});

it("takes a table's fields with their types, and no column of one value as labels", async () => {
  const lines = Array.from(
    { length: 30 },
    (_, i) => `${i};${i % 2 === 0 ? "Oslo" : "Bergen"};${i},5;note ${i};no`,
  );
  const table = await read({ "customers.csv": ["age;city;spend;note;class", ...lines].join("\n") });
  expect(proposeCard(table, null)).toMatchObject({
    kind: "table",
    fields: [
      { name: "age", type: "number" },
      { name: "city", type: "category" },
      { name: "spend", type: "number" },
      { name: "note", type: "text" },
      { name: "class", type: "category" },
    ],
    labels: [],
    targets: [{ name: "city", labels: ["Oslo", "Bergen"] }],
    target: null,
  });
});

it("proposes to predict a table's last column of few values, or another one", async () => {
  const lines = Array.from({ length: 12 }, (_, i) => `${20 + i};${i % 3};${i % 2 === 0 ? "yes" : "no"}`);
  const proposal = proposeCard(
    await read({ "customers.csv": ["age;visits;churned", ...lines].join("\n") }),
    null,
  );
  const [age, visits, churned] = [
    { name: "age", type: "number" },
    { name: "visits", type: "number" },
    { name: "churned", type: "category" },
  ];
  expect(proposal).toMatchObject({ target: "churned", labels: ["yes", "no"], fields: [age, visits] });
  expect(withTarget(proposal, "visits")).toMatchObject({ labels: ["0", "1", "2"], fields: [age, churned] });
  expect(withTarget(proposal, null)).toMatchObject({ labels: [], fields: [age, visits, churned] });
});

it("takes pictures, whose folders are their labels", async () => {
  const table = await read({ "p/cold/1.png": PNG, "p/warm/2.png": Uint8Array.from([...PNG, 1]) });
  expect(proposeCard(table, null)).toMatchObject({ kind: "image", fields: [], labels: ["cold", "warm"] });
});

it("takes questions with answers as passages", async () => {
  const table = await read({ "faq.jsonl": '{"question":"Why?","answer":"So."}\n' });
  expect(proposeCard(table, null)).toMatchObject({ kind: "passage", fields: [], labels: [] });
});

it("follows the kind that somebody has chosen", async () => {
  const table = await read({ "a.csv": "text,label\nSun,good\nRain,bad\n" });
  expect(proposeCard(table, "table")).toMatchObject({
    kind: "table",
    fields: [{ name: "text", type: "text" }],
    labels: ["good", "bad"],
  });
});

it("takes no column of many values as labels", async () => {
  const lines = Array.from({ length: 60 }, (_, i) => `text ${i},label ${i}`);
  const { kind, labels } = proposeCard(await read({ "a.csv": ["text,label", ...lines].join("\n") }), null);
  expect([kind, labels]).toEqual(["table", []]);
});
