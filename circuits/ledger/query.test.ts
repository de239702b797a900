/** Tests of a language model's queries in model-query.ts: digits, bytes and commitment. */
import { beforeAll, describe, expect, test } from "vitest";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { TAG } from "../protocol.ts";
import { queryByte, queryBytes, queryCommitment, queryDigits } from "./model-query.ts";

beforeAll(initPoseidon);
const oddNumbers = Array.from({ length: 256 }, (_, i) => 2 * i - 255);

describe("queryDigits", () => {
  test("writes every odd number as 4^i times 1, -1, 3 or -3, each in its own way", () => {
    for (const entry of oddNumbers) {
      const digits = queryDigits(entry);
      expect(digits.every((digit) => [-3, -1, 1, 3].includes(digit))).toBe(true);
      expect(digits.reduce((sum, digit, i) => sum + digit * 4 ** i, 0)).toBe(entry);
    }
    expect(new Set(oddNumbers.map((entry) => queryDigits(entry).join())).size).toBe(256);
  });

  test.each([0, 2, -254, 256, 257, -257, 0.5, Number.NaN])(
    "refuses %d, which odd digits cannot say",
    (entry) => {
      expect(() => queryDigits(entry)).toThrow(expect.objectContaining({ code: "CIR_QUERY_INVALID" }));
      expect(() => queryByte(entry)).toThrow(expect.objectContaining({ code: "CIR_QUERY_INVALID" }));
    },
  );
});

describe("queryByte", () => {
  test("holds a sign and a size bit for every digit, and no two numbers share one", () => {
    for (const entry of oddNumbers) {
      const bits = queryDigits(entry).map((digit) => (digit > 0 ? 2 : 0) + (Math.abs(digit) === 3 ? 1 : 0));
      expect(queryByte(entry)).toBe(bits.reduce((sum, pair, i) => sum + pair * 4 ** i, 0));
    }
    expect(new Set(oddNumbers.map(queryByte)).size).toBe(256);
  });
});

describe("queryCommitment", () => {
  test("chains 15 elements of 31 bytes at a time from the length on", () => {
    const q = Int16Array.from({ length: 500 }, (_, i) => 2 * ((i * 37) % 256) - 255);
    const bytes = queryBytes(q);
    const element = (e: number) =>
      bytes.slice(31 * e, 31 * e + 31).reduce((sum, byte, i) => sum + BigInt(byte) * 256n ** BigInt(i), 0n);
    const first = hashTagged(TAG.query, [500n, ...Array.from({ length: 15 }, (_, e) => element(e))]);
    const second = hashTagged(TAG.query, [
      first,
      element(15),
      element(16),
      ...new Array<bigint>(13).fill(0n),
    ]);
    expect(queryCommitment(q)).toBe(second);
  });

  test("differs for other lengths and other entries", () => {
    const commitments = [[1], [-1], [1, 1], [1, -1], [1, 1, 1]].map((q) =>
      queryCommitment(Int16Array.from(q)),
    );
    expect(new Set(commitments).size).toBe(commitments.length);
  });

  test("refuses an even entry and an empty query", () => {
    const invalid = expect.objectContaining({ code: "CIR_QUERY_INVALID" });
    expect(() => queryCommitment(Int16Array.from([1, 2]))).toThrow(invalid);
    expect(() => queryCommitment(new Int16Array())).toThrow(invalid);
  });
});
