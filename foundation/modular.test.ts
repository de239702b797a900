import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { invertAll, invertMod, modulo, powMod } from "./modular.ts";

// bn254's and secp256k1's fields: the primes that callers have.
const FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const PRIMES = [FIELD_ORDER, 2n ** 256n - 2n ** 32n - 977n, 13n];
const prime = fc.constantFrom(...PRIMES);
const value = fc.bigInt(-(2n ** 260n), 2n ** 260n);

describe("powMod", () => {
  test("is repeated multiplication", () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 300 }), prime, (base, exponent, p) => {
        let expected = 1n;
        for (let i = 0; i < exponent; i++) expected = modulo(expected * base, p);
        expect(powMod(base, BigInt(exponent), p)).toBe(expected);
      }),
    );
  });

  test("adds exponents, short ones and those by a table of four bits", () => {
    const exponent = fc.oneof(
      fc.bigInt(0n, 2n ** 70n),
      fc.bigInt(2n ** 63n, 2n ** 65n),
      fc.bigInt(0n, 2n ** 256n),
    );
    fc.assert(
      fc.property(value, exponent, exponent, prime, (base, e, f, p) => {
        expect(powMod(base, e + f, p)).toBe((powMod(base, e, p) * powMod(base, f, p)) % p);
      }),
    );
  });
});

describe("inverses", () => {
  test("times the value are 1; 0 has none, and stays 0 among others", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(0n), value)), prime, (values, p) => {
        const reduced = values.map((one) => modulo(one, p));
        const products = invertAll(reduced, p).map((inverse, i) => (inverse * reduced[i]!) % p);
        expect(products).toEqual(reduced.map((one) => (one === 0n ? 0n : 1n)));
        for (const one of values)
          if (modulo(one, p) !== 0n) {
            expect(modulo(invertMod(one, p) * one, p)).toBe(1n);
            expect(invertMod(one, p)).toBe(powMod(one, p - 2n, p));
          }
      }),
    );
    expect(() => invertMod(0n, FIELD_ORDER)).toThrow(RangeError);
    expect(() => invertMod(FIELD_ORDER, FIELD_ORDER)).toThrow(RangeError);
  });

  test("there is none of a value that shares a factor with the modulus", () => {
    for (const [one, modulus] of [
      [6n, 9n],
      [-4n, 10n],
      [7n, 49n],
    ] as const)
      expect(() => invertMod(one, modulus)).toThrow(RangeError);
    expect(invertMod(4n, 9n)).toBe(7n);
  });
});
