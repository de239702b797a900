import { describe, expect, it } from "vitest";
import { sampleInputs } from "../testing/sample-rows.ts";
import { decodeRow, encodeRow } from "./row-content.ts";

const code = (name: string) => expect.objectContaining({ code: name });

describe("row contents", () => {
  it("come back as they were written", () => {
    for (const row of sampleInputs("email", 30, "back")) {
      expect(decodeRow("email", encodeRow("email", row))).toEqual(row);
    }
    const [digit] = sampleInputs("digit", 1, "back");
    expect(decodeRow("digit", encodeRow("digit", digit!))).toEqual(digit);
  });

  it("have one spelling", () => {
    const wrong = [
      '{"label":"spam", "text":"a"}',
      '{"text":"a","label":"spam"}',
      '{"label":"spam","text":"\\u0061"}',
      '{"label":"spam","text":"a","more":1}',
      '{"label":1,"text":"a"}',
      '{"label":"eggs","text":"a"}',
      '{"label":"spam","text":" "}',
      "null",
      "\ufeff{}",
    ];
    for (const text of wrong) {
      expect(() => decodeRow("email", Buffer.from(text)), text).toThrow(code("ATT_ROW_INVALID"));
    }
    expect(decodeRow("email", Buffer.from('{"label":"spam","text":"a"}'))).toEqual({ label: 1, input: "a" });
    expect(() => decodeRow("digit", Buffer.from('{"label":"3","pixels":"AAAA"}'))).toThrow(
      code("ATT_ROW_INVALID"),
    );
    expect(() => encodeRow("email", { label: 0, input: "x".repeat(70_000) })).toThrow(
      code("ATT_ROW_INVALID"),
    );
    expect(() => encodeRow("email", { label: 0, input: "\ud800" })).toThrow(code("ATT_ROW_INVALID"));
  });
});
