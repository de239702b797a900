/**
 * Licences as SPDX expressions (SPDX 3.0.1, annex "SPDX license expressions"): listed identifiers in any case, own terms as
 * LicenseRef-NAME, `+`, parentheses, and operators in capitals or in small letters. WITH, which changes licences of software, is read
 * without its exception, and no card may have it: no card needs it, and its list is under another licence
 * (docs/adr/0022-terms-that-bind.md). Cards, recipes and the rule (terms-rule.ts) read licences by it.
 */
import listedIds from "spdx-license-ids/index.json" with { type: "json" };

/** Maximum length of a licence that a card may have, in characters. */
export const MAX_LICENCE_LENGTH = 200;
/**
 * Maximum length of an expression that is read: a licence, with what the rule writes beside it (`besideUnknown`), twice. Bounds the
 * depth of its parentheses, too.
 */
const MAX_EXPRESSION_LENGTH = 280;

export type LicenceExpression =
  /** An identifier, as SPDX's list spells it: CC-BY-4.0. One that was replaced is its successor: GPL-3.0+ is GPL-3.0-or-later. */
  | { readonly kind: "listed"; readonly id: string }
  /** Terms that SPDX does not list: NAME of LicenseRef-NAME, or the word that stands in an identifier's place. */
  | { readonly kind: "own"; readonly name: string }
  /** AND: all hold at once. */
  | { readonly kind: "all"; readonly parts: readonly LicenceExpression[] }
  /** OR: whoever takes the rows chooses one. */
  | { readonly kind: "any"; readonly parts: readonly LicenceExpression[] };

export interface ReadLicence {
  /** null for a text that is no expression. Some texts that SPDX would not take are read, so that the rule sees what they name. */
  readonly expression: LicenceExpression | null;
  /** First reason why SPDX, or a card, would not take the text, in words for people; null for one that a card may have. */
  readonly problem: string | null;
}

const BY_LOWER: ReadonlyMap<string, string> = new Map(listedIds.map((id) => [id.toLowerCase(), id]));
const TOKEN = /\s*(?:([()])|[A-Za-z0-9.-]+\+?)/y;
const OWN_PREFIX = "LicenseRef-";
const OPERATORS: Readonly<Record<string, "AND" | "OR" | "WITH">> = {
  AND: "AND",
  and: "AND",
  OR: "OR",
  or: "OR",
  WITH: "WITH",
  with: "WITH",
};
/** An identifier of Creative Commons: its elements say what it asks for, whatever its version and country. */
const CREATIVE_COMMONS = /^cc(-(by|nc|nd|sa))+(-[a-z0-9.]+)*$/;
/** Replaced identifiers of software that name an exception, as GPL-2.0-with-classpath-exception. */
const WITH_EXCEPTION = /^(.+)-with-[a-z-]+-exception$/;

class NoExpression extends Error {}

/** Reads an expression; one that SPDX would not read has a problem, in words for people. */
export function readLicence(text: string): ReadLicence {
  try {
    if (text.length > MAX_EXPRESSION_LENGTH)
      throw new NoExpression(`has more than ${MAX_EXPRESSION_LENGTH} characters`);
    const { expression, problem } = parse(tokensOf(text));
    const tooLong =
      text.length > MAX_LICENCE_LENGTH ? `has more than ${MAX_LICENCE_LENGTH} characters` : null;
    return { expression, problem: problem ?? tooLong };
  } catch (error) {
    if (error instanceof NoExpression) return { expression: null, problem: error.message };
    throw error;
  }
}

/** Identifier of one licence as SPDX's list spells it; the text itself where it is none. */
export function licenceId(text: string): string {
  const { expression } = readLicence(text);
  return expression?.kind === "listed" ? expression.id : text;
}

/** Names of own terms (LicenseRef-NAME) in an expression. */
export function ownNames(expression: LicenceExpression): string[] {
  if (expression.kind === "own") return [expression.name];
  return expression.kind === "listed" ? [] : expression.parts.flatMap(ownNames);
}

