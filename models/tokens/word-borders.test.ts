import { Tokenizer } from "@huggingface/tokenizers";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { isWhole, runs } from "@openledger/foundation/testing/test-random";
import { describe, expect, it } from "vitest";
import { PATTERN_TEXTS } from "./token-spelling.ts";
import { trainTokenizer } from "./train-tokenizer.ts";
import { BORDER, PATTERN, type Pattern, wordBorder } from "./word-borders.ts";

const recipe = { vocabularySize: 256, specialTokens: [] };
const file = JSON.parse(trainTokenizer([], recipe));

/** Characters of the longest texts of which all are tried. */
const LONGEST = isWhole ? 5 : 4;

/** Texts to pieces, as the library has it. A character of a piece is a byte. */
type Pieces = (text: string) => string[];
const piecesOf = (pre_tokenizer: object): Pieces =>
  new Tokenizer({ ...file, pre_tokenizer }, {}).pre_tokenizer!;
const splitAt = (Regex: string) => ({
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false },
    { ...file.pre_tokenizer, use_regex: false },
  ],
});
const pieces: readonly (readonly [keyof typeof PATTERN, Pieces])[] = [
  ["gpt2", piecesOf(file.pre_tokenizer)],
  ["gpt2Marked", piecesOf(file.pre_tokenizer)],
  ...Object.entries(PATTERN_TEXTS).map(
    ([text, pattern]) =>
      [
        Object.entries(PATTERN).find(([, one]) => one === pattern)![0] as keyof typeof PATTERN,
        piecesOf(splitAt(text)),
      ] as const,
  ),
];

/** Compares every border of a text. Returns how many are not sure. */
function compare(pattern: Pattern, cut: Pieces, text: string): number {
  const bytes = new TextEncoder().encode(text);
  let end = 0;
  const cuts = new Set(cut(text).map((piece) => (end += piece.length)));
  let unsure = 0;
  for (let border = 1; border < bytes.length; border++) {
    const kind = wordBorder(pattern, bytes, border);
    if (kind === BORDER.unsure) unsure++;
    else if ((kind === BORDER.cut) !== cuts.has(border))
      expect.fail(`${JSON.stringify(text)} at ${border}: ${kind}, cuts ${[...cuts]}`);
  }
  return unsure;
}

/** Compares the borders between two bytes of one text, where these tokens begin and end texts. */
function compareBeside(pattern: Pattern, cut: Pieces, whole: string, text: string): void {
  const bytes = new TextEncoder().encode(text);
  let end = 0;
  for (const part of text.split(whole)) {
    let border = end;
    end += new TextEncoder().encode(part).length;
    const cuts = new Set((part === "" ? [] : cut(part)).map((piece) => (border += piece.length)));
    for (border = end - new TextEncoder().encode(part).length + 1; border < end; border++) {
      const kind = wordBorder(pattern, bytes, border);
      if (kind !== BORDER.unsure && (kind === BORDER.cut) !== cuts.has(border))
        expect.fail(`${JSON.stringify(text)} at ${border}: ${kind}, cuts ${[...cuts]}`);
    }
    end += whole.length;
  }
}

/** A letter, numbers of two kinds, a mark, a picture, blanks of all kinds, what is disputed, and apostrophes. */
const STRANGE = [
  ..."éßжй漢字ſ٣²½Ⅷ’«—\u00a0\u2003\u3000\u0301\u093f\u200b\u200d\ufe0f\u{1f600}\u{1d400}\ue000\u0000\u001f\u007f\ud800",
];
const DISPUTED = [..."\ufeff\u0085\u0378\uffff\u{105c0}"];

