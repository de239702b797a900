/** Tests of FROST over the ledger's curve: every group's signature is one that the ledger takes, and nothing else is. */
import { babyjubjub } from "@noble/curves/misc.js";
import { numberToBytesLE } from "@noble/curves/utils.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import {
  BASE8,
  isUsableKey,
  type Message,
  recoverPublicKey,
  SUBGROUP_ORDER,
  verifySignature,
} from "@openledger/circuits/field/curve/eddsa";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { addDealings, addShares, deal, isDealing, isShareOf, keysOf } from "./dealing.ts";
import {
  checkBounds,
  encodeMessage,
  frost,
  type GroupKeys,
  groupKey,
  memberNumber,
  proofChallenge,
  readPoint,
  scalars,
} from "./frost-suite.ts";
import { addParts, createNonce, isPartOf, type KeyShare } from "./signing-part.ts";

beforeAll(() => initPoseidon());

interface World {
  readonly keys: GroupKeys;
  readonly shares: readonly KeyShare[];
}

function makeGroup(threshold: number, count: number): World {
  const members = Array.from({ length: count }, (_, i) => memberNumber("test", `member ${i}`));
  const dealings = members.map((member) => deal(member, threshold));
  const keys = addDealings(
    dealings.map(({ dealing }) => dealing),
    members,
  );
  const shares = members.map((number) => ({
    number,
    share: addShares(dealings.map((dealing) => dealing.shareFor(number))),
  }));
  return { keys, shares };
}

function signWith({ keys }: World, signers: readonly KeyShare[], message: Message) {
  const nonces = signers.map(createNonce);
  const list = nonces.map(({ commitment }) => commitment);
  const parts = new Map(nonces.map((nonce, i) => [signers[i]!.number, nonce.sign(keys, list, message)]));
  return { list, parts, signature: addParts(keys, list, message, parts) };
}

const element = fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n });
const message = fc.oneof(
  element,
  fc.tuple(element, fc.tuple(element, element, element)) as fc.Arbitrary<Message>,
);

describe("FROST over BabyJubJub", () => {
  it("has the circuits' generator and order", () => {
    expect(babyjubjub.Point.BASE.toAffine()).toEqual(BASE8);
    expect(scalars.ORDER).toBe(SUBGROUP_ORDER);
  });

  it("signs what the ledger takes, with any k of n, operations and other field elements", () => {
    const groups = [
      [2, 2],
      [2, 3],
      [3, 5],
      [2, 16],
    ].map(([threshold, count]) => makeGroup(threshold!, count!));
    const cases = fc.record({
      world: fc.constantFrom(...groups),
      message,
      start: fc.nat(15),
    });
    fc.assert(
      fc.property(cases, ({ world, message: signed, start }) => {
        const { min, max } = world.keys.signers;
        const signers = Array.from({ length: min }, (_, i) => world.shares[(start + i) % max]!);
        const { signature } = signWith(world, signers, signed);
        const key = groupKey(world.keys);
        expect(isUsableKey(key)).toBe(true);
        expect(recoverPublicKey(key.x)).toEqual(key);
        expect(verifySignature({ keyX: key.x, message: signed, signature })).toBe(true);
        const other = typeof signed === "bigint" ? (signed + 1n) % FIELD_ORDER : signed[0];
        expect(verifySignature({ keyX: key.x, message: other, signature })).toBe(false);
      }),
      { numRuns: 12 },
    );
  });

  it("makes the keys and shares that the library's own setup makes of the same polynomials", () => {
    const numbers = [1, 2, 3].map((n) => frost.Identifier.fromNumber(n));
    const signers = { min: 2, max: 3 };
    const drawn = numbers.map((number) => frost.DKG.round1(number, signers));
    const coefficients = drawn.map(({ secret }) => [...secret.coefficients!]);
    const others = (i: number) => drawn.filter((_, j) => j !== i).map((one) => one.public);
    const dealt = drawn.map(({ secret }, i) => frost.DKG.round2(secret, others(i)));
    const made = drawn.map(({ secret }, i) =>
      frost.DKG.round3(
        secret,
        others(i),
        dealt.filter((_, j) => j !== i).map((shares) => shares[numbers[i]!]!),
      ),
    );
    const dealings = drawn.map((one) => ({
      commitment: one.public.commitment.map((point) => bytesToHex(point)),
      proof: bytesToHex(one.public.proofOfKnowledge),
    }));
    expect(addDealings(dealings, numbers)).toEqual(made[0]!.public);
    for (const [i, { secret }] of made.entries()) {
      const x = BigInt(i + 1);
      const shares = coefficients.map(([c0, c1]) => scalars.toBytes(scalars.create(c0! + c1! * x)));
      expect(addShares(shares)).toEqual(secret.signingShare);
      for (const [j, share] of shares.entries())
        expect(isShareOf(dealings[j]!.commitment, { number: numbers[i]!, share })).toBe(true);
    }
  });

  it("has two members of sixteen at least, and sixteen at most", () => {
    for (const [threshold, count] of [
      [2, 2],
      [16, 16],
      [2, 16],
    ] as const)
      expect(() => checkBounds(threshold, count)).not.toThrow();
    for (const [threshold, count] of [
      [1, 1],
      [1, 3],
      [4, 3],
      [2, 17],
      [2.5, 2],
    ] as const)
      expect(() => checkBounds(threshold, count)).toThrow("a group has 2 to 16 members");
  });
});

