/**
 * Follows a JSON text byte by byte while a model writes it: says which byte may follow, and how many bytes it takes at least to
 * end what is open. json-guide.ts holds answers to it.
 */

/** Shape of a text; a part of JSON Schema (models/serving/openai/json-shape.ts). */
export type JsonShape =
  | { readonly kind: "any" | "string" | "number" | "integer" }
  /** JSON texts, one of which it is. */
  | { readonly kind: "texts"; readonly texts: readonly string[] }
  /** Members in this order; those that are not required may be left out. */
  | { readonly kind: "object"; readonly members: readonly JsonMember[] }
  /** Members of any name. */
  | { readonly kind: "record"; readonly values: JsonShape }
  | { readonly kind: "array"; readonly items: JsonShape; readonly min: number; readonly max: number }
  /** No two of them begin with the same byte. */
  | { readonly kind: "choice"; readonly among: readonly JsonShape[] };

export interface JsonMember {
  readonly name: string;
  readonly isRequired: boolean;
  readonly value: JsonShape;
}

/**
 * Offset of a text in a value, above the values around it. Never changed: the next byte gives another offset, or the
 * same.
 */
export interface JsonPosition {
  readonly rule: Rule;
  readonly step: number;
  /** Count of the rule: items, digits, the next member. */
  readonly count: number;
  readonly blanks: number;
  readonly around: JsonPosition | null;
  readonly depth: number;
  /** Bytes that end everything that is open, at least. */
  readonly rest: number;
}

interface Rule {
  /** null if the byte may not follow. */
  next(position: JsonPosition, byte: number): JsonPosition | null;
  /** Bytes that end the value from there, at least; of those around it none. */
  rest(step: number, count: number): number;
  /** Continues after one of several texts has ended within. */
  ended?(position: JsonPosition, which: number): JsonPosition;
}

/** Values within values, and blanks of a level: a model that likes either would never come to an end. */
const MAX_DEPTH = 64;
/** Blanks of a level. */
const INDENT = 4;
/** Digits of each part of a number: none is more than a double holds, or infinite. */
const MAX_DIGITS = [0, 0, 0, 15, 0, 17, 0, 0, 2];

const code = (character: string) => character.charCodeAt(0);
const [QUOTE, BACKSLASH, COMMA, COLON, LETTER_U] = [`"`, "\\", ",", ":", "u"].map(code) as [
  number,
  number,
  number,
  number,
  number,
];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = ["{", "}", "[", "]"].map(code) as [
  number,
  number,
  number,
  number,
];
const isBlank = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const isHex = (byte: number) => isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
const among = (characters: string) => {
  const bytes = new Set([...characters].map(code));
  return (byte: number) => bytes.has(byte);
};

const at = (rule: Rule, step: number, count: number, around: JsonPosition | null): JsonPosition => ({
  rule,
  step,
  count,
  around,
  blanks: 0,
  depth: (around?.depth ?? 0) + 1,
  rest: rule.rest(step, count) + (around?.rest ?? 0),
});
const to = ({ around, rule }: JsonPosition, step: number, count: number) => at(rule, step, count, around);
const begin = (rule: Rule, around: JsonPosition, byte: number) =>
  around.depth < MAX_DEPTH ? rule.next(at(rule, 0, 0, around), byte) : null;
/** A line and its indent; none before a colon. The outermost value has depth 2. */
const blank = (position: JsonPosition): JsonPosition | null =>
  position.step !== BEHIND_NAME && position.blanks <= INDENT * (position.depth - 1)
    ? { ...position, blanks: position.blanks + 1 }
    : null;

/** Around the outermost value: nothing follows. */
const END_RULE: Rule = { next: () => null, rest: () => 0 };
const END = at(END_RULE, 0, 0, null);

export const isEnded = (position: JsonPosition): boolean => position === END;

