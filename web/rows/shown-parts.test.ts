import { expect, it } from "vitest";
import { shownWords } from "./shown-parts.ts";

it("names what a reader would not see, or would see turned round", () => {
  expect(shownWords("a\u202eb\u202c")).toBe("a[U+202E]b[U+202C]");
  expect(shownWords("\u0000\u001b[31m\u0085")).toBe("[U+0000][U+001B][31m[U+0085]");
  expect(shownWords("pass\u200bword\ufeff")).toBe("pass[U+200B]word[U+FEFF]");
  expect(shownWords("🏴\u{e0068}\u{e0069}\u{e007f}")).toBe("🏴[U+E0068][U+E0069][U+E007F]");
  expect(shownWords("\u{e0041}half \ud800")).toBe("[U+E0041]half [U+D800]");
});

it("leaves text alone, with joiners where they belong and marks as people write them", () => {
  for (const text of [
    "",
    "two\nlines\tand a tab",
    "می\u200cخواهم",
    "👩\u200d🌾",
    "🤷🏽\u200d♀️",
    "👩🏿\u200d🤝\u200d👨🏻",
    "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} 🏳️\u200d🌈",
    "naïve Z\u0351\u036b",
    "<b>&amp;</b>",
  ])
    expect(shownWords(text)).toBe(text);
});

it("cuts marks that are piled up over other lines", () => {
  expect(shownWords(`a${"\u0301".repeat(500)}b`)).toBe(`a${"\u0301".repeat(4)}…b`);
});
