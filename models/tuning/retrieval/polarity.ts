/**
 * Compares what two questions turn round or narrow: their negations, and the sides that they take of opposite phrases. A question with
 * "not" is answered by no row whose question is the same without it.
 */

/** Words of the rows' languages that turn or narrow a question; each phrase is its words, with a space between two. */
export interface Polarity {
  /** Each turns the meaning round: two of them leave it. */
  readonly negations: string[];
  /** All of them together turn it once. */
  readonly concords: string[];
  /** Phrases with such words that turn nothing, as "or not". */
  readonly neutral: string[];
  /** Phrases of one side, and of the other, as "before" and "after". */
  readonly opposites: string[][][];
}

/** Negation of a question, and the sides that it takes. */
export interface Stance {
  readonly isNegated: boolean;
  /** By opposites: 1 where it has a phrase of the first side, 2 of the second, 3 of both, 0 of none. */
  readonly sides: readonly number[];
}

interface Phrase {
  readonly words: readonly string[];
  readonly kind: "negation" | "concord" | "neutral" | "side";
  readonly place: number;
  readonly side: number;
}

/** Reads the stance of questions, from their words. */
export function stanceReader(polarity: Polarity): (words: readonly string[]) => Stance {
  const phrases = new Map<string, Phrase[]>();
  const add = (kind: Phrase["kind"], text: string, place = 0, side = 0) => {
    const words = text.split(" ");
    phrases.set(words[0]!, [...(phrases.get(words[0]!) ?? []), { kind, place, side, words }]);
  };
  for (const text of polarity.neutral) add("neutral", text);
  for (const [place, sides] of polarity.opposites.entries())
    for (const [side, texts] of sides.entries()) for (const text of texts) add("side", text, place, side);
  for (const text of polarity.negations) add("negation", text);
  for (const text of polarity.concords) add("concord", text);
  // The longest counts alone: "no more than" is neither "no" nor "more than".
  for (const own of phrases.values()) own.sort((a, b) => b.words.length - a.words.length);
  return (words) => {
    const sides = polarity.opposites.map(() => 0);
    let negations = 0;
    let isConcord = false;
    for (let at = 0; at < words.length; ) {
      const phrase = phrases
        .get(words[at]!)
        ?.find((own) => own.words.every((word, k) => words[at + k] === word));
      if (phrase?.kind === "side") sides[phrase.place]! |= 1 << phrase.side;
      if (phrase?.kind === "concord") isConcord = true;
      // "No. 7" is a number.
      if (phrase?.kind === "negation" && !(phrase.words[0] === "no" && isNumber(words[at + 1]))) negations++;
      at += phrase?.words.length ?? 1;
    }
    return { isNegated: (negations + Number(isConcord)) % 2 === 1, sides };
  };
}

const isNumber = (word: string | undefined) => word !== undefined && /^[0-9]/.test(word);

/** True where one of two questions is negated and the other is not, or they take opposite sides. */
export const isContrary = (a: Stance, b: Stance): boolean =>
  a.isNegated !== b.isNegated ||
  a.sides.some((side, place) => side + b.sides[place]! === 3 && side !== 3 && side !== 0);
