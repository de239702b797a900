import { FIELD_ORDER } from "../protocol.ts";
import { powMod } from "./modular.ts";

/**
 * Square roots mod r by Tonelli and Shanks, r − 1 = 2^28 · Q. The discrete logarithm in the group of order 2^28 is read
 * seven bits at a time from a table, so that a root or a refusal takes about 0.1 ms.
 */
const TWO_ADICITY = 28n;
const WINDOW = 7n;
const Q = (FIELD_ORDER - 1n) >> TWO_ADICITY;
/** 5 is the least non-residue mod r, so this has the order 2^28; checked in square-root.test.ts. */
const ROOT = powMod(5n, Q, FIELD_ORDER);
const INVERSE_ROOT = powMod(ROOT, FIELD_ORDER - 2n, FIELD_ORDER);

/** logarithm of ROOT^(j · 2^21) → j, for j < 128 */
const logarithms = new Map<bigint, bigint>();
/** inversePowers[i][j] = ROOT^(−j · 2^(7i)) */
const inversePowers: bigint[][] = [];
{
  const step = powMod(ROOT, 1n << (TWO_ADICITY - WINDOW), FIELD_ORDER);
  for (let j = 0n, x = 1n; j < 1n << WINDOW; j++, x = (x * step) % FIELD_ORDER) logarithms.set(x, j);
  for (let i = 0n; i < TWO_ADICITY / WINDOW; i++) {
    const base = powMod(INVERSE_ROOT, 1n << (WINDOW * i), FIELD_ORDER);
    const row: bigint[] = [];
    for (let j = 0n, x = 1n; j < 1n << WINDOW; j++, x = (x * base) % FIELD_ORDER) row.push(x);
    inversePowers.push(row);
  }
}

/** The root of `value` mod r that is at most (r − 1) / 2, or null where there is none. */
export function squareRoot(value: bigint): bigint | null {
  const x = value % FIELD_ORDER;
  if (x === 0n) return 0n;
  const w = powMod(x, (Q - 1n) / 2n, FIELD_ORDER);
  const candidate = (x * w) % FIELD_ORDER; // candidate² = x · x^Q
  const residue = (candidate * w) % FIELD_ORDER; // x^Q = ROOT^logarithm
  let logarithm = 0n;
  for (let i = 0n; i < TWO_ADICITY / WINDOW; i++) {
    let rest = residue;
    for (let k = 0n; k < i; k++) {
      rest = (rest * inversePowers[Number(k)]![Number((logarithm >> (WINDOW * k)) & 127n)]!) % FIELD_ORDER;
    }
    for (let k = WINDOW * (i + 1n); k < TWO_ADICITY; k++) rest = (rest * rest) % FIELD_ORDER;
    const digit = logarithms.get(rest)!;
    if (i === 0n && (digit & 1n) === 1n) return null;
    logarithm |= digit << (WINDOW * i);
  }
  let root = candidate;
  const half = logarithm / 2n;
  for (let i = 0n; i < TWO_ADICITY / WINDOW; i++) {
    root = (root * inversePowers[Number(i)]![Number((half >> (WINDOW * i)) & 127n)]!) % FIELD_ORDER;
  }
  return root <= FIELD_ORDER / 2n ? root : FIELD_ORDER - root;
}
