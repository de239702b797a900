/**
 * Splits a text into words with their counts, each word hashed to 32 bits (FNV-1a). lexical-embedding.ts makes vectors of rows
 * and questions from them.
 */

const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

/** Counts each word of the text. */
export function wordCounts(text: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const word of wordsOf(text)) {
    const hash = hashedWord(word);
    counts.set(hash, (counts.get(hash) ?? 0) + 1);
  }
  return counts;
}

/**
 * Words of a text in their order: runs of ASCII letters and digits and of other scripts' characters; capital ASCII letters
 * count as small ones. No table of Unicode is used, since machines have different ones.
 */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    const point = character.codePointAt(0)!;
    const lower = point >= 65 && point <= 90 ? point + 32 : point;
    if (isLetter(lower)) word += String.fromCodePoint(lower);
    else if (word !== "") {
      words.push(word);
      word = "";
    }
  }
  if (word !== "") words.push(word);
  return words;
}

function hashedWord(word: string): number {
  let hash = FNV_BASIS;
  for (const character of word) hash = Math.imul(hash ^ character.codePointAt(0)!, FNV_PRIME);
  return hash >>> 0;
}

/** Latin signs, general punctuation and that of East Asia divide words; all else beyond ASCII belongs to them. */
function isLetter(point: number): boolean {
  if (point < 128) return (point >= 97 && point <= 122) || (point >= 48 && point <= 57);
  const divides = point < 0xc0 || (point >= 0x2000 && point < 0x2070) || (point >= 0x3000 && point < 0x3040);
  return !divides;
}
