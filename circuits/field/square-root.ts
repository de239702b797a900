/**
 * Square roots mod r, BN254's scalar field order, by Tonelli and Shanks with r − 1 = 2^28 · Q: curve/generators.ts
 * finds points with them. The discrete logarithm in the group of order 2^28
 * is read seven bits at a time from a table, so that a root takes about 0.03 ms. A refusal is Jacobi's symbol,
 * in 0.005 ms.
 */
import { powMod } from "@openledger/foundation/modular";
import { FIELD_ORDER } from "../protocol.ts";
import { IntegerProducts } from "../wasm/integer-products.ts";

/** Exponent of 2 in r − 1. */
const TWO_ADICITY = 28;
/** Bits of the logarithm found at a time; it divides 28. */
const WINDOW = 7;
const WINDOWS = TWO_ADICITY / WINDOW;
const DIGITS = 2 ** WINDOW;
const Q = (FIELD_ORDER - 1n) >> BigInt(TWO_ADICITY);
/** 5 is the least non-residue mod r, so this has the order 2^28; checked in square-root.test.ts. */
const ROOT = powMod(5n, Q, FIELD_ORDER);
const INVERSE_ROOT = powMod(ROOT, FIELD_ORDER - 2n, FIELD_ORDER);
/** (Q − 1) / 2 in hexadecimal digits, highest first: the exponentiation takes four bits at a time. */
const EXPONENT = [...((Q - 1n) / 2n).toString(16)].map((digit) => Number.parseInt(digit, 16));

/** Elements of `products`: x^0 … x^15, what is computed from them, and INVERSE_ROOT^(j · 2^(7i)) at 128 i + j. */
const POWERS = 0;
const W = 16;
const CANDIDATE = 17;
const RESIDUE = 18;
const REST = 19;
const INVERSE_POWERS = 20;

interface Tables {
  readonly products: IntegerProducts;
  /** Discrete logarithms j, below 128, by the lowest limbs of ROOT^(j · 2^21). */
  readonly logarithms: ReadonlyMap<number, number>;
}

let tables: Tables | undefined;

function makeTables(): Tables {
  const products = new IntegerProducts();
  const logarithms = new Map<number, number>();
  const step = powMod(ROOT, 1n << BigInt(TWO_ADICITY - WINDOW), FIELD_ORDER);
  for (let j = 0, x = 1n; j < DIGITS; j++, x = (x * step) % FIELD_ORDER)
    for (const limb of products.lowestLimbs(x)) logarithms.set(limb, j);
  products.write(POWERS, 1n);
  for (let i = 0; i < WINDOWS; i++) {
    const base = powMod(INVERSE_ROOT, 1n << BigInt(WINDOW * i), FIELD_ORDER);
    for (let j = 0, x = 1n; j < DIGITS; j++, x = (x * base) % FIELD_ORDER)
      products.write(INVERSE_POWERS + DIGITS * i + j, x);
  }
  return { products, logarithms };
}

/** Computes CANDIDATE, whose square is x · x^Q, and RESIDUE = x^Q, a power of ROOT. */
function raise(products: IntegerProducts, x: bigint): void {
  products.write(POWERS + 1, x);
  for (let j = 2; j < 16; j++) products.multiply(POWERS + j, POWERS + j - 1, POWERS + 1);
  products.multiply(W, POWERS, POWERS + EXPONENT[0]!);
  for (const digit of EXPONENT.slice(1)) {
    products.square(W, 4);
    if (digit > 0) products.multiply(W, W, POWERS + digit);
  }
  products.multiply(CANDIDATE, W, POWERS + 1);
  products.multiply(RESIDUE, CANDIDATE, W);
}

/** True if `value` is the eighth power of an element mod r other than 0. */
export function isEighthPower(value: bigint): boolean {
  tables ??= makeTables();
  const { products } = tables;
  raise(products, ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER);
  products.square(RESIDUE, TWO_ADICITY - 3);
  return products.read(RESIDUE) === 1n;
}

/** The root of `value` mod r that is at most (r − 1) / 2, or null if there is none. */
export function squareRoot(value: bigint): bigint | null {
  const x = value % FIELD_ORDER;
  if (x === 0n) return 0n;
  tables ??= makeTables();
  const { products, logarithms } = tables;
  if (!products.isSquare(x)) return null;
  const digitOf = (logarithm: number, i: number) => (logarithm >> (WINDOW * i)) & (DIGITS - 1);
  const divide = (element: number, logarithm: number, i: number) =>
    products.multiply(element, element, INVERSE_POWERS + DIGITS * i + digitOf(logarithm, i));
  raise(products, x);
  let logarithm = 0;
  for (let i = 0; i < WINDOWS; i++) {
    products.multiply(REST, RESIDUE, POWERS);
    for (let k = 0; k < i; k++) divide(REST, logarithm, k);
    products.square(REST, TWO_ADICITY - WINDOW * (i + 1));
    const digit = logarithms.get(products.lowestLimb(REST))!;
    logarithm |= digit << (WINDOW * i);
  }
  for (let i = 0; i < WINDOWS; i++) divide(CANDIDATE, logarithm / 2, i);
  const root = products.read(CANDIDATE);
  return root <= FIELD_ORDER / 2n ? root : FIELD_ORDER - root;
}
