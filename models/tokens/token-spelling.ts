/**
 * What each token of a tokenizer spells, and by which rule byte-pair encoding makes it: enough to compare a prompt's tokens
 * one or two at a time (docs/explanation/fault-proofs.md, contracts/disputes/texts/PromptTokens.sol).
 */
import { type FileSource, readWhole } from "../files/byte-source.ts";
import { MAX_FILE_BYTES, parseJsonFile } from "./tokenizer.ts";
import { byteCharacters } from "./train-tokenizer.ts";
import { areCharacters, CLASS, characterAt, characterBefore } from "./utf8-characters.ts";
import { BORDER, PATTERN, type Pattern, wordBorder } from "./word-borders.ts";

export interface SpelledToken {
  /** Empty where it spells nothing certain. */
  readonly bytes: Uint8Array;
  /** What joins two tokens to this one; null where no rule does. */
  readonly rule: { readonly rank: number; readonly left: number; readonly right: number } | null;
}

/** How a text is cut into pieces: not known, not at all, or by a pattern of words. The numbers of PromptTokens.sol. */
export const JOINING = { none: 0, all: 2, ...PATTERN } as const;

/** Patterns of others, as their files have them. */
export const PATTERN_TEXTS: Readonly<Record<string, Pattern>> = {
  [otherPattern("{1,3}")]: PATTERN.llama3,
  [otherPattern("")]: PATTERN.qwen2,
};

function otherPattern(numbers: string): string {
  const words = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
  const rest = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  return `${words}|\\p{N}${numbers}|${rest}`;
}

export interface TokenSpelling {
  /** By token; as many as the model has. */
  readonly tokens: readonly SpelledToken[];
  readonly joining: (typeof JOINING)[keyof typeof JOINING];
}

interface PreTokenizer {
  readonly type?: string;
  readonly add_prefix_space?: boolean;
  readonly use_regex?: boolean;
  readonly behavior?: string;
  readonly pattern?: { readonly Regex?: string };
  readonly invert?: boolean;
  readonly pretokenizers?: readonly PreTokenizer[];
}

interface TokenizerFile {
  readonly normalizer?: { readonly type?: string } | null;
  readonly pre_tokenizer?: PreTokenizer;
  readonly added_tokens?: readonly { id: number; content: string; lstrip?: boolean; rstrip?: boolean }[];
  readonly model: {
    readonly type?: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly [string, string])[];
    readonly byte_fallback?: boolean;
    readonly ignore_merges?: boolean;
    readonly continuing_subword_prefix?: string | null;
    readonly end_of_word_suffix?: string | null;
  };
}

const BYTE_COUNT = 256;
const UNMADE: SpelledToken = { bytes: new Uint8Array(), rule: null };

/**
 * null where tokens do not spell a text byte by byte: where the tokenizer changes it first, or is no byte-level BPE.
 *
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function readSpelling(
  source: FileSource,
  vocabularySize: number,
): Promise<TokenSpelling | null> {
  const file = await readWhole(source, "tokenizer.json", MAX_FILE_BYTES);
  if (file === null) {
    if (vocabularySize !== BYTE_COUNT) return null;
    const tokens = Array.from({ length: BYTE_COUNT }, (_, byte) => ({
      bytes: Uint8Array.of(byte),
      rule: null,
    }));
    return { tokens, joining: JOINING.none };
  }
  const settings = await readWhole(source, "tokenizer_config.json", MAX_FILE_BYTES);
  const config = settings === null ? {} : (parseJsonFile(settings) as Record<string, unknown>);
  if (config.remove_space === true || config.do_lowercase_and_remove_accent === true) return null;
  return spellingOf(parseJsonFile(file) as TokenizerFile, vocabularySize);
}

function spellingOf(file: TokenizerFile, size: number): TokenSpelling | null {
  const { added_tokens: added = [], model, normalizer, pre_tokenizer: pre } = file;
  const pattern = joiningOf(pre);
  const isByteLevel =
    keepsSpelledTexts(normalizer) &&
    pattern !== null &&
    model.type === "BPE" &&
    model.byte_fallback !== true &&
    !model.continuing_subword_prefix &&
    !model.end_of_word_suffix &&
    added.every(({ lstrip, rstrip }) => lstrip !== true && rstrip !== true);
  if (!isByteLevel) return null;
  const byteOf = new Map(byteCharacters().map((character, byte) => [character, byte]));
  const tokens: SpelledToken[] = Array.from({ length: size }, () => UNMADE);
  for (const [name, token] of Object.entries(model.vocab)) {
    const bytes = Array.from(name, (character) => byteOf.get(character));
    // A name of other characters is an added token's.
    if (token < size && bytes.every((byte) => byte !== undefined))
      tokens[token] = { bytes: Uint8Array.from(bytes as number[]), rule: null };
  }
  const isBase = (byte: number) => tokens.some(({ bytes }) => bytes.length === 1 && bytes[0] === byte);
  if (!Array.from({ length: BYTE_COUNT }, (_, byte) => byte).every(isBase)) return null;
  const whole = new Set(added.map(({ id }) => id));
  for (const { content, id } of added)
    if (id < size) tokens[id] = { bytes: new TextEncoder().encode(content), rule: null };
  const isSure = addRules(tokens, model, whole) && model.ignore_merges !== true;
  // Attack: an entry that no rule makes, claimed in the place of its bytes' tokens. No text has it, so it spells nothing.
  if (isSure)
    for (const [token, { bytes, rule }] of tokens.entries())
      if (bytes.length > 1 && rule === null && !whole.has(token)) tokens[token] = UNMADE;
  return { tokens, joining: isSure ? besideWhole(pattern, added) : JOINING.none };
}

/**
 * A text that its own tokens spell was not changed before it was encoded, whatever NFC makes of others: each piece of such a
 * text is encoded as it is. Texts that are changed are not claimed (`spelledLengths`).
 */
