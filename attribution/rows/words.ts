/**
 * Splits a text in any script into words, hashed to 32 bits (FNV-1a of their UTF-8): inputs of models (text-terms.ts), near-duplicates
 * (similar-texts.ts) and the rule of few words go by it.
 *
 * The tables are here and not those of the runtime: `toLowerCase`, `\p{…}` and `Intl.Segmenter` follow the Unicode version of a Node or a
 * browser, and two of them would count a text differently. So every character beyond ASCII is a letter, but for the marks listed here.
 * Scripts without spaces have no words to split at: there a character is a word, and pairs of neighbours are pairs of words.
 */

/** FNV-1a of 32 bits: its prime and its offset basis. */
const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

/** First and last code points, ascending. */
type Ranges = readonly (readonly [number, number])[];

/** Marks between words beyond ASCII: spaces, punctuation, brackets, signs without a meaning of their own. */
const SEPARATORS: Ranges = [
  [0x80, 0xa9],
  [0xab, 0xb4],
  [0xb6, 0xb9],
  [0xbb, 0xbf],
  [0xd7, 0xd7],
  [0xf7, 0xf7],
  [0x37e, 0x37e],
  [0x387, 0x387],
  [0x55a, 0x55f],
  [0x589, 0x58a],
  [0x5be, 0x5be],
  [0x5c0, 0x5c0],
  [0x5c3, 0x5c3],
  [0x60c, 0x60c],
  [0x61b, 0x61b],
  [0x61e, 0x61f],
  [0x66a, 0x66d],
  [0x6d4, 0x6d4],
  [0x964, 0x965],
  [0x1362, 0x1368],
  [0x17d4, 0x17da],
  [0x2000, 0x200b],
  [0x200e, 0x206f],
  [0x3000, 0x3004],
  [0x3008, 0x3020],
  [0x3030, 0x3030],
  [0x303d, 0x303d],
  [0x30fb, 0x30fb],
  [0xfe00, 0xfe1f],
  [0xfe30, 0xfe6f],
  [0xfeff, 0xfeff],
  [0xff01, 0xff0f],
  [0xff1a, 0xff20],
  [0xff3b, 0xff40],
  [0xff5b, 0xff65],
  [0xfffd, 0xfffd],
];

/** Characters that are words by themselves: scripts without spaces (Thai, Lao, Myanmar, Khmer, kana, ideographs), arrows, symbols and emoji. */
const SINGLES: Ranges = [
  [0xe00, 0xeff],
  [0x1000, 0x109f],
  [0x1780, 0x17d3],
  [0x2190, 0x2bff],
  [0x3005, 0x3007],
  [0x3021, 0x302f],
  [0x3040, 0x30fa],
  [0x30fc, 0x30ff],
  [0x31f0, 0x31ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xf900, 0xfaff],
  [0xff66, 0xff9f],
  [0x1f000, 0x1faff],
  [0x20000, 0x3ffff],
];

/** Capital letters: first, last, distance from one to the next, and from a capital to its small letter. */
const CAPITALS: readonly (readonly [number, number, number, number])[] = [
  [0xc0, 0xd6, 1, 32],
  [0xd8, 0xde, 1, 32],
  [0x100, 0x12e, 2, 1],
  [0x132, 0x136, 2, 1],
  [0x139, 0x147, 2, 1],
  [0x14a, 0x176, 2, 1],
  [0x178, 0x178, 1, -121],
  [0x179, 0x17d, 2, 1],
  [0x386, 0x386, 1, 38],
  [0x388, 0x38a, 1, 37],
  [0x38c, 0x38c, 1, 64],
  [0x38e, 0x38f, 1, 63],
  [0x391, 0x3a1, 1, 32],
  [0x3a3, 0x3ab, 1, 32],
  // The sigma at a word's end, as any other.
  [0x3c2, 0x3c2, 1, 1],
  [0x400, 0x40f, 1, 80],
  [0x410, 0x42f, 1, 32],
  [0x460, 0x480, 2, 1],
  [0x48a, 0x4be, 2, 1],
  [0x4c1, 0x4cd, 2, 1],
  [0x4d0, 0x52e, 2, 1],
  [0x531, 0x556, 1, 48],
  [0x1e00, 0x1e94, 2, 1],
  [0x1ea0, 0x1efe, 2, 1],
  [0xff21, 0xff3a, 1, 32],
];

