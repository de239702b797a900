import { babyjubjub } from "@noble/curves/misc.js";
import { blake512 } from "@noble/hashes/blake1.js";
import { runs } from "@openledger/foundation/testing/test-random";
import { buildEddsa } from "circomlibjs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { FIELD_ORDER, TAG } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { hashTaggedReference } from "../../testing/poseidon-reference.ts";
import { hashTagged, initPoseidon } from "../poseidon.ts";
import {
  BASE8,
  type CurvePoint,
  challengeScalar,
  DUMMY_MESSAGE,
  DUMMY_SECRET,
  derivePublicKey,
  isUsableKey,
  type Message,
  recoverPublicKey,
  SUBGROUP_ORDER,
  signMessage,
  verifySignature,
} from "./eddsa.ts";

const { Point } = babyjubjub;
type Eddsa = Awaited<ReturnType<typeof buildEddsa>>;
let reference: Eddsa;

const secretBytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
const message = fc.bigInt(0n, FIELD_ORDER - 1n);

beforeAll(async () => {
  await initPoseidon();
  reference = await buildEddsa();
});

/** S · B8 = R8 + V · A by noble's points and Poseidon's definition, apart from the model. */
function referenceAccepts(
  key: CurvePoint,
  m: bigint | readonly bigint[],
  { r8x, r8y, s }: { r8x: bigint; r8y: bigint; s: bigint },
): boolean {
  const [tag, ...parts] = typeof m === "bigint" ? [23n, m, 0n, 0n] : m;
  const h = hashTaggedReference(tag!, [r8x, key.x, ...parts]);
  const v = 2n ** 128n + 1n + 2n * (h % 2n ** 128n);
  const right = Point.fromAffine({ x: r8x, y: r8y }).add(Point.fromAffine(key).multiplyUnsafe(v));
  return Point.fromAffine(BASE8).multiplyUnsafe(s).equals(right);
}