describe("a part of a signature", () => {
  const MESSAGE: Message = [7n, [1n, 2n, 3n]];

  it("is made once with a nonce, whatever becomes of it", () => {
    const world = makeGroup(2, 3);
    const [a, b] = world.shares.slice(0, 2).map(createNonce);
    const list = [a!.commitment, b!.commitment];
    a!.sign(world.keys, list, MESSAGE);
    expect(() => a!.sign(world.keys, list, MESSAGE)).toThrow("a nonce signs once");
    expect(() => a!.sign(world.keys, list, 5n)).toThrow("a nonce signs once");
    // A list that is refused uses the nonce up, too.
    expect(() => b!.sign(world.keys, [b!.commitment], MESSAGE)).toThrow("2 members sign, not 1");
    expect(() => b!.sign(world.keys, list, MESSAGE)).toThrow("a nonce signs once");
    const erased = createNonce(world.shares[0]!);
    erased.erase();
    expect(() => erased.sign(world.keys, [erased.commitment, list[1]!], MESSAGE)).toThrow("signs once");
  });

  it("is for one message and one list of commitments, and names its member", () => {
    const world = makeGroup(2, 3);
    const signers = world.shares.slice(0, 2);
    const nonces = signers.map(createNonce);
    const list = nonces.map(({ commitment }) => commitment);
    const [first, second] = nonces.map((nonce) => nonce.sign(world.keys, list, MESSAGE));
    const [one, two] = signers.map(({ number }) => number);
    expect(isPartOf(world.keys, list, MESSAGE, { number: one!, part: first! })).toBe(true);
    expect(isPartOf(world.keys, list, 5n, { number: one!, part: first! })).toBe(false);
    expect(isPartOf(world.keys, list, MESSAGE, { number: two!, part: first! })).toBe(false);
    const stale = [createNonce(signers[0]!).commitment, list[1]!];
    expect(isPartOf(world.keys, stale, MESSAGE, { number: one!, part: first! })).toBe(false);
    // Same value in another encoding: s + l.
    const value = scalars.fromBytes(first!) + SUBGROUP_ORDER;
    const long = Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
    expect(isPartOf(world.keys, list, MESSAGE, { number: one!, part: long })).toBe(false);
    const swapped = new Map([
      [one!, second!],
      [two!, first!],
    ]);
    // The sum is the same, and so is the signature: only each part alone is wrong.
    expect(() => addParts(world.keys, list, MESSAGE, swapped)).not.toThrow();
    expect(() => addParts(world.keys, list, 5n, swapped)).toThrow("add up to no signature");
  });

  it("is refused for commitments of strangers, doubled, stale, identities, low orders and other encodings", () => {
    const world = makeGroup(2, 3);
    const [mine, theirs] = world.shares;
    const other = createNonce(theirs!).commitment;
    const tryList = (change: (own: string) => readonly object[]) => {
      const nonce = createNonce(mine!);
      const list = change(nonce.commitment.number).map((entry) => ({ ...nonce.commitment, ...entry }));
      expect(() => nonce.sign(world.keys, list, MESSAGE)).toThrow(
        expect.objectContaining({ code: "CLI_GROUP_INVALID" }),
      );
    };
    const point = (x: bigint, y: bigint) => bytesToHex(babyjubjub.Point.fromAffine({ x, y }).toBytes());
    const upper = other.hiding.replace(/[a-f]/, (digit) => digit.toUpperCase());
    // y + p, where it fits 255 bits: the same point in another encoding.
    const again = hexToBytes(other.hiding);
    const y = BigInt(`0x${bytesToHex(again.slice().reverse())}`) & ((1n << 255n) - 1n);
    const sign = again[31]! & 0x80;
    const shifted = Uint8Array.from({ length: 32 }, (_, i) =>
      Number(((y + FIELD_ORDER) >> BigInt(8 * i)) & 0xffn),
    );
    shifted[31]! |= sign;
    tryList(() => [{}, { ...other, number: memberNumber("test", "stranger") }]);
    tryList((own) => [{}, { ...other, number: own }]);
    tryList(() => [{}]);
    tryList(() => [createNonce(mine!).commitment, other]);
    tryList(() => [{}, { ...other, hiding: point(0n, 1n) }]);
    tryList(() => [{}, { ...other, binding: point(0n, 1n) }]);
    tryList(() => [{}, { ...other, hiding: point(0n, FIELD_ORDER - 1n) }]);
    const lowered = babyjubjub.Point.fromBytes(hexToBytes(other.hiding)).add(
      babyjubjub.Point.fromAffine({ x: 0n, y: FIELD_ORDER - 1n }),
    );
    tryList(() => [{}, { ...other, hiding: bytesToHex(lowered.toBytes()) }]);
    tryList(() => [{}, { ...other, hiding: bytesToHex(shifted) }]);
    tryList(() => [{}, { ...other, hiding: upper }]);
    tryList(() => [{}, { ...other, hiding: "00".repeat(31) }]);
    tryList(() => [{}, { ...other, hiding: "ff".repeat(32) }]);
    const nonces = [mine!, theirs!].map(createNonce);
    expect(() =>
      nonces[0]!.sign(
        world.keys,
        nonces.map(({ commitment }) => commitment),
        MESSAGE,
      ),
    ).not.toThrow();
  });

  it("signs no element outside the field", () => {
    expect(() => encodeMessage(FIELD_ORDER)).toThrow("field elements");
    expect(() => encodeMessage([0n, [0n, -1n, 0n]])).toThrow("field elements");
    expect(encodeMessage(5n)).toEqual(encodeMessage([TAG.offChain, [5n, 0n, 0n]]));
  });

  it("gives nothing for a second message to a coordinator who shows two for one commitment", () => {
    const world = makeGroup(2, 3);
    const victim = createNonce(world.shares[0]!);
    const mine = createNonce(world.shares[1]!);
    const list = [victim.commitment, mine.commitment];
    expect(victim.sign(world.keys, list, 5n)).toHaveLength(32);
    expect(() => victim.sign(world.keys, list, 6n)).toThrow("a nonce signs once");
  });

  it("is safe among sessions at once: each has its own nonce and list", () => {
    const world = makeGroup(2, 3);
    const sessions = Array.from({ length: 8 }, (_, i) => {
      const signers = [world.shares[i % 3]!, world.shares[(i + 1) % 3]!];
      return { message: BigInt(i), signers, nonces: signers.map(createNonce) };
    });
    const { x: keyX } = groupKey(world.keys);
    for (const { message: signed, nonces, signers } of [...sessions].reverse()) {
      const list = nonces.map(({ commitment }) => commitment);
      const parts = new Map(
        nonces.map((nonce, i) => [signers[i]!.number, nonce.sign(world.keys, list, signed)]),
      );
      const signature = addParts(world.keys, list, signed, parts);
      expect(verifySignature({ keyX, message: signed, signature })).toBe(true);
    }
    // Commitments of one session in another are refused by those whose nonces they are not.
    const [first, second] = [world.shares[0]!, world.shares[0]!].map(createNonce);
    const third = createNonce(world.shares[1]!).commitment;
    expect(() => first!.sign(world.keys, [second!.commitment, third], 1n)).toThrow("not this member's");
  });
});

