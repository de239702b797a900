import { describe, expect, it } from "vitest";
import { decodeRow, encodeRow } from "./row-content.ts";
import { rowsFromJsonLines } from "./rows-from-lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("rowsFromJsonLines", () => {
  it("takes e-mails and digits, and stores them in their one spelling", () => {
    const pixels = Buffer.alloc(784, 7).toString("base64");
    const file = `{"text": "free money",  "label": "spam"}\r\n\n{"label":"7","pixels":"${pixels}"}\n`;
    const [mail, digit] = rowsFromJsonLines(bytes(file), "rows.jsonl");
    expect(mail).toEqual(encodeRow("email", { label: 1, input: "free money" }));
    expect(decodeRow("digit", digit!)).toEqual({ label: 7, input: pixels });
  });

  it.each([
    ["no JSON", "{label", "rows.jsonl:2 is not JSON"],
    ["no label of the kind", '{"label":"7","text":"x"}', "rows.jsonl:2 needs a label"],
    ["no input", '{"label":"spam"}', "rows.jsonl:2 needs a label"],
  ])("names the line that is %s", (_why, line, message) => {
    const file = `{"label":"ham","text":"hello"}\n${line}\n`;
    expect(() => rowsFromJsonLines(bytes(file), "rows.jsonl")).toThrow(message);
  });
});
