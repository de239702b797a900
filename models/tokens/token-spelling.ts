/**
 * What each token of a tokenizer spells, and by which rule byte-pair encoding makes it: enough to compare a prompt's tokens
 * one or two at a time (docs/lm-disputes.md, contracts/disputes/PromptTokens.sol).
 */
import { type FileSource, readWhole } from "../files/byte-source.ts";
import { MAX_FILE_BYTES, parseJsonFile } from "./tokenizer.ts";
import { byteCharacters } from "./train-tokenizer.ts";
import { BORDER, wordBorder } from "./word-borders.ts";

export interface SpelledToken {
  /** Empty where it spells nothing certain. */
  readonly bytes: Uint8Array;
  /** What joins two tokens to this one; null where no rule does. */
  readonly rule: { readonly rank: number; readonly left: number; readonly right: number } | null;
}

/** How a text is cut into pieces: not known, by GPT-2's pattern, not at all. The numbers of PromptTokens.sol. */
export const JOINING = { none: 0, words: 1, all: 2 } as const;

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
  readonly pretokenizers?: readonly PreTokenizer[];
}

interface TokenizerFile {
  readonly normalizer?: unknown;
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
  const byWords = joiningOf(pre);
  const isByteLevel =
    (normalizer ?? null) === null &&
    byWords !== null &&
    model.type === "BPE" &&
    model.byte_fallback !== true &&
    !model.continuing_subword_prefix &&
    !model.end_of_word_suffix &&
    added.every(({ lstrip, rstrip }) => lstrip !== true && rstrip !== true);
  if (!isByteLevel) return null;
  const byteOf = new Map(byteCharacters().map((character, byte) => [character, byte]));
  const tokens: SpelledToken[] = Array.from({ length: size }, () => ({
    bytes: new Uint8Array(),
    rule: null,
  }));
  for (const [name, token] of Object.entries(model.vocab)) {
    const bytes = Array.from(name, (character) => byteOf.get(character));
    // A name of other characters is an added token's.
    if (token < size && bytes.every((byte) => byte !== undefined))
      tokens[token] = { bytes: Uint8Array.from(bytes as number[]), rule: null };
  }
  const isBase = (byte: number) => tokens.some(({ bytes }) => bytes.length === 1 && bytes[0] === byte);
  if (!Array.from({ length: BYTE_COUNT }, (_, byte) => byte).every(isBase)) return null;
  for (const { content, id } of added)
    if (id < size) tokens[id] = { bytes: new TextEncoder().encode(content), rule: null };
  const areRulesPlain = addRules(tokens, model, new Set(added.map(({ id }) => id)));
  const isSure =
    areRulesPlain && !added.some(({ content }) => movesBorders(content)) && model.ignore_merges !== true;
  return { tokens, joining: isSure ? byWords : JOINING.none };
}

/**
 * Whether a token that is taken whole may change where the text beside it is cut. That text is cut as if it stood alone, but
 * a border's neighbours are read across the token's ends:
 * - behind it, for an apostrophe and the letters of a shortening: "'" and "state" are no "'s" and "tate";
 * - before it, for the second letter of a shortening, and for a word that blanks run up to.
 */
const movesBorders = (content: string) => /^[A-Za-z0-9]|[A-Za-z0-9']$/.test(content);

/**
 * What the tokenizer cuts a text into before it encodes each piece, byte by byte: words by GPT-2's pattern, nothing, or
 * pieces by patterns of others, which are not known here. null where bytes may be lost or added.
 */
function joiningOf(pre: PreTokenizer | undefined): TokenSpelling["joining"] | null {
  if (pre?.type === "ByteLevel") {
    if (pre.add_prefix_space !== false) return null;
    return pre.use_regex === false ? JOINING.all : JOINING.words;
  }
  if (pre?.type !== "Sequence") return null;
  const parts = pre.pretokenizers ?? [];
  const areSplits = parts
    .slice(0, -1)
    .every(({ behavior, type }) => type === "Split" && behavior === "Isolated");
  const last = parts.at(-1);
  return areSplits && last?.type === "ByteLevel" && joiningOf(last) !== null ? JOINING.none : null;
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
    if (spelling.joining === JOINING.words && rule !== null && isCutBetween(text, from, end))
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

type RulesByParts = ReadonlyMap<string, { readonly token: number; readonly rank: number }>;

const rulesByParts = ({ tokens }: TokenSpelling): RulesByParts =>
  new Map(
    tokens.flatMap(({ rule }, token) =>
      rule === null ? [] : [[`${rule.left} ${rule.right}`, { token, rank: rule.rank }] as const],
    ),
  );

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

const isInside = (joining: TokenSpelling["joining"], text: Uint8Array, border: number): boolean =>
  joining === JOINING.words ? wordBorder(text, border) === BORDER.inside : joining === JOINING.all;

function isCutBetween(text: Uint8Array, from: number, end: number): boolean {
  for (let border = from + 1; border < end; border++)
    if (wordBorder(text, border) === BORDER.cut) return true;
  return false;
}
