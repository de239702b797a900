import { keccak_256 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { batchStatement } from "../blob/batch-statement.ts";
import { challenge, dataCommitment, evaluate, fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import {
  type BatchShape,
  FIELD_ORDER,
  HEADER_ELEMENT_COUNT,
  KIND,
  KIND_RULES,
  kindRule,
  TAG,
  WIDE_WORD_COUNT,
} from "../protocol.ts";
import { shapeOf } from "../testing/sample-shape.ts";
import {
  absorbedPosted,
  type BatchData,
  batchElements,
  decodeWire,
  encodeWire,
  narrowPairs,
  type SlotRecord,
} from "./batch-data.ts";

beforeAll(initPoseidon);

const SHAPE: BatchShape = shapeOf(4, 3);
const FIXED_COUNT = 5 + SHAPE.narrow / 2 + SHAPE.wide;
const WIRE_HEADER_BYTES = 63;

const bits = (width: number) => fc.bigInt(0n, 2n ** BigInt(width) - 1n);
const id = fc.nat(2 ** 24 - 1);
const element = fc.bigInt(0n, FIELD_ORDER - 1n);
const record = (kinds: readonly number[], isWide: boolean): fc.Arbitrary<SlotRecord> =>
  fc.constantFrom(...kinds).chain((kind) => {
    const { wordCount } = kindRule(kind)!;
    return fc.record({
      kind: fc.constant(kind),
      a: id,
      b: id,
      amountCode: bits(40),
      isValid: isWide ? fc.boolean() : fc.constant(false),
      words: fc.array(element, { minLength: wordCount, maxLength: wordCount }),
    });
  });
const usedKinds = KIND_RULES.filter(({ kind }) => kind !== KIND.null);
const narrowKinds = usedKinds.filter(({ isNarrow }) => isNarrow).map(({ kind }) => kind);
const wideKinds = usedKinds.map(({ kind }) => kind);

const batches: fc.Arbitrary<BatchData> = fc.record({
  domain: element,
  oldRoot: element,
  newRoot: element,
  batchNumber: bits(40),
  timestamp: bits(40),
  firstOpIndex: bits(40),
  oldNextId: fc.integer({ min: 2, max: 2 ** 24 }),
  newNextId: fc.integer({ min: 2, max: 2 ** 24 }),
  feeAccountId: id,
  feePerUnitWei: bits(64),
  idFeeWei: bits(96),
  signedCount: fc.nat(2 ** 16 - 1),
  shape: fc.constant(SHAPE),
  narrow: fc.array(record(narrowKinds, false), { maxLength: SHAPE.narrow }),
  wide: fc.array(record(wideKinds, true), { maxLength: SHAPE.wide }),
});

/** The batch fields that L1 has in its own state, without the batch's bytes. */
const l1Of = ({ domain, oldRoot, batchNumber, firstOpIndex, oldNextId, idFeeWei }: BatchData) => ({
  domain,
  oldRoot,
  batchNumber,
  firstOpIndex,
  oldNextId,
  idFeeWei,
});

const sample = (): BatchData => ({
  domain: 1n,
  oldRoot: 2n,
  newRoot: 3n,
  batchNumber: 4n,
  timestamp: 5n,
  firstOpIndex: 6n,
  oldNextId: 7,
  newNextId: 8,
  feeAccountId: 9,
  feePerUnitWei: 10n,
  idFeeWei: 11n,
  signedCount: 12,
  shape: SHAPE,
  narrow: [
    { kind: KIND.commitData, a: 20, b: 21, amountCode: 22n, isValid: false, words: [23n] },
    { kind: KIND.transfer, a: 24, b: 25, amountCode: 26n, isValid: false, words: [] },
    { kind: KIND.payInference, a: 27, b: 28, amountCode: 29n, isValid: false, words: [30n] },
  ],
  wide: [
    { kind: KIND.depositTo, a: 0, b: 31, amountCode: 0n, isValid: true, words: [32n, 33n, 34n, 35n] },
    { kind: KIND.setKey, a: 36, b: 0, amountCode: 0n, isValid: false, words: [37n] },
  ],
});

describe("batchElements", () => {
  it("has the places of docs/reference/ledger.md", () => {
    const elements = batchElements(sample());
    const numbers =
      4n |
      (5n << 40n) |
      (6n << 80n) |
      (7n << 120n) |
      (8n << 145n) |
      (9n << 170n) |
      (12n << 194n) |
      (2n << 210n);
    const core = (kind: number, a: number, b: number, amount: number) =>
      BigInt(kind) + (BigInt(a) << 4n) + (BigInt(b) << 28n) + (BigInt(amount) << 52n);
    expect(elements).toEqual([
      1n,
      2n,
      3n,
      numbers,
      10n | (11n << 64n),
      core(2, 20, 21, 22) + (core(1, 24, 25, 26) << 92n),
      core(3, 27, 28, 29),
      17n + (31n << 29n) + (1n << 93n),
      11n + (36n << 5n),
      0n,
      23n,
      30n,
      32n,
      33n,
      34n,
      35n,
      37n,
    ]);
  });

  it("keeps every fixed place below r at the limits of all fields", () => {
    const top: SlotRecord = {
      kind: 15,
      a: 2 ** 24 - 1,
      b: 2 ** 24 - 1,
      amountCode: 2n ** 40n - 1n,
      isValid: true,
      words: [],
    };
    const elements = batchElements({
      ...sample(),
      batchNumber: 2n ** 40n - 1n,
      timestamp: 2n ** 40n - 1n,
      firstOpIndex: 2n ** 40n - 1n,
      oldNextId: 2 ** 24,
      newNextId: 2 ** 24,
      feeAccountId: 2 ** 24 - 1,
      signedCount: 2 ** 16 - 1,
      feePerUnitWei: 2n ** 64n - 1n,
      idFeeWei: 2n ** 96n - 1n,
      narrow: [top, top],
      wide: [{ ...top, kind: 31 }],
    });
    expect(elements.every((value) => value < FIELD_ORDER)).toBe(true);
    expect(elements[5]! < 2n ** 184n && elements[7]! < 2n ** 94n).toBe(true);
  });

  it("refuses an element that is not below r", () => {
    const [first, ...rest] = sample().narrow;
    const batch = { ...sample(), narrow: [{ ...first!, words: [FIELD_ORDER] }, ...rest] };
    expect(() => batchElements(batch)).toThrow(
      expect.objectContaining({
        code: "CIR_WIRE_MALFORMED",
        data: { reason: "element-not-canonical", place: FIXED_COUNT, element: `${FIELD_ORDER}` },
      }),
    );
    expect(() => batchElements({ ...sample(), oldRoot: FIELD_ORDER })).toThrow();
  });

  it("is, but for the table's cores and payloads, what C absorbs of it, less the absent places, which are 0", () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const absorbed = absorbedPosted(batch);
        const wordsAt = HEADER_ELEMENT_COUNT + SHAPE.wide;
        expect(absorbed).toHaveLength(wordsAt + WIDE_WORD_COUNT * SHAPE.wide);
        const words: bigint[] = [];
        for (let i = 0; i < SHAPE.wide; i++) {
          const [from, used] = [wordsAt + WIDE_WORD_COUNT * i, batch.wide[i]?.words.length ?? 0];
          words.push(...absorbed.slice(from, from + used));
          expect(absorbed.slice(from + used, from + WIDE_WORD_COUNT).every((value) => value === 0n)).toBe(
            true,
          );
        }
        expect(batchElements(batch)).toEqual([
          ...absorbed.slice(0, HEADER_ELEMENT_COUNT),
          ...narrowPairs(batch),
          ...absorbed.slice(HEADER_ELEMENT_COUNT, wordsAt),
          ...batch.narrow.flatMap((slot) => slot.words),
          ...words,
        ]);
      }),
    );
  });
});

