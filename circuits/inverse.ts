/** 1 / value modulo a prime, or any modulus that shares no factor with it, by Euclid's algorithm. @throws RangeError where there is none */
export function invertMod(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [((value % modulus) + modulus) % modulus, modulus, 1n, 0n];
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
