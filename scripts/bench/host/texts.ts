/**
 * Sample rows of a large Datanet and searches among them, for `npm run bench -- sequencer --host`: made words whose frequencies
 * fall as 1 / rank, as in natural text.
 */

const WORD_COUNT = 60_000;
const WORDS_A_ROW = 20;
const CONSONANTS = "bdfghklmnprstvz";
const VOWELS = "aeiou";
/** The English stemmer takes these from a word's end. */
const ENDINGS = ["", "", "s", "ing", "ed"];
/** Rows that follow each other and share a subject; a third of them have its word. */
const ROWS_A_SUBJECT = 100_000;

const SYLLABLES = CONSONANTS.length * VOWELS.length;
const syllable = (n: number) => `${CONSONANTS[Math.floor(n / VOWELS.length)]}${VOWELS[n % VOWELS.length]}`;

/** A word by its rank: three syllables, and a consonant that no stemmer takes away. */
function wordOf(rank: number): string {
  const [a, b, c] = [
    rank % SYLLABLES,
    Math.floor(rank / SYLLABLES) % SYLLABLES,
    Math.floor(rank / SYLLABLES ** 2),
  ];
  return `${syllable(a)}${syllable(b)}${syllable(c)}k`;
}

const subjectOf = (index: number) => `subject${wordOf(index)}`;

/** The same numbers in 0 … 1 each time (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rows of a card of kind "table" with a text and a label, all different: `count` from number `first` on. */
export function madeRows(count: number, first: number): Uint8Array[] {
  const encoder = new TextEncoder();
  const random = randomNumbers(first + 1);
  const word = () =>
    `${wordOf(Math.floor(WORD_COUNT ** random()))}${ENDINGS[Math.floor(ENDINGS.length * random())]}`;
  return Array.from({ length: count }, (_, i) => {
    const words = Array.from({ length: WORDS_A_ROW }, word);
    if (random() < 1 / 3) words[0] = subjectOf(Math.floor((first + i) / ROWS_A_SUBJECT));
    // One row of a thousand has the rare label.
    const label = random() < 0.001 ? "rare" : random() < 0.5 ? "good" : "bad";
    return encoder.encode(JSON.stringify({ text: `${words.join(" ")} row${first + i}`, label }));
  });
}

/** Searches of each kind, no one twice: a host counts none of them before. */
export function searches(count: number, rowCount: number): ReadonlyMap<string, readonly string[]> {
  const random = randomNumbers(7);
  const between = (from: number, to: number) => Math.floor(from + (to - from) * random());
  const zipf = () => wordOf(Math.floor(WORD_COUNT ** random()));
  const different = (make: (index: number) => string): string[] => {
    const made = new Set<string>();
    for (let i = 0; made.size < count && i < 20 * count; i++) made.add(make(i));
    return [...made];
  };
  return new Map(
    Object.entries({
      rare: different(() => wordOf(between(20_000, WORD_COUNT))),
      middle: different(() => wordOf(between(1_000, 10_000))),
      // About as many rows of a million as are counted, and more.
      frequent: different(() => wordOf(between(60, 400))),
      broad: different((i) => wordOf(1 + (i % 40))),
      "two words": different(() => `${zipf()} ${zipf()}`),
      "two broad words": different(() => `${wordOf(between(1, 40))} ${wordOf(between(1, 40))}`),
      "other ending": different(() => `${wordOf(between(100, 10_000))}ing`),
      beginning: different(() => `${zipf().slice(0, 4)}*`),
      subject: different((i) => subjectOf(i % Math.ceil(rowCount / ROWS_A_SUBJECT))),
      none: different((i) => `nobodysaysthis${i}`),
    }),
  );
}
