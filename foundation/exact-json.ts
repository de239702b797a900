/**
 * Lossless reading of JSON from elsewhere: no name twice in an object, and numbers with all their digits. Rows,
 * cards and models' files are read by it.
 */
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

  /**
   * Returns the number; null if it would differ from the numeral: too many digits, too large, or -0, which is
   * written as 0.
   */
  toNumber(): number | null {
    return exactNumber(this.#digits);
  }
}

/** Maximum digits of a 64-bit number's shortest form. A numeral with more is no such number. */
const MAX_DIGITS = 17;

/** Converts a numeral to a number; null if the number would lose digits. */
export function exactNumber(digits: string): number | null {
  const value = Number(digits);
  if (!isExact(value)) return null;
  if (isSafeNumber(digits)) return value;
  const significant = digits.replace(/[eE].*$|[-.]/g, "").replace(/^0+/, "");
  return value !== 0 && !Number.isInteger(value) && significant.length <= MAX_DIGITS ? value : null;
}

/**
 * True if JSON writes a number as itself: it is finite, a safe integer if whole, and not -0, which is written
 * as 0.
 */
export const isExact = (value: number): boolean =>
  Number.isFinite(value) &&
  !Object.is(value, -0) &&
  (!Number.isInteger(value) || Number.isSafeInteger(value));

/**
 * Follows JSON.parse, with a `Numeral` for each number. @throws SyntaxError, also for a name that an object
 * has twice
 */
export function parseExactJson(json: string): unknown {
  // First the engine's own parser, which does not overflow on deeply nested text.
  parseStrictJson(json);
  try {
    return parse(json, null, { parseNumber: (digits: string) => new Numeral(digits) });
  } catch (cause) {
    throw cause instanceof RangeError ? new SyntaxError("it is nested too deeply", { cause }) : cause;
  }
}

/** Follows JSON.parse. @throws SyntaxError, also for a name that an object has twice */
export function parseStrictJson(json: string): unknown {
  const value: unknown = JSON.parse(json);
  const twice = nameTwice(json);
  if (twice !== null) throw new SyntaxError(`the name ${JSON.stringify(twice)} is there twice`);
  return value;
}

/** @param json text that JSON.parse has accepted */
function nameTwice(json: string): string | null {
  /** Names of each open object; null for a list. */
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
