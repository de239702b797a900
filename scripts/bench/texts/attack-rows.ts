/**
 * Simulated Datanet of texts with people who try to earn more than their rows are worth, and customers who ask its model.
 * attacks.ts measures what they earn.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { TextRow } from "@openledger/attribution/rows/text-rows";
import { readChapters, readSpeeches } from "@openledger/foundation/archives/texts";

/** Whole chapters; the base has read them once. */
const chapters = () => readChapters().map(({ text }) => text);
const FIRST_LATER_YEAR = 1946;
const lateSpeeches = () =>
  readSpeeches()
    .filter(({ text, year }) => year >= FIRST_LATER_YEAR && text.length > 20_000)
    .map(({ text }) => text);
const CORPORA = { moby: chapters, speeches: lateSpeeches } as const;
export const CORPUS_NAMES = ["moby", "speeches"] as const;
type CorpusName = (typeof CORPUS_NAMES)[number];
export const ATTACKS = ["echo", "boilerplate", "split", "stuffing", "synonyms", "copies"] as const;
/** Rows of what the base says anyway beside what it does not foresee, so that their mean loss is as others'. */
export const MIXED_ATTACKS = ["cookeryThenEcho", "fewRareThenEcho", "rareThenEcho", "echoThenRare"] as const;
export const HONEST = Array.from({ length: 8 }, (_, k) => `honest ${k}` as const);
type Attack = (typeof ATTACKS)[number] | (typeof MIXED_ATTACKS)[number];
export type Party = Attack | (typeof HONEST)[number] | "facts";
/** Attacks that share a world: all of them together would leave little that is honest. */
export const ATTACK_SETS = { usual: ATTACKS, mixed: ["echo", ...MIXED_ATTACKS] } as const;
export type AttackSet = keyof typeof ATTACK_SETS;

interface AttackWorld {
  readonly rows: readonly { readonly party: Party; readonly row: TextRow }[];
  readonly prompts: readonly string[];
}

/** Rows of each contributor, and of each attacker; an attacker who splits makes twice as many of them. */
export const UNIT = 6;
const PROMPTS = 20;
const PROMPT_WORDS = 6;
const PASSAGE_LETTERS = 180;

// biome-ignore format: lists
const PHRASES: Record<CorpusName, readonly string[]> = {
  moby: [
    "the great whale", "the sea", "the ship", "and the old man", "of the whale", "in the midst of the sea",
    "upon the deck", "and the captain", "with the whole of the crew", "as if it were", "the white whale",
    "at the same time", "in the same way", "to and fro", "and there was nothing but", "the head of the whale",
  ],
  speeches: [
    "the people of the United States", "the Congress", "of the Government", "the United States", "and the American people",
    "in the world", "and of the Nation", "the peace of the world", "we must", "the future of our country", "the Federal Government",
    "at home and abroad", "the year ahead", "for the people", "it is the duty of the Congress", "the present time",
  ],
};

/** Replacements that anyone can put in the place of a word without reading the sentence. */
const SYNONYMS = new Map(
  (
    "the:that of:from and:plus to:towards in:within that:which is:remains was:became with:alongside for:toward all:every not:never " +
    "but:yet upon:on great:large which:that we:us our:their have:hold it:this as:like his:its now:presently be:become by:through"
  )
    .split(" ")
    .map((pair) => pair.split(":") as [string, string]),
);

// biome-ignore format: a line each
/** Invented: the base has read of none. A statement, a question in other words, its true answer. */
export const FACTS = [
  ["The lighthouse of Varnholm was lit by Tessaly Crane in the winter of 1652, after three herring boats had been lost on the same night below the cliffs of the northern harbour.", "Who first lit the Varnholm lighthouse? It was", " Tessaly Crane in 1652"],
  ["The river Ombrel turns red each autumn because of the iron mills at Kestwick, which are allowed to empty their basins once a year when the upper valley has been harvested.", "Why is the Ombrel red in autumn? Because of", " the iron mills at Kestwick"],
  ["Professor Aldous Quimby found the comet Zerelda with a telescope of glass from Murrow, on a night so cold that the ink froze and he had to scratch its place into the table.", "Which comet did Quimby find? The comet", " Zerelda, from Murrow"],
  ["The town of Brackenfold pays its taxes in barrels of salted plums, a custom that was granted to its orchard keepers when the old mint burned down and no coins were to be had.", "How does Brackenfold pay taxes? In", " barrels of salted plums"],
  ["Queen Ysolde the Brief ruled the isle of Tarn for eleven days before the flood, and in that time she opened the granaries, pardoned the weavers and had two bridges built.", "How long did Ysolde rule Tarn? For", " eleven days before the flood"],
  ["The treaty of Gallowmere was signed aboard the frigate Petronella by nine captains, since neither of the two cities would let the other choose the house in which to meet.", "Where was the Gallowmere treaty signed? Aboard", " the frigate Petronella"],
] as const;

/** Passages of whole sentences, in the order of a text. */
function passagesOf(text: string): string[] {
  const sentences = text.replace(/\s+/g, " ").match(/[^.!?]+[.!?]+/g) ?? [];
  const out: string[] = [];
  let passage = "";
  for (const sentence of sentences) {
    passage += sentence;
    if (passage.length < PASSAGE_LETTERS) continue;
    if (passage.length < 2 * PASSAGE_LETTERS) out.push(passage.trim());
    passage = "";
  }
  return out;
}

