/** Text files: one row or many is asked, and fastText's lines come with their labels. */
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import type { Choices } from "./decision.ts";
import type { FileFormat } from "./import-file.ts";
import { readImport } from "./read-import.ts";

const textCard = (...labels: readonly string[]) =>
  sampleCard({
    row: { kind: "text", fields: [], maxBytes: 20_000 },
    labels: labels.map((name) => ({ name, description: "" })),
    examples: [],
  });

async function read(files: Readonly<Record<string, string>>, choices: Choices = {}, format?: FileFormat) {
  const list = Object.entries(files).map(([name, text]) => ({
    name,
    content: new TextEncoder().encode(text),
    ...(format === undefined ? {} : { format }),
  }));
  const found = await readImport(textCard("spam", "ham"), list, {}, { choices });
  return {
    rows: found.rows.map((row) => new TextDecoder().decode(row)),
    labels: found.labels,
    refused: found.refused.map(({ line, why }) => [line, why]),
    open: found.decisions.flatMap(({ file, isOpen, kind }) => (isOpen ? [[kind, file]] : [])),
    said: found.decisions.flatMap(({ cells, isOpen, kind, taken }) =>
      isOpen ? [] : [[kind, cells, taken.name]],
    ),
  };
}

describe("a text file", () => {
  const reviews = Array.from({ length: 500 }, (_, i) => `Review ${i} was fine.`).join("\n");

  it("of many lines is one row or many: it is asked", async () => {
    const found = await read({ "reviews.txt": reviews });
    expect([found.rows.length, found.open]).toEqual([1, [["row-unit", "reviews.txt"]]]);
    const lines = await read({ "reviews.txt": reviews }, { "row-unit:reviews.txt": "lines" });
    expect([lines.rows.length, lines.rows[499], lines.open]).toEqual([500, "Review 499 was fine.", []]);
    const whole = await read({ "reviews.txt": reviews }, { "row-unit": "whole" });
    expect([whole.rows.length, whole.open]).toEqual([1, []]);
    const stanzas = Array.from({ length: 30 }, (_, i) => `Line ${i}\nof a poem.`).join("\n\n");
    expect((await read({ "poem.txt": stanzas }, { "row-unit": "paragraphs" })).rows.length).toBe(30);
  });

  it("is no question where a person has named the format, of a few lines, and of many files", async () => {
    expect(await read({ "reviews.txt": reviews }, {}, "lines")).toMatchObject({ open: [], said: [] });
    expect((await read({ "mail.eml": reviews })).open).toEqual([]);
    const letter = await read({ "letter.txt": "Dear club,\n\nI leave.\n" });
    expect([letter.rows.length, letter.open, letter.said]).toEqual([1, [], [["row-unit", 2, "whole"]]]);
    const many = await read(
      Object.fromEntries(
        ["a", "b", "c", "d"].map((name) => [`${name}.txt`, reviews.replaceAll("Review", name)]),
      ),
    );
    expect([many.rows.length, many.open]).toEqual([4, []]);
  });
});

describe("fastText's lines", () => {
  it("have their labels, in every format of a text", async () => {
    const text = "__label__spam Win a cruise now\n__label__ham See you at noon\n";
    for (const format of [undefined, "lines", "whole"] as const)
      expect(await read({ "train.txt": text }, {}, format)).toEqual({
        rows: ["Win a cruise now", "See you at noon"],
        labels: ["spam", "ham"],
        refused: [],
        open: [],
        said: [["tool-records", 2, "tool"]],
      });
    const plain = await read({ "train.txt": text }, { "tool-records:train.txt": "plain" }, "lines");
    expect(plain.rows[0]).toBe("__label__spam Win a cruise now");
  });

  it("with several labels, or none, are refused by line; one text that speaks of them is a text", async () => {
    const found = await read({
      "train.ft.txt":
        "__label__spam Win\n__label__spam __label__ham Both\nNone at all\n__label__ham Lunch __label__ham\n",
    });
    expect(found.rows).toEqual(["Win"]);
    expect(found.refused.map(([line]) => line)).toEqual([3, 2, 4]);
    const text = await read({
      "note.txt": "fastText wants lines.\nEach begins with a label:\n__label__spam Win\nand so on.\n",
    });
    expect(text.rows.length).toBe(1);
  });
});
