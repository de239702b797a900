import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { MAX_TERMS, termTotal } from "@openledger/circuits/ledger/direct-query";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wordsOf } from "../rows/words.ts";
import { tinyVectors } from "../testing/tiny-vectors.ts";
import { chooseInputs, textCandidates } from "./choose-inputs.ts";
import { maxTermsOf } from "./input-counter.ts";
import { inputsProblem, inputsSchema, type TextInputs } from "./model-inputs.ts";
import { openInputs } from "./open-inputs.ts";

const FREE = { baseBuckets: 0 };
const { bytes, file, read } = tinyVectors({ money: [100, 0], refund: [90, -40], boat: [-60, 110] });
const beside: TextInputs = { kind: "text", vectors: file, wordCount: 1, bucketCount: 32 };
const alone: TextInputs = { ...beside, wordCount: 0 };

async function counted(inputs: TextInputs, prompt: string): Promise<string> {
  const counts = (await openInputs(inputs, FREE, read)).countsOf(prompt);
  return [...counts.entries()].flatMap(([at, count]) => (count > 0 ? [`${at}:${count}`] : [])).join(" ");
}

describe("texts with vectors", () => {
  it("count digits above and below 0 in buckets of their own, and words behind them", async () => {
    // Of two components: 2 √2 · (−60, 110) / 125 = (−1.35, 2.48).
    expect(await counted(alone, "boat")).toBe("1:1 2:2");
    expect(await counted(alone, "Boats, a money")).toBe("0:3");
    const [boat, money] = wordsOf(Buffer.from("boat money"), true) as [number, number];
    const words = { own: [money, boat], shared: [] };
    expect(await counted({ ...beside, words }, "boat boat")).toBe("1:1 2:2 5:2");
    expect(await counted({ ...beside, wordCount: 3, words }, "boat")).toBe("1:1 2:2 5:3");
    const idf = { twiceFrom: 1, thriceFrom: 2 };
    expect(await counted({ ...beside, words: { ...words, idf } }, "boat")).toBe("1:1 2:2 5:2");
    const plain = (await openInputs({ kind: "text", bucketCount: 16 }, { baseBuckets: 0 })).countsOf(
      "boat boat",
    );
    const hashed = (await openInputs({ ...beside, bucketCount: 32 }, { baseBuckets: 12 }, read)).countsOf(
      "boat boat",
    );
    expect([...hashed.subarray(4)]).toEqual([...plain]);
  });

  it("without a known word have one count", async () => {
    for (const prompt of ["…", "unknown"]) expect(await counted(alone, prompt)).toBe("4:1");
    expect(await counted({ ...beside, words: { own: [1], shared: [] } }, "…")).toBe("31:1");
    // Words that are not listed do not count where vectors know the text.
    expect(await counted({ ...beside, words: { own: [1], shared: [] } }, "money")).toBe("0:3");
  });

  it("have 1 to the maximum of counts together, of 3 each", async () => {
    const { file: wide, read: readWide } = tinyVectors(
      Object.fromEntries(
        Array.from({ length: 40 }, (_, k) => [`w${k}`, Array.from({ length: 256 }, (_, j) => (j * k) % 127)]),
      ),
    );
    const all = Array.from({ length: 900 }, (_, k) => k + 1);
    const inputs: TextInputs = {
      kind: "text",
      vectors: wide,
      wordCount: 3,
      words: { own: all },
      bucketCount: 4_096,
    };
    for (const baseBuckets of [0, 40]) {
      const { countsOf, termBuckets } = await openInputs(inputs, { baseBuckets }, readWide);
      const text = fc.array(
        fc.nat(3_000).map((k) => `w${k}`),
        { maxLength: 3_000 },
      );
      fc.assert(
        fc.property(text, (words) => {
          const counts = countsOf(words.join(" ") || "-");
          expect(counts.length).toBe(termBuckets);
          expect(Math.max(...counts)).toBeLessThanOrEqual(3);
          expect(termTotal(counts)).toBeGreaterThanOrEqual(1);
          expect(termTotal(counts)).toBeLessThanOrEqual(maxTermsOf({ baseBuckets }));
        }),
        { numRuns: 20 },
      );
      const full = termTotal(countsOf(Array.from({ length: 3_000 }, (_, k) => `w${k}`).join(" ")));
      expect(full).toBeGreaterThan(maxTermsOf({ baseBuckets }) - 768);
      expect(full).toBeLessThanOrEqual(MAX_TERMS);
    }
  });
});

