import { Tokenizer } from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../attribution/maths/seeded-random.ts";
import { trainTokenizer } from "./train-tokenizer.ts";
import { BORDER, wordBorder } from "./word-borders.ts";

const recipe = { vocabularySize: 256, specialTokens: [] };
const { pre_tokenizer: words } = new Tokenizer(JSON.parse(trainTokenizer([], recipe)), {});

/** Where the library's own pre-tokenizer cuts, in bytes. A character of a piece is a byte. */
function cutsOf(text: string): ReadonlySet<number> {
  let end = 0;
  return new Set(words!(text).map((piece: string) => (end += piece.length)));
}

/** Compares every border of a text. Returns how many are not sure. */
function compare(text: string): number {
  const bytes = new TextEncoder().encode(text);
  const cuts = cutsOf(text);
  let unsure = 0;
  for (let border = 1; border < bytes.length; border++) {
    const kind = wordBorder(bytes, border);
    if (kind === BORDER.unsure) unsure++;
    else if ((kind === BORDER.cut) !== cuts.has(border))
      expect.fail(`${JSON.stringify(text)} at ${border}: ${kind}, cuts ${[...cuts]}`);
  }
  return unsure;
}

describe("borders of words are where the tokenizer's own pattern has them", () => {
  it("in every short text of letters, shortenings, digits, signs and blanks", () => {
    const characters = [..."sre1' !\n"];
    const texts = (length: number): string[] =>
      length === 0 ? [""] : texts(length - 1).flatMap((text) => characters.map((one) => text + one));
    // Six are all that a border can depend on: a letter, an apostrophe, two letters, a letter, and one behind it.
    for (const text of texts(6)) compare(text);
  });

  it("between all pairs of ASCII, beside what could matter to them", () => {
    const ascii = Array.from({ length: 128 }, (_, i) => String.fromCharCode(i));
    for (const left of ascii)
      for (const right of ascii)
        for (const [before, behind] of [
          ["", ""],
          ["x", "y"],
          ["'", "l"],
          ["1'", "e"],
          [" ", " "],
          ["é", "\u00a0"],
        ])
          compare(`${before}${left}${right}${behind}`);
  });

  it("in random texts of all alphabets", () => {
    const random = new SeededRandom("borders of words");
    const characters = [
      ..."aZ09 '\t\n.,<>_-éßжй漢字٣²\u00a0\u2003\u3000\ufeff\u0301\u200b\u0085\ud83d\ude00\ud800\u0000\u001f\u007f",
    ];
    const any = () =>
      random.nextBelow(8) === 0
        ? String.fromCodePoint(random.nextBelow(0x30000))
        : characters[random.nextBelow(characters.length)]!;
    for (let run = 0; run < 5_000; run++)
      compare(Array.from({ length: 1 + random.nextBelow(16) }, any).join(""));
  });

  it("and are sure of what people type", () => {
    const typed = [
      "The state of the union is strong; we've paid 1,789.50 dollars (so they'll say) - isn't it?",
      "def main(x):\n    return x_1 + 42  # O'Brien's",
    ];
    for (const text of typed) expect(compare(text), text).toBeLessThanOrEqual(1);
    // A sign before an apostrophe takes it along, or an end token stands there.
    expect(compare("('tis)")).toBe(2);
    // Of other alphabets, what lies within a character.
    expect(compare("état")).toBe(1);
  });
});
