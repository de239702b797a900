/** 1 / value modulo a prime, or any modulus that shares no factor with it, by Euclid's algorithm. @throws RangeError for 0 */
export function invertMod(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [((value % modulus) + modulus) % modulus, modulus, 1n, 0n];
  if (a === 0n) throw new RangeError("0 has no inverse");
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}