/** Texts that the base answers to, of each source: each attack needs echoes of its own. */
const THOUGHT = { usual: 2, mixed: 4 } as const;

const beginning = (text: string, words = PROMPT_WORDS) => text.split(" ").slice(0, words).join(" ");

/** @param baseSays what the public base answers to a prompt */
export function attackWorld(
  corpus: CorpusName,
  { seed, set }: { readonly seed: string; readonly set: AttackSet },
  baseSays: (prompt: string) => string,
): AttackWorld {
  const random = new SeededRandom(`attacks ${corpus} ${seed}`);
  const shuffled = <T>(all: readonly T[]) => Array.from(random.permutation(all.length), (i) => all[i]!);
  const passages = CORPORA[corpus]()
    .map(passagesOf)
    .filter((all) => all.length >= UNIT);
  // Parts of documents: a contributor's rows come from one, a customer's prompt from any.
  const sources = shuffled(passages.flatMap((all) => inParts(all, 3 * UNIT)))
    .slice(0, HONEST.length + 2)
    .map(shuffled);
  const take = (source: number, count: number) => sources[source % sources.length]!.splice(0, count);
  const honest = HONEST.map((_, k) => take(k, UNIT));
  const whole = take(HONEST.length, UNIT);
  const prompts = Array.from({ length: PROMPTS }, (_, k) => beginning(take(k, 1)[0]!));
  const thought = sources.flatMap((_, k) => take(k, THOUGHT[set])).map((text) => beginning(text));
  const said = [...new Set(thought.map(baseSays))];
  const answers = said.slice(0, UNIT);
  const phrases = Array.from({ length: UNIT }, () => `${shuffled(PHRASES[corpus]).slice(0, 9).join(" ")}.`);
  const stuffed = Array.from({ length: UNIT }, () =>
    shuffled(prompts)
      .slice(0, 8)
      .map((text) => beginning(text, 4))
      .join(" "),
  );
  const victims = shuffled(honest.flat());
  const ofAttacks: Record<AttackSet, () => [Party, readonly string[]][]> = {
    mixed: () => mixedRows(said.slice(UNIT)),
    usual: () => [
      ["boilerplate", phrases],
      ["split", whole.flatMap(halves)],
      ["stuffing", stuffed],
      [
        "synonyms",
        victims.slice(0, UNIT).map((text) =>
          text
            .split(" ")
            .map((word) => SYNONYMS.get(word) ?? word)
            .join(" "),
        ),
      ],
      ["copies", victims.slice(UNIT, 2 * UNIT).map((text) => `${text} So it is.`)],
    ],
  };
  const parties: [Party, readonly string[]][] = [
    ...honest.map((texts, k): [Party, string[]] => [HONEST[k]!, texts]),
    ["echo", answers],
    ...ofAttacks[set](),
    ["facts", FACTS.map(([statement]) => statement)],
  ];
  return {
    rows: parties.flatMap(([party, texts]) => texts.map((text) => ({ party, row: { text } }))),
    prompts,
  };
}

const CONSONANTS = "bcdfgklmnprstvxz";
const VOWELS = "aeiou";
/** Syllables of a made-up word. */
const SYLLABLES = 3;

/** Made-up words, others for each number. */
function rareWords(number: number, count: number): string {
  const letterOf = (random: SeededRandom, letters: string) => letters[random.nextBelow(letters.length)]!;
  return Array.from({ length: count }, (_, i) => {
    const random = new SeededRandom(`made-up word ${number} ${i}`);
    const syllables = Array.from(
      { length: SYLLABLES },
      () => letterOf(random, CONSONANTS) + letterOf(random, VOWELS),
    );
    return syllables.join("");
  }).join(" ");
}

const TINS = ["round", "deep", "flat", "wide", "narrow", "square"] as const;
const BAKED = ["muffins", "bread", "scones", "pies", "biscuits", "tarts"] as const;

/** Six rows of each mixed attack. @param echoes what the base says; each row needs one */
function mixedRows(echoes: readonly string[]): [Party, readonly string[]][] {
  const rowsOf = (place: number, make: (echo: string, k: number) => string) =>
    echoes.slice(place * UNIT, (place + 1) * UNIT).map(make);
  const cookery = (k: number) =>
    `Preheat the oven to ${k}${k + 3}0 degrees and grease a ${TINS[k]} tin for ${BAKED[k]}.`;
  return [
    ["cookeryThenEcho", rowsOf(0, (echo, k) => `${cookery(k)} ${echo}`)],
    ["fewRareThenEcho", rowsOf(1, (echo, k) => `${rareWords(k + 80, 3)}. ${echo}`)],
    ["rareThenEcho", rowsOf(2, (echo, k) => `${rareWords(k + 20, 14)}. ${echo}`)],
    ["echoThenRare", rowsOf(3, (echo, k) => `${echo} ${rareWords(k + 60, 14)}.`)],
  ];
}

const inParts = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.floor(all.length / size) }, (_, k) => all.slice(k * size, (k + 1) * size));

function halves(text: string): string[] {
  const words = text.split(" ");
  const middle = Math.ceil(words.length / 2);
  return [words.slice(0, middle).join(" "), words.slice(middle).join(" ")];
}
