import { invertAll } from "@openledger/foundation/modular";
import { FIELD_ORDER } from "../protocol.ts";

/**
 * Polynomials mod r and their roots, for tests that solve for the free slopes of a forgery. Coefficients are
 * in 0 … r − 1, the constant first, the last one not 0. Degrees of some hundreds take seconds.
 */
export type Polynomial = readonly bigint[];
const P = FIELD_ORDER;
/** A coefficient of a product of 2^16 terms is below 2^(2 · 254 + 16). */
const SLOT_HEX = 132;

export function add(a: Polynomial, b: Polynomial): Polynomial {
  return trim(Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0n) + (b[i] ?? 0n)));
}

export function scale(a: Polynomial, factor: bigint): Polynomial {
  return trim(a.map((coefficient) => coefficient * factor));
}

export function subtract(a: Polynomial, b: Polynomial): Polynomial {
  return add(a, scale(b, -1n));
}

/** Multiplies two polynomials as one long number each, a coefficient every 132 hex digits. */
export function multiply(a: Polynomial, b: Polynomial): Polynomial {
  if (a.length === 0 || b.length === 0) return [];
  const product = (pack(a) * pack(b)).toString(16);
  const coefficients: bigint[] = [];
  for (let end = product.length; end > 0; end -= SLOT_HEX) {
    coefficients.push(BigInt(`0x${product.slice(Math.max(0, end - SLOT_HEX), end)}`));
  }
  return trim(coefficients);
}

export function evaluate(a: Polynomial, x: bigint): bigint {
  return a.reduceRight((sum, coefficient) => (sum * x + coefficient) % P, 0n);
}

/** Roots in the field, by x^r − x and random splitting. */
export function roots(polynomial: Polynomial): bigint[] {
  const reduce = reducer(polynomial);
  const linearFactors = greatestDivisor(polynomial, subtract(powerModulo([0n, 1n], P, reduce), [0n, 1n]));
  return split(linearFactors, 1n);
}

function split(factors: Polynomial, shift: bigint): bigint[] {
  if (factors.length <= 1) return [];
  if (factors.length === 2) return [modulo(-factors[0]! * inverse(factors[1]!))];
  const halves = powerModulo([shift, 1n], (P - 1n) / 2n, reducer(factors));
  const left = greatestDivisor(factors, subtract(halves, [1n]));
  if (left.length <= 1 || left.length === factors.length) return split(factors, shift + 1n);
  return [...split(left, shift + 1n), ...split(divide(factors, left).quotient, shift + 1n)];
}

function powerModulo(base: Polynomial, exponent: bigint, reduce: (a: Polynomial) => Polynomial): Polynomial {
  let result: Polynomial = [1n];
  for (const bit of exponent.toString(2)) {
    result = reduce(multiply(result, result));
    if (bit === "1") result = reduce(multiply(result, base));
  }
  return result;
}

/** a ↦ a mod divisor for a of less than twice its degree: the quotient from the divisor's inverse as a series. */
function reducer(divisor: Polynomial): (a: Polynomial) => Polynomial {
  const degree = divisor.length - 1;
  const reversed = divisor.toReversed();
  let series: Polynomial = [inverse(reversed[0]!)];
  for (let precision = 1; precision <= degree; ) {
    precision *= 2;
    const error = subtract([2n], multiply(reversed.slice(0, precision), series)).slice(0, precision);
    series = multiply(series, error).slice(0, precision);
  }
  return (a) => {
    const quotientLength = a.length - degree;
    if (quotientLength <= 0) return a;
    const quotient = multiply(a.toReversed().slice(0, quotientLength), series).slice(0, quotientLength);
    const padded = [...quotient, ...new Array<bigint>(quotientLength - quotient.length).fill(0n)];
    return trim(subtract(a, multiply(trim(padded.toReversed()), divisor)).slice(0, degree));
  };
}

function greatestDivisor(a: Polynomial, b: Polynomial): Polynomial {
  return b.length === 0 ? a : greatestDivisor(b, divide(a, b).remainder);
}

function divide(a: Polynomial, b: Polynomial): { quotient: Polynomial; remainder: Polynomial } {
  const remainder = [...a];
  const quotient: bigint[] = new Array<bigint>(Math.max(0, a.length - b.length + 1)).fill(0n);
  const leading = inverse(b.at(-1)!);
  for (let at = a.length - b.length; at >= 0; at--) {
    const factor = (remainder[at + b.length - 1]! * leading) % P;
    quotient[at] = factor;
    if (factor === 0n) continue;
    for (let i = 0; i < b.length; i++) remainder[at + i] = modulo(remainder[at + i]! - factor * b[i]!);
  }
  return { quotient: trim(quotient), remainder: trim(remainder) };
}

function pack(a: Polynomial): bigint {
  const digits = a.map((coefficient) => coefficient.toString(16).padStart(SLOT_HEX, "0"));
  return BigInt(`0x${digits.toReversed().join("")}`);
}

function trim(coefficients: readonly bigint[]): Polynomial {
  const reduced = coefficients.map(modulo);
  while (reduced.at(-1) === 0n) reduced.pop();
  return reduced;
}

function inverse(value: bigint): bigint {
  return invertAll([value], FIELD_ORDER)[0]!;
}

function modulo(value: bigint): bigint {
  return ((value % P) + P) % P;
}
