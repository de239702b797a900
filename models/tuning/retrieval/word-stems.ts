/**
 * Stems of a text's words, by which a model that says rows' answers matches prompts to rows (match-rows.ts): the first four
 * characters, so that "boil" and "boils" are one. Words that any English question has are left out.
 */
import { hashedWord, wordsOf } from "./lexical-words.ts";

const STEM_CHARACTERS = 4;

/** Function words of English, as of the Snowball stemmer's list, with the words of a request. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  `a about above after again against all am an and any are as at be because been before being below between both but by can
  could did do does doing down during each few for from further had has have having he her here hers herself him himself
  his how i if in into is it its itself many may me might more most much must my myself name no nor not now of off on once
  only or other our ours ourselves out over own please s same shall she should so some such t tell than that the their
  theirs them themselves then there these they this those through to too under until up very was we were what when where
  which while who whom whose why will with would you your yours yourself yourselves`.split(/\s+/),
);

/** Counts the stems of a text's words, hashed to 32 bits. A text of function words alone has the stems of these. */
export function stemCounts(text: string): Map<number, number> {
  const words = wordsOf(text);
  const content = words.filter((word) => !STOP_WORDS.has(word));
  const counts = new Map<number, number>();
  for (const word of content.length === 0 ? words : content) {
    const stem = hashedWord(Array.from(word).slice(0, STEM_CHARACTERS).join(""));
    counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  return counts;
}
