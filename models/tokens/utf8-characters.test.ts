import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import {
  renderUnicodeContract,
  renderUnicodeTwin,
  unicodeContractPath,
  unicodeTwinPath,
} from "./generate-unicode.ts";
import { UNICODE_RANGES } from "./unicode-table.ts";
import { areCharacters, type CharacterClass, CLASS, characterAt, characterOver } from "./utf8-characters.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const kindOf = (text: string) => characterAt(bytesOf(text), 0).kind;

/** As this engine's regular expressions have it, of whatever version of Unicode. */
function engineClass(character: string): CharacterClass {
  if (/\p{L}/u.test(character)) return CLASS.letter;
  if (/\p{N}/u.test(character)) return CLASS.number;
  if (!/\s/u.test(character)) return CLASS.sign;
  if (character === " ") return CLASS.space;
  return /[\r\n]/.test(character) ? CLASS.line : CLASS.blank;
}

describe("characters of UTF-8", () => {
  it("have the classes of this engine's regular expressions, where they are sure", () => {
    let sure = 0;
    const others: string[] = [];
    const [encoder, bytes] = [new TextEncoder(), new Uint8Array(4)];
    for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
      if (codePoint >> 11 === 0x1b) continue;
      const character = String.fromCodePoint(codePoint);
      const { written } = encoder.encodeInto(character, bytes);
      const { end, kind } = characterAt(bytes, 0);
      if (kind === CLASS.unsure) continue;
      sure++;
      if (end !== written || kind !== engineClass(character)) others.push(character);
    }
    expect(others).toEqual([]);
    // All that Unicode 14.0 assigned, 144,762 with controls and 137,468 for private use, but the two in dispute.
    expect(sure).toBe(144_697 + 65 + 137_468 - 2);
  });

  it("are not sure where engines differ", () => {
    // Of no version, of 15.0, of 17.0, NEL, the byte order mark; and neighbours of some that are sure.
    for (const character of ["\u0378", "\u0cf3", "\u{10940}", "\u0085", "\ufeff", "\uffff"])
      expect(kindOf(character)).toBe(CLASS.unsure);
    const known = ["\u0377", "\u0cf2", "\u0084", "\ufefc", "\ufffd"].map(kindOf);
    const { letter, sign } = CLASS;
    expect(known).toEqual([letter, letter, sign, letter, sign]);
  });

  it("are found from any of their bytes", () => {
    const text = bytesOf("aé漢\u{1f600}b");
    const starts = [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10];
    expect(Array.from(text, (_, place) => characterOver(text, place).from)).toEqual(starts);
    expect(areCharacters(text, 2, 8)).toBe(true);
    const broken = Uint8Array.of(...text.slice(0, 9), 0x62);
    expect([2, 6, 9, 10].map((end) => areCharacters(broken, 1, end))).toEqual([true, true, false, false]);
  });

  it("of the contract and its twin are the same table", async () => {
    const table = Buffer.from(UNICODE_RANGES, "base64");
    expect(await readFile(unicodeContractPath, "utf8")).toBe(renderUnicodeContract(table));
    expect(await readFile(unicodeTwinPath, "utf8")).toBe(renderUnicodeTwin(table));
  });
});
