/**
 * Arithmetic modulo a prime, over bigint. It does not take constant time: do not use it for secrets that others
 * can probe. Field arithmetic off the kernels uses it.
 */

/** The rest of `value`, 0 … modulus − 1, also of a negative one. */
export function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** Bits of an exponent at a time; a table of four pays for itself in long ones. */
const windowBitsOf = (exponent: bigint) => (exponent >> 64n === 0n ? 1 : 4);

/** base^exponent mod modulus. */
export function powMod(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const windowBits = windowBitsOf(exponent);
  const table = [1n, modulo(base, modulus)];
  while (table.length < 1 << windowBits) table.push((table.at(-1)! * table[1]!) % modulus);
  let result = 1n;
  for (const digit of exponent.toString(1 << windowBits)) {
    for (let i = 0; i < windowBits; i++) result = (result * result) % modulus;
    const value = Number.parseInt(digit, 16);
    if (value !== 0) result = (result * table[value]!) % modulus;
  }
  return result;
}

/** 1 / values[i] modulo a prime, by one inversion and three products each (Montgomery); 0 stays 0. */
export function invertAll(values: readonly bigint[], modulus: bigint): bigint[] {
  const before = new Array<bigint>(values.length);
  let product = 1n;
  for (let i = 0; i < values.length; i++) {
    before[i] = product;
    if (values[i] !== 0n) product = (product * values[i]!) % modulus;
  }
  let inverse = invertMod(product, modulus);
  const inverses = new Array<bigint>(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    if (values[i] === 0n) inverses[i] = 0n;
    else {
      inverses[i] = (inverse * before[i]!) % modulus;
      inverse = (inverse * values[i]!) % modulus;
    }
  }
  return inverses;
}

/**
 * 1 / value modulo a prime, or any modulus that shares no factor with it, by Euclid's algorithm.
 * @throws RangeError if there is none
 */
export function invertMod(value: bigint, modulus: bigint): bigint {
  let a = ((value % modulus) + modulus) % modulus;
  let b = modulus;
  let x = 1n;
  let y = 0n;
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  // a is the greatest common factor: the modulus itself for 0, since then the loop has only swapped the two
  if (a !== 1n)
    throw new RangeError(a === modulus ? "0 has no inverse" : `it shares the factor ${a} with the modulus`);
  return ((x % modulus) + modulus) % modulus;
}