/** Identifiers in an expression. */
export function listedIn(expression: LicenceExpression): string[] {
  if (expression.kind === "listed") return [expression.id];
  return expression.kind === "own" ? [] : expression.parts.flatMap(listedIn);
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const source = text.trimEnd();
  TOKEN.lastIndex = 0;
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    const match = TOKEN.exec(source);
    if (match === null) throw new NoExpression(`has "${source.slice(at, at + 20)}", which no licence has`);
    tokens.push(match[0].trim());
  }
  return tokens;
}

function parse(tokens: readonly string[]): ReadLicence {
  let at = 0;
  let problem: string | null = null;
  const operator = () => OPERATORS[tokens[at] ?? ""];
  const joined = (
    word: "AND" | "OR",
    kind: "all" | "any",
    next: () => LicenceExpression,
  ): LicenceExpression => {
    const parts = [next()];
    while (operator() === word) {
      at++;
      parts.push(next());
    }
    return parts.length === 1 ? parts[0]! : { kind, parts };
  };
  const atom = (): LicenceExpression => {
    const token = tokens[at++];
    if (token === undefined) throw new NoExpression("ends where a licence is expected");
    if (token === "(") {
      const inner = any();
      if (tokens[at++] !== ")") throw new NoExpression("has a parenthesis that nothing closes");
      return inner;
    }
    const one = readOne(token);
    problem ??= one.problem;
    if (operator() !== "WITH") return one.expression;
    at++;
    const exception = tokens[at++];
    if (exception === undefined || /[()]/.test(exception))
      throw new NoExpression("ends where an exception is expected");
    problem ??= `has "WITH ${exception}", which changes a licence of software: write the licence alone, or terms of your own as LicenseRef-NAME`;
    return one.expression;
  };
  const all = () => joined("AND", "all", atom);
  const any = (): LicenceExpression => joined("OR", "any", all);
  const expression = any();
  if (at < tokens.length) throw new NoExpression(`has "${tokens[at]}" where AND, OR or the end is expected`);
  return { expression, problem };
}

interface ReadOne {
  readonly expression: LicenceExpression;
  readonly problem: string | null;
}
const listed = (id: string, problem: string | null = null): ReadOne => ({
  expression: { kind: "listed", id },
  problem,
});

/** Reads one licence. @throws NoExpression for a LicenseRef- without a name, or with `+` */
function readOne(token: string): ReadOne {
  if (token.startsWith(OWN_PREFIX)) {
    const name = token.slice(OWN_PREFIX.length);
    if (name === "" || name.endsWith("+"))
      throw new NoExpression(`has a LicenseRef- ${name === "" ? "without a name" : "with +"}`);
    return { expression: { kind: "own", name }, problem: null };
  }
  const hasPlus = token.endsWith("+");
  const lower = (hasPlus ? token.slice(0, -1) : token).toLowerCase();
  const write = (id: string) => listed(id, `has "${token}": write "${id}"`);
  const id = BY_LOWER.get(lower);
  if (id !== undefined) {
    // "Or later" of these is an identifier of its own.
    const orLater = hasPlus ? BY_LOWER.get(lower.replace(/-only$/, "-or-later")) : undefined;
    return orLater?.endsWith("-or-later") === true ? write(orLater) : listed(id);
  }
  const replaced = WITH_EXCEPTION.exec(lower)?.[1] ?? lower;
  const successor = BY_LOWER.get(`${replaced}-${hasPlus ? "or-later" : "only"}`);
  if (successor !== undefined) return write(successor);
  const elsewhere = `has "${token}", which SPDX does not list: write terms of your own as LicenseRef-NAME`;
  if (CREATIVE_COMMONS.test(lower)) {
    const present = BY_LOWER.get(`${lower}-4.0`);
    const hint = `has "${token}" without its version: write "${present}" if it is that one`;
    return listed(lower.toUpperCase(), present === undefined ? elsewhere : hint);
  }
  return { expression: { kind: "own", name: token }, problem: elsewhere };
}
