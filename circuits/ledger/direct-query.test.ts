import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { TAG } from "../protocol.ts";
import {
  bucketsOfShape,
  countTerms,
  type DirectQuery,
  decodeDirectQuery,
  directQueryCommitment,
  directShape,
  emptyQuery,
  encodeDirectQuery,
  lengthOf,
  MAX_LABELS,
  MAX_TERMS,
  pairCount,
  pairOf,
  pairPosition,
  requireDirectQuery,
  termTotal,
} from "./direct-query.ts";

beforeAll(initPoseidon);
const code = (name: string) => expect.objectContaining({ code: name });

describe("countTerms", () => {
  test("counts a bucket's terms up to three, and 2,000 terms in all", () => {
    expect([...countTerms([5, 0, 5, 5, 5, 15, 5], 16)]).toEqual([
      1,
      0,
      0,
      0,
      0,
      3,
      ...Array<number>(9).fill(0),
      1,
    ]);
    const many = Array.from({ length: 6_000 }, (_, i) => i % 1_024);
    const counts = countTerms(many, 1_024);
    expect(termTotal(counts)).toBe(MAX_TERMS);
    expect(counts[MAX_TERMS % 1_024]! + 1).toBe(counts[0]);
  });

  test("refuses a bucket that is not there, and numbers of buckets that no circuit has", () => {
    for (const bucket of [-1, 16, 0.5, Number.NaN])
      expect(() => countTerms([bucket], 16)).toThrow(code("CIR_QUERY_INVALID"));
    for (const buckets of [0, 8, 17, 4_112, Number.NaN, 16.5])
      expect(() => countTerms([], buckets), `${buckets}`).toThrow(code("CIR_SETTLEMENT_SIZE"));
  });
});

test("lengthOf is the integer root of 64 n", () => {
  for (let n = 0; n <= 3 * 4_096; n++) {
    const length = lengthOf(n);
    expect(length ** 2 <= 64 * n && 64 * n < (length + 1) ** 2, `${n}`).toBe(true);
  }
});

test("a direct shape is that of its buckets, and no number of features", () => {
  const shapes = Array.from({ length: 256 }, (_, i) => directShape(16 * (i + 1)));
  expect(shapes.map(bucketsOfShape)).toEqual(shapes.map((_, i) => 16 * (i + 1)));
  for (const features of [1, 256, 2_072, 3_072, 3_329, 4_095]) expect(bucketsOfShape(features)).toBeNull();
});

describe("pairs of labels", () => {
  test("have one place each, from 0 on, and a further label's come after them", () => {
    let position = 0;
    for (let j = 1; j < MAX_LABELS; j++) {
      expect(pairCount(j)).toBe(position);
      for (let i = 0; i < j; i++, position++) {
        expect(pairPosition(i, j)).toBe(position);
        expect(pairOf(position)).toEqual([i, j]);
      }
    }
    expect(pairCount(MAX_LABELS)).toBe(position);
    expect([position, pairPosition(0, 1)]).toEqual([1_225, 0]);
  });

  test("are two labels of 50, the earlier one first", () => {
    const pairs = [
      [1, 0],
      [3, 3],
      [-1, 2],
      [0, MAX_LABELS],
      [0.5, 2],
      [0, Number.NaN],
    ] as const;
    for (const [i, j] of pairs)
      expect(() => pairPosition(i, j), `${i}, ${j}`).toThrow(code("CIR_QUERY_INVALID"));
    for (const position of [-1, 1_225, 0.5, Number.NaN])
      expect(() => pairOf(position), `${position}`).toThrow(code("CIR_QUERY_INVALID"));
  });
});

const arbitraryQuery: fc.Arbitrary<DirectQuery> = fc
  .tuple(fc.constantFrom(16, 128, 1_024), fc.constantFrom(0, 1))
  .chain(([buckets, answeredClass]) =>
    fc.record({
      counts: fc
        .array(fc.nat(buckets - 1), { maxLength: 3 * buckets })
        .map((terms) => countTerms(terms, buckets)),
      answeredClass: fc.constant(answeredClass as 0 | 1),
      pair: fc.nat(pairCount(MAX_LABELS) - 1),
    }),
  );

