import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../files/memory-source.ts";
import {
  findPromptFault,
  JOINING,
  PATTERN_TEXTS,
  readSpelling,
  spelledLengths,
  type TokenSpelling,
} from "./token-spelling.ts";
import { openTokenizer, type TextTokens } from "./tokenizer.ts";
import { trainTokenizer } from "./train-tokenizer.ts";
import { BORDER, type Pattern, wordBorder } from "./word-borders.ts";

const TEXTS = [
  "The state of the union is strong; the union's states won't pay. banana bananas anna's aaaa aaaaaa a aa aaa",
  "They'll say we've paid what they'd owe. Congress congresses progress progressed, 1789 to 1,861 - 'tis so!",
];
const FOREIGN =
  "L'état, c'est l'état: états, étés, États-Unis. Στο κράτος, το κράτος του κράτους. 国家是国家。 ½ ½ ١٢٣ ١٢٣";
const SIZE = 400;
const bytesOf = (text: string) => new TextEncoder().encode(text);

const sourceOf = (file: unknown, config: unknown = {}) =>
  memorySource(
    "memory",
    new Map([
      ["tokenizer.json", bytesOf(JSON.stringify(file))],
      ["tokenizer_config.json", bytesOf(JSON.stringify(config))],
    ]),
  );

// biome-ignore lint/suspicious/noExplicitAny: a file that others read with a schema.
let file: any;
let tokens: TextTokens;
let spelling: TokenSpelling;
beforeAll(async () => {
  file = JSON.parse(trainTokenizer([...TEXTS, FOREIGN], { vocabularySize: SIZE, specialTokens: ["<end>"] }));
  tokens = await openTokenizer(sourceOf(file), SIZE);
  spelling = (await readSpelling(sourceOf(file), SIZE))!;
});

it("rules of a vocabulary are put in order once, however many texts are looked at", () => {
  let asked = 0;
  const own = spelling.tokens.slice();
  const counted = new Proxy(own, {
    get(target, name, receiver) {
      if (name === "flatMap") asked += 1;
      return Reflect.get(target, name, receiver);
    },
  });
  const text = "The union's states";
  const given = tokens.encode(text);
  const lengths = spelledLengths(spelling, bytesOf(text), given)!;
  const same = { ...spelling, tokens: counted };
  for (let i = 0; i < 3; i++) expect(findPromptFault(same, bytesOf(text), lengths, given)).toBeNull();
  expect(asked).toBe(1);
});

/** Characters that make words, ends of words and what is between them. */
function randomText(random: SeededRandom, characters: ArrayLike<string>, length: number): string {
  return Array.from({ length }, () => characters[random.nextBelow(characters.length)]).join("");
}

/** The same vocabulary, of which texts are cut by another pattern. Rules that it never uses stay rules. */
function cutBy(pattern: Pattern, of = file) {
  const text = Object.entries(PATTERN_TEXTS).find(([, one]) => one === pattern)?.[0];
  if (text === undefined) return of;
  const split = { type: "Split", pattern: { Regex: text }, behavior: "Isolated", invert: false };
  const last = { ...file.pre_tokenizer, use_regex: false };
  return {
    ...of,
    normalizer: pattern === JOINING.qwen2 ? { type: "NFC" } : null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [split, last] },
  };
}
const PATTERNS = [JOINING.gpt2Marked, JOINING.llama3, JOINING.qwen2];
async function openCutBy(pattern: Pattern) {
  const source = sourceOf(cutBy(pattern));
  return { own: await openTokenizer(source, SIZE), known: (await readSpelling(source, SIZE))! };
}

/** Any tokens that spell the bytes. */
function anyTokens(text: Uint8Array, random: SeededRandom): number[] {
  const out: number[] = [];
  for (let from = 0; from < text.length; ) {
    const fitting = spelling.tokens.flatMap(({ bytes }, token) =>
      bytes.length > 0 && bytes.every((byte, i) => text[from + i] === byte) ? [token] : [],
    );
    const token = fitting[random.nextBelow(fitting.length)]!;
    out.push(token);
    from += spelling.tokens[token]!.bytes.length;
  }
  return out;
}

