import { expect, it } from "vitest";
import { cutAtSpans } from "./cut-at-spans.ts";

it("cuts a text where spans begin and end, counted in bytes, and names the rarest of each part", () => {
  const text = "äh: one two three four";
  const span = (words: string) => {
    const start = Buffer.byteLength(text.slice(0, text.indexOf(words)));
    return { start, end: start + words.length };
  };
  const spans = [span("two three"), span("one two")];
  const parts = cutAtSpans(text, spans).map((piece) => [piece.text, piece.span]);
  expect(parts).toEqual([
    ["äh: ", null],
    ["one ", 1],
    ["two three", 0],
    [" four", null],
  ]);
  expect(cutAtSpans(text, [])).toEqual([{ from: 0, text, span: null }]);
  expect(cutAtSpans("all", [{ start: 0, end: 3 }])).toEqual([{ from: 0, text: "all", span: 0 }]);
});