/** Steps: before, inside, behind a backslash, four to one hexadecimal digits ahead; then inside a character (UNICODE). */
const STRING_RESTS = [2, 1, 2, 5, 4, 3, 2, 2, 3, 4, 3, 3, 4, 4];
const [INSIDE, ESCAPE, HEX, LAST_HEX] = [1, 2, 3, 6];
/** Bytes that may follow within a character of UTF-8, by its step, and the step after one. */
const UNICODE: Readonly<Record<number, readonly [min: number, max: number, step: number]>> = {
  7: [0x80, 0xbf, INSIDE],
  8: [0x80, 0xbf, 7],
  9: [0x80, 0xbf, 8],
  // No shorter form, no half of a pair, nothing above U+10FFFF.
  10: [0xa0, 0xbf, 7],
  11: [0x80, 0x9f, 7],
  12: [0x90, 0xbf, 8],
  13: [0x80, 0x8f, 8],
};
const isEscape = among('"\\/bfnrt');

function firstOfCharacter(byte: number): number {
  if (byte >= 0xc2 && byte <= 0xdf) return 7;
  if (byte >= 0xe0 && byte <= 0xef) return byte === 0xe0 ? 10 : byte === 0xed ? 11 : 8;
  if (byte >= 0xf0 && byte <= 0xf4) return byte === 0xf0 ? 12 : byte === 0xf4 ? 13 : 9;
  return 0;
}

const stringRule: Rule = {
  rest: (step) => STRING_RESTS[step]!,
  next(position, byte) {
    const { step } = position;
    if (step === INSIDE) {
      if (byte === QUOTE) return position.around;
      if (byte === BACKSLASH) return to(position, ESCAPE, 0);
      if (byte < 0x80) return byte >= 0x20 ? position : null;
      const character = firstOfCharacter(byte);
      return character === 0 ? null : to(position, character, 0);
    }
    if (step === 0) return byte === QUOTE ? to(position, INSIDE, 0) : null;
    if (step === ESCAPE) {
      if (byte === LETTER_U) return to(position, HEX, 0);
      return isEscape(byte) ? to(position, INSIDE, 0) : null;
    }
    if (step <= LAST_HEX) return isHex(byte) ? to(position, step === LAST_HEX ? INSIDE : step + 1, 0) : null;
    const [min, max, after] = UNICODE[step]!;
    return byte >= min && byte <= max ? to(position, after, 0) : null;
  },
};

const isSign = among("+-");
const isExponent = among("eE");
const [MINUS, ZERO, POINT] = ["-", "0", "."].map(code) as [number, number, number];
/** Steps: before, behind −, behind a first 0, in digits; behind the point, in digits; behind e, behind its sign, in digits. */
const NUMBER_RESTS = [1, 1, 0, 0, 1, 0, 1, 1, 0];

function numberStep(step: number, byte: number, isInteger: boolean): number {
  if (step === 0 && byte === MINUS) return 1;
  if (step <= 1) return byte === ZERO ? 2 : isDigit(byte) ? 3 : -1;
  if (isDigit(byte) && step !== 2) return step <= 3 ? 3 : step <= 5 ? 5 : 8;
  if (isInteger) return -1;
  if (byte === POINT && (step === 2 || step === 3)) return 4;
  if (isExponent(byte) && (step === 2 || step === 3 || step === 5)) return 6;
  return isSign(byte) && step === 6 ? 7 : -1;
}

const numberRule = (isInteger: boolean): Rule => ({
  rest: (step) => NUMBER_RESTS[step]!,
  next(position, byte) {
    const step = numberStep(position.step, byte, isInteger);
    const count = step === position.step ? position.count + 1 : 1;
    if (step >= 0 && (MAX_DIGITS[step] === 0 || count <= MAX_DIGITS[step]!)) return to(position, step, count);
    // A number ends where something else begins.
    return NUMBER_RESTS[position.step] === 0 ? position.around!.rule.next(position.around!, byte) : null;
  },
});

interface TextNode {
  readonly after: Map<number, number>;
  /** The text that ends here; −1 for none. */
  which: number;
  rest: number;
}

