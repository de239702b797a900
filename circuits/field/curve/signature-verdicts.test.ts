/** Tests of eddsa.ts on lists of signatures: each check gets its own verdict. */
import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadNativeField } from "../../native/native-field.ts";
import { FIELD_ORDER, TAG } from "../../protocol.ts";
import { hashTagged, initPoseidon, poseidonImplementation, useNativeField } from "../poseidon.ts";
import {
  challengesOf,
  derivePublicKey,
  judgeSignatures,
  type Message,
  recoverPublicKey,
  rememberVerdict,
  type SignatureCheck,
  SUBGROUP_ORDER,
  signMessage,
  verifySignature,
  verifySignatureReference,
  verifySignatures,
} from "./eddsa.ts";

beforeAll(initPoseidon);

const { Point } = babyjubjub;
/** ERC-2494's generator of the whole curve; noble's is 8 times it. */
const generator = Point.fromAffine({
  x: 995203441582195749578291179787384436505546430278305826713579947235728471134n,
  y: 5472060717959818805561601436314318772137091100104008585924551046643952123905n,
});
const torsion = generator.multiplyUnsafe(SUBGROUP_ORDER - 1n).add(generator);
const lowOrder = Array.from({ length: 8 }, (_, k) => torsion.multiplyUnsafe(BigInt(k)).toAffine());
const edges = [0n, 1n, 2n, FIELD_ORDER - 1n, FIELD_ORDER, FIELD_ORDER + 1n, -1n, 1n << 256n];

const edge = fc.constantFrom(...edges);
const order = fc.nat(7);
const secret = fc.bigInt(1n, 20n);
const element = fc.oneof(fc.bigInt(0n, FIELD_ORDER - 1n), fc.constantFrom(0n, 1n, FIELD_ORDER - 1n));
const message: fc.Arbitrary<Message> = fc.oneof(
  element,
  fc.tuple(element, fc.tuple(element, element, element)),
);
const withParts = (of: Message, change: (part: bigint) => bigint): Message => {
  if (typeof of === "bigint") return change(of);
  const [domain, [core, bRef, w]] = of;
  return [domain, [core, bRef, change(w)]];
};

/** Alterations of a valid signature, as an attacker may send them. */
const alterations: Record<string, fc.Arbitrary<(check: SignatureCheck) => SignatureCheck>> = {
  nothing: fc.constant((check) => check),
  "another message": fc.constant((check) => ({
    ...check,
    message: withParts(check.message, (part) => (part + 1n) % FIELD_ORDER),
  })),
  "an operation's message under another domain": fc.constant((check) => ({
    ...check,
    message: typeof check.message === "bigint" ? check.message : [check.message[0] + 1n, check.message[1]],
  })),
  "a message at an edge": edge.map((value) => (check) => ({
    ...check,
    message: withParts(check.message, () => value),
  })),
  "another S": fc
    .bigInt(0n, SUBGROUP_ORDER)
    .map((s) => (check) => ({ ...check, signature: { ...check.signature, s } })),
  "S plus a multiple of the order": fc.constantFrom(1n, -1n, 2n).map((k) => (check) => {
    const s = check.signature.s + k * SUBGROUP_ORDER;
    return { ...check, signature: { ...check.signature, s } };
  }),
  "S at an edge": edge.map((s) => (check) => ({ ...check, signature: { ...check.signature, s } })),
  "R8 plus a point of small order": order.map((k) => (check) => {
    const { r8x, r8y, s } = check.signature;
    const moved = Point.fromAffine({ x: r8x, y: r8y })
      .add(torsion.multiplyUnsafe(BigInt(k)))
      .toAffine();
    return { ...check, signature: { r8x: moved.x, r8y: moved.y, s } };
  }),
  "R8 of small order": order.map((k) => (check) => {
    const { x, y } = lowOrder[k]!;
    return { ...check, signature: { r8x: x, r8y: y, s: check.signature.s } };
  }),
  "R8 off the curve, or not canonical": fc.tuple(edge, edge).map(([dx, dy]) => (check) => {
    const { r8x, r8y, s } = check.signature;
    return { ...check, signature: { r8x: r8x + dx, r8y: r8y + dy, s } };
  }),
  "another key": secret.map((other) => (check) => ({ ...check, keyX: derivePublicKey(other).x })),
  "a key at an edge": edge.map((keyX) => (check) => ({ ...check, keyX })),
  "a key of small order": order.map((k) => (check) => {
    const { x, y } = lowOrder[k]!;
    return { ...check, keyX: x, keyY: y };
  }),
  "the key with its y": fc.constant((check) => ({ ...check, keyY: recoverPublicKey(check.keyX)!.y })),
  "the other point at keyX": fc.constant((check) => ({
    ...check,
    keyY: FIELD_ORDER - recoverPublicKey(check.keyX)!.y,
  })),
};

