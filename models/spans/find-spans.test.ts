import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findSpans } from "./find-spans.ts";
import { countCharacters, isBoundary, MIN_SPAN_CHARACTERS } from "./span-characters.ts";
import { smallIndex, textsAndAnswer, utf8 } from "./testing/span-world.ts";

/** By the definition: every part of whole characters, compared with every place. */
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
        const spans = findSpans(await smallIndex(texts), bytes);
        const inOrder = spans.map(({ end, hi, lo, start }) => ({ start, end, count: hi - lo }));
        inOrder.sort((a, b) => a.start - b.start);
        expect(inOrder).toEqual(byDefinition(texts, bytes));
        spanCount += spans.length;
      }),
      { numRuns: 150 },
    );
    expect(spanCount).toBeGreaterThan(50);
  });

  it("names the rarest first, and of equally rare ones the longest", async () => {
    const common = "the quick brown fox jumps over";
    const index = await smallIndex([
      common,
      `${common}!`,
      "a sentence that stands here alone",
      "x".repeat(40),
    ]);
    const answer = utf8(`${common}? a sentence that stands here alone. ${"x".repeat(40)}`);
    const spans = findSpans(index, answer);
    expect(spans.map(({ hi, lo }) => hi - lo)).toEqual([1, 1, 2]);
    expect(spans[0]!.end - spans[0]!.start).toBe(40);
  });

  it("counts characters, not bytes, and never goes over the end of a document", async () => {
    const index = await smallIndex(["ä".repeat(23), "ab".repeat(12), "cd".repeat(12)]);
    expect(findSpans(index, utf8("ä".repeat(23)))).toEqual([]);
    expect(findSpans(index, utf8("ab".repeat(12)))).toHaveLength(1);
    expect(findSpans(index, utf8(`${"ab".repeat(12)}${"cd".repeat(12)}`))).toHaveLength(2);
  });

  it("refuses answers and documents that are no UTF-8", async () => {
    const code = expect.objectContaining({ code: "MOD_SPANS_TEXT_INVALID" });
    const index = await smallIndex(["a"]);
    expect(() => findSpans(index, Uint8Array.of(0xc3))).toThrow(code);
    await expect(smallIndex([""])).rejects.toThrow(code);
    await expect(smallIndex([])).rejects.toThrow(code);
  });
});
