import { anyText } from "@openledger/foundation/testing/any-text";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memorySource } from "../files/memory-source.ts";
import { openTokenizer } from "./tokenizer.ts";
import { trainTokenizer } from "./train-tokenizer.ts";

const texts = [
  "low low low low low lower lower newest newest newest newest newest newest widest widest widest",
];
const recipe = { vocabularySize: 268, specialTokens: ["<end>"] };
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

async function open(file: string, vocabularySize: number) {
  const files = new Map([
    ["tokenizer.json", new TextEncoder().encode(file)],
    ["tokenizer_config.json", bytesOf({ clean_up_tokenization_spaces: false })],
  ]);
  return openTokenizer(memorySource("memory", files), vocabularySize);
}

describe("a trained tokenizer", () => {
  it("joins the most frequent pairs of a text, of equal ones the first", () => {
    const { model } = JSON.parse(trainTokenizer(texts, recipe));
    // The example of Sennrich et al.; "Ġ" is the space before a word.
    expect(model.merges.slice(0, 6)).toEqual(["e s", "es t", "l o", "lo w", "e w", "n ew"]);
    expect(model.merges).toHaveLength(268 - 1 - 256);
    expect(model.vocab["<end>"]).toBe(0);
    expect(Object.values<number>(model.vocab).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 268 }, (_, id) => id),
    );
  });

  it("gives every text back, byte by byte", async () => {
    const tokens = await open(trainTokenizer(texts, recipe), 268);
    expect(tokens.encode(" newest").length).toBeLessThan(4);
    const text = anyText.filter((value) => !value.includes("<end>"));
    fc.assert(
      fc.property(text, (value) => {
        expect(tokens.decode(tokens.encode(value))).toBe(value);
      }),
      { numRuns: 40 },
    );
    expect(tokens.decode(tokens.encode("it 's , not . clean !"))).toBe("it 's , not . clean !");
  });

  it("is refused without room for the bytes, and where a text has too few pairs", () => {
    expect(() => trainTokenizer(texts, { ...recipe, vocabularySize: 200 })).toThrow(RangeError);
    expect(() => trainTokenizer(["ab"], recipe)).toThrow(RangeError);
  });
});