/** @param more bytes that have to follow each text */
function textsRule(texts: readonly string[], more: readonly number[] = []): Rule {
  const nodes: TextNode[] = [{ after: new Map(), which: -1, rest: Number.POSITIVE_INFINITY }];
  for (const [which, text] of texts.entries()) {
    const bytes = new TextEncoder().encode(text);
    let node = nodes[0]!;
    for (const [i, byte] of bytes.entries()) {
      node.rest = Math.min(node.rest, bytes.length - i + (more[which] ?? 0));
      if (!node.after.has(byte)) {
        node.after.set(byte, nodes.length);
        nodes.push({ after: new Map(), which: -1, rest: Number.POSITIVE_INFINITY });
      }
      node = nodes[node.after.get(byte)!]!;
    }
    node.which = which;
    node.rest = more[which] ?? 0;
  }
  const ended = ({ around }: JsonPosition, which: number) => around!.rule.ended?.(around!, which) ?? around!;
  return {
    rest: (step) => nodes[step]!.rest,
    next(position, byte) {
      const { after, which } = nodes[position.step]!;
      const step = after.get(byte);
      if (step === undefined) {
        // A number that others begin with ends like any number.
        if (which < 0) return null;
        const around = ended(position, which);
        return around.rule.next(around, byte);
      }
      const node = nodes[step]!;
      return node.after.size === 0 ? ended(position, node.which) : to(position, step, 0);
    },
  };
}

/** Steps of objects and arrays: before, behind the bracket, behind a value, behind a comma; then of members alone. */
const [BEHIND_BRACKET, BEHIND_VALUE, BEHIND_COMMA, BEHIND_NAME, BEHIND_COLON, IN_NAME] = [1, 2, 3, 4, 5, 6];

/** Members of any name: `count` is not used. */
function recordRule(values: () => Rule): Rule {
  const min = () => values().rest(0, 0);
  return {
    rest: (step) => [2, 1, 1, 4 + min(), 2 + min(), 1 + min(), 0][step]!,
    next(position, byte) {
      const { step } = position;
      if (step === 0) return byte === OPEN ? to(position, BEHIND_BRACKET, 0) : null;
      if (isBlank(byte)) return blank(position);
      if (byte === CLOSE && step <= BEHIND_VALUE) return position.around;
      if (step === BEHIND_VALUE) return byte === COMMA ? to(position, BEHIND_COMMA, 0) : null;
      if (step <= BEHIND_COMMA) return begin(stringRule, to(position, BEHIND_NAME, 0), byte);
      if (step === BEHIND_NAME) return byte === COLON ? to(position, BEHIND_COLON, 0) : null;
      return begin(values(), to(position, BEHIND_VALUE, 0), byte);
    },
  };
}