const good = fc.tuple(secret, message).map(([by, about]): SignatureCheck => {
  return { keyX: derivePublicKey(by).x, message: about, signature: signMessage(by, about) };
});
const any = fc.tuple(good, fc.oneof(...Object.values(alterations))).map(([check, alter]) => alter(check));

describe.each(["fused", "native"])("verifySignatures, %s", (implementation) => {
  beforeAll(() => {
    useNativeField(implementation === "native" ? loadNativeField() : null);
    expect(poseidonImplementation()).toBe(implementation);
  });
  afterAll(() => useNativeField(null));

  test.each(Object.entries(alterations))("gives noble's verdict for: %s", (_name, alteration) => {
    fc.assert(
      fc.property(good, alteration, (check, alter) => {
        const altered = alter(check);
        expect(verifySignature(altered)).toBe(verifySignatureReference(altered));
      }),
      { numRuns: runs(12) },
    );
  });

  test("gives every check of a list its own verdict, whoever stands beside it", () => {
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(fc.array(fc.oneof(good, any), { maxLength: 7 }), (checks) => {
        const verdicts = checks.map(verifySignatureReference);
        for (const verdict of verdicts) seen.add(verdict);
        expect(verifySignatures(checks)).toEqual(verdicts);
      }),
      { numRuns: runs(150) },
    );
    expect(seen.size).toBe(2);
  });
});

test("what is kept of a signature is never another message's, key's or signature's", () => {
  const messages: Message[] = [5n, [77n, [1n, 2n, 3n]], [78n, [1n, 2n, 3n]], [TAG.offChain, [5n, 0n, 1n]]];
  const keys = [1n, 2n].map((by) => derivePublicKey(by).x);
  const signed = messages.slice(0, 2).map((about) => signMessage(1n, about));
  const challenge = ({ keyX, message: about, signature: { r8x } }: SignatureCheck) => {
    const [tag, parts] = typeof about === "bigint" ? [TAG.offChain, [about, 0n, 0n]] : about;
    return hashTagged(tag, [r8x, keyX, ...parts]);
  };
  const mostly = (usual: number, ...others: number[]) => fc.constantFrom(usual, usual, usual, ...others);
  const step = fc.record({
    which: fc.array(fc.tuple(mostly(0, 1), mostly(0, 1, 2, 3), mostly(0, 1)), { minLength: 1, maxLength: 4 }),
    does: fc.constantFrom("hash", "judge", "remember", "r8x", "s"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 16 }), (steps) => {
      const signatures = signed.map((signature) => ({ ...signature }));
      for (const { does, which } of steps) {
        const checks = which.map(([of, about, by]): SignatureCheck => {
          return { keyX: keys[by]!, message: messages[about]!, signature: signatures[of]! };
        });
        const { signature } = checks[0]!;
        if (does === "remember")
          for (const [i, { challenge, isValid }] of judgeSignatures(checks).entries())
            rememberVerdict(checks[i]!, isValid, challenge);
        else if (does === "r8x" || does === "s") {
          // One that was judged is frozen.
          expect(Reflect.set(signature, does, signature[does] + 1n)).toBe(!Object.isFrozen(signature));
        } else if (does === "hash") expect(challengesOf(checks)).toEqual(checks.map(challenge));
        else
          for (const check of checks) {
            expect(verifySignature(check)).toBe(verifySignatures([check])[0]);
            const keyY = FIELD_ORDER - recoverPublicKey(check.keyX)!.y;
            expect(verifySignature({ ...check, keyY })).toBe(false);
          }
      }
    }),
    { numRuns: runs(200) },
  );
});
