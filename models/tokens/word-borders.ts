/** Where patterns of tokenizers cut a text into pieces, as far as neighbours show it: contracts/disputes/texts/WordBorders.sol. */
import {
  type Character,
  type CharacterClass,
  CLASS,
  characterAt,
  characterBefore,
  characterOver,
} from "./utf8-characters.ts";

/** As the contract numbers them. */
export const BORDER = { unsure: 0, inside: 1, cut: 2 } as const;
type Border = (typeof BORDER)[keyof typeof BORDER];

/** What cuts, and what tokens that are taken whole begin and end with. The contract has the patterns. */
export const PATTERN = {
  /** GPT-2's; such a token neither begins with a letter or number, nor ends with one or with an apostrophe. */
  gpt2: 1,
  /** Llama 3's; such a token begins with < and ends with >, here and below. */
  llama3: 3,
  qwen2: 4,
  gpt2Marked: 5,
} as const;
export type Pattern = (typeof PATTERN)[keyof typeof PATTERN];

/** Characters that a run of line ends or of numbers is looked through for. */
const MOST_LOOKED_AT = 256;
const [APOSTROPHE, LESS, GREATER] = [0x27, 0x3c, 0x3e];
/** ſ, which some engines take for an s where they ignore case. */
const LONG_S = [0xc5, 0xbf];

const isWhite = (kind: CharacterClass) => kind >= CLASS.space && kind <= CLASS.line;
const isWord = (kind: CharacterClass) => kind === CLASS.letter || kind === CLASS.number;
const isGpt2 = (pattern: Pattern) => pattern === PATTERN.gpt2 || pattern === PATTERN.gpt2Marked;

/** @param border first byte behind the border, at least 1 */
export function wordBorder(pattern: Pattern, text: Uint8Array, border: number): Border {
  const over = characterOver(text, border);
  // Within a character.
  if (over.from < border) return BORDER.inside;
  const [left, right] = [characterBefore(text, border), over];
  if (left.kind === CLASS.unsure || right.kind === CLASS.unsure) return BORDER.unsure;
  if (isWhite(right.kind))
    return isWhite(left.kind) ? betweenBlanks(pattern, text, left, right) : beforeBlank(pattern, left, right);
  if (isWhite(left.kind)) return behindBlank(pattern, left, right);
  if (left.kind === CLASS.sign && right.kind === CLASS.letter) return behindSign(pattern, text, border);
  if (left.kind !== right.kind) return BORDER.cut;
  if (left.kind === CLASS.letter) return betweenLetters(pattern, text, border);
  return left.kind === CLASS.number ? betweenNumbers(pattern, text, border) : BORDER.inside;
}

/** Signs take the ends of lines behind them along, but not in GPT-2's pattern. */
const beforeBlank = (pattern: Pattern, left: Character, right: Character): Border =>
  !isGpt2(pattern) && left.kind === CLASS.sign && right.kind === CLASS.line ? BORDER.inside : BORDER.cut;

/** A space goes with what follows it; in the other patterns not with numbers, and other blanks with letters. */
function behindBlank(pattern: Pattern, { kind }: Character, right: Character): Border {
  if (isGpt2(pattern)) return kind === CLASS.space ? BORDER.inside : BORDER.cut;
  const isTaken =
    right.kind === CLASS.letter ? kind !== CLASS.line : right.kind === CLASS.sign && kind === CLASS.space;
  return isTaken ? BORDER.inside : BORDER.cut;
}

/** Of a run of blanks the last one is left to what follows it, unless the text ends. The other patterns end one with a line. */
function betweenBlanks(pattern: Pattern, text: Uint8Array, left: Character, right: Character): Border {
  if (!isGpt2(pattern)) {
    if (right.kind === CLASS.line) return BORDER.inside;
    if (left.kind === CLASS.line) return behindLine(text, left, right);
  }
  const { kind } = characterAt(text, right.end);
  if (isWhite(kind) || kind === CLASS.end) return BORDER.inside;
  if (isWord(kind)) return BORDER.cut;
  // A token that is taken whole may begin here, and end the text.
  return kind === CLASS.sign && pattern !== PATTERN.gpt2 && text[right.end] !== LESS
    ? BORDER.cut
    : BORDER.unsure;
}