/** Members in their order: `count` is the next one's place, between its name and its value its own. */
function objectRule(members: readonly JsonMember[]): Rule {
  const values = members.map(({ value }) => ruleOf(value));
  const texts = members.map(({ name }) => JSON.stringify(name));
  /** Bytes of the members that are required from one on, each with its comma. */
  const needs = Array<number>(members.length + 1).fill(0);
  const costOf = (i: number) => new TextEncoder().encode(texts[i]!).length + 1 + values[i]!.rest(0, 0);
  for (let i = members.length - 1; i >= 0; i--)
    needs[i] = needs[i + 1]! + (members[i]!.isRequired ? costOf(i) + 1 : 0);
  /** Bytes behind a name: colon, value, what is required then, and the bracket. */
  const behind = (i: number) => 1 + values[i]!.rest(0, 0) + needs[i + 1]! + 1;
  const names = members.map((_, from) => {
    const required = members.findIndex(({ isRequired }, i) => i >= from && isRequired);
    const to = required < 0 ? members.length : required + 1;
    return textsRule(
      texts.slice(from, to),
      texts.slice(from, to).map((_text, i) => behind(from + i)),
    );
  });
  const first = Math.max(0, needs[0]! - 1);
  return {
    rest: (step, count) =>
      [
        () => 2 + first,
        () => 1 + first,
        () => 1 + needs[count]!,
        () => names[count]!.rest(0, 0),
        () => behind(count),
        () => behind(count) - 1,
        () => 0,
      ][step]!(),
    ended: (position, which) =>
      position.step === IN_NAME ? to(position, BEHIND_NAME, position.count + which) : position,
    next(position, byte) {
      const { count, step } = position;
      if (step === 0) return byte === OPEN ? to(position, BEHIND_BRACKET, 0) : null;
      if (isBlank(byte)) return blank(position);
      if (byte === CLOSE && step <= BEHIND_VALUE) return needs[count] === 0 ? position.around : null;
      if (step === BEHIND_VALUE)
        return byte === COMMA && count < members.length ? to(position, BEHIND_COMMA, count) : null;
      if (step <= BEHIND_COMMA)
        return count < members.length ? begin(names[count]!, to(position, IN_NAME, count), byte) : null;
      if (step === BEHIND_NAME) return byte === COLON ? to(position, BEHIND_COLON, count) : null;
      return begin(values[count]!, to(position, BEHIND_VALUE, count + 1), byte);
    },
  };
}

/** `count` items are there. */
function arrayRule(items: () => Rule, min: number, max: number): Rule {
  const cost = () => items().rest(0, 0) + 1;
  const missing = (count: number) => Math.max(0, min - count);
  const first = () => Math.max(0, min * cost() - 1);
  return {
    rest: (step, count) =>
      [
        () => 2 + first(),
        () => 1 + first(),
        () => 1 + missing(count) * cost(),
        () => cost() + missing(count + 1) * cost(),
      ][step]!(),
    next(position, byte) {
      const { count, step } = position;
      if (step === 0) return byte === OPEN_LIST ? to(position, BEHIND_BRACKET, 0) : null;
      if (isBlank(byte)) return blank(position);
      if (byte === CLOSE_LIST && step <= BEHIND_VALUE) return missing(count) === 0 ? position.around : null;
      if (step === BEHIND_VALUE)
        return byte === COMMA && count < max ? to(position, BEHIND_COMMA, count) : null;
      return count < max ? begin(items(), to(position, BEHIND_VALUE, count + 1), byte) : null;
    },
  };
}

const choiceRule = (rules: () => readonly Rule[]): Rule => ({
  rest: () => Math.min(...rules().map((rule) => rule.rest(0, 0))),
  next(position, byte) {
    for (const rule of rules()) {
      const next = rule.next(at(rule, 0, 0, position.around), byte);
      if (next !== null) return next;
    }
    return null;
  },
});

const anyRule: Rule = { ...choiceRule(() => anyRules), rest: () => 1 };
const anyRules = [
  stringRule,
  numberRule(false),
  textsRule(["true", "false", "null"]),
  recordRule(() => anyRule),
  arrayRule(() => anyRule, 0, Number.POSITIVE_INFINITY),
];

function ruleOf(shape: JsonShape): Rule {
  switch (shape.kind) {
    case "any":
      return anyRule;
    case "string":
      return stringRule;
    case "number":
    case "integer":
      return numberRule(shape.kind === "integer");
    case "texts":
      return textsRule(shape.texts);
    case "object":
      return objectRule(shape.members);
    case "choice": {
      const rules = shape.among.map(ruleOf);
      return choiceRule(() => rules);
    }
    default: {
      const inner = ruleOf(shape.kind === "record" ? shape.values : shape.items);
      return shape.kind === "record" ? recordRule(() => inner) : arrayRule(() => inner, shape.min, shape.max);
    }
  }
}

/** Place before the first byte of a text: its `rest` is the length of the shortest one. */
export const jsonStart = (shape: JsonShape): JsonPosition => at(ruleOf(shape), 0, 0, END);
