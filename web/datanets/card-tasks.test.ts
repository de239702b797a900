import { nameCard } from "@openledger/datanets/card/card";
import { expect, it } from "vitest";
import { cardOfDraft, EMPTY_DRAFT } from "./card-draft.ts";
import { sayNoLabels, sayUse, TASK_NAMES, withTask } from "./card-tasks.ts";

const DRAFT = {
  ...EMPTY_DRAFT,
  name: "Clouds",
  description: "What they are called.",
  contact: "a@b.example",
  licence: "CC0-1.0",
  access: "public" as const,
};

it("presets what a row is, and leaves what somebody has written", () => {
  const pictures = withTask(DRAFT, "sort-pictures");
  expect(pictures).toMatchObject({ name: "Clouds", kind: "image", maxBytes: "3145728" });
  expect(withTask(pictures, "answer-questions")).toMatchObject({ kind: "passage", maxBytes: "20000" });
  expect(withTask({ ...DRAFT, maxBytes: "777" }, "sort-pictures").maxBytes).toBe("777");
});

it("leads to a card, of a table with its fields", () => {
  for (const name of TASK_NAMES) {
    const draft = withTask(DRAFT, name);
    const fields = draft.kind === "table" ? "age | number | in years" : "";
    expect(nameCard(cardOfDraft({ ...draft, fields }, null)).card.row.kind, name).toBe(draft.kind);
  }
});

it("says what rows become, and what no labels mean", () => {
  expect(sayUse("text")).toMatch(/classifier/);
  expect(sayUse("passage")).toMatch(/language model/);
  expect(sayNoLabels({ kind: "text", labels: "" })).toMatch(/two labels/);
  expect(sayNoLabels({ kind: "table", labels: "" })).toMatch(/something to predict/);
  expect(sayNoLabels({ kind: "passage", labels: " " })).toMatch(/optional/);
  expect(sayNoLabels({ kind: "text", labels: "good" })).toBeNull();
});
