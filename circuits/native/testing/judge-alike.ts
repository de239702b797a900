/** Random signatures, good and bad, judged by every implementation: the verdicts are to be the same. */
import { TestRandom } from "@openledger/foundation/testing/test-random";
import {
  createSigner,
  type SignatureCheck,
  SUBGROUP_ORDER,
  verifySignatureReference,
  verifySignatures,
} from "../../field/curve/eddsa.ts";
import { type NativeField, useNativeField } from "../../field/poseidon.ts";
import { FIELD_ORDER } from "../../protocol.ts";

const KEYS = 20;
const SIGNATURES = 400;
/** Interval of the signatures that noble checks too: it takes 2.5 ms for each. */
const NOBLE_EVERY = 997;
const edges = [0n, 1n, FIELD_ORDER - 1n, FIELD_ORDER, SUBGROUP_ORDER - 1n, SUBGROUP_ORDER, -1n, 1n << 255n];

function altered(random: TestRandom, all: readonly SignatureCheck[]): SignatureCheck {
  const [check, other] = [random.pick(all), random.pick(all)];
  const { signature } = check;
  const signed = (change: object) => ({ ...check, signature: { ...signature, ...change } });
  switch (random.below(10)) {
    case 0:
      return signed({ s: random.field() % SUBGROUP_ORDER });
    case 1:
      return signed({ s: random.pick(edges) });
    case 2:
      return signed({ r8x: random.pick([FIELD_ORDER - signature.r8x, random.field(), ...edges]) });
    case 3:
      return signed({ r8y: random.pick([FIELD_ORDER - signature.r8y, random.field(), ...edges]) });
    case 4:
      return { ...check, message: random.pick([other.message, random.field(), ...edges]) };
    case 5:
      return { ...check, keyX: random.pick([other.keyX, ...edges]) };
    case 6:
      return signed({ r8x: other.signature.r8x, r8y: other.signature.r8y });
    case 7:
      return signed({ r8x: FIELD_ORDER - signature.r8x, r8y: FIELD_ORDER - signature.r8y });
    default:
      return { ...check, signature: { ...signature } };
  }
}

/** Good signatures of a seed, made once for all implementations. */
const known = new Map<number, readonly SignatureCheck[]>();

function signed(seed: number): readonly SignatureCheck[] {
  const made = known.get(seed);
  if (made !== undefined) return made;
  const random = new TestRandom(seed);
  const signers = Array.from({ length: KEYS }, () => createSigner(random.field()));
  const checks = Array.from({ length: SIGNATURES }, (): SignatureCheck => {
    const [{ key, sign }, message] = [random.pick(signers), random.field()];
    return { keyX: key.x, message, signature: sign(message) };
  });
  known.set(seed, checks);
  return checks;
}

/** @returns how many were good. @throws Error at the first difference */
export function judgeAlike(count: number, seed: number, native: NativeField): number {
  const random = new TestRandom(seed);
  const all = signed(seed);
  let goodCount = 0;
  try {
    for (let done = 0; done < count; ) {
      const checks = Array.from({ length: Math.min(64, count - done) }, () => altered(random, all));
      useNativeField(native);
      const quick = verifySignatures(checks);
      useNativeField(null);
      const plain = verifySignatures(checks);
      for (const [i, check] of checks.entries()) {
        const isSame =
          quick[i] === plain[i] &&
          ((done + i) % NOBLE_EVERY !== 0 || quick[i] === verifySignatureReference(check));
        if (!isSame) throw new Error(`check ${done + i} of seed ${seed} has two verdicts`);
        if (quick[i]) goodCount += 1;
      }
      done += checks.length;
    }
  } finally {
    useNativeField(null);
  }
  return goodCount;
}
