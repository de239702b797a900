import { buildEddsa } from "circomlibjs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  BASE8,
  type CurvePoint,
  DUMMY_SECRET,
  derivePublicKey,
  isUsableKey,
  recoverPublicKey,
  SUBGROUP_ORDER,
  signMessage,
  verifySignature,
} from "./eddsa.ts";
import { initPoseidon } from "./poseidon.ts";
import { FIELD_ORDER } from "./protocol.ts";

type Eddsa = Awaited<ReturnType<typeof buildEddsa>>;
let reference: Eddsa;

const secretBytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
const message = fc.bigInt(0n, FIELD_ORDER - 1n);

beforeAll(async () => {
  await initPoseidon();
  reference = await buildEddsa();
});

function referenceAccepts(
  key: CurvePoint,
  m: bigint,
  signature: { r8x: bigint; r8y: bigint; s: bigint },
): boolean {
  const { F } = reference;
  return reference.verifyPoseidon(F.e(m), { R8: [F.e(signature.r8x), F.e(signature.r8y)], S: signature.s }, [
    F.e(key.x),
    F.e(key.y),
  ]);
}

describe("signMessage", () => {
  test("makes circomlibjs' keys and signatures, byte for byte", () => {
    const { F } = reference;
    fc.assert(
      fc.property(secretBytes, message, (secret, m) => {
        const key = reference.prv2pub(secret);
        expect(derivePublicKey(secret)).toEqual({ x: F.toObject(key[0]), y: F.toObject(key[1]) });
        const expected = reference.signPoseidon(secret, F.e(m));
        expect(signMessage(secret, m)).toEqual({
          r8x: F.toObject(expected.R8[0]),
          r8y: F.toObject(expected.R8[1]),
          s: expected.S,
        });
      }),
      { numRuns: 5 },
    );
  });

  test("reads a bigint secret as 32 bytes, big-endian", () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i);
    expect(signMessage(BigInt(`0x${Buffer.from(bytes).toString("hex")}`), 5n)).toEqual(
      signMessage(bytes, 5n),
    );
  });
});

describe("verifySignature", () => {
  test("agrees with circomlibjs on valid and altered signatures", () => {
    fc.assert(
      fc.property(
        secretBytes,
        message,
        fc.constantFrom("none", "s", "r8x", "message", "key"),
        (secret, m, altered) => {
          const key = derivePublicKey(altered === "key" ? DUMMY_SECRET : secret);
          const valid = signMessage(secret, m);
          const signature =
            altered === "s"
              ? { ...valid, s: (valid.s + 1n) % SUBGROUP_ORDER }
              : altered === "r8x"
                ? { ...valid, r8x: FIELD_ORDER - valid.r8x }
                : valid;
          const signed = altered === "message" ? (m + 1n) % FIELD_ORDER : m;
          const accepted = verifySignature({ keyX: key.x, message: signed, signature });
          expect(accepted).toBe(altered === "none");
          expect(accepted).toBe(referenceAccepts(key, signed, signature));
          expect(verifySignature({ keyX: key.x, keyY: key.y, message: signed, signature })).toBe(accepted);
        },
      ),
      { numRuns: 10 },
    );
  });

  test("rejects S + l, an R8 off the curve, an R8 of identity and an unusable key", () => {
    const key = derivePublicKey(DUMMY_SECRET);
    const signature = signMessage(DUMMY_SECRET, 1n);
    const verify = (changes: Partial<typeof signature>, keyY = key.y) =>
      verifySignature({ keyX: key.x, keyY, message: 1n, signature: { ...signature, ...changes } });
    expect(verify({})).toBe(true);
    expect(verify({ s: signature.s + SUBGROUP_ORDER })).toBe(false);
    expect(verify({ r8y: signature.r8y + 1n })).toBe(false);
    expect(verify({ r8x: 0n, r8y: 1n })).toBe(false);
    expect(verify({}, FIELD_ORDER - key.y)).toBe(false);
  });
});

describe("isUsableKey", () => {
  test("accepts prime-order points only", () => {
    expect(isUsableKey(BASE8)).toBe(true);
    expect(isUsableKey({ x: 0n, y: 1n })).toBe(false);
    expect(isUsableKey({ x: 0n, y: FIELD_ORDER - 1n })).toBe(false);
    expect(isUsableKey({ x: BASE8.x, y: FIELD_ORDER - BASE8.y })).toBe(false);
    expect(isUsableKey({ x: BASE8.x, y: BASE8.y + 1n })).toBe(false);
    // ERC-2494's generator has order 8l.
    expect(
      isUsableKey({
        x: 995203441582195749578291179787384436505546430278305826713579947235728471134n,
        y: 5472060717959818805561601436314318772137091100104008585924551046643952123905n,
      }),
    ).toBe(false);
  });
});

describe("recoverPublicKey", () => {
  test("finds the one usable key of an x-coordinate", () => {
    fc.assert(
      fc.property(secretBytes, (secret) => {
        const key = derivePublicKey(secret);
        expect(recoverPublicKey(key.x)).toEqual(key);
      }),
      { numRuns: 5 },
    );
  });

  test("finds none for 0, r, a coordinate of no point and one of points off the subgroup", () => {
    expect(recoverPublicKey(0n)).toBeNull();
    expect(recoverPublicKey(FIELD_ORDER)).toBeNull();
    const found = Array.from({ length: 40 }, (_, x) => recoverPublicKey(BigInt(x))).filter(
      (key) => key !== null,
    );
    for (const key of found) expect(isUsableKey(key)).toBe(true);
    expect(found.length).toBeLessThan(40);
  });
});
