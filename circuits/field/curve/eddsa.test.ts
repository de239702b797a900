import { babyjubjub } from "@noble/curves/misc.js";
import { blake512 } from "@noble/hashes/blake1.js";
import { runs } from "@openledger/foundation/testing/test-random";
import { buildEddsa } from "circomlibjs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { hashTagged, initPoseidon } from "../poseidon.ts";
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
      { numRuns: runs(5) },
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
      { numRuns: runs(10) },
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
      { numRuns: runs(5) },
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

describe("EdDSAPoseidonCheck", () => {
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await CircuitTester.compile(
      "eddsa-check",
      'pragma circom 2.1.6;\ninclude "circuits/field/curve/eddsa.circom";\ncomponent main = EdDSAPoseidonCheck();\n',
    );
  });

  const buildInputs = (secret: Uint8Array, m: bigint) => {
    const key = derivePublicKey(secret);
    const { r8x, r8y, s } = signMessage(secret, m);
    return { keyX: key.x, keyY: key.y, R8x: r8x, R8y: r8y, S: s, M: m };
  };
  const expectRefused = (inputs: ReturnType<typeof buildInputs>) =>
    expect(tester.calculateWitness(inputs)).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });

  test("has the recorded constraints, none linear", () => {
    expect(tester.constraintCount).toBe(recordedCount("EdDSAPoseidonCheck()"));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
  });

  test("accepts what the model signs and refuses every altered wire, inputs too", async () => {
    await fc.assert(
      fc.asyncProperty(secretBytes, message, async (secret, m) => {
        const witness = await tester.calculateWitness(buildInputs(secret, m));
        expect(tester.checkConstraints(witness)).toBeNull();
        expect(tester.tamper(witness, { only: () => true })).toEqual([]);
      }),
      {
        numRuns: runs(8),
        examples: [
          [DUMMY_SECRET, 0n],
          [DUMMY_SECRET, FIELD_ORDER - 1n],
        ],
      },
    );
  });

  test("refuses another message, key, S, R8 and the other point at keyX", async () => {
    const inputs = buildInputs(DUMMY_SECRET, 7n);
    expect(tester.checkConstraints(await tester.calculateWitness(inputs))).toBeNull();
    const other = derivePublicKey(Uint8Array.of(1));
    await expectRefused({ ...inputs, M: 8n });
    await expectRefused({ ...inputs, keyX: other.x, keyY: other.y });
    await expectRefused({ ...inputs, S: inputs.S + 1n });
    await expectRefused({ ...inputs, R8x: FIELD_ORDER - inputs.R8x });
    await expectRefused({ ...inputs, R8y: FIELD_ORDER - inputs.R8y });
    await expectRefused({ ...inputs, keyY: FIELD_ORDER - inputs.keyY });
    await expectRefused({ ...inputs, keyY: inputs.keyY + 1n });
  });

  test("accepts S + l, which the header allows, and refuses S + 4l above 2^252", async () => {
    const inputs = buildInputs(DUMMY_SECRET, 7n);
    const witness = await tester.calculateWitness({ ...inputs, S: inputs.S + SUBGROUP_ORDER });
    expect(tester.checkConstraints(witness)).toBeNull();
    await expectRefused({ ...inputs, S: inputs.S + 4n * SUBGROUP_ORDER });
  });

  test("has no witness for keys of small order", async () => {
    const inputs = buildInputs(DUMMY_SECRET, 7n);
    // l times ERC-2494's generator has order 8; noble's generator is 8 times that one.
    const generator = babyjubjub.Point.fromAffine({
      x: 995203441582195749578291179787384436505546430278305826713579947235728471134n,
      y: 5472060717959818805561601436314318772137091100104008585924551046643952123905n,
    });
    for (let k = 1n; k < 8n; k++) {
      const { x, y } = generator
        .multiplyUnsafe(SUBGROUP_ORDER - 1n)
        .add(generator)
        .multiplyUnsafe(k)
        .toAffine();
      expect({ x, y }).not.toEqual({ x: 0n, y: 1n });
      await expectRefused({ ...inputs, keyX: x, keyY: y });
    }
    await expectRefused({ ...inputs, keyX: 0n, keyY: 1n });
  });

  test("has no witness for R8 = identity, though circomlibjs accepts it", async () => {
    const secret = DUMMY_SECRET;
    const key = derivePublicKey(secret);
    const h = hashTagged(0n, [0n, 1n, key.x, key.y, 7n]);
    const s = (h * secretTimes8(secret)) % SUBGROUP_ORDER;
    expect(referenceAccepts(key, 7n, { r8x: 0n, r8y: 1n, s })).toBe(true);
    expect(verifySignature({ keyX: key.x, message: 7n, signature: { r8x: 0n, r8y: 1n, s } })).toBe(false);
    await expectRefused({ keyX: key.x, keyY: key.y, R8x: 0n, R8y: 1n, S: s, M: 7n });
  });
});

/** 8a for the key a·B8, computed apart from the model: blake512, RFC 8032's clamping. */
function secretTimes8(secret: Uint8Array): bigint {
  const bytes = Buffer.from(blake512(secret)).subarray(0, 32);
  bytes[0]! &= 0xf8;
  bytes[31] = (bytes[31]! & 0x7f) | 0x40;
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}
