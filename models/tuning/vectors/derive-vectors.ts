/**
 * Derivation of the word vectors that ship, from pinned public packages: the same bytes on every machine. `openledger models vectors
 * --derive FILE` makes them again.
 */
import { createHash } from "node:crypto";
import { modelError } from "../../model-errors.ts";
import { type PairOfPhrases, pairsOfDictionary } from "./ding-dictionary.ts";
import {
  englishWords,
  fileOfWords,
  newComponents,
  type PlacedWord,
  weightOfFrequency,
} from "./english-space.ts";

/** Words of a file. Of English more label no more texts right, of German a few: of 48 messages 83 of 100 by 100,000, 80 by these. */
const WORDS = 50_000;

type OnStage = (stage: string) => void;

/** Makes the file of English words: the most frequent of the package. @throws Error if the archive cannot be fetched */
export function deriveEnglish(onStage: OnStage = () => undefined): Uint8Array {
  const words = englishWords(onStage);
  onStage("writing vectors");
  return fileOfWords(new Map([...words].slice(0, WORDS)));
}

/** Dictionary of Debian's package trans-de-en 1.9-6 (Ding, of Frank Richter; GPL-2.0-or-later), by its hash. */
export const DICTIONARY = {
  package: "trans-de-en 1.9-6",
  path: "/usr/share/trans/de-en",
  sha256: "34052c6021d09eadfee7a893a789204265954df70fe9c36d38fa00058d79d326",
} as const;

/**
 * Makes the file of German words from the dictionary's bytes.
 * @throws MOD_FILE_INVALID for another dictionary, Error if the archive of the English words cannot be fetched
 */
export function deriveGerman(dictionary: Uint8Array, onStage: OnStage = () => undefined): Uint8Array {
  const found = createHash("sha256").update(dictionary).digest("hex");
  if (found !== DICTIONARY.sha256)
    throw modelError(
      "MOD_FILE_INVALID",
      `the dictionary has the SHA-256 ${found}, that of ${DICTIONARY.package} ${DICTIONARY.sha256}`,
      { data: { name: DICTIONARY.package, reason: "is another file" } },
    );
  const english = englishWords(onStage);
  onStage("reading the dictionary, 26 MB");
  const words = wordsByTranslation(pairsOfDictionary(new TextDecoder().decode(dictionary)), english);
  onStage("writing vectors");
  return fileOfWords(new Map([...words].slice(0, WORDS)));
}

/** Words of an English phrase at most: longer ones say too many things. */
const MAX_ENGLISH = { ofWord: 3, ofPhrase: 8 } as const;
/** Weight of a phrase of n words for each of them, times n. */
const PHRASE_WEIGHT = 0.5;

/**
 * Places words where their translations are, the most frequent first (of equals the lesser hash). A word's place is the mean over its
 * pairs: 1 for a pair of its own, ½ ÷ n for one of a phrase of n words, by which inflected forms are known. The place of a pair is the mean over its
 * English phrases, and that of a phrase the mean over its words by their weights. A word weighs by its frequency in the dictionary.
 */
export function wordsByTranslation(
  pairs: Iterable<PairOfPhrases>,
  english: ReadonlyMap<number, PlacedWord>,
): Map<number, PlacedWord> {
  const frequencies = new Map<number, number>();
  let total = 0;
  const sums = new Map<number, { weight: number; components: Float64Array }>();
  for (const { english: translations, words, phrases } of pairs) {
    total += words.length;
    for (const word of words) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
    const ofWord = placeOf(translations, english, MAX_ENGLISH.ofWord);
    const ofPhrase = placeOf(translations, english, MAX_ENGLISH.ofPhrase);
    for (const phrase of phrases) {
      const place = phrase.length === 1 ? ofWord : ofPhrase;
      if (place === null || phrase.length > MAX_ENGLISH.ofPhrase) continue;
      const weight = phrase.length === 1 ? 1 : PHRASE_WEIGHT / phrase.length;
      for (const word of phrase) {
        const sum = sums.get(word) ?? { weight: 0, components: newComponents() };
        sum.weight += weight;
        add(sum.components, place, weight);
        sums.set(word, sum);
      }
    }
  }
  const byFrequency = [...sums].sort(([a], [b]) => frequencies.get(b)! - frequencies.get(a)! || a - b);
  return new Map(
    byFrequency.map(([word, { components, weight }]) => [
      word,
      {
        weight: weightOfFrequency(frequencies.get(word)! / total),
        components: components.map((value) => value / weight),
      },
    ]),
  );
}

/** Mean place of phrases; null where none of at most `maxWords` words has a known one. */
function placeOf(
  phrases: readonly (readonly number[])[],
  words: ReadonlyMap<number, PlacedWord>,
  maxWords: number,
): Float64Array | null {
  const place = newComponents();
  let count = 0;
  for (const phrase of phrases) {
    const known = phrase.length > maxWords ? [] : phrase.flatMap((word) => words.get(word) ?? []);
    if (known.length === 0) continue;
    const total = known.reduce((sum, { weight }) => sum + weight, 0);
    for (const { components, weight } of known) add(place, components, weight / total);
    count += 1;
  }
  return count === 0 ? null : place.map((value) => value / count);
}

function add(sum: Float64Array, values: Float64Array, factor: number): void {
  for (let j = 0; j < sum.length; j++) sum[j] = sum[j]! + factor * values[j]!;
}
