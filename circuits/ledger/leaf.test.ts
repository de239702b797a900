import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { BINDING, BINDING_BITS, COUNTERS, TAG } from "../protocol.ts";
import {
  accountLeaf,
  areShards,
  datanetIds,
  EMPTY_LEAF,
  hashDatanetBody,
  hashLeaf,
  hashModelBody,
  hashStatics,
  type Leaf,
  packBinding,
  packCounters,
  unpackBinding,
  unpackCounters,
} from "./leaf.ts";

beforeAll(initPoseidon);

const bits = (width: number) => fc.bigInt(0n, 2n ** BigInt(width) - 1n);
const counters = fc.record({
  isReady: fc.boolean(),
  isApproved: fc.boolean(),
  cap: bits(16),
  paymentCount: bits(32),
  epoch: bits(24),
  priceWei: bits(96),
  approvals: fc.nat(63),
});
const binding = fc.record({
  datanetId: bits(24),
  version: bits(32),
  rowCount: bits(32),
  predecessorId: bits(24),
  drawBits: bits(3),
  featureCount: bits(12),
  // No 0 at the end: 0 is no id.
  furtherDatanets: fc.array(fc.nat(2 ** 24 - 1), { maxLength: 5 }).filter((ids) => ids.at(-1) !== 0),
});

describe("packCounters", () => {
  it("is undone by unpackCounters, in 176 bits", () => {
    fc.assert(
      fc.property(counters, (fields) => {
        expect(unpackCounters(packCounters(fields))).toEqual(fields);
        expect(packCounters(fields) < 2n ** 176n).toBe(true);
      }),
    );
  });

  it("puts each field where docs/reference/ledger.md says, next to its neighbours", () => {
    const zero = { isReady: false, isApproved: false, cap: 0n, paymentCount: 0n, epoch: 0n, priceWei: 0n };
    expect(packCounters({ ...zero, isReady: true })).toBe(1n);
    expect(packCounters({ ...zero, isApproved: true })).toBe(2n);
    expect(packCounters({ ...zero, cap: 1n })).toBe(1n << 2n);
    expect(packCounters({ ...zero, paymentCount: 1n })).toBe(1n << 18n);
    expect(packCounters({ ...zero, epoch: 1n })).toBe(1n << 50n);
    expect(packCounters({ ...zero, priceWei: 1n })).toBe(1n << 74n);
    expect(packCounters({ ...zero, approvals: 1 })).toBe(1n << 170n);
    const positions = { ready: 0n, approved: 1n, cap: 2n, paymentCount: 18n, epoch: 50n, price: 74n };
    expect(COUNTERS).toEqual({ ...positions, approvals: 170n });
  });
});

describe("packBinding", () => {
  it("is undone by unpackBinding, in 247 bits", () => {
    fc.assert(
      fc.property(binding, (fields) => {
        expect(unpackBinding(packBinding(fields))).toEqual(fields);
        expect(packBinding(fields) < 2n ** BINDING_BITS).toBe(true);
      }),
    );
    expect(BINDING).toEqual({
      datanet: 0n,
      version: 24n,
      rowCount: 56n,
      predecessor: 88n,
      drawBits: 112n,
      featureCount: 115n,
      further: 127n,
    });
  });

  it("shows an id of 0 before another, and what is above the last id's bits", () => {
    const furtherOf = (further: bigint) => unpackBinding(further << BINDING.further).furtherDatanets;
    expect(furtherOf(7n << 24n)).toEqual([0, 7]);
    expect(furtherOf(1n << 120n)).toEqual([0, 0, 0, 0, 2 ** 24]);
    expect(datanetIds(unpackBinding(5n | (7n << BINDING.further)))).toEqual([5, 7]);
    const isSixth = (id: bigint) =>
      areShards(
        unpackBinding((((id << 96n) | (7n << 72n) | (7n << 48n) | (7n << 24n) | 7n) << BINDING.further) | 5n),
        6,
      );
    expect([2n ** 24n - 1n, 2n ** 24n, 2n ** 24n + 7n, 0n].map(isSixth)).toEqual([true, false, false, false]);
  });
});

describe("hashes", () => {
  const leaf: Leaf = {
    kind: 2,
    nonce: 1n,
    l1Owner: 2n,
    keyX: 3n,
    balance: 4n,
    chain: 5n,
    openAmount: 6n,
    counters: 7n,
    body: 8n,
  };

  it("take the fields in the order of docs/reference/ledger.md, each under its own tag", () => {
    const rest = hashTagged(TAG.leafRest, [5n, 6n, 7n, 8n, 0n]);
    expect(hashLeaf(leaf)).toBe(hashTagged(258n, [1n, 2n, 3n, 4n, rest]));
    const datanet = {
      version: 1n,
      rowCount: 2n,
      publishedAt: 3n,
      policy: 4n,
      rowsRoot: 5n,
      ownersCommitment: 6n,
      payeeRoot: 7n,
    };
    expect(hashDatanetBody(datanet)).toBe(hashTagged(TAG.datanetBody, [1n, 2n, 3n, 4n, 5n, 6n, 7n]));
    const statics = { featuresCommitment: 1n, ownersCommitment: 2n, payeeRoot: 3n, binding: 4n, split: 9n };
    expect(hashStatics(statics)).toBe(hashTagged(TAG.statics, [1n, 2n, 3n, 4n, 9n]));
    const model = { statics, closed: 5n, accruedRoot: 6n, claimedRoot: 7n, epochStart: 8n };
    expect(hashModelBody(model)).toBe(hashTagged(TAG.modelBody, [hashStatics(statics), 5n, 6n, 7n, 8n]));
  });

  it("change with every field and with the kind", () => {
    const hashes = new Set([hashLeaf(leaf), hashLeaf({ ...leaf, kind: 1 }), hashLeaf({ ...leaf, kind: 3 })]);
    for (const field of [
      "nonce",
      "l1Owner",
      "keyX",
      "balance",
      "chain",
      "openAmount",
      "counters",
      "body",
    ] as const) {
      hashes.add(hashLeaf({ ...leaf, [field]: 99n }));
    }
    expect(hashes.size).toBe(11);
  });

  it("leave the fields that accountLeaf is not told at 0", () => {
    expect(accountLeaf({ l1Owner: 5n })).toEqual({ ...EMPTY_LEAF, kind: 1, l1Owner: 5n });
  });
});