describe("a direct query", () => {
  test("is read back from its bytes, and binds all of them", () => {
    fc.assert(
      fc.property(arbitraryQuery, fc.nat(), (query, at) => {
        expect(decodeDirectQuery(encodeDirectQuery(query))).toEqual(query);
        const bucket = at % query.counts.length;
        const counts = query.counts.with(bucket, query.counts[bucket] === 0 ? 1 : query.counts[bucket]! - 1);
        const others: DirectQuery[] = [
          { ...query, answeredClass: query.answeredClass === 0 ? 1 : 0 },
          { ...query, pair: query.pair === 0 ? 1 : query.pair - 1 },
          ...(termTotal(counts) <= MAX_TERMS ? [{ ...query, counts }] : []),
        ];
        for (const other of others)
          expect(directQueryCommitment(other)).not.toBe(directQueryCommitment(query));
      }),
      { numRuns: runs(25) },
    );
  });

  test("is hashed 126 counts an element, 15 elements a time, from its buckets, class and pair on", () => {
    const counts = countTerms(
      Array.from({ length: 3_000 }, (_, i) => (i * i) % 2_048),
      2_048,
    );
    const element = (e: number) =>
      [...counts.slice(126 * e, 126 * e + 126)].reduce(
        (sum, count, i) => sum + BigInt(count) * 4n ** BigInt(i),
        0n,
      );
    const elements = Array.from({ length: 30 }, (_, e) => element(e));
    const first = hashTagged(TAG.counts, [2_048n + 65_536n + 1_224n * 131_072n, ...elements.slice(0, 15)]);
    const second = hashTagged(TAG.counts, [first, ...elements.slice(15)]);
    expect(directQueryCommitment({ counts, answeredClass: 1, pair: 1_224 })).toBe(second);
  });

  test("is refused with a count of four, too many terms, another class, no pair or a number of buckets that is none", () => {
    const { counts } = emptyQuery(1_024);
    const invalid: [DirectQuery, string][] = [
      [{ counts: counts.with(7, 4), answeredClass: 0, pair: 0 }, "CIR_QUERY_INVALID"],
      [{ counts: new Uint8Array(1_024).fill(2), answeredClass: 0, pair: 0 }, "CIR_QUERY_INVALID"],
      [{ counts, answeredClass: 2 as 1, pair: 0 }, "CIR_QUERY_INVALID"],
      [{ counts, answeredClass: 0, pair: 1_225 }, "CIR_QUERY_INVALID"],
      [{ counts, answeredClass: 0, pair: -1 }, "CIR_QUERY_INVALID"],
      [{ counts: counts.subarray(1), answeredClass: 0, pair: 0 }, "CIR_SETTLEMENT_SIZE"],
    ];
    for (const [query, expected] of invalid) expect(() => requireDirectQuery(query)).toThrow(code(expected));
    for (const head of [[], [0], [0, 0], [2, 0, 0], [0, 4, 201], [0, 0, 0, 1]])
      expect(() => decodeDirectQuery(Uint8Array.from([...head, 0, 0, 0, 0])), `${head}`).toThrow();
    expect(() => decodeDirectQuery(Uint8Array.of())).toThrow(code("CIR_QUERY_INVALID"));
  });

  test("of an earlier release, which named no pair, is refused with what to do", () => {
    for (const buckets of [16, 512, 4_096]) {
      const bytes = encodeDirectQuery(emptyQuery(buckets));
      const old = Uint8Array.of(1, ...bytes.subarray(3));
      expect(() => decodeDirectQuery(old)).toThrow(
        expect.objectContaining({
          code: "CIR_QUERY_INVALID",
          data: expect.objectContaining({ reason: "without-pair" }),
        }),
      );
    }
  });
});
