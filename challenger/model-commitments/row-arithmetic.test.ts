import { toFixed40 } from "@openledger/attribution/maths/fixed-point";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { countText } from "@openledger/attribution/model/direct/direct-inputs";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { bytesToHex, hexToBytes } from "viem";
import { describe, expect, test } from "vitest";
import { int64Bytes, pairBytes } from "../statements/leaf-bytes.ts";
import {
  countRow,
  dotRow,
  integerRoot,
  ONE,
  residualOf,
  scaleRow,
  sigmoid,
} from "../statements/row-arithmetic.ts";
import { areNear, textOverlap } from "../statements/text-overlap.ts";
import { startDisputes } from "./testing/dispute-fixture.ts";

const f = started(() => startDisputes());
const random = new SeededRandom("row arithmetic");

const PIECES = [
  ...["free", "Free", "money", "$", "!", " ", "\n", "\t", "\\", '"'],
  ...["é", "日本", "", "a", "B", "9", "--", "x7"],
];

function randomText(): string {
  const length = random.nextBelow(60);
  return `w${Array.from({ length }, () => PIECES[random.nextBelow(PIECES.length)]).join("")}`;
}

function randomVector(bucketCount: number, bits: number): bigint[] {
  return Array.from({ length: bucketCount + 1 }, () => {
    const value = (BigInt(random.nextUint32()) << 32n) | BigInt(random.nextUint32());
    return BigInt.asIntN(bits, value);
  });
}

describe("countRow", () => {
  test("reads a row's JSON as the model reads its text", () => {
    for (let i = 0; i < 200; i++) {
      const input = randomText();
      const row = countRow(encodeRow("email", { label: i % 2, input }), 112);
      const counts = new Map(row.counts);
      const expected = countText(input, 112);
      expect([...counts]).toEqual([...expected.entries()].filter(([, count]) => count > 0));
      expect(row.terms).toBe(expected.reduce((sum, count) => sum + count, 0));
      expect(row.label).toBe(i % 2);
    }
  });
});

describe("the contract and the model", () => {
  test("make the same of random rows, and of bytes that are no row", async () => {
    for (let i = 0; i < 60; i++) {
      const bucketCount = [1, 7, 64, 1024, 4096][i % 5]!;
      const bytes = Uint8Array.from({ length: random.nextBelow(90) }, () => random.nextUint32() & 0x7f);
      const content = i % 3 === 0 ? bytes : encodeRow("email", { label: i & 1, input: randomText() });
      const weights = randomVector(bucketCount, i % 2 === 0 ? 43 : 64);
      const mapRow = randomVector(bucketCount, 64);
      const vectors = [weights, mapRow].map((vector) => bytesToHex(int64Bytes(vector))) as [
        `0x${string}`,
        `0x${string}`,
      ];
      const given = await f.texts.read.readRow([bytesToHex(content), BigInt(bucketCount), ...vectors]);
      const row = countRow(content, bucketCount);
      const residual = residualOf(row, weights);
      expect([bytesToHex(hexToBytes(given[0])), ...given.slice(1)]).toEqual([
        bytesToHex(pairBytes(row.counts)),
        residual,
        scaleRow(row, residual),
        dotRow(row, mapRow),
      ]);
    }
  });
});

test("two rows' overlap is the same by the contract and by the rules, of long texts and of rows that are no e-mails, too", async () => {
  const words = (count: number) =>
    Array.from({ length: count }, () => `w${random.nextBelow(count)}`).join(" ");
  const pairs = Array.from({ length: 60 }, (_, i) => {
    const first = i % 10 === 0 ? words(300) : randomText();
    const input = i % 2 === 0 ? randomText() : `${first} ${randomText().slice(0, 6)}`;
    const label = i % 7 === 0 ? 1 : i & 1;
    return [
      encodeRow("email", { label: i & 1, input: first }),
      encodeRow("email", { label, input }),
    ] as const;
  });
  const row = encodeRow("email", { label: 1, input: 'offer "now" \n\u0001 free\\money for you and me' });
  const cut = [row.with(0, 0x5b), row.with(30, 0x5c), row.with(row.length - 3, 0x5c), row.subarray(0, 20)];
  for (const a of [row, ...cut]) for (const b of [row, ...cut]) pairs.push([a, b]);
  let nearCount = 0;
  for (const [i, [a, b]] of pairs.entries()) {
    const [common, union] = await f.texts.read.overlap([bytesToHex(a), bytesToHex(b)]);
    const expected = textOverlap(a, b);
    expect({ common: Number(common), union: Number(union) }).toEqual(expected);
    nearCount += Number(i < 60 && areNear(expected));
  }
  expect(nearCount).toBeGreaterThan(5);
});

describe("sigmoid, roots and doubles", () => {
  test("are those of real numbers, to the last places", () => {
    for (let i = 0; i < 500; i++) {
      const z = (random.nextFraction() - 0.5) * 70;
      const exact = 1 / (1 + Math.exp(-z));
      expect(Math.abs(Number(sigmoid(toFixed40(z))) / 2 ** 40 - exact)).toBeLessThan(2 ** -38);
      const square = BigInt(random.nextUint32()) ** BigInt(1 + random.nextBelow(7));
      const root = integerRoot(square);
      expect(root * root <= square && (root + 1n) ** 2n > square).toBe(true);
    }
    expect(sigmoid(0n)).toBe(ONE / 2n);
    expect(toFixed40(-1.5)).toBe(-3n * (ONE / 2n));
  });
});