describe.each(pieces)(
  "borders of words by the pattern of %s are where the tokenizer has them",
  (name, cut) => {
    const pattern = PATTERN[name];
    const isOwn = name !== "gpt2";

    it("in every short text of what a border can depend on", () => {
      const texts = (characters: readonly string[], length: number): string[] =>
        length === 0
          ? [""]
          : texts(characters, length - 1).flatMap((text) => characters.map((one) => text + one));
      // A letter, an apostrophe, two letters and a letter are all that a shortening can depend on. Then runs.
      let unsure = 0;
      for (const text of texts([..."sre1' !\n"], LONGEST)) unsure += compare(pattern, cut, text);
      for (const text of texts([..."é½'<>\u3000 \r\u0301L"], 4)) unsure += compare(pattern, cut, text);
      for (const text of texts([..."1٣!\n \t"], LONGEST)) unsure += compare(pattern, cut, text);
      // Only where a token that is taken whole may end or begin: it is marked there.
      if (isOwn)
        for (const text of texts([..."sé1' !\n\t\u3000\u0301"], 4))
          expect(compare(pattern, cut, text), JSON.stringify(text)).toBe(0);
      expect(unsure).toBeGreaterThan(0);
    });

    it("beside tokens that are taken whole, as if a text ended and began there", () => {
      // The least that a pattern's vocabulary may have: marked ones, or a sign and a blank.
      for (const whole of isOwn ? ["<>"] : ["!", " "]) {
        const kinds = [..."sé1'!\n ", whole === "!" ? "\t" : whole];
        for (let index = 0; index < 8 ** LONGEST; index++) {
          const text = Array.from({ length: LONGEST }, (_, i) => kinds[Math.floor(index / 8 ** i) % 8]).join(
            "",
          );
          if (text.includes(whole)) compareBeside(pattern, cut, whole, text);
        }
      }
    });

    it("between all pairs of ASCII, beside what could matter to them", () => {
      const ascii = Array.from({ length: 128 }, (_, i) => String.fromCharCode(i));
      // Each begins as texts do, behind a line's end.
      for (const left of ascii)
        for (const [before, behind] of [
          ["x", "y"],
          ["1'", "e"],
          [" ", " "],
        ])
          compare(pattern, cut, ascii.map((right) => `${before}${left}${right}${behind}`).join("\n"));
    });

    it("in random texts of all alphabets", () => {
      const random = new SeededRandom(`borders of words ${name}`);
      const randomCount = runs(5_000);
      const characters = [..."aZ09 '\t\n\r.,<>_-LlvVeE", ...STRANGE, ...DISPUTED];
      const any = () =>
        random.nextBelow(8) === 0
          ? String.fromCodePoint(random.nextBelow(random.nextBelow(2) === 0 ? 0x3000 : 0x30000))
          : characters[random.nextBelow(characters.length)]!;
      for (let run = 0; run < randomCount; run++)
        compare(pattern, cut, Array.from({ length: 1 + random.nextBelow(16) }, any).join(""));
    });

    it("and are sure of what people type", () => {
      const typed = [
        "The state of the union is strong; we've paid 1,789.50 dollars (so they'll say) - isn't it?",
        "def main(x):\n    return x_1 + 42  # O'Brien's\r\n\r\n  pass",
        "L'état, c’est moi : « œuvre » — naïveté, ½ l. Ⅷ. 🙂👍🏽 e\u0301te\u0301",
        "Государство — это я. Το κράτος είμαι εγώ. 我就是国家。朕は国家なり。국가는 나다. राज्य मैं हूँ। الدولة أنا ١٢٣",
      ];
      for (const text of typed)
        expect(compare(pattern, cut, text), text).toBe(name === "gpt2" && text.includes("#") ? 1 : 0);
      // A sign before an apostrophe takes it along, or an end token is there.
      expect(compare(pattern, cut, "('tis)")).toBe(isOwn ? 0 : 2);
      expect(compare(pattern, cut, "<end>'tis  <end>")).toBeGreaterThan(1);
    });
  },
);

describe("of bytes that are no characters", () => {
  it.each([
    ["a byte that goes on with nothing", [0x61, 0x80, 0x61], [0, 0]],
    ["a character that ends too soon", [0x61, 0xe6, 0xbc, 0x61], [0, 0, 0]],
    ["one written too long", [0x61, 0xc1, 0xa1, 0x61], [0, 0, 0]],
    ["half of a pair", [0xed, 0xa0, 0x80, 0x61], [0, 0, 0]],
    ["one above the last", [0x61, 0xf4, 0x90, 0x80, 0x80], [0, 0, 0, 0]],
    ["the text's end within one", [0x61, 0x61, 0xf0, 0x9f, 0x98], [1, 0, 0, 0]],
    ["one that is whole beside them", [0xff, 0xc3, 0xa9, 0x61, 0xc3, 0xa9], [0, 1, 1, 1, 1]],
  ])("%s is not sure", (_, bytes, borders) => {
    const text = Uint8Array.from(bytes);
    for (const pattern of Object.values(PATTERN))
      expect(bytes.slice(1).map((__, i) => wordBorder(pattern, text, i + 1))).toEqual(borders);
  });
});

it("runs of numbers and of line ends are looked through so far only", () => {
  const kinds = (pattern: Pattern, text: string, border: number) =>
    wordBorder(pattern, new TextEncoder().encode(text), border);
  expect(kinds(PATTERN.llama3, `x${"1".repeat(600)}`, 256)).toBe(BORDER.cut);
  expect(kinds(PATTERN.llama3, `x${"1".repeat(600)}`, 258)).toBe(BORDER.unsure);
  expect(kinds(PATTERN.llama3, `x\n${" ".repeat(300)}\n`, 2)).toBe(BORDER.unsure);
  expect(kinds(PATTERN.qwen2, `${"\n".repeat(300)} \n`, 300)).toBe(BORDER.unsure);
});