const keepsSpelledTexts = (normalizer: TokenizerFile["normalizer"]) =>
  (normalizer ?? null) === null || normalizer?.type === "NFC";

/**
 * How borders are known beside tokens that are taken whole. The text between these is cut as if it were alone, but a
 * border's neighbours are read across their ends: for what a space or a sign takes along, for what follows blanks. Where
 * they are marked, by < and >, only these two signs leave a doubt.
 */
function besideWhole(
  pattern: TokenSpelling["joining"],
  added: NonNullable<TokenizerFile["added_tokens"]>,
): TokenSpelling["joining"] {
  if (pattern === JOINING.none || pattern === JOINING.all) return pattern;
  if (added.every(({ content }) => /^<.*>$/s.test(content)))
    return pattern === JOINING.gpt2 ? JOINING.gpt2Marked : pattern;
  return pattern === JOINING.gpt2 && !added.some(({ content }) => movesBorders(content))
    ? pattern
    : JOINING.none;
}

/**
 * Whether a token that is taken whole may change where the text beside it is cut, also where every sign leaves a doubt:
 * - behind it, for an apostrophe and the letters of a shortening: "'" and "state" are no "'s" and "tate";
 * - before it, for the second letter of a shortening, and for a word that blanks run up to.
 */
function movesBorders(content: string): boolean {
  const bytes = new TextEncoder().encode(content);
  const ends = [characterAt(bytes, 0), characterBefore(bytes, bytes.length)];
  return content.endsWith("'") || ends.some(({ kind }) => kind < CLASS.sign || kind === CLASS.end);
}

/**
 * What the tokenizer cuts a text into before it encodes each piece, byte by byte: nothing, words by a pattern that is known
 * here, or pieces by others. null where bytes may be lost or added.
 */
function joiningOf(pre: PreTokenizer | undefined): TokenSpelling["joining"] | null {
  if (pre?.type === "ByteLevel") {
    if (pre.add_prefix_space !== false) return null;
    return pre.use_regex === false ? JOINING.all : JOINING.gpt2;
  }
  if (pre?.type !== "Sequence") return null;
  const parts = pre.pretokenizers ?? [];
  const splits = parts.slice(0, -1);
  const areSplits = splits.every(({ behavior, type }) => type === "Split" && behavior === "Isolated");
  const last = parts.at(-1);
  const within = last?.type === "ByteLevel" ? joiningOf(last) : null;
  if (!areSplits || within === null) return null;
  const [split, ...others] = splits;
  const isAlone = others.length === 0 && split?.invert !== true && within === JOINING.all;
  const known = isAlone ? PATTERN_TEXTS[split?.pattern?.Regex ?? ""] : undefined;
  return known ?? JOINING.none;
}

/**
 * False where a rule cannot be named by the token that it makes, or does not come behind those of its parts: then the order
 * in which rules are applied is not that of their ranks. Such a vocabulary has no rules here.
 */
function addRules(
  tokens: SpelledToken[],
  { merges, vocab }: TokenizerFile["model"],
  added: ReadonlySet<number>,
): boolean {
  const ranks = new Map<number, number>();
  const rules: [number, NonNullable<SpelledToken["rule"]>][] = [];
  for (const [rank, merge] of merges.entries()) {
    const [first, second] = typeof merge === "string" ? merge.split(" ") : merge;
    const [left, right, token] = [vocab[first!], vocab[second!], vocab[`${first}${second}`]];
    if (left === undefined || right === undefined || token === undefined) return false;
    const isPlain = token < tokens.length && ![left, right, token].some((one) => added.has(one));
    if (!isPlain || ranks.has(token)) return false;
    ranks.set(token, rank);
    rules.push([token, { rank, left, right }]);
  }
  // A part that a later rule makes would be there before it.
  const isLate = ([, { rank, left, right }]: (typeof rules)[number]) =>
    (ranks.get(left) ?? -1) >= rank || (ranks.get(right) ?? -1) >= rank;
  if (rules.some(isLate)) return false;
  for (const [token, rule] of rules) tokens[token] = { bytes: tokens[token]!.bytes, rule };
  return true;
}