describe("recipes with vectors", () => {
  it("need buckets for both, and say what their words count", () => {
    const problem = (inputs: TextInputs) => inputsProblem(inputs, FREE);
    expect(problem(alone)).toBeNull();
    const own = Array.from({ length: 26 }, (_, k) => k);
    expect(problem({ ...beside, words: { own, shared: [] } })).toBeNull();
    expect(problem({ ...beside, words: { own: [...own, 26], shared: [] } })).toContain("need 33 buckets");
    expect(problem({ ...alone, vectors: { ...file, dimensions: 16 } })).toContain("need 33 buckets");
    expect(inputsProblem(alone, { baseBuckets: 28 })).toContain("a base's among them");
    for (const inputs of [alone, beside, { ...beside, wordCount: 3 }])
      expect(inputsSchema.parse(JSON.parse(JSON.stringify(inputs)))).toEqual(inputs);
    // A recipe without vectors is written as it was.
    for (const inputs of [
      { kind: "text", bucketCount: 32 },
      { kind: "text", words: { own: [2, 1] }, bucketCount: 32 },
    ])
      expect(JSON.stringify(inputsSchema.parse(inputs))).toBe(JSON.stringify(inputs));
    const { wordCount: _, ...uncounted } = beside;
    for (const wrong of [
      uncounted,
      { kind: "text", wordCount: 1, bucketCount: 32 },
      { ...beside, wordCount: 4 },
      { ...beside, wordCount: -1 },
      { ...alone, words: { own: [1] } },
      { ...beside, vectors: { ...file, sizeBytes: file.sizeBytes + 1 } },
      { ...beside, vectors: { ...file, sizeBytes: 2 ** 26 + 16 + 5 } },
      { ...beside, vectors: { ...file, dimensions: 257 } },
      { ...beside, vectors: { ...file, sha256: file.sha256.toUpperCase() } },
      { ...beside, vectors: { ...file, url: "https://example.com" } },
    ])
      expect(inputsSchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  });

  it("are refused without the file, and with another one", async () => {
    const refusal = (code: string, text: string) => ({ code, message: expect.stringContaining(text) });
    const missing = refusal("ATT_VECTORS_MISSING", `.openledger/vectors/${file.sha256}.bin`);
    await expect(openInputs(alone, FREE)).rejects.toMatchObject(missing);
    await expect(openInputs(alone, FREE, async () => null)).rejects.toMatchObject(missing);
    const other = bytes.slice();
    other[other.length - 1] = 7;
    await expect(openInputs(alone, FREE, async () => other)).rejects.toMatchObject(
      refusal("ATT_VECTORS_INVALID", bytesToHex(sha256(other))),
    );
    await expect(openInputs(alone, FREE, async () => bytes.subarray(1))).rejects.toMatchObject(
      refusal("ATT_VECTORS_INVALID", `has ${bytes.length - 1} bytes`),
    );
    // The file is the named one, and the recipe says other vectors of it.
    const wrong = { ...alone, vectors: { ...file, dimensions: 1 } };
    await expect(openInputs(wrong, FREE, read)).rejects.toMatchObject(
      refusal("ATT_VECTORS_INVALID", "of 2 components, and the recipe says 1"),
    );
    // Its hash is the named one, and it is no file of vectors.
    const broken = bytes.slice();
    broken[0] = 0;
    const named = { ...alone, vectors: { ...file, sha256: bytesToHex(sha256(broken)) } };
    await expect(openInputs(named, FREE, async () => broken)).rejects.toMatchObject(
      refusal("ATT_VECTORS_INVALID", "mark openvec1"),
    );
    // A checked file is not taken for another one of the same array.
    await openInputs(alone, FREE, read);
    await expect(
      openInputs({ ...alone, vectors: { ...file, sha256: "0".repeat(64) } }, FREE, async () => bytes),
    ).rejects.toMatchObject(refusal("ATT_VECTORS_INVALID", "the recipe says 0000"));
  });
});

describe("ways to count texts", () => {
  const room = { bucketCount: 128, baseBuckets: 0 };
  const texts = (count: number, words: (k: number) => string[]) =>
    Array.from({ length: count }, (_, k) => Buffer.from(words(k).join(" ")));
  /** Word k of ten is in every (k + 1)th row. */
  const rows = texts(60, (row) => [
    "all",
    ...Array.from({ length: 10 }, (_, k) => k + 1).flatMap((k) => (row % k === 0 ? [`w${k}`] : [])),
  ]);

  it("begin with today's choice, then words by idf, vectors alone, and vectors beside words", async () => {
    const ways = textCandidates(rows, room, 6, file);
    const kinds = ways.map(({ vectors, wordCount, words }) => [
      vectors?.sha256 === file.sha256,
      wordCount,
      words?.idf !== undefined,
    ]);
    expect(kinds).toEqual([
      [false, undefined, false],
      [false, undefined, true],
      [true, 0, false],
      [true, 1, true],
      [true, 3, true],
    ]);
    expect(ways[0]).toEqual(await chooseInputs({ kind: "text", labelCount: 6 }, rows, room));
    expect(textCandidates(rows, room, 6)).toEqual(ways.slice(0, 2));
    for (const inputs of ways) {
      expect(inputsSchema.parse(inputs)).toEqual(inputs);
      expect(inputsProblem(inputs, room)).toBeNull();
      const { countsOf } = await openInputs(inputs, room, read);
      for (const row of rows) expect(termTotal(countsOf(row.toString()))).toBeGreaterThan(0);
    }
    // Of long texts the words of today's choice, in the buckets behind the vectors.
    const long = texts(12, (row) => Array.from({ length: 90 }, (_, k) => `x${(k * (row + 3)) % 97}`));
    const [, , , beside] = textCandidates(long, room, 12, file);
    const behind = await chooseInputs({ kind: "text", labelCount: 12 }, long, { ...room, bucketCount: 124 });
    expect(beside!.words).toEqual((behind as TextInputs).words);
    expect(beside!.words!.shared!.length).toBeGreaterThan(0);
  });

  it("count words by the rounded frequency of their rows, those of nearly all not at all", () => {
    const [, listed] = textCandidates(rows, room, 2);
    const { idf, own, shared } = listed!.words!;
    expect(shared).toEqual([]);
    const countOf = (word: string) => {
      const at = own.indexOf(wordsOf(Buffer.from(word), true)[0]!);
      return at < 0 ? 0 : at < idf!.twiceFrom ? 1 : at < idf!.thriceFrom ? 2 : 3;
    };
    for (let k = 1; k <= 10; k++) {
      const inRows = Math.ceil(60 / k);
      expect(countOf(`w${k}`), `w${k}`).toBe(Math.round((3 * Math.log(60 / inRows)) / Math.log(30)));
    }
    expect([countOf("all"), countOf("w2"), countOf("w10")]).toEqual([0, 1, 2]);
    const rare = textCandidates([...rows, ...texts(2, () => ["twice"])], room, 2)[1]!.words!;
    expect(rare.own.at(-1)).toBe(wordsOf(Buffer.from("twice"), true)[0]);
    expect(rare.idf!.thriceFrom).toBe(rare.own.length - 1);
  });

  it("fit whatever room there is, also none for words", () => {
    const many = texts(40, (row) => Array.from({ length: 60 }, (_, k) => `y${(row * 7 + k) % 300}`));
    for (const [bucketCount, baseBuckets, count] of [
      [4_096, 40, 5],
      [128, 60, 5],
      [128, 64, 3],
      [16, 11, 3],
      [16, 12, 2],
    ] as const) {
      const ways = textCandidates(many, { bucketCount, baseBuckets }, 20, file);
      expect(ways.length, `${bucketCount} less ${baseBuckets}`).toBe(count);
      for (const inputs of ways) expect(inputsProblem(inputs, { baseBuckets })).toBeNull();
    }
    for (const some of [[], texts(1, () => ["one"]), texts(2, () => [])])
      expect(textCandidates(some, room, 2, file).length).toBe(5);
  });
});
