import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { emailContents } from "@openledger/attribution/testing/sample-emails";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../rows/row-digest.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { checkRows } from "./check-rows.ts";

const card = sampleCard({
  row: { kind: "text", fields: [], maxBytes: 60_000 },
  labels: ["ham", "spam"].map((name) => ({ name, description: "" })),
  examples: [],
});
const short = emailContents().filter((content) => content.length < 3_000);
/** Mails in an order that has nothing to do with their labels, both about as common. */
const mails = [0, 1]
  .flatMap((label) => short.filter((content) => content.at(-1) === label).slice(0, 80))
  .map((content) => ({
    label: content.at(-1)!,
    input: new TextDecoder().decode(content.subarray(0, -1)).replace(/\ufffd/g, " "),
    place: sha256Hex(content),
  }))
  .sort((a, b) => (a.place < b.place ? -1 : 1));

const rowOf = (input: string, label: string, contributorId: number) => {
  const content = new TextEncoder().encode(input);
  return { row: sha256Hex(content), contributorId, content, label, acceptedLabel: null, opIndex: 0 };
};

describe("checkRows", () => {
  it("names labels that a model contradicts, more of wrong ones, and few outliers, the same each time", async () => {
    const isWrong = (i: number) => i % 10 === 0;
    const rows = mails.map(({ input, label }, i) => {
      const named = ["ham", "spam"][isWrong(i) ? 1 - label : label]!;
      return { ...rowOf(input, named, 3 + (i % 6)), opIndex: i % 6 };
    });
    const steps: string[] = [];
    const findings = await checkRows({ card, datanetId: 9, rows, foreign: [] }, (step) => steps.push(step));
    expect(steps).toEqual(["rows", "near-duplicates", "other Datanets", "labels"]);
    const position = new Map(rows.map(({ row }, i) => [row, i]));
    const doubted = findings.filter(({ kind }) => kind === "contradicted-label");
    const caught = doubted.filter(({ row }) => isWrong(position.get(row)!));
    expect(caught.length).toBeGreaterThan(8);
    expect(doubted.length - caught.length).toBeLessThan(40);
    expect(caught[0]!.evidence).toMatchObject({ by: "model", without: "contributor", earlier: null });
    expect(caught[0]!.evidence.detail).toMatch(
      /^its label is (ham|spam), a model of the other contributors' rows says (ham|spam); it is right about \d\d % of the rows$/,
    );
    expect(findings.filter(({ kind }) => kind === "outlier").length).toBeLessThanOrEqual(2);
    expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
    expect(await checkRows({ card, datanetId: 9, rows, foreign: [] })).toEqual(findings);
  });

  it("says that a model of one contributor's rows has seen others of theirs", async () => {
    const rows = mails.map(({ input, label }, i) =>
      rowOf(input, ["ham", "spam"][i % 10 === 0 ? 1 - label : label]!, 3),
    );
    const findings = await checkRows({ card, datanetId: 9, rows, foreign: [] });
    const doubted = findings.filter(({ kind }) => kind === "contradicted-label");
    expect(doubted.length).toBeGreaterThan(8);
    for (const { evidence } of doubted) {
      expect(evidence.without).toBe("row");
      expect(evidence.detail).toContain("a model of other rows, the contributor's own among them, says");
    }
  });

  it("contradicts no label where its model knows nothing, or not this label", async () => {
    const random = new SeededRandom("nothing");
    const text = (own: string) =>
      Array.from({ length: 14 }, (_, k) => (k < 5 ? own : "common") + random.nextBelow(k < 5 ? 4 : 90)).join(
        " ",
      );
    // Half of the rows have one label, the others six that no word tells apart: the model says the commonest.
    const lost = Array.from({ length: 90 }, (_, i) =>
      rowOf(text("common"), i % 2 === 0 ? "billing" : `kind ${i % 6}`, 3),
    );
    const nothing = await checkRows({ card, datanetId: 9, rows: lost, foreign: [] });
    expect(nothing.filter(({ kind }) => kind === "contradicted-label")).toEqual([]);
    // Two labels are known by their words; rows of "rare" look like one of them, but one row of "left" does as well.
    const labels = ["left", "right"];
    const known = Array.from({ length: 90 }, (_, i) =>
      rowOf(text(labels[i % 2]!), i % 15 === 7 ? "rare" : labels[i % 2]!, 3),
    );
    const wrong = rowOf(text("right"), "left", 3);
    const some = await checkRows({ card, datanetId: 9, rows: [...known, wrong], foreign: [] });
    const contradicted = some.filter(({ kind }) => kind === "contradicted-label");
    expect(contradicted.map(({ row }) => row)).toEqual([wrong.row]);
  });
});