/** Bytes that each token spells of the text. null where they do not spell it, one after another. */
export function spelledLengths(
  { tokens: known }: TokenSpelling,
  text: Uint8Array,
  tokens: readonly number[],
): number[] | null {
  let from = 0;
  for (const token of tokens) {
    const bytes = known[token]?.bytes ?? new Uint8Array();
    if (bytes.length === 0 || !isAt(text, bytes, from)) return null;
    from += bytes.length;
  }
  return from === text.length ? tokens.map((token) => known[token]!.bytes.length) : null;
}

const isAt = (text: Uint8Array, bytes: Uint8Array, from: number) =>
  from + bytes.length <= text.length && bytes.every((byte, i) => text[from + i] === byte);

/** What of a prompt's tokens can be shown to be wrong. Tokens are those of the vocabulary's leaves that are opened. */
export type PromptFault =
  | { readonly kind: "spelling"; readonly place: number }
  /** A rule makes it of two pieces. */
  | { readonly kind: "cut"; readonly place: number }
  | {
      readonly kind: "join";
      readonly place: number;
      readonly joined: number;
      /** From the whole token down to the one whose part is joined. */
      readonly left: readonly number[];
      readonly right: readonly number[];
    };

/** @param lengths as claimed: they make up the text, and each is at least 1 */
export function findPromptFault(
  spelling: TokenSpelling,
  text: Uint8Array,
  lengths: readonly number[],
  tokens: readonly number[],
): PromptFault | null {
  let from = 0;
  for (const [place, token] of tokens.entries()) {
    const { bytes, rule } = spelling.tokens[token]!;
    if (bytes.length !== lengths[place] || !isAt(text, bytes, from)) return { kind: "spelling", place };
    const end = from + bytes.length;
    // A prompt is characters: no tokenizer has made tokens of anything else.
    if (!areCharacters(text, from, end)) return { kind: "spelling", place };
    if (isWords(spelling.joining) && rule !== null && isCutBetween(spelling.joining, text, from, end))
      return { kind: "cut", place };
    from = end;
  }
  if (spelling.joining === JOINING.none) return null;
  const rules = rulesByParts(spelling);
  let border = 0;
  for (let place = 0; place + 1 < tokens.length; place++) {
    border += lengths[place]!;
    if (!isInside(spelling.joining, text, border)) continue;
    const join = findJoin(spelling, rules, tokens[place]!, tokens[place + 1]!);
    if (join !== null) return { kind: "join", place, ...join };
  }
  return null;
}

/** Whether `findPromptFault` takes one list of tokens alone of a text that has no token's that is taken whole. */
export function isSpelledOneWay({ joining, tokens }: TokenSpelling, text: Uint8Array): boolean {
  if (!isWords(joining)) return joining === JOINING.all || tokens.every(({ rule }) => rule === null);
  for (let border = 1; border < text.length; border++)
    if (wordBorder(joining, text, border) === BORDER.unsure) return false;
  return true;
}

type RulesByParts = ReadonlyMap<string, { readonly token: number; readonly rank: number }>;

/** By the spelling itself: a vocabulary has up to some 300,000 rules, and every text asks for them. */
const knownRules = new WeakMap<TokenSpelling, RulesByParts>();

function rulesByParts(spelling: TokenSpelling): RulesByParts {
  const known = knownRules.get(spelling);
  if (known !== undefined) return known;
  const rules = new Map(
    spelling.tokens.flatMap(({ rule }, token) =>
      rule === null ? [] : [[`${rule.left} ${rule.right}`, { token, rank: rule.rank }] as const],
    ),
  );
  knownRules.set(spelling, rules);
  return rules;
}

/** As in PromptTokens.sol: there is the argument. */
function findJoin(spelling: TokenSpelling, rules: RulesByParts, left: number, right: number) {
  const rightPieces = piecesOf(spelling, right, "left");
  for (const one of piecesOf(spelling, left, "right"))
    for (const other of rightPieces) {
      const rule = rules.get(`${one.piece} ${other.piece}`);
      if (rule !== undefined && rule.rank < one.above && rule.rank <= other.above)
        return { joined: rule.token, left: one.through, right: other.through };
    }
  return null;
}

/** The token, its part at one end, that part's, and so on: each with the rank of the rule that waits above it. */
function piecesOf({ tokens }: TokenSpelling, token: number, side: "left" | "right") {
  const pieces = [{ piece: token, above: Number.POSITIVE_INFINITY, through: [] as readonly number[] }];
  for (let { rule } = tokens[token]!; rule !== null; ) {
    const { piece, through } = pieces.at(-1)!;
    const part = rule[side];
    pieces.push({ piece: part, above: rule.rank, through: [...through, piece] });
    rule = tokens[part]!.rule;
  }
  return pieces;
}

/** Whether a pattern of words cuts the text. */
const isWords = (joining: TokenSpelling["joining"]): joining is Pattern =>
  joining !== JOINING.none && joining !== JOINING.all;

const isInside = (joining: TokenSpelling["joining"], text: Uint8Array, border: number): boolean =>
  isWords(joining) ? wordBorder(joining, text, border) === BORDER.inside : joining === JOINING.all;

function isCutBetween(pattern: Pattern, text: Uint8Array, from: number, end: number): boolean {
  for (let border = from + 1; border < end; border++)
    if (wordBorder(pattern, text, border) === BORDER.cut) return true;
  return false;
}
