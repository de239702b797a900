import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findSpans } from "./find-spans.ts";
import { countCharacters, isBoundary, MIN_SPAN_CHARACTERS } from "./span-characters.ts";
import { smallIndex, textsAndAnswer, utf8 } from "./testing/span-world.ts";

/** Finds spans by the definition: every part of whole characters, compared with every place. */
function byDefinition(texts: readonly string[], answer: Uint8Array) {
  const documents = texts.map((text) => Buffer.from(text));
  const found: { start: number; end: number; count: number }[] = [];
  for (let start = 0; start < answer.length; start++) {
    for (let end = answer.length; end > start; end--) {
      if (!isBoundary(answer, start) || !isBoundary(answer, end)) continue;
      if (countCharacters(answer, start, end) < MIN_SPAN_CHARACTERS) break;
      if (found.some((span) => span.start <= start && end <= span.end)) break;
      const pattern = Buffer.from(answer.subarray(start, end));
      let count = 0;
      for (const document of documents)
        for (let at = document.indexOf(pattern); at >= 0; at = document.indexOf(pattern, at + 1)) count++;
      if (count === 0) continue;
      found.push({ start, end, count });
      break;
    }
  }
  return found;
}

describe("findSpans", () => {
  it("finds what a comparison with every place finds, with its count", async () => {
    let spanCount = 0;
    await fc.assert(
      fc.asyncProperty(textsAndAnswer, async ({ answer, texts }) => {
        const bytes = utf8(answer);
        const spans = findSpans(smallIndex(texts), bytes);
        const inOrder = spans.map(({ end, hi, lo, start }) => ({ start, end, count: hi - lo }));
        inOrder.sort((a, b) => a.start - b.start);
        expect(inOrder).toEqual(byDefinition(texts, bytes));
        spanCount += spans.length;
      }),
      { numRuns: 150 },
    );
    expect(spanCount).toBeGreaterThan(50);
  });

  it("finds the same in texts that repeat themselves", async () => {
    const piece = fc.string({ unit: fc.constantFrom("a", "b", "ä"), minLength: 1, maxLength: 4 });
    const run = fc.tuple(piece, fc.integer({ min: 1, max: 40 })).map(([text, count]) => text.repeat(count));
    const worlds = fc.record({
      texts: fc.array(fc.array(run, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      answer: fc.array(run, { minLength: 1, maxLength: 3 }),
    });
    const cut = (parts: readonly string[]) => parts.join("").slice(0, 250);
    let spanCount = 0;
    await fc.assert(
      fc.asyncProperty(worlds, fc.boolean(), async ({ answer, texts }, isTaken) => {
        const documents = texts.map(cut);
        const bytes = utf8(isTaken ? `${cut(answer)}${documents[0]!.repeat(2)}` : cut(answer));
        const spans = findSpans(smallIndex(documents), bytes);
        const inOrder = spans.map(({ end, hi, lo, start }) => ({ start, end, count: hi - lo }));
        inOrder.sort((a, b) => a.start - b.start);
        expect(inOrder).toEqual(byDefinition(documents, bytes));
        spanCount += spans.length;
      }),
      { numRuns: runs(100) },
    );
    expect(spanCount).toBeGreaterThan(runs(50));
  });

  it("compares little more than the answer's bytes, though it repeats itself", async () => {
    for (const [text, period] of [
      ["a", 1],
      ["ab", 2],
      ["the cat ", 8],
    ] as const) {
      const index = smallIndex([text.repeat(3_000 / period), "something else is here"]);
      const answer = utf8(text.repeat(6_504 / period));
      const before = index.comparedBytes;
      expect(findSpans(index, answer).length).toBeGreaterThan(3_000 / period);
      expect(index.comparedBytes - before).toBeLessThan(100 * answer.length);
    }
  });

  it("ends where it has compared as much as it may", async () => {
    const texts = Array.from({ length: 200 }, (_, i) => "ab".repeat(100 + i) + "ba".repeat(i));
    const index = smallIndex(texts);
    const answer = utf8(texts.map((text) => text.slice(text.length % 11, -7)).join("b"));
    const before = index.comparedBytes;
    const some = findSpans(index, answer, 50_000);
    expect(index.comparedBytes - before).toBeLessThan(50_000 + 40 * 1_000);
    const all = findSpans(index, answer);
    expect(some.length).toBeLessThan(all.length);
    const places = all.map(({ end, start }) => `${start} ${end}`);
    for (const { end, start } of some) expect(places).toContain(`${start} ${end}`);
  });

  it("names the rarest first, and of equally rare ones the longest", async () => {
    const common = "the quick brown fox jumps over";
    const index = smallIndex([common, `${common}!`, "a sentence that stands here alone", "x".repeat(40)]);
    const answer = utf8(`${common}? a sentence that stands here alone. ${"x".repeat(40)}`);
    const spans = findSpans(index, answer);
    expect(spans.map(({ hi, lo }) => hi - lo)).toEqual([1, 1, 2]);
    expect(spans[0]!.end - spans[0]!.start).toBe(40);
  });

  it("counts characters, not bytes, and never goes over the end of a document", async () => {
    const index = smallIndex(["ä".repeat(23), "ab".repeat(12), "cd".repeat(12)]);
    expect(findSpans(index, utf8("ä".repeat(23)))).toEqual([]);
    expect(findSpans(index, utf8("ab".repeat(12)))).toHaveLength(1);
    expect(findSpans(index, utf8(`${"ab".repeat(12)}${"cd".repeat(12)}`))).toHaveLength(2);
  });

  it("refuses answers and documents that are no UTF-8", async () => {
    const code = expect.objectContaining({ code: "MOD_INPUT_INVALID" });
    const index = smallIndex(["a"]);
    expect(() => findSpans(index, Uint8Array.of(0xc3))).toThrow(code);
    expect(() => smallIndex([""])).toThrow(code);
    expect(() => smallIndex([])).toThrow(code);
  });
});
