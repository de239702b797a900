import { describe, expect, it } from "vitest";
import { rowLine } from "./row-line.ts";
import { decodeTextRow, encodeTextRow, isTextRow, type TextRow, turnOf, wholeText } from "./text-rows.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const invalid = expect.objectContaining({ code: "ATT_ROW_INVALID" });

describe("rows of texts", () => {
  const conversation: TextRow = {
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Who?" },
      { role: "assistant", content: "I" },
    ],
  };

  it.each<TextRow>([{ text: "The state of\nour union" }, { prompt: "Who?", answer: "“I”" }, conversation])(
    "come back as they were written: %o",
    (row) => {
      const content = encodeTextRow(row);
      expect(decodeTextRow(content)).toEqual(row);
      expect(isTextRow(content)).toBe(true);
    },
  );

  it.each([
    '{"text": "a"}',
    '{"text":""}',
    '{"text":"a","more":1}',
    '{"answer":"a","prompt":"b"}',
    '{"prompt":"a"}',
    '{"text":"\\ud800"}',
    '{"messages":[]}',
    '{"messages":[null]}',
    '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}',
    '{"messages":[{"role":"system","content":"a"},{"role":"user","content":"b"}]}',
    '{"messages":[{"role":"tool","content":"a"},{"role":"assistant","content":"b"}]}',
    '{"messages":[{"role":"system","content":""},{"role":"assistant","content":"b"}]}',
    '{"messages":[{"content":"a","role":"system"},{"role":"assistant","content":"b"}]}',
    '{"messages":[{"role":"system","content":"a","name":"n"},{"role":"assistant","content":"b"}]}',
    "null",
    "[]",
    "text",
  ])("have one spelling, so %s is refused", (text) => {
    expect(() => decodeTextRow(bytes(text))).toThrow(invalid);
  });

  it("are read up to the last answer", () => {
    expect(turnOf(conversation)).toEqual({ prompt: "Be brief.\n\nWho?", answer: "I" });
    expect(turnOf({ prompt: "Who?", answer: "I" })).toEqual({ prompt: "Who?", answer: "I" });
    expect(turnOf({ text: "Who?" })).toBe(null);
    expect(wholeText(conversation)).toBe("Be brief.\nWho?\nI");
  });

  it("are shown on one line, as are texts, tables and pictures", () => {
    expect(rowLine(encodeTextRow({ text: "one\n two  three" }), 10)).toBe("one two th");
    expect(rowLine(encodeTextRow({ prompt: "Who?", answer: "I" }), 40)).toBe("Who? I");
    expect(rowLine(bytes("buy\nnow"), 40)).toBe("buy now");
    expect(rowLine(bytes('{"age":48,"city":"Oslo","note":null}'), 40)).toBe("age: 48, city: Oslo");
    expect(rowLine(bytes('{"age":[48]}'), 40)).toBe('{"age":[48]}');
    expect(rowLine(bytes('{"text": half a'), 40)).toBe('{"text": half a');
    expect(rowLine(Uint8Array.of(0x89, 0x50, 0x4e), 40)).toBe("3 bytes that are no text");
  });
});
