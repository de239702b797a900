/**
 * The error function with the same bits on every machine: +, −, ×, ÷ in IEEE 754's order and `exactExp`. BERT's gelu is of it
 * (models/engine/encoders/bert-pass.ts).
 */
import { exactExp } from "@openledger/attribution/maths/exact-math";

const TWO_OVER_ROOT_PI = 1.1283791670955126;
/** From here on 1 − erf is below 10^-16. */
const FLAT_FROM = 6;
/** A term that is a smaller part of the sum leaves its bits as they are. */
const SMALLEST_PART = 2 ** -54;

/**
 * erf(x) = 2/√π · exp(−x²) · Σ 2ⁿ x^(2n+1) / (1 · 3 ⋯ (2n + 1)) (Abramowitz and Stegun, 7.1.6), whose terms have one sign: within
 * 10^-15.
 */
export function exactErf(x: number): number {
  const z = Math.abs(x);
  if (!(z < FLAT_FROM)) return Number.isNaN(x) ? x : Math.sign(x);
  const square = z * z;
  let term = z;
  let sum = z;
  for (let n = 1; term > sum * SMALLEST_PART; n++) {
    term = (term * 2 * square) / (2 * n + 1);
    sum += term;
  }
  const value = TWO_OVER_ROOT_PI * exactExp(-square) * sum;
  return x < 0 ? -value : value;
}
