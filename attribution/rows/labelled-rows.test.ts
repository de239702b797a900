import { describe, expect, it } from "vitest";
import { hashedTerms } from "../testing/hashed-terms.ts";
import { digitContents } from "../testing/mnist-digits.ts";
import { refuseDuplicates } from "./labelled-rows.ts";

const code = (name: string) => expect.objectContaining({ code: name });

describe("refuseDuplicates", () => {
  const contents = digitContents();

  it("accepts all 10,000 digits once", () => {
    expect(() => refuseDuplicates(contents)).not.toThrow();
  });

  it("refuses the same row again, and takes it with another label", () => {
    const again = [...contents.slice(0, 5), contents[2]!];
    expect(() => refuseDuplicates(again)).toThrow(code("ATT_DUPLICATE_ROW"));
    const other = contents[2]!.slice();
    other[other.length - 1] = 1;
    expect(() => refuseDuplicates([...contents.slice(0, 5), other])).not.toThrow();
  });
});

describe("hashedTerms", () => {
  const text = (value: string) => new TextEncoder().encode(value);

  it("ignores case, punctuation and repetition", () => {
    expect(hashedTerms(text("Buy now! buy"), 1024)).toEqual(hashedTerms(text("BUY, now! (buy) "), 1024));
    expect(hashedTerms(text("a b a b a b"), 1024)).toEqual(hashedTerms(text("a b a b"), 1024));
  });

  it("sees the order of words, and gives rows of length 1", () => {
    const terms = hashedTerms(text("one two three"), 4096);
    expect(terms).not.toEqual(hashedTerms(text("three two one"), 4096));
    expect(terms.reduce((sum, [, value]) => sum + value * value, 0)).toBeCloseTo(1, 14);
    expect(terms).toHaveLength(5);
  });
});