describe("decodeWire", () => {
  it("gives back every batch that encodeWire posts", () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const wire = encodeWire(batch);
        const decoded = decodeWire(wire, SHAPE, l1Of(batch));
        expect(decoded).toEqual(batch);
        expect(batchElements(decoded)).toEqual(batchElements(batch));
        expect(encodeWire(decoded)).toEqual(wire);
        const pairs = Math.ceil(batch.narrow.length / 2);
        const words = [...batch.narrow, ...batch.wide].reduce((sum, slot) => sum + slot.words.length, 0);
        expect(wire.length).toBe(WIRE_HEADER_BYTES + 23 * pairs + 12 * batch.wide.length + 32 * words);
      }),
    );
  });

  it("takes nulls that were posted for nothing, and means the same batch", () => {
    const batch = { ...sample(), narrow: [], wide: [] };
    const wire = encodeWire(batch);
    const header = Uint8Array.from(wire);
    header.set([0, 2, 0, 2, 0, 0, 1], WIRE_HEADER_BYTES - 7);
    const decoded = decodeWire(Uint8Array.of(...header, ...new Uint8Array(2 * 23 + 12)), SHAPE, l1Of(batch));
    expect(batchElements(decoded)).toEqual(batchElements(batch));
    expect(absorbedPosted(decoded)).toEqual(absorbedPosted(batch));
  });

  const malformed = expect.objectContaining({ code: "CIR_WIRE_MALFORMED" });
  const decode = (wire: Uint8Array) => decodeWire(wire, SHAPE, l1Of(sample()));

  it("refuses data that ends early or late, wherever", () => {
    const wire = encodeWire(sample());
    expect(decode(wire)).toEqual(sample());
    for (let length = 0; length < wire.length; length++) {
      expect(() => decode(wire.subarray(0, length)), `${length} bytes`).toThrow(malformed);
    }
    expect(() => decode(Uint8Array.of(...wire, 0))).toThrow(malformed);
  });

  it("refuses more slots than the circuit has, and a payload count that the kinds do not have", () => {
    const wire = encodeWire(sample());
    const put = (at: number, value: number) => Uint8Array.from(wire).fill(value, at, at + 1);
    expect(() => decode(put(57, 4))).toThrow(malformed);
    expect(() => decode(put(62, 4))).toThrow(malformed);
    for (const count of [0, 1, 3]) expect(() => decode(put(55, count)), `${count}`).toThrow(malformed);
  });

  it("refuses a gap that is not between two pairs", () => {
    const wire = encodeWire(sample());
    const withGap = (at: number, count: number) => wire.with(59, at).with(61, count);
    expect(decode(withGap(2, 0))).toEqual(sample());
    for (const [at, count] of [
      [2, 1],
      [1, 0],
      [3, 0],
      [0, 0],
    ] as const)
      expect(() => decode(withGap(at, count)), `${count} at ${at}`).toThrow(malformed);
  });

  it("refuses a null slot with fields, and a wide kind in the narrow section", () => {
    const wire = encodeWire(sample());
    // The odd half of the second pair is null: its lowest bit of A is bit 92 + 4.
    const pairAt = WIRE_HEADER_BYTES + 23;
    for (const bit of [96, 120, 144, 183]) {
      const altered = Uint8Array.from(wire);
      const at = pairAt + 22 - Math.floor(bit / 8);
      altered[at] = altered[at]! ^ (1 << (bit % 8));
      expect(() => decode(altered), `bit ${bit}`).toThrow(malformed);
    }
    const wideKind = Uint8Array.from(wire);
    wideKind[WIRE_HEADER_BYTES + 22] = (wideKind[WIRE_HEADER_BYTES + 22]! & 0xf0) | KIND.setKey;
    expect(() => decode(wideKind)).toThrow(malformed);
  });

  it("refuses reserved and unknown kinds and a wide core above 94 bits", () => {
    const known = new Set(KIND_RULES.map(({ kind }) => kind));
    const wideAt = WIRE_HEADER_BYTES + 2 * 23;
    const wire = encodeWire(sample());
    for (let kind = 0; kind < 32; kind++) {
      if (known.has(kind)) continue;
      // The kind is in the low five bits of a core's last byte.
      const altered = Uint8Array.from(wire);
      altered[wideAt + 11] = (altered[wideAt + 11]! & 0xe0) | kind;
      expect(() => decode(altered), `wide kind ${kind}`).toThrow(malformed);
      if (kind > 15) continue;
      const narrow = Uint8Array.from(wire);
      narrow[WIRE_HEADER_BYTES + 22] = (narrow[WIRE_HEADER_BYTES + 22]! & 0xf0) | kind;
      expect(() => decode(narrow), `narrow kind ${kind}`).toThrow(malformed);
    }
    for (const bit of [0x40, 0x80]) {
      const altered = Uint8Array.from(wire);
      altered[wideAt] = altered[wideAt]! | bit;
      expect(() => decode(altered)).toThrow(malformed);
    }
  });

  it("takes what was posted, whatever else L1's fields come with", () => {
    const other = { ...sample(), newRoot: 99n, timestamp: 99n, feePerUnitWei: 99n };
    expect(decodeWire(encodeWire(sample()), SHAPE, other)).toEqual(sample());
  });

  it("never takes two wire forms for one batch without trailing nulls", () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (batch, at, change) => {
        const wire = encodeWire(batch);
        const altered = Uint8Array.from(wire);
        altered[at % wire.length] = altered[at % wire.length]! ^ change;
        let decoded: BatchData;
        try {
          decoded = decodeWire(altered, SHAPE, l1Of(batch));
        } catch (error) {
          expect(error).toEqual(malformed);
          return;
        }
        expect(decoded).not.toEqual(batch);
      }),
    );
  });
});

