import { invertAll, invertMod, powMod } from "@openledger/foundation/modular";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { describe, expect, it } from "vitest";
import type { SlotRecord } from "../batch/batch-data.ts";
import { type BatchShape, FIELD_ORDER, KIND } from "../protocol.ts";
import {
  BLOB_BYTES,
  BLOB_ELEMENT_COUNT,
  BLOB_FIELD_ORDER,
  BLOB_PAYLOAD_LIMIT,
  blobHalves,
  decodeBlob,
  encodeBlob,
  evaluateBlob,
} from "./blob-bytes.ts";
import { blobElementCount, blobElements, recordsOfBlob } from "./blob-elements.ts";

const SHAPE: BatchShape = {
  narrow: 8,
  wide: 1,
  table: { members: 3, rows: 4, units: 1, low: 1, top: 1, isBlob: true },
};
const record = (kind: number, words: readonly bigint[] = []): SlotRecord => ({
  kind,
  a: 0xffffff,
  b: 3,
  amountCode: 2n ** 40n - 1n,
  isValid: false,
  words,
});
const nothing: SlotRecord = { kind: 0, a: 0, b: 0, amountCode: 0n, isValid: false, words: [] };
const transfer = record(KIND.transfer);
const commit = record(KIND.commitData, [BLOB_PAYLOAD_LIMIT - 1n]);
const payment = record(KIND.payInference, [5n]);
/** Five transfers' places, three members'. */
const NARROW = [transfer, transfer, nothing, nothing, nothing, commit, payment];
const elementsOf = (narrow: readonly SlotRecord[]) => blobElements({ shape: SHAPE, narrow });

describe("a blob's elements", () => {
  it("are pairs of cores and members' payloads, and give the records back", () => {
    const elements = elementsOf(NARROW);
    expect(elements).toHaveLength(blobElementCount(SHAPE));
    expect(elements[0]! >> 92n).toBe(BigInt.asUintN(92, elements[0]!));
    expect(elements.slice(4)).toEqual([BLOB_PAYLOAD_LIMIT - 1n, 5n, 0n]);
    expect(recordsOfBlob(elements, SHAPE)).toEqual(NARROW);
    expect(recordsOfBlob(decodeBlob(encodeBlob(elements)), SHAPE)).toEqual(NARROW);
    expect(recordsOfBlob(elementsOf([]), SHAPE)).toEqual([]);
  });

  const change = (index: number, by: bigint) => elementsOf(NARROW).map((e, i) => (i === index ? e + by : e));
  it.each<[string, readonly bigint[]]>([
    ["bits above a pair's", change(3, 1n << 184n)],
    ["a null slot with fields", change(1, 1n << 4n)],
    ["a null slot with a payload", change(6, 1n)],
    ["a payload above the limit", change(4, 1n)],
    ["a payload above r", change(4, FIELD_ORDER)],
    ["a payment among the transfers", change(0, 2n)],
    ["a transfer among the members", change(2, -1n << 92n)],
    ["a wide kind", change(0, 4n)],
    ["a null slot before a used one of its section", elementsOf([nothing, transfer])],
    ["too few elements", elementsOf(NARROW).slice(0, -1)],
    ["something behind the batch", [...elementsOf(NARROW), 0n, 1n]],
  ])("are refused with %s", (_what, elements) => {
    expect(() => recordsOfBlob(elements, SHAPE)).toThrow(
      expect.objectContaining({ code: "CIR_BLOB_MALFORMED" }),
    );
  });
});

describe("a blob's bytes", () => {
  const random = new TestRandom(4);
  const elements = Array.from({ length: 40 }, () => random.field());

  it("are the polynomial's values at the roots of unity, in bit-reversed order", () => {
    const bytes = encodeBlob(elements);
    expect(bytes).toHaveLength(BLOB_BYTES);
    // EIP-4844's evaluate_polynomial_in_evaluation_form, from its own formula.
    const p = BLOB_FIELD_ORDER;
    const root = powMod(7n, (p - 1n) / 4096n, p);
    const reversed = (i: number) =>
      Number.parseInt(i.toString(2).padStart(12, "0").split("").reverse().join(""), 2);
    const x = FIELD_ORDER - 1n;
    const points = Array.from({ length: BLOB_ELEMENT_COUNT }, (_, i) => powMod(root, BigInt(reversed(i)), p));
    const inverses = invertAll(
      points.map((point) => (x - point + p) % p),
      p,
    );
    const valueAt = (i: number) =>
      BigInt(`0x${Buffer.from(bytes.subarray(32 * i, 32 * i + 32)).toString("hex")}`);
    const sum = points.reduce(
      (total, point, i) => (total + ((valueAt(i) * point) % p) * inverses[i]!) % p,
      0n,
    );
    const scale = ((powMod(x, 4096n, p) - 1n + p) * invertMod(4096n, p)) % p;
    expect((sum * scale) % p).toBe(evaluateBlob(elements, x));
  });

  it("give the coefficients back, and are refused where they are none", () => {
    const bytes = encodeBlob(elements);
    expect(decodeBlob(bytes)).toEqual([...elements, ...Array(4096 - 40).fill(0n)]);
    const large = bytes.slice();
    large.fill(0xff, 32, 64);
    const malformed = expect.objectContaining({ code: "CIR_BLOB_MALFORMED" });
    for (const wrong of [bytes.slice(1), large]) expect(() => decodeBlob(wrong)).toThrow(malformed);
    for (const wrong of [[BLOB_FIELD_ORDER], [-1n], Array(4097).fill(0n)])
      expect(() => encodeBlob(wrong)).toThrow(malformed);
  });

  it("have a value of two halves of 128 bits", () => {
    const value = BLOB_FIELD_ORDER - 1n;
    const { blobLow, blobHigh } = blobHalves(value);
    expect(blobLow + (blobHigh << 128n)).toBe(value);
    expect(blobLow >> 128n).toBe(0n);
  });
});