describe("a tokenizer's spelling", () => {
  it.each(PATTERNS)(
    "finds nothing wrong with what the tokenizer makes of any text: pattern %i",
    async (pattern) => {
      const { known, own } = await openCutBy(pattern);
      expect(known.joining).toBe(pattern);
      const random = new SeededRandom("honest prompts");
      const characters = [
        ..."theuniosabcrgdlvwS'''    TN19.,é½١κτο国\u0301\u3000\ufeff\r\n\n",
        ...["<end>", "état", "κράτος"],
      ];
      for (let run = 0; run < 400; run++) {
        const any = randomText(random, characters, 1 + random.nextBelow(40));
        const text = pattern === JOINING.qwen2 ? any.normalize("NFC") : any;
        const given = own.encode(text);
        const lengths = spelledLengths(known, bytesOf(text), given);
        expect(lengths, text).not.toBeNull();
        expect(findPromptFault(known, bytesOf(text), lengths!, given), text).toBeNull();
      }
    },
  );

  it.each([
    { whole: ["  ", "\n\n", "<a b>", "!!"], joining: JOINING.gpt2 },
    { whole: ["\n", "<a b>", "<\t", "\u0301", "\u3000"], joining: JOINING.gpt2 },
    ...PATTERNS.map((joining) => ({ whole: ["<a b>", "<'>", "< >", "<>"], joining })),
    // What follows these is no shortening, or blanks run up to them, or no version of Unicode has them.
    ...["'", "<it'", "\n'", "é", "½", "\u0378"].map((apostrophe) => ({
      whole: ["<a b>", apostrophe],
      joining: JOINING.none,
    })),
  ])(
    "finds nothing wrong beside tokens that are taken whole: $whole, $joining",
    async ({ whole, joining }) => {
      // Some rules join blanks.
      const trained = JSON.parse(
        trainTokenizer([...TEXTS, FOREIGN, "a    a  \n\n   a \n a\n\n\n"], {
          ...{ vocabularySize: SIZE, specialTokens: ["<end>"] },
        }),
      );
      const [first] = trained.added_tokens;
      const added = whole.map((content, i) => ({ ...first, content, id: SIZE + i }));
      const changed = sourceOf(cutBy(joining as Pattern, { ...trained, added_tokens: [first, ...added] }));
      const [own, known] = [await openTokenizer(changed, SIZE + 9), (await readSpelling(changed, SIZE + 9))!];
      const random = new SeededRandom("whole tokens");
      const pieces = [
        ..."an s1'!\n\té",
        "the",
        "state",
        "'state",
        "'s",
        "'ll",
        "  ",
        "   ",
        "<end>",
        "  <end>",
        ...whole,
      ];
      let blanksBefore = 0;
      for (let run = 0; run < 600; run++) {
        const text = randomText(random, pieces, 1 + random.nextBelow(12));
        const given = own.encode(text);
        const lengths = spelledLengths(known, bytesOf(text), given);
        expect(findPromptFault(known, bytesOf(text), lengths!, given), JSON.stringify(text)).toBeNull();
        // At the end of what is cut alone, the last blank is left to nothing.
        const isBlanks = (token: number) =>
          known.tokens[token]!.rule !== null && /^ +$/.test(own.decode([token]));
        if (given.some((token, i) => isBlanks(token) && given[i + 1] === first.id)) blanksBefore++;
      }
      expect(known.joining).toBe(joining);
      if (!whole.some((one) => one === "  " || one === "< >")) expect(blanksBefore).toBeGreaterThan(10);
    },
  );

  it.each(PATTERNS)("finds every other way to spell texts: pattern %i", async (pattern) => {
    const { known, own } = await openCutBy(pattern);
    const random = new SeededRandom("other tokens of texts");
    const kinds = { spelling: 0, cut: 0, join: 0 };
    for (let run = 0; run < 600; run++) {
      const text = randomText(
        random,
        [..."the an 1 9 . , 's 'll a é état κρ ½ 。 ١".split(" "), " ", " "],
        2 + random.nextBelow(7),
      );
      const bytes = bytesOf(text);
      const borders = Array.from({ length: bytes.length - 1 }, (_, i) => wordBorder(pattern, bytes, i + 1));
      const given = anyTokens(bytes, random);
      const fault = findPromptFault(known, bytes, spelledLengths(known, bytes, given)!, given);
      const isOwn = given.join() === own.encode(text).join();
      if (fault !== null) kinds[fault.kind]++;
      if (isOwn) expect(fault, text).toBeNull();
      else if (!borders.includes(BORDER.unsure)) expect(fault, `${text}: ${given}`).not.toBeNull();
    }
    expect(kinds.join).toBeGreaterThan(100);
  });

  it("finds a token that a rule makes of two pieces", () => {
    // As one of a tokenizer that was trained by another pattern: a letter and a blank.
    const letter = spelling.tokens.findIndex(({ bytes }) => bytes.length === 1 && bytes[0] === 0x61);
    const blank = spelling.tokens.findIndex(({ bytes }) => bytes.length === 1 && bytes[0] === 0x20);
    const both = { bytes: bytesOf("a "), rule: { rank: 1_000, left: letter, right: blank } };
    const known = { ...spelling, tokens: [...spelling.tokens, both] };
    const fault = (of: TokenSpelling, text: string) =>
      findPromptFault(of, bytesOf(text), [2], [spelling.tokens.length]);
    expect(fault(known, "a ")).toEqual({ kind: "cut", place: 0 });
    // Where no rule makes it, it may be one that is taken whole.
    expect(fault({ ...known, tokens: [...spelling.tokens, { ...both, rule: null }] }, "a ")).toBeNull();
    expect(fault({ ...known, joining: JOINING.all }, "a ")).toBeNull();
  });

  it("finds a token that no rule makes in the place of its bytes' own tokens", async () => {
    const vocab = { ...file.model.vocab, unionstate: SIZE };
    const source = sourceOf({ ...file, model: { ...file.model, vocab } });
    const [own, known] = [await openTokenizer(source, SIZE + 1), (await readSpelling(source, SIZE + 1))!];
    expect(own.encode("unionstate")).not.toContain(SIZE);
    expect(known.joining).not.toBe(JOINING.none);
    const fault = findPromptFault(known, bytesOf("unionstate"), [10], [SIZE]);
    expect(fault).toEqual({ kind: "spelling", place: 0 });
  });

  it("finds bytes that are no characters, and takes only texts that NFC leaves alone", async () => {
    const bytes = Uint8Array.of(0x61, 0xc3, 0x61);
    const tokenOf = (byte: number) => spelling.tokens.findIndex((one) => one.bytes.join() === `${byte}`);
    const given = Array.from(bytes, tokenOf);
    expect(findPromptFault(spelling, bytes, [1, 1, 1], given)).toEqual({ kind: "spelling", place: 1 });
    const { known, own } = await openCutBy(JOINING.qwen2);
    const lengthsOf = (text: string) => spelledLengths(known, bytesOf(text), own.encode(text));
    expect(lengthsOf("e\u0301tat")).toBeNull();
    expect(lengthsOf("état")).not.toBeNull();
  });

  it("finds every other way to spell a word", () => {
    const random = new SeededRandom("other tokens");
    let others = 0;
    for (let run = 0; run < 400; run++) {
      const text = randomText(random, run % 2 === 0 ? "an" : "thestaunioprgb", 2 + random.nextBelow(9));
      const given = anyTokens(bytesOf(text), random);
      const lengths = spelledLengths(spelling, bytesOf(text), given)!;
      const fault = findPromptFault(spelling, bytesOf(text), lengths, given);
      const isOwn = given.join() === tokens.encode(text).join();
      expect(fault === null, `${text}: ${given}`).toBe(isOwn);
      if (!isOwn) others++;
    }
    expect(others).toBeGreaterThan(100);
  });

  it("finds a token that spells something else, also where the lengths add up", () => {
    const text = bytesOf("the union");
    const given = tokens.encode("the union");
    const lengths = spelledLengths(spelling, text, given)!;
    const other = given.map((token, i) => (i === 1 ? given[0]! : token));
    expect(findPromptFault(spelling, text, lengths, other)).toEqual({ kind: "spelling", place: 1 });
    expect(spelledLengths(spelling, text, other)).toBeNull();
  });

  it("is none where the text is changed before it is encoded, and has no rules where their order is not sure", async () => {
    const read = (changed: object, config = {}) =>
      readSpelling(sourceOf({ ...file, ...changed }, config), SIZE);
    expect(await read({ normalizer: { type: "NFKC" } })).toBeNull();
    expect(await read({ pre_tokenizer: { ...file.pre_tokenizer, add_prefix_space: true } })).toBeNull();
    expect(await read({ pre_tokenizer: { type: "Metaspace" } })).toBeNull();
    expect(await read({}, { remove_space: true })).toBeNull();
    const { merges } = file.model;
    const reversed = { ...file.model, merges: merges.toReversed() };
    expect((await read({ model: reversed }))!.joining).toBe(JOINING.none);
    const [stripped, lettered] = [{ rstrip: true }, { content: "end" }].map((changed) => [
      { ...file.added_tokens[0], ...changed },
    ]);
    expect(await read({ added_tokens: stripped })).toBeNull();
    expect((await read({ added_tokens: lettered }))!.joining).toBe(JOINING.none);
    const whole = { pre_tokenizer: { ...file.pre_tokenizer, use_regex: false } };
    expect((await read(whole))!.joining).toBe(JOINING.all);
    // As Llama 3 has it: cut by a pattern of its own. Bytes are kept, unless pieces are removed.
    const cut = (behavior: string) => {
      const split = { type: "Split", pattern: { Regex: "\\p{N}" }, behavior, invert: false };
      const last = { ...file.pre_tokenizer, use_regex: false };
      return read({ pre_tokenizer: { type: "Sequence", pretokenizers: [split, last] } });
    };
    expect((await cut("Isolated"))!.joining).toBe(JOINING.none);
    // Other patterns beside one that is known, or signs that do not mark tokens which are taken whole.
    const { pre_tokenizer: llama3 } = cutBy(JOINING.llama3);
    const [split, last] = llama3.pretokenizers;
    const inverted = { ...split, invert: true };
    for (const pretokenizers of [
      [split, split, last],
      [split, file.pre_tokenizer],
      [inverted, last],
    ])
      expect((await read({ pre_tokenizer: { type: "Sequence", pretokenizers } }))!.joining).toBe(
        JOINING.none,
      );
    const signs = [{ ...file.added_tokens[0], content: "!!" }];
    expect((await read({ pre_tokenizer: llama3, added_tokens: signs }))!.joining).toBe(JOINING.none);
    expect(await cut("Removed")).toBeNull();
    const bytes = await readSpelling(memorySource("memory", new Map()), 256);
    expect(bytes!.tokens[65]).toEqual({ bytes: Uint8Array.of(65), rule: null });
  });
});