describe("dataCommitment", () => {
  it("is the chain of docs/reference/ledger.md, begun with the length", () => {
    const elements = Array.from({ length: 17 }, (_, i) => BigInt(i + 1));
    const first = hashTagged(TAG.data, [17n, ...elements.slice(0, 15)]);
    expect(dataCommitment(elements)).toBe(
      hashTagged(TAG.data, [first, 16n, 17n, ...Array<bigint>(13).fill(0n)]),
    );
  });

  it("tells vectors apart that differ by zeros at the end or by a place", () => {
    const vectors = [
      [],
      [0n],
      [0n, 0n],
      [1n],
      [0n, 1n],
      [1n, 0n],
      Array<bigint>(15).fill(0n),
      Array<bigint>(16).fill(0n),
    ];
    expect(new Set(vectors.filter((v) => v.length > 0).map(dataCommitment)).size).toBe(vectors.length - 1);
  });
});

describe("challenge", () => {
  it("is keccak256 of the encoded tag, circuit, commitment and hash of all elements", () => {
    const word = (value: bigint) => toBytesBe(value, 32);
    const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
    const elements = [1n, FIELD_ORDER - 1n, 0n];
    const tag = keccak_256(new TextEncoder().encode("OpenLedger challenge v1"));
    const hash = keccak_256(join(...elements.map(word)));
    const expected = fromBytesBe(keccak_256(join(tag, word(77n), word(88n), hash))) % FIELD_ORDER;
    expect(challenge(77n, 88n, elements)).toBe(expected);
  });

  it("changes with every element that L1 evaluates, whatever its source", () => {
    // Attack: an element that z does not bind can be solved for after z is known.
    const elements = batchElements(sample());
    const commitment = 99n;
    const { z } = batchStatement(sample(), 77n, commitment);
    const others = new Set([
      z,
      challenge(78n, commitment, elements),
      challenge(77n, commitment + 1n, elements),
    ]);
    for (const [i, value] of elements.entries())
      others.add(challenge(77n, commitment, elements.with(i, value + 1n)));
    others.add(challenge(77n, commitment, [...elements, 0n]));
    expect(others.size).toBe(elements.length + 4);
  });
});

describe("evaluate", () => {
  it("is the sum of the elements times the powers of z", () => {
    fc.assert(
      fc.property(fc.array(element, { maxLength: 30 }), element, (elements, z) => {
        let power = 1n;
        let sum = 0n;
        for (const value of elements) {
          sum = (sum + value * power) % FIELD_ORDER;
          power = (power * z) % FIELD_ORDER;
        }
        expect(evaluate(elements, z)).toBe(sum);
      }),
    );
  });
});
