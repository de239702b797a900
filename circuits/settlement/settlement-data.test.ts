import { keccak_256 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { FIELD_ORDER, TAG } from "../protocol.ts";
import {
  activationPayees,
  decodeEntries,
  decodeSettlement,
  encodeEntries,
  encodeSettlement,
  entryCount,
  entryElements,
  entryPositions,
  type L1Settlement,
  type PostedSettlement,
  packActivationItem,
  proofStatement,
  proofVector,
  settlementElements,
} from "./settlement-data.ts";
import { drawElements, rowElements } from "./settlement-size.ts";

const item = fc.bigInt(0n, 2n ** 40n - 1n);
const posted: fc.Arbitrary<PostedSettlement> = fc.record({
  epoch: fc.bigInt(0n, 2n ** 24n - 1n),
  closingBatch: fc.bigInt(1n, 2n ** 40n - 1n),
  voidCount: fc.nat(255),
  burnedWei: fc.bigInt(0n, 2n ** 96n - 1n),
  capCircuit: fc.nat(255),
  shardCount: fc.constant(1),
  chain: fc.bigInt(0n, FIELD_ORDER - 1n),
  items: fc.array(item, { maxLength: 512 }),
});
const L1: L1Settlement = {
  settlementHash: 99n,
  modelId: 77,
  isActivation: false,
  cap: 0,
  seed: 2n ** 128n - 1n,
};
const POSTED: PostedSettlement = {
  epoch: 0x010203n,
  closingBatch: 0x0405060708n,
  voidCount: 9,
  burnedWei: 0x0a0b0c0d0e0f101112131415n,
  capCircuit: 0x16,
  shardCount: 1,
  chain: 0x17n,
  items: [1n, 2n ** 40n - 1n, 3n],
};

beforeAll(initPoseidon);

describe("the wire form of a settlement", () => {
  it("gives back what was encoded, with items up to the end of an element", () => {
    fc.assert(
      fc.property(posted, (data) => {
        const items = [...data.items];
        while (items.length % 6 !== 0) items.push(0n);
        expect(decodeSettlement(encodeSettlement(data))).toEqual({ ...data, items });
      }),
    );
  });

  it("has the bytes of docs/reference/settlement.md", () => {
    const wire = Buffer.from(encodeSettlement(POSTED)).toString("hex");
    expect(wire).toBe(
      `${"010203"}${"0405060708"}${"09"}${"0a0b0c0d0e0f101112131415"}${"16"}${"01"}${"17".padStart(64, "0")}` +
        `${"3".padStart(40, "0")}${"f".repeat(10)}${"1".padStart(10, "0")}`,
    );
  });

  it("refuses bytes of another length, and more items than a model has payees", () => {
    const wire = encodeSettlement(POSTED);
    const malformed = expect.objectContaining({ code: "CIR_WIRE_MALFORMED" });
    for (const length of [0, 54, 56, wire.length - 1])
      expect(() => decodeSettlement(wire.subarray(0, length)), `${length}`).toThrow(malformed);
    const settle = (elementCount: number) => new Uint8Array(55 + 30 * elementCount).fill(1, 0, 55);
    expect(() => decodeSettlement(settle(87))).toThrow(malformed);
    expect(decodeSettlement(settle(86)).items).toHaveLength(516);
    // No closing batch: an activation.
    const activation = (elementCount: number) => new Uint8Array(55 + 30 * elementCount).fill(1, 22, 23);
    expect(() => decodeSettlement(activation(172))).toThrow(malformed);
    expect(decodeSettlement(activation(171)).items).toHaveLength(513);
    for (const shardCount of [0, 2, 9])
      expect(() => decodeSettlement(wire.with(22, shardCount)), `${shardCount} shards`).toThrow(malformed);
  });
});

describe("a settlement of several shards", () => {
  const amount = fc.bigInt(1n, 2n ** 40n - 1n);
  const shard = fc.record({ items: fc.array(amount, { minLength: 1, maxLength: 512 }) });
  const several = fc
    .tuple(posted, fc.array(shard, { minLength: 2, maxLength: 8 }), fc.boolean(), fc.boolean())
    .map(([head, shards, isByDraws, isActivation]): PostedSettlement => {
      const own = shards.map((_, s) => BigInt(s) * 7n + 1n);
      const ties = isByDraws && !isActivation ? { links: own } : { shardWei: own };
      const items = shards.flatMap(({ items }, s) =>
        s === shards.length - 1 ? items : [...items, ...Array<bigint>(512 - items.length).fill(0n)],
      );
      const closes = isActivation ? { closingBatch: 0n } : {};
      return { ...head, ...closes, ...ties, shardCount: shards.length, items };
    });

  it("is as many entries as shards, and one more by draws, and gives back what was encoded", () => {
    fc.assert(
      fc.property(several, (data) => {
        const wires = encodeEntries(data);
        const isByDraws = data.links !== undefined;
        expect(wires).toHaveLength(entryCount(wires[0]!, isByDraws));
        const { elementCounts: _counts, items, ...read } = decodeEntries(wires);
        const { items: input, ...head } = data;
        expect(read).toEqual(head);
        expect(items.slice(0, input.length)).toEqual(input);
        expect(items.slice(input.length).every((item) => item === 0n)).toBe(true);
        const malformed = expect.objectContaining({ code: "CIR_WIRE_MALFORMED" });
        for (const some of [wires.slice(0, -1), [...wires, wires.at(-1)!].slice(isByDraws ? 0 : 1), []])
          if (some.length !== wires.length) expect(() => decodeEntries(some)).toThrow(malformed);
      }),
      { numRuns: 30 },
    );
  });

  it("has the elements of docs/reference/settlement.md", () => {
    const items = [1n, ...Array<bigint>(511).fill(0n), 2n, 3n];
    const [own] = entryElements({ ...POSTED, ...L1, items: [] });
    const byDraws = { ...POSTED, ...L1, items, shardCount: 2, links: [8n, 9n] };
    expect(entryElements(byDraws)).toEqual([
      [...own!, 8n, 9n],
      [8n, 1n],
      [9n, 2n | (3n << 40n)],
    ]);
    const tables = { ...POSTED, ...L1, items, seed: 0n, shardCount: 2, shardWei: [5n, 2n ** 95n] };
    const head = (s: bigint) =>
      own!
        .with(1, own![1]! | (s << 100n) | (2n << 103n))
        .with(4, (s === 0n ? 5n : 2n ** 95n) | ((2n ** 95n + 5n) << 96n));
    expect(entryElements(tables)).toEqual([
      [...head(0n), 1n],
      [...head(1n), 2n | (3n << 40n)],
    ]);
    const malformed = expect.objectContaining({ code: "CIR_WIRE_MALFORMED" });
    for (const wrong of [
      { links: [8n] },
      { shardWei: [1n, 2n] },
      { shardCount: 1 },
      { links: [8n, FIELD_ORDER] },
    ])
      expect(() => entryElements({ ...byDraws, ...wrong })).toThrow(malformed);
    expect(() => encodeSettlement(byDraws)).toThrow(malformed);
  });

  it("keeps zeros at a shard's end, which L1 has hashed, and a table's shard without items", () => {
    const zeros = new Uint8Array(30);
    const ties = [{ links: [8n, 9n] }, { shardWei: [8n, 9n] }];
    for (const own of ties) {
      const wires = encodeEntries({ ...POSTED, shardCount: 2, ...own });
      const longer = wires.with(-1, Uint8Array.from([...wires.at(-1)!, ...zeros]));
      const read = decodeEntries(longer);
      expect(encodeEntries(read)).toEqual(longer);
      expect(
        entryElements({ ...read, ...L1 })
          .at(-1)!
          .slice(-2),
      ).toEqual([0n, 0n]);
    }
    const wires = encodeEntries({ ...POSTED, shardCount: 2, shardWei: [8n, 0n] });
    const without = wires.with(1, wires[1]!.slice(0, 12));
    expect(encodeEntries(decodeEntries(without))).toEqual(without);
    expect(entryElements({ ...decodeEntries(without), ...L1 })[1]).toHaveLength(5);
    const byDraws = encodeEntries({ ...POSTED, shardCount: 2, links: [8n, 9n] });
    expect(() => decodeEntries(byDraws.with(2, new Uint8Array()))).toThrow(
      expect.objectContaining({ code: "CIR_WIRE_MALFORMED" }),
    );
  });

  it("takes a shard of zeros as one element, and no payee beyond 512", () => {
    const none = { ...POSTED, shardCount: 2, links: [8n, 9n], items: [] };
    expect(encodeEntries(none).map(({ length }) => length)).toEqual([55 + 64, 30, 30]);
    const tables = {
      ...POSTED,
      closingBatch: 0n,
      shardCount: 2,
      shardWei: [0n, 0n],
      items: Array<bigint>(1024).fill(1n),
    };
    const wires = encodeEntries(tables);
    const beyond = wires[1]!.slice();
    beyond[beyond.length - 30] = 1;
    expect(() => decodeEntries([wires[0]!, beyond])).toThrow(
      expect.objectContaining({ code: "CIR_WIRE_MALFORMED" }),
    );
  });
});

describe("the elements of a settlement", () => {
  it("are packed as docs/reference/settlement.md says", () => {
    const elements = settlementElements({ ...POSTED, ...L1, cap: 60 });
    expect(elements).toEqual([
      99n,
      77n | (0x010203n << 24n) | (0x0405060708n << 48n) | (9n << 88n),
      0x17n,
      POSTED.burnedWei | (60n << 96n),
      2n ** 128n - 1n,
      1n | ((2n ** 40n - 1n) << 40n) | (3n << 80n),
    ]);
    const activation = settlementElements({ ...POSTED, ...L1, isActivation: true });
    expect(activation[1]! >> 96n).toBe(1n);
    expect(
      settlementElements({ ...POSTED, ...L1, isActivation: true, items: [1n, 2n, 3n, 4n] }).slice(5),
    ).toEqual([1n | (2n << 80n) | (3n << 160n), 4n]);
    expect(() => settlementElements({ ...POSTED, ...L1, chain: FIELD_ORDER })).toThrow(
      expect.objectContaining({
        code: "CIR_WIRE_MALFORMED",
        data: expect.objectContaining({ reason: "element-not-canonical" }),
      }),
    );
  });

  it("are committed with a place for every payee, then the private ones", () => {
    const elements = settlementElements({ ...POSTED, ...L1 });
    const vectorOf = (placeCount: number, privateElements: bigint[]) =>
      proofVector({ elements, placeCount, privateElements });
    expect(vectorOf(entryPositions(14), [5n, 6n])).toEqual([...elements, 0n, 0n, 5n, 6n]);
    expect(vectorOf(entryPositions(4, true), [])).toHaveLength(7);
    expect(() => vectorOf(elements.length - 1, [1n])).toThrow(
      expect.objectContaining({ code: "CIR_SETTLEMENT_SIZE" }),
    );
  });

  it("give C, z and y by their definitions", () => {
    const elements = settlementElements({ ...POSTED, ...L1 });
    const proof = { elements, placeCount: entryPositions(46), privateElements: [5n, 6n] };
    const vector = proofVector(proof);
    const { commitment, z, y } = proofStatement(proof, 1234n);
    const chunk = (from: number) => Array.from({ length: 15 }, (_, i) => vector[from + i] ?? 0n);
    expect(vector).toHaveLength(15);
    expect(commitment).toBe(hashTagged(TAG.data, [15n, ...chunk(0)]));
    const bytes = (value: bigint) => [...toBytesBe(value, 32)];
    const hash = (values: number[]) => fromBytesBe(keccak_256(Uint8Array.from(values)));
    const tag = [...keccak_256(new TextEncoder().encode("OpenLedger challenge v1"))];
    const posted = hash(elements.flatMap(bytes));
    expect(z).toBe(hash([...tag, ...bytes(1234n), ...bytes(commitment), ...bytes(posted)]) % FIELD_ORDER);
    let sum = 0n;
    for (const [i, element] of elements.entries()) sum += element * z ** BigInt(i);
    expect(y).toBe(sum % FIELD_ORDER);
    // Absent payees change nothing for L1, but C has a position for each.
    expect(proofStatement({ ...proof, placeCount: entryPositions(49) }, 1234n).commitment).not.toBe(
      commitment,
    );
  });

  it("hold an activation's payees", () => {
    const payees = [
      { contributorId: 2 ** 24 - 1, validatorId: 0, rowCount: 2 ** 32 - 1 },
      { contributorId: 0, validatorId: 5, rowCount: 1 },
    ];
    const items = payees.map(packActivationItem);
    expect(items.every((packed) => packed < 2n ** 80n)).toBe(true);
    expect(activationPayees([...items, 0n])).toEqual(payees);
  });
});

describe("what C absorbs behind E", () => {
  it("packs remainders, steps and hits, and gives a draw three elements", () => {
    const remainders = [1n, 2n, 3n, 4n, 5n, 2n ** 40n - 1n, 7n];
    const owners = Array.from({ length: 300 }, (_, row) => (row < 1 ? 0 : row < 253 ? 1 : 2));
    // Two bits a payment: 126 payments an element.
    const hits = Array.from({ length: 130 }, (_, i) => (i === 0 ? 2 : i === 62 || i === 126 ? 1 : 0));
    const draws = [0n, 10n].map((shift) => ({
      before: 1n + shift,
      after: 2n + shift,
      receipt: 3n + shift,
      isValid: shift === 0n,
    }));
    const elements = [...rowElements({ remainders, owners }), ...drawElements({ hits, draws })];
    expect(elements).toEqual([
      remainders.slice(0, 6).reduce((sum, value, i) => sum + (value << BigInt(40 * i)), 0n),
      7n,
      2n,
      // the step to payee 1 is at row 1
      2n,
      // and that to payee 2 at row 253, the second bit of its element
      2n | (1n << 124n),
      1n,
      1n | (1n << 128n),
      2n,
      3n,
      11n,
      12n,
      13n,
    ]);
  });
});
