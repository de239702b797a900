/**
 * Licences as SPDX expressions (SPDX 3.0, annex "SPDX license expressions"): listed identifiers, own terms as LicenseRef-NAME, `+`,
 * AND, OR and parentheses. WITH, which changes licences of software, is left out: no card needs it, and its list is under
 * another licence (docs/adr/0022-terms-that-bind.md). Cards, recipes and the rule (terms-rule.ts) read licences by it.
 */
import listedIds from "spdx-license-ids/index.json" with { type: "json" };

/** Maximum length of an expression, in characters; bounds the depth of its parentheses, too. */
export const MAX_LICENCE_LENGTH = 200;

export type LicenceExpression =
  /** An identifier of SPDX's list, as CC-BY-4.0. `orLater`: with `+`. */
  | { readonly kind: "listed"; readonly id: string; readonly orLater: boolean }
  /** Terms that SPDX does not list: NAME of LicenseRef-NAME. */
  | { readonly kind: "own"; readonly name: string }
  /** AND: all hold at once. */
  | { readonly kind: "all"; readonly parts: readonly LicenceExpression[] }
  /** OR: whoever takes the rows chooses one. */
  | { readonly kind: "any"; readonly parts: readonly LicenceExpression[] };

export type ReadLicence =
  | { readonly expression: LicenceExpression; readonly problem: null }
  | { readonly expression: null; readonly problem: string };

const LISTED: ReadonlySet<string> = new Set(listedIds);
const TOKEN = /\s*(?:([()+])|(LicenseRef-)?([A-Za-z0-9.-]+))/y;
const OWN_NAME = /^[A-Za-z0-9.-]+$/;

class NoExpression extends Error {}

/** Reads an expression; one that SPDX would not read has a problem, in words for people. */
export function readLicence(text: string): ReadLicence {
  try {
    if (text.length > MAX_LICENCE_LENGTH)
      throw new NoExpression(`has more than ${MAX_LICENCE_LENGTH} characters`);
    return { expression: parse(tokensOf(text)), problem: null };
  } catch (error) {
    if (error instanceof NoExpression) return { expression: null, problem: error.message };
    throw error;
  }
}

/** Names of own terms (LicenseRef-NAME) in an expression. */
export function ownNames(expression: LicenceExpression): string[] {
  if (expression.kind === "own") return [expression.name];
  return expression.kind === "listed" ? [] : expression.parts.flatMap(ownNames);
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

function parse(tokens: readonly string[]): LicenceExpression {
  let at = 0;
  const joined = (
    word: "AND" | "OR",
    kind: "all" | "any",
    next: () => LicenceExpression,
  ): LicenceExpression => {
    const parts = [next()];
    while (tokens[at] === word) {
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
    if (token.startsWith("LicenseRef-")) return { kind: "own", name: ownName(token) };
    if (!LISTED.has(token)) throw new NoExpression(notListed(token));
    const orLater = tokens[at] === "+";
    if (orLater) at++;
    return { kind: "listed", id: token, orLater };
  };
  const all = () => joined("AND", "all", atom);
  const any = (): LicenceExpression => joined("OR", "any", all);
  const expression = any();
  if (at < tokens.length) throw new NoExpression(`has "${tokens[at]}" where AND, OR or the end is expected`);
  return expression;
}

function ownName(token: string): string {
  const name = token.slice("LicenseRef-".length);
  if (!OWN_NAME.test(name)) throw new NoExpression("has a LicenseRef- without a name");
  return name;
}

function notListed(token: string): string {
  const lower = token.toLowerCase();
  const meant = listedIds.find((id) => id.toLowerCase() === lower || id.toLowerCase() === `${lower}-only`);
  const hint = meant === undefined ? "write terms of your own as LicenseRef-NAME" : `write "${meant}"`;
  return `has "${token}", which SPDX does not list: ${hint}`;
}
