/** JSON that others write, read without a loss: no name twice in an object, and numbers with all their digits. */
import { isSafeNumber, parse } from "lossless-json";

/**
 * A numeral as it is written. `toString` gives its digits.
 *
 * @example "9007199254740993", which a number would round
 */
export class Numeral {
  readonly #digits: string;

  constructor(digits: string) {
    this.#digits = digits;
  }

  toString(): string {
    return this.#digits;
  }

  /** null where a number would be another one: too many digits, too large, or -0, which is written as 0. */
  toNumber(): number | null {
    return exactNumber(this.#digits);
  }
}

/** Digits by which a number of 64 bits is written at most: with more, a numeral is no such number. */
const MAX_DIGITS = 17;

/** The number that a numeral stands for; null where a number would lose some of it. */
export function exactNumber(digits: string): number | null {
  const value = Number(digits);
  if (!isExact(value)) return null;
  if (isSafeNumber(digits)) return value;
  const significant = digits.replace(/[eE].*$|[-.]/g, "").replace(/^0+/, "");
  return value !== 0 && !Number.isInteger(value) && significant.length <= MAX_DIGITS ? value : null;
}

/** Whether a number is written as itself: it is finite, no whole number that stands for several, and not -0, which is written as 0. */
export const isExact = (value: number): boolean =>
  Number.isFinite(value) &&
  !Object.is(value, -0) &&
  (!Number.isInteger(value) || Number.isSafeInteger(value));

/** As JSON.parse, with a `Numeral` for each number. @throws SyntaxError, also for a name that an object has twice */
export function parseExactJson(json: string): unknown {
  // First the engine's own parser, which does not overflow on what is nested deeply.
  parseStrictJson(json);
  try {
    return parse(json, null, { parseNumber: (digits: string) => new Numeral(digits) });
  } catch (cause) {
    throw cause instanceof RangeError ? new SyntaxError("it is nested too deeply", { cause }) : cause;
  }
}

/** As JSON.parse. @throws SyntaxError, also for a name that an object has twice */
export function parseStrictJson(json: string): unknown {
  const value: unknown = JSON.parse(json);
  const twice = nameTwice(json);
  if (twice !== null) throw new SyntaxError(`the name ${JSON.stringify(twice)} is there twice`);
  return value;
}

/** @param json what JSON.parse has taken */
function nameTwice(json: string): string | null {
  /** Names of each object that is open; null of a list. */
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(null);
    else if (character === "}" || character === "]") open.pop();
    if (character !== '"') continue;
    const start = i;
    for (i++; json[i] !== '"'; i++) if (json[i] === "\\") i++;
    let next = i + 1;
    while (" \t\r\n".includes(json[next] ?? ".")) next++;
    if (json[next] !== ":") continue;
    const name = JSON.parse(json.slice(start, i + 1)) as string;
    const names = open.at(-1)!;
    if (names!.has(name)) return name;
    names!.add(name);
  }
  return null;
}