/** The tables, for programs that split texts alike. */
export const WORD_TABLES = { separators: SEPARATORS, singles: SINGLES, capitals: CAPITALS } as const;

/** $ and !: letters for models, since many of them tell a text's kind; marks for comparisons. */
const isMark = (byte: number): boolean => byte === 36 || byte === 33;

/**
 * Hashes of a text's words, in order. Letters of ASCII, Latin, Greek, Cyrillic and Armenian are taken as small ones.
 * @param text UTF-8; bytes that are none are marks between words @param withMarks true: $ and ! are letters
 */
export function wordsOf(text: Uint8Array, withMarks: boolean): number[] {
  const words: number[] = [];
  let word = FNV_BASIS;
  let length = 0;
  const close = () => {
    if (length > 0) words.push(word >>> 0);
    word = FNV_BASIS;
    length = 0;
  };
  const take = (byte: number) => {
    word = Math.imul(word ^ byte, FNV_PRIME);
    length += 1;
  };
  for (let at = 0; at < text.length; ) {
    const byte = text[at]!;
    if (byte < 0x80) {
      const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
      if ((lower >= 97 && lower <= 122) || (lower >= 48 && lower <= 57) || (withMarks && isMark(lower)))
        take(lower);
      else close();
      at += 1;
      continue;
    }
    const [point, size] = codePointAt(text, at);
    at += size;
    const small = smallLetter(point);
    const isSingle = isSingleWord(small);
    if (isSingle || isSeparator(small)) close();
    if (isSingle || !isSeparator(small)) for (const one of utf8Of(small)) take(one);
    if (isSingle) close();
  }
  close();
  return words;
}

/** FNV-1a of a text's UTF-8. */
export function hashOf(text: string): number {
  let hash = FNV_BASIS;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}

/** Code point of a sequence of two to four bytes, and its size; U+FFFD for what is none. */
function codePointAt(text: Uint8Array, at: number): [number, number] {
  const first = text[at]!;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return [0xfffd, 1];
  let point = first & (0xff >> (size + 1));
  for (let k = 1; k < size; k++) {
    const next = text[at + k] ?? 0;
    if ((next & 0xc0) !== 0x80) return [0xfffd, 1];
    point = (point << 6) | (next & 0x3f);
  }
  return [point, size];
}

function utf8Of(point: number): number[] {
  const tail = (shift: number) => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x80) return [point];
  if (point < 0x800) return [0xc0 | (point >> 6), tail(0)];
  if (point < 0x10000) return [0xe0 | (point >> 12), tail(6), tail(0)];
  return [0xf0 | (point >> 18), tail(12), tail(6), tail(0)];
}

/** Small letter of a capital one beyond ASCII; any other code point is itself. */
export function smallLetter(point: number): number {
  for (const [from, to, step, distance] of CAPITALS) {
    if (point < from) return point;
    if (point <= to) return (point - from) % step === 0 ? point + distance : point;
  }
  return point;
}

/** True for a code point beyond ASCII that stands between words. */
export const isSeparator = (point: number): boolean => isWithin(SEPARATORS, point);
/** True for a code point beyond ASCII that is a word by itself. */
export const isSingleWord = (point: number): boolean => isWithin(SINGLES, point);

function isWithin(ranges: Ranges, point: number): boolean {
  for (const [from, to] of ranges) {
    if (point < from) return false;
    if (point <= to) return true;
  }
  return false;
}
