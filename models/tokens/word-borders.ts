/** Where GPT-2's pattern cuts a text into pieces, as far as neighbours in ASCII show it: contracts/disputes/WordBorders.sol. */

/** As the contract numbers them. */
export const BORDER = { unsure: 0, inside: 1, cut: 2 } as const;
export type Border = (typeof BORDER)[keyof typeof BORDER];

type CharacterClass = "other" | "letter" | "digit" | "sign" | "space" | "blank" | "end";

const isOne = (...of: readonly CharacterClass[]) => {
  const set: ReadonlySet<CharacterClass> = new Set(of);
  return (one: CharacterClass) => set.has(one);
};
const isBlank = isOne("space", "blank");
const isBlankOrEnd = isOne("space", "blank", "end");
const isWord = isOne("letter", "digit");
/** What leaves an apostrophe behind it to another piece. */
const endsBeforeApostrophe = isOne("letter", "digit", "blank");

/** @param border first byte behind the border, at least 1 */
export function wordBorder(text: Uint8Array, border: number): Border {
  // Within a character of UTF-8.
  if ((text[border]! & 0xc0) === 0x80) return BORDER.inside;
  const [left, right] = [classOf(text, border - 1), classOf(text, border)];
  if (left === "other" || right === "other") return BORDER.unsure;
  if (isBlank(right)) {
    if (!isBlank(left)) return BORDER.cut;
    const behind = classOf(text, border + 1);
    if (isBlankOrEnd(behind)) return BORDER.inside;
    return isWord(behind) ? BORDER.cut : BORDER.unsure;
  }
  if (left === "blank") return BORDER.cut;
  if (left === "space") return BORDER.inside;
  if (right === "letter" && isApostrophe(text, border - 1)) {
    if (shortening(text, border) === 0) return BORDER.cut;
    return isFirst(text, border - 1) ? BORDER.inside : BORDER.unsure;
  }
  if (left !== right) return BORDER.cut;
  return left === "letter" ? betweenLetters(text, border) : BORDER.inside;
}

function betweenLetters(text: Uint8Array, border: number): Border {
  for (const length of [1, 2]) {
    const apostrophe = border - 1 - length;
    if (isApostrophe(text, apostrophe) && shortening(text, apostrophe + 1) === length)
      return isFirst(text, apostrophe) ? BORDER.cut : BORDER.unsure;
  }
  return BORDER.inside;
}

const isApostrophe = (text: Uint8Array, place: number) => text[place] === 0x27;

const isFirst = (text: Uint8Array, apostrophe: number) =>
  apostrophe === 0 || endsBeforeApostrophe(classOf(text, apostrophe - 1));

/** Letters of the shortening that stands here; 0 for none. */
function shortening(text: Uint8Array, from: number): 0 | 1 | 2 {
  const [first, both] = [1, 2].map((length) => String.fromCharCode(...text.slice(from, from + length)));
  if (/^[stmd]$/.test(first!)) return 1;
  return /^(?:re|ve|ll)$/.test(both!) ? 2 : 0;
}

function classOf(text: Uint8Array, place: number): CharacterClass {
  const byte = text[place];
  if (byte === undefined) return "end";
  const lower = byte | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return "letter";
  if (byte >= 0x30 && byte <= 0x39) return "digit";
  if (byte === 0x20) return "space";
  if (byte >= 0x09 && byte <= 0x0d) return "blank";
  return byte > 0x20 && byte < 0x7f ? "sign" : "other";
}
