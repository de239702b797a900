import { atOnce, inSlices } from "@openledger/foundation/slices";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { expect, it } from "vitest";
import { saltRow } from "../rows/salted-rows.ts";
import { encodeTextRow } from "../rows/text-rows.ts";
import { findSpans, MIN_SPAN_CHARACTERS, SPAN_LIMITS } from "./verbatim-spans.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const rowsOf = (texts: readonly string[]) => texts.map((text) => ({ content: utf8(text) }));
const find = (answer: string, texts: readonly string[]) => atOnce(findSpans(answer, rowsOf(texts)));
const charactersOf = (part: Uint8Array) => [...new TextDecoder().decode(part)].length;
const isWhole = (bytes: Uint8Array, at: number) => at === bytes.length || (bytes[at]! & 0xc0) !== 0x80;

/** Spans by the definition: every part of whole characters, compared with every row. */
function byDefinition(texts: readonly string[], answer: string) {
  const bytes = Buffer.from(answer);
  const rows = texts.map((text) => Buffer.from(text));
  const found: { start: number; end: number; rowCount: number }[] = [];
  for (let start = 0; start < bytes.length; start++) {
    for (let end = bytes.length; end > start; end--) {
      if (!isWhole(bytes, start) || !isWhole(bytes, end)) continue;
      if (charactersOf(bytes.subarray(start, end)) < MIN_SPAN_CHARACTERS) break;
      if (found.some((span) => span.start <= start && end <= span.end)) break;
      const rowCount = rows.filter((row) => row.includes(bytes.subarray(start, end))).length;
      if (rowCount === 0) continue;
      found.push({ start, end, rowCount });
      break;
    }
  }
  return found;
}

const inOrder = (spans: readonly { start: number; end: number; rowCount: number }[]) =>
  spans.map(({ end, rowCount, start }) => ({ start, end, rowCount })).sort((a, b) => a.start - b.start);

const piece = fc.string({
  unit: fc.constantFrom("a", "b", "ä", "é", "€", "😀"),
  minLength: 1,
  maxLength: 14,
});
/** Rows, and an answer of slices of them with a little between. */
const rowsAndAnswer = fc
  .array(fc.array(piece, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 })
  .chain((rows) => {
    const texts = rows.map((pieces) => pieces.join(""));
    const slice = fc
      .tuple(fc.nat(texts.length - 1), fc.nat(200), fc.nat(90))
      .map(([row, from, size]) => [...texts[row]!].slice(from % 40, (from % 40) + size).join(""));
    const answer = fc
      .array(fc.oneof(slice, slice, piece), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join(""));
    return fc.record({ texts: fc.constant(texts), answer });
  });

it("finds what a comparison with every row finds, with the number of rows", () => {
  let spanCount = 0;
  fc.assert(
    fc.property(rowsAndAnswer, ({ answer, texts }) => {
      const { searchedRowCount, spans } = find(answer, texts);
      expect(searchedRowCount).toBe(texts.length);
      expect(inOrder(spans)).toEqual(byDefinition(texts, answer));
      for (const { end, rowCount, sources, start } of spans) {
        expect(sources).toHaveLength(Math.min(3, rowCount));
        for (const { offset, row } of sources)
          expect(utf8(texts[row]!).subarray(offset, offset + end - start)).toEqual(
            utf8(answer).subarray(start, end),
          );
      }
      spanCount += spans.length;
    }),
    { numRuns: runs(300) },
  );
  expect(spanCount).toBeGreaterThan(runs(60));
});