describe("signMessage", () => {
  test("makes circomlibjs' keys, and signatures that the reference accepts", () => {
    const { F } = reference;
    fc.assert(
      fc.property(secretBytes, message, message, (secret, m, domain) => {
        const key = reference.prv2pub(secret);
        expect(derivePublicKey(secret)).toEqual({ x: F.toObject(key[0]), y: F.toObject(key[1]) });
        expect(referenceAccepts(derivePublicKey(secret), m, signMessage(secret, m))).toBe(true);
        const signature = signMessage(secret, [domain, [m, 1n, 2n]]);
        expect(referenceAccepts(derivePublicKey(secret), [domain, m, 1n, 2n], signature)).toBe(true);
      }),
      { numRuns: runs(5) },
    );
  });

  test("never takes one nonce for two messages, whatever they share", () => {
    const messages: Message[] = [
      5n,
      0n,
      [TAG.message, [5n, 0n, 0n]],
      [0n, [5n, 0n, 0n]],
      [0n, [0n, 5n, 0n]],
      [0n, [0n, 0n, 5n]],
      DUMMY_MESSAGE,
    ];
    const signed = messages.map((m) => signMessage(1n, m));
    expect(new Set(signed.map(({ r8x }) => r8x)).size).toBe(messages.length);
    for (const [i, signature] of signed.entries())
      for (const [j, m] of messages.entries())
        expect(verifySignature({ keyX: derivePublicKey(1n).x, message: m, signature })).toBe(i === j);
  });

  test("takes its nonce from the secret's other half, the tag and every part", () => {
    const elements = fc.tuple(message, message, message, message);
    const littleEndian = (value: bigint) =>
      Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
    fc.assert(
      fc.property(secretBytes, elements, (secret, [tag, ...parts]) => {
        const hashed = [blake512(secret).subarray(32), ...[tag, ...parts].map(littleEndian)];
        const hash = Buffer.from(blake512(Buffer.concat(hashed))).reverse();
        const nonce = BigInt(`0x${hash.toString("hex")}`) % SUBGROUP_ORDER;
        const { r8x, r8y } = signMessage(secret, [tag, parts]);
        expect({ x: r8x, y: r8y }).toEqual(Point.fromAffine(BASE8).multiply(nonce).toAffine());
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
  test("agrees with the reference on valid and altered signatures", () => {
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
    // The pairing takes an eighth of all pairs off the curve, and coordinates that are not reduced.
    for (let i = 1n; i <= 64n; i++) expect(isUsableKey({ x: BASE8.x, y: BASE8.y + i })).toBe(false);
    for (const by of [-FIELD_ORDER, FIELD_ORDER]) {
      expect(isUsableKey({ x: BASE8.x + by, y: BASE8.y })).toBe(false);
      expect(isUsableKey({ x: BASE8.x, y: BASE8.y + by })).toBe(false);
    }
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

describe("SignatureCheck", () => {
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await CircuitTester.compile(
      "signature-check",
      'pragma circom 2.1.6;\ninclude "circuits/field/curve/eddsa.circom";\ncomponent main = SignatureCheck();\n',
    );
  });

  const buildInputs = (secret: Uint8Array, m: bigint, tag = 77n) => {
    const key = derivePublicKey(secret);
    const { r8x, s } = signMessage(secret, [tag, [m, 8n, 9n]]);
    return { keyX: key.x, keyY: key.y, R8x: r8x, S: s, tag, parts: [m, 8n, 9n] };
  };
  const expectRefused = (inputs: ReturnType<typeof buildInputs>) =>
    expect(tester.calculateWitness(inputs)).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });

  test("has the recorded constraints, none linear", () => {
    expect(tester.constraintCount).toBe(recordedCount("SignatureCheck()"));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
  });

  test("accepts what the model signs and refuses every altered wire, inputs too", async () => {
    await fc.assert(
      fc.asyncProperty(secretBytes, message, message, async (secret, m, tag) => {
        const inputs = buildInputs(secret, m, tag);
        const witness = await tester.calculateWitness(inputs);
        const { R8x, keyX, parts } = inputs;
        expect(tester.readOutput(witness, "challenge")).toBe(hashTaggedReference(tag, [R8x, keyX, ...parts]));
        expect(tester.tamper(witness, { only: () => true })).toEqual([]);
      }),
      {
        numRuns: runs(8),
        examples: [
          [DUMMY_SECRET, 0n, 0n],
          [DUMMY_SECRET, FIELD_ORDER - 1n, FIELD_ORDER - 1n],
        ],
      },
    );
  });

  test("refuses another message, tag, key, S and R8x", async () => {
    const inputs = buildInputs(DUMMY_SECRET, 7n);
    expect(tester.checkConstraints(await tester.calculateWitness(inputs))).toBeNull();
    const other = derivePublicKey(Uint8Array.of(1));
    for (const parts of [
      [8n, 8n, 9n],
      [7n, 9n, 8n],
      [7n, 8n, 10n],
    ])
      await expectRefused({ ...inputs, parts });
    await expectRefused({ ...inputs, tag: 78n });
    await expectRefused({ ...inputs, keyX: other.x, keyY: other.y });
    await expectRefused({ ...inputs, S: inputs.S + 1n });
    await expectRefused({ ...inputs, R8x: FIELD_ORDER - inputs.R8x });
    await expectRefused({ ...inputs, keyY: inputs.keyY + 1n });
  });

  test("accepts at keyX's other point the signature with -S, and no other", async () => {
    const inputs = buildInputs(DUMMY_SECRET, 7n);
    const twin = { ...inputs, keyY: FIELD_ORDER - inputs.keyY };
    await expectRefused(twin);
    const witness = await tester.calculateWitness({ ...twin, S: SUBGROUP_ORDER - inputs.S });
    expect(tester.checkConstraints(witness)).toBeNull();
  });

  test("accepts S + l, as its header says, and of S + 4l, above 2^252, not what its low bits spell", async () => {
    const inputs = buildInputs(DUMMY_SECRET, 7n);
    const witness = await tester.calculateWitness({ ...inputs, S: inputs.S + SUBGROUP_ORDER });
    expect(tester.checkConstraints(witness)).toBeNull();
    await expectRefused({ ...inputs, S: inputs.S + 4n * SUBGROUP_ORDER });
  });

  test("has no witness without a key: keyX = 0", async () => {
    const inputs = buildInputs(DUMMY_SECRET, 7n);
    for (const keyY of [1n, FIELD_ORDER - 1n]) await expectRefused({ ...inputs, keyX: 0n, keyY });
  });

  test("has no witness for R8 = identity", async () => {
    const key = derivePublicKey(DUMMY_SECRET);
    const parts = [7n, 8n, 9n] as const;
    const v = challengeScalar(hashTagged(77n, [0n, key.x, ...parts]));
    const s = (v * secretScalar(DUMMY_SECRET)) % SUBGROUP_ORDER;
    const signature = { r8x: 0n, r8y: 1n, s };
    expect(referenceAccepts(key, [77n, ...parts], signature)).toBe(true);
    expect(verifySignature({ keyX: key.x, message: [77n, parts], signature })).toBe(false);
    await expectRefused({ keyX: key.x, keyY: key.y, R8x: 0n, S: s, tag: 77n, parts: [...parts] });
  });
});

/** a of the key a·B8, computed apart from the model: blake512, RFC 8032's clamping. */
function secretScalar(secret: Uint8Array): bigint {
  const bytes = Buffer.from(blake512(secret)).subarray(0, 32);
  bytes[0]! &= 0xf8;
  bytes[31] = (bytes[31]! & 0x7f) | 0x40;
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`) >> 3n;
}