describe("a dealing", () => {
  it("is refused without the proof of its constant, under another number, or of another degree", () => {
    const [one, two] = ["one", "two"].map((name) => memberNumber("test", name));
    const { dealing } = deal(one!, 3);
    expect(isDealing(one!, 3, dealing)).toBe(true);
    expect(isDealing(two!, 3, dealing)).toBe(false);
    expect(isDealing(memberNumber("another setup", "one"), 3, dealing)).toBe(false);
    expect(isDealing(one!, 2, dealing)).toBe(false);
    expect(isDealing(one!, 4, dealing)).toBe(false);
    const other = deal(one!, 3).dealing;
    expect(isDealing(one!, 3, { ...dealing, proof: other.proof })).toBe(false);
    for (const point of [
      "01".padEnd(64, "0"),
      bytesToHex(babyjubjub.Point.fromAffine({ x: 0n, y: FIELD_ORDER - 1n }).toBytes()),
      "ff".repeat(32),
      "",
    ]) {
      const commitment = [dealing.commitment[0]!, point, dealing.commitment[2]!];
      expect(isDealing(one!, 3, { ...dealing, commitment })).toBe(false);
    }
  });

  it("is refused though the proof's equation holds, with a point off the subgroup, the identity, or another spelling", () => {
    const dealer = memberNumber("test", "one");
    const { BASE, ZERO } = babyjubjub.Point;
    const low = babyjubjub.Point.fromAffine({ x: 0n, y: FIELD_ORDER - 1n });
    const rest = bytesToHex(BASE.toBytes());
    const prove = (constant: typeof BASE, nonce: typeof BASE) => {
      const challenge = proofChallenge(dealer, constant.toBytes(), nonce.toBytes());
      const spell = (answer: bigint) => bytesToHex(nonce.toBytes()) + bytesToHex(numberToBytesLE(answer, 32));
      const accepts = (proof: string) =>
        isDealing(dealer, 2, { commitment: [bytesToHex(constant.toBytes()), rest], proof });
      return { challenge, spell, accepts };
    };
    const [constant, log] = [BASE.multiplyUnsafe(5n), 5n];
    for (let r = 1n; r <= 8n; r++) {
      const nonce = BASE.multiplyUnsafe(r);
      const { challenge, spell, accepts } = prove(constant, nonce);
      const answer = scalars.create(r + challenge * log);
      expect(accepts(spell(answer))).toBe(true);
      expect(accepts(spell(answer + SUBGROUP_ORDER))).toBe(false);
      expect(accepts(`${spell(answer)}00`)).toBe(false);
      // An even challenge cancels the constant's part of order 2, an odd one has the nonce's cancel it.
      for (const part of [ZERO, low]) {
        const forged = prove(constant.add(low), nonce.add(part));
        expect(forged.accepts(forged.spell(scalars.create(r + forged.challenge * log)))).toBe(false);
      }
    }
    const still = prove(constant, ZERO);
    expect(still.accepts(still.spell(scalars.create(still.challenge * log)))).toBe(false);
    const none = prove(ZERO, constant);
    expect(none.accepts(none.spell(log))).toBe(false);
  });

  it("of a rogue, who cancels another's constant, has no proof", () => {
    const [honest, rogue] = ["honest", "rogue"].map((name) => memberNumber("test", name));
    const theirs = deal(honest!, 2);
    const own = deal(rogue!, 2);
    // Own constant less the other's: the group's key would be the rogue's own.
    const target = readPoint(hexToBytes(own.dealing.commitment[0]!));
    const cancelled = target.subtract(readPoint(hexToBytes(theirs.dealing.commitment[0]!)));
    const commitment = [bytesToHex(cancelled.toBytes()), own.dealing.commitment[1]!];
    for (const { proof } of [own.dealing, theirs.dealing])
      expect(isDealing(rogue!, 2, { commitment, proof })).toBe(false);
  });

  it("shows a share that is not its own", () => {
    const [one, two] = ["one", "two"].map((name) => memberNumber("test", name));
    const secret = deal(one!, 2);
    const share = secret.shareFor(two!);
    expect(isShareOf(secret.dealing.commitment, { number: two!, share })).toBe(true);
    expect(isShareOf(secret.dealing.commitment, { number: one!, share })).toBe(false);
    const wrong = scalars.toBytes(scalars.add(scalars.fromBytes(share), 1n));
    expect(isShareOf(secret.dealing.commitment, { number: two!, share: wrong })).toBe(false);
  });

  it("adds up to no group if the constants cancel, or a member's share is nothing", () => {
    const one = memberNumber("test", "one");
    const { dealing } = deal(one, 2);
    const negated = dealing.commitment.map((point) =>
      bytesToHex(readPoint(hexToBytes(point)).negate().toBytes()),
    );
    expect(() => addDealings([dealing, { ...dealing, commitment: negated }], [one])).toThrow(
      expect.objectContaining({ code: "CLI_GROUP_INVALID" }),
    );
    expect(() => keysOf(["01".padEnd(64, "0"), dealing.commitment[1]!], [one])).toThrow(
      expect.objectContaining({ code: "CLI_GROUP_INVALID" }),
    );
  });
});