it("finds the same in texts that repeat themselves", () => {
  const part = fc.string({ unit: fc.constantFrom("a", "b", "ä"), minLength: 1, maxLength: 4 });
  const run = fc.tuple(part, fc.integer({ min: 1, max: 40 })).map(([text, count]) => text.repeat(count));
  const some = fc.array(run, { minLength: 1, maxLength: 3 });
  const worlds = fc.record({ texts: fc.array(some, { minLength: 1, maxLength: 3 }), answer: some });
  const cut = (parts: readonly string[]) => parts.join("").slice(0, 120);
  let spanCount = 0;
  fc.assert(
    fc.property(worlds, fc.boolean(), ({ answer, texts }, isTaken) => {
      const rows = texts.map(cut);
      const text = isTaken ? `${cut(answer)}${rows[0]!.slice(0, 60)}` : cut(answer);
      const { omittedCount, spans } = find(text, rows);
      const all = byDefinition(rows, text);
      expect(spans.length + omittedCount).toBe(all.length);
      expect(all).toEqual(expect.arrayContaining(inOrder(spans)));
      spanCount += spans.length;
    }),
    { numRuns: runs(200) },
  );
  expect(spanCount).toBeGreaterThan(runs(30));
});

it("names the rarest first, and of equally rare ones the longest", () => {
  const common = "the quick brown fox jumps over";
  const rows = [common, `${common}!`, "a sentence that stands here alone", "x".repeat(40)];
  const { spans } = find(`${common}? a sentence that stands here alone. ${"x".repeat(40)}`, rows);
  expect(spans.map(({ rowCount }) => rowCount)).toEqual([1, 1, 2]);
  expect(spans[0]!.end - spans[0]!.start).toBe(40);
});

it("counts characters, not bytes, and no span goes over the end of a row", () => {
  const rows = ["ä".repeat(23), "ab".repeat(12), "cd".repeat(12)];
  expect(find("ä".repeat(23), rows).spans).toEqual([]);
  expect(find("ab".repeat(12), rows).spans).toHaveLength(1);
  expect(find(`${"ab".repeat(12)}${"cd".repeat(12)}`, rows).spans).toHaveLength(2);
});

it("reads passages by their text, salted or not, and other rows by their bytes", () => {
  const text = 'you have won a "free" cruise\nto the Bahamas';
  const row = encodeTextRow({ text: `Hello, ${text}` });
  const rows = [
    row,
    saltRow(row, new Uint8Array(32).fill(7)),
    encodeTextRow({ prompt: "What is it?", answer: text }),
    utf8(text),
    utf8(`{"text":${text}`),
    Uint8Array.of(0xff, 0xfe),
  ];
  const { spans } = atOnce(
    findSpans(
      `It says_${text}.`,
      rows.map((content) => ({ content })),
    ),
  );
  expect(spans).toMatchObject([
    { start: 8, rowCount: 5, sources: [{ row: 0, offset: 7 }, { row: 1 }, { row: 2 }] },
  ]);
});

it("takes the same time however rows and answer repeat themselves", () => {
  const rows = Array.from({ length: 64 }, (_, i) => "ab".repeat(2_000) + "a".repeat(i));
  const startedAtMs = process.cpuUsage().user;
  const { omittedCount, spans } = find("ab".repeat(4_000), rows);
  // A comparison of every position with every other one takes 10^12 steps.
  expect((process.cpuUsage().user - startedAtMs) / 1_000).toBeLessThan(3_000);
  expect(spans.length + omittedCount).toBeGreaterThan(100);
});

it("refuses what is too large before it searches, and ends when its time is over", async () => {
  const tooLarge = (what: keyof typeof SPAN_LIMITS) =>
    expect.objectContaining({ code: "ATT_SPANS_TOO_LARGE", data: expect.objectContaining({ what }) });
  const row = { content: utf8("a row") };
  expect(() => find("a".repeat(SPAN_LIMITS.answerBytes + 1), [])).toThrow(tooLarge("answerBytes"));
  const many = Array.from({ length: SPAN_LIMITS.rows + 1 }, () => row);
  await expect(inSlices(findSpans("a", many))).rejects.toThrow(tooLarge("rows"));
  const large = { content: new Uint8Array(SPAN_LIMITS.rowBytes / 2) };
  expect(() => atOnce(findSpans("a", [large, large, row]))).toThrow(tooLarge("rowBytes"));
  const some = atOnce(findSpans("a", many.slice(1), { timeoutMs: 0 }));
  expect(some.searchedRowCount).toBeLessThan(SPAN_LIMITS.rows);
  expect(atOnce(findSpans("", [row]))).toEqual({ spans: [], omittedCount: 0, searchedRowCount: 1 });
});
