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
const mails = emailContents()
  .filter((content) => content.length < 3_000)
  .slice(0, 160)
  .map((content) => ({
    label: content.at(-1)!,
    input: new TextDecoder().decode(content.subarray(0, -1)).replace(/\ufffd/g, " "),
  }));

describe("checkRows", () => {
  it("names labels that a model contradicts, more of wrong ones, and few outliers, the same each time", async () => {
    const isWrong = (i: number) => i % 10 === 0;
    const rows = mails.map(({ input, label }, i) => {
      const content = new TextEncoder().encode(input);
      return {
        row: sha256Hex(content),
        contributorId: 3 + (i % 6),
        content,
        label: ["ham", "spam"][isWrong(i) ? 1 - label : label]!,
        acceptedLabel: null,
        opIndex: i % 6,
      };
    });
    const steps: string[] = [];
    const findings = await checkRows({ card, datanetId: 9, rows, foreign: [] }, (step) => steps.push(step));
    expect(steps).toEqual(["rows", "near-duplicates", "other Datanets", "labels"]);
    const position = new Map(rows.map(({ row }, i) => [row, i]));
    const doubted = findings.filter(({ kind }) => kind === "contradicted-label");
    const caught = doubted.filter(({ row }) => isWrong(position.get(row)!));
    expect(caught.length).toBeGreaterThan(8);
    expect(doubted.length - caught.length).toBeLessThan(40);
    expect(caught[0]!.evidence).toMatchObject({ by: "model", earlier: null });
    expect(findings.filter(({ kind }) => kind === "outlier").length).toBeLessThanOrEqual(2);
    expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
    expect(await checkRows({ card, datanetId: 9, rows, foreign: [] })).toEqual(findings);
  });
});
