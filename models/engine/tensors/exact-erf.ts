/**
 * The error function with the same bits on every machine: +, −, ×, ÷ in IEEE 754's order and `exactExp`. BERT's gelu is of it
 * (models/engine/encoders/bert-pass.ts), some million times a text.
 */
import { exactExp } from "@openledger/attribution/maths/exact-math";

const TWO_OVER_ROOT_PI = 1.1283791670955126;
/** From here on 1 − erf is below 10^-16. */
const FLAT_FROM = 6;
/** Points of the table to 1. */
const POINTS = 128;
/** Coefficients of Taylor's series about a point: a seventh is below 10^-17 half a step away. */
const TERMS = 7;
/** A term that is a smaller part of the sum leaves its bits as they are. */
const SMALLEST_PART = 2 ** -54;

/** erf(x) within 2 · 10^-15, by Taylor's series about the nearest of the table's points. */
export function exactErf(x: number): number {
  const z = Math.abs(x);
  if (!(z < FLAT_FROM)) return Number.isNaN(x) ? x : Math.sign(x);
  const point = Math.floor(z * POINTS + 0.5);
  const d = z - point / POINTS;
  let value = TABLE[point * TERMS + TERMS - 1]!;
  for (let n = TERMS - 2; n >= 0; n--) value = value * d + TABLE[point * TERMS + n]!;
  return x < 0 ? -value : value;
}

const TABLE = (() => {
  const table = new Float64Array((FLAT_FROM * POINTS + 1) * TERMS);
  for (let point = 0; point <= FLAT_FROM * POINTS; point++) {
    const a = point / POINTS;
    const first = point * TERMS;
    table[first] = seriesOf(a);
    // y = erf′ solves y′ = −2 x y: so its coefficients follow from one another, and those of erf from these.
    let [before, own] = [0, TWO_OVER_ROOT_PI * exactExp(-a * a)];
    for (let n = 1; n < TERMS; n++) {
      table[first + n] = own / n;
      [before, own] = [own, (-2 * (a * own + before)) / n];
    }
  }
  return table;
})();

/** erf(z) = 2/√π · exp(−z²) · Σ 2ⁿ z^(2n+1) / (1 · 3 ⋯ (2n + 1)), whose terms have one sign (Abramowitz and Stegun, 7.1.6). */
function seriesOf(z: number): number {
  const square = z * z;
  let term = z;
  let sum = z;
  for (let n = 1; term > sum * SMALLEST_PART; n++) {
    term = (term * 2 * square) / (2 * n + 1);
    sum += term;
  }
  return TWO_OVER_ROOT_PI * exactExp(-square) * sum;
}
