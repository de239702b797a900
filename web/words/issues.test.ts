import { cardSchema } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { expect, it } from "vitest";
import { sayIssue } from "./issues.ts";

const card = sampleCard();

it.each([
  ["name", { name: "" }, "Enter a value."],
  ["name", { name: "x".repeat(101) }, "Enter at most 100 characters."],
  [
    "languages.0",
    { languages: ["English"] },
    'Enter language codes separated by commas, such as "en, pt-BR".',
  ],
  ["row.maxBytes", { row: { ...card.row, maxBytes: Number.NaN } }, "Enter a whole number."],
  ["row.maxBytes", { row: { ...card.row, maxBytes: 0 } }, "Enter at least 1."],
  [
    "labelling.labellers",
    { labelling: { ...card.labelling, labellers: [Number.NaN] } },
    "Enter account numbers separated by commas, or leave it empty.",
  ],
  ["access", { access: "" }, "Choose one from the list."],
  [
    "row.fields.0.type",
    { row: { ...card.row, fields: [{ name: "age", type: "date", description: "" }] } },
    "Use one of these types: number, category, text, boolean.",
  ],
  ["labels", { labels: [card.labels[0], card.labels[0]], examples: [] }, "It has a name twice."],
])("%s of %j: %s", (path, change, sentence) => {
  const { error } = cardSchema.safeParse({ ...card, ...change });
  const said = error!.issues.map((issue) => [issue.path.join("."), sayIssue(issue)]);
  expect(said).toContainEqual([path, sentence]);
});