/** A piece ends with a run's last line end, and with those that a sign before the run takes along. */
function behindLine(text: Uint8Array, left: Character, right: Character): Border {
  let next = right;
  for (let i = 0; next.kind === CLASS.space || next.kind === CLASS.blank; i++) {
    if (i === MOST_LOOKED_AT) return BORDER.unsure;
    next = characterAt(text, next.end);
  }
  if (next.kind === CLASS.unsure) return BORDER.unsure;
  if (next.kind !== CLASS.line) return BORDER.cut;
  let before = left;
  for (let i = 0; before.kind === CLASS.line; i++) {
    if (i === MOST_LOOKED_AT) return BORDER.unsure;
    before = characterBefore(text, before.from);
  }
  if (before.kind === CLASS.unsure) return BORDER.unsure;
  if (before.kind !== CLASS.sign) return BORDER.inside;
  return text[before.from] === GREATER ? BORDER.unsure : BORDER.cut;
}

/** A letter behind a sign: a shortening, or in the other patterns any word, if a piece begins with the sign. */
function behindSign(pattern: Pattern, text: Uint8Array, border: number): Border {
  const isTaken =
    !isGpt2(pattern) || (text[border - 1] === APOSTROPHE && shortening(pattern, text, border) > 0);
  return isTaken
    ? ifFirst(pattern, text, characterBefore(text, border).from, BORDER.inside, BORDER.cut)
    : BORDER.cut;
}

/** Letters are one piece, but behind 's, 't, 're, 've, 'm, 'll and 'd, where these begin one. */
function betweenLetters(pattern: Pattern, text: Uint8Array, border: number): Border {
  for (const length of [1, 2]) {
    const apostrophe = border - 1 - length;
    if (text[apostrophe] === APOSTROPHE && shortening(pattern, text, apostrophe + 1) === length)
      return ifFirst(pattern, text, apostrophe, BORDER.cut, BORDER.inside);
  }
  const isLongS = text[border - 3] === APOSTROPHE && LONG_S.every((byte, i) => text[border - 2 + i] === byte);
  return isLongS && !isGpt2(pattern) ? BORDER.unsure : BORDER.inside;
}

/** Llama 3 counts numbers by threes from the first one of a run, Qwen 2 one by one. */
function betweenNumbers(pattern: Pattern, text: Uint8Array, border: number): Border {
  if (isGpt2(pattern)) return BORDER.inside;
  if (pattern === PATTERN.qwen2) return BORDER.cut;
  let before = characterBefore(text, border);
  let count = 0;
  for (; before.kind === CLASS.number; count++) {
    if (count === MOST_LOOKED_AT) return BORDER.unsure;
    before = characterBefore(text, before.from);
  }
  if (before.kind === CLASS.unsure) return BORDER.unsure;
  return count % 3 === 0 ? BORDER.cut : BORDER.inside;
}

/** One border where a piece begins with this sign, the other where what is before it takes it along. */
function ifFirst(pattern: Pattern, text: Uint8Array, sign: number, first: Border, other: Border): Border {
  const { from, kind } = characterBefore(text, sign);
  if (kind === CLASS.unsure) return BORDER.unsure;
  if (kind !== CLASS.sign && kind !== CLASS.space) return first;
  // Behind a token that is taken whole a text begins.
  const isSure = pattern !== PATTERN.gpt2 && text[from] !== GREATER;
  return isSure ? other : BORDER.unsure;
}

/** Letters of the shortening that is here; 0 for none. */
function shortening(pattern: Pattern, text: Uint8Array, from: number): 0 | 1 | 2 {
  const two = String.fromCharCode(...text.slice(from, from + 2));
  const known = isGpt2(pattern) ? two : two.toLowerCase();
  if (/^[stmd]/.test(known)) return 1;
  return /^(?:re|ve|ll)$/.test(known) ? 2 : 0;
}
