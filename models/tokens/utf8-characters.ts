/** Characters of UTF-8 and their classes, whatever the bytes: contracts/disputes/texts/Utf8Characters.sol. */
import { UNICODE_RANGES } from "./unicode-table.ts";

/** As the contract numbers them. Unsure is what is no character of UTF-8, too. */
export const CLASS = {
  ...{ unsure: 0, letter: 1, number: 2, sign: 3 },
  /** A space; white space that ends no line; a line's end; the text's. */
  ...{ space: 4, blank: 5, line: 6, end: 7 },
} as const;
export type CharacterClass = (typeof CLASS)[keyof typeof CLASS];

export interface Character {
  readonly kind: CharacterClass;
  readonly from: number;
  /** Behind its last byte. A byte that is of no character is alone. */
  readonly end: number;
}

const RANGE_BYTES = 3;
const ranges = Uint8Array.from(atob(UNICODE_RANGES), (one) => one.charCodeAt(0));
const rangeAt = (index: number) =>
  (ranges[RANGE_BYTES * index]! << 16) |
  (ranges[RANGE_BYTES * index + 1]! << 8) |
  ranges[RANGE_BYTES * index + 2]!;

/** Least code point of a character of so many bytes. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000];

/** The character that begins with this byte. */
export function characterAt(text: Uint8Array, place: number): Character {
  const byte = text[place];
  if (byte === undefined) return { kind: CLASS.end, from: place, end: place };
  if (byte < 0x80) return { kind: asciiClass(byte), from: place, end: place + 1 };
  const alone = { kind: CLASS.unsure, from: place, end: place + 1 };
  const length = byte < 0xc0 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf8 ? 4 : 0;
  if (length === 0 || place + length > text.length) return alone;
  let codePoint = byte & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    if (!isContinuation(text, place + i)) return alone;
    codePoint = (codePoint << 6) | (text[place + i]! & 0x3f);
  }
  // One way to write each, no halves of pairs, nothing above the last.
  const isOne = codePoint >= LEAST[length]! && codePoint < 0x110000 && codePoint >> 11 !== 0x1b;
  return isOne ? { kind: classOf(codePoint), from: place, end: place + length } : alone;
}

/** The character that this byte is of: it may begin before. */
export function characterOver(text: Uint8Array, place: number): Character {
  let from = place;
  while (from > 0 && place - from < 3 && isContinuation(text, from)) from--;
  const over = characterAt(text, from);
  return over.end > place ? over : { kind: CLASS.unsure, from: place, end: place + 1 };
}

/** The character that ends before this byte. */
export const characterBefore = (text: Uint8Array, place: number): Character =>
  place === 0 ? { kind: CLASS.end, from: 0, end: 0 } : characterOver(text, place - 1);

/** Whether these bytes are of characters of UTF-8, which may begin before and end behind. */
export function areCharacters(text: Uint8Array, from: number, end: number): boolean {
  for (let place = from; place < end; ) {
    const one = characterOver(text, place);
    // A byte that is alone is of ASCII.
    if (one.end - one.from === 1 && text[place]! >= 0x80) return false;
    place = one.end;
  }
  return true;
}

const isContinuation = (text: Uint8Array, place: number) => (text[place]! & 0xc0) === 0x80;

function asciiClass(byte: number): CharacterClass {
  const lower = byte | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return CLASS.letter;
  if (byte >= 0x30 && byte <= 0x39) return CLASS.number;
  if (byte === 0x20) return CLASS.space;
  if (byte === 0x0a || byte === 0x0d) return CLASS.line;
  return byte >= 0x09 && byte <= 0x0d ? CLASS.blank : CLASS.sign;
}

/** Of a code point beyond ASCII: that of the last range which begins at it or before. */
function classOf(codePoint: number): CharacterClass {
  let [low, high] = [0, ranges.length / RANGE_BYTES];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rangeAt(middle) >> 3 <= codePoint) low = middle;
    else high = middle;
  }
  return (rangeAt(low) & 7) as CharacterClass;
}
