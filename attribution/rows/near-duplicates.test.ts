import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digitContents } from "../testing/mnist-digits.ts";
import { emailContents } from "../testing/sample-emails.ts";
import { nearDuplicates } from "./near-duplicates.ts";
import { type NearDuplicate, ROW_RULES } from "./row-rules.ts";
import { imageVector } from "./similar-images.ts";
import { jaccard, shinglesOf } from "./similar-texts.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const texts = (...contents: string[]) =>
  ({ kind: "text", contents: contents.map(bytes), labels: contents.map(() => 0) }) as const;

/** The rule by its definition: every pair is compared. */
function byAllPairs(
  labels: ArrayLike<number>,
  threshold: number,
  similarity: (a: number, b: number) => number,
) {
  const out: NearDuplicate[] = [];
  const leaders: number[] = [];
  for (let later = 0; later < labels.length; later++) {
    let best: NearDuplicate | undefined;
    for (const earlier of leaders) {
      if (labels[earlier] !== labels[later]) continue;
      const found = similarity(later, earlier);
      if (found >= threshold && found > (best?.similarity ?? 0)) best = { later, earlier, similarity: found };
    }
    if (best === undefined) leaders.push(later);
    else out.push(best);
  }
  return out;
}

describe("shinglesOf", () => {
  it("sees words and pairs of words, whatever their case, spaces and marks", () => {
    expect(shinglesOf(bytes("Buy now, buy NOW!"))).toEqual(shinglesOf(bytes("buy now buy  now")));
    // buy, now; buy now, now buy.
    expect(shinglesOf(bytes("buy now buy now"))).toHaveLength(4);
    expect(shinglesOf(bytes("größe"))).toHaveLength(1);
    expect(shinglesOf(bytes(" .,"))).toHaveLength(0);
  });
});

describe("jaccard", () => {
  it("is common over all", () => {
    expect(jaccard(Uint32Array.of(1, 2, 3), Uint32Array.of(2, 3, 4))).toBe(0.5);
    expect(jaccard(Uint32Array.of(), Uint32Array.of(1))).toBe(0);
    expect(jaccard(Uint32Array.of(), Uint32Array.of())).toBe(1);
  });
});

describe("imageVector", () => {
  const shape = { width: 6, height: 6 };
  const spot = (x: number, y: number, scale: number) => {
    const pixels = new Uint8Array(36);
    pixels[y * 6 + x] = 40 * scale;
    pixels[y * 6 + x + 1] = 20 * scale;
    pixels[(y + 1) * 6 + x] = 10 * scale;
    return pixels;
  };

  it("is the same for the same picture elsewhere and brighter, of length 1 and mean 0", () => {
    const vector = imageVector(spot(1, 1, 1), shape);
    for (const [k, x] of imageVector(spot(3, 2, 5), shape).entries()) expect(x).toBeCloseTo(vector[k]!, 12);
    expect(vector.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 12);
    expect(vector.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 12);
  });

  it("is 0 for a picture of one grey level, which is then similar to nothing", () => {
    expect(imageVector(new Uint8Array(36).fill(77), shape)).toEqual(new Float64Array(36));
    const grey = [new Uint8Array(36).fill(7), new Uint8Array(36).fill(7), new Uint8Array(36)];
    expect(nearDuplicates({ kind: "image", ...shape, contents: grey, labels: [0, 0, 0] })).toEqual([]);
  });
});

describe("nearDuplicates", () => {
  it("names the later row, the first row of its cluster and their similarity", () => {
    const rows = texts("a b c d e f g h", "x y z", "a b c d e f g h i", "A b c d, e f g h.");
    // 15 shingles of 17; 15 of 15.
    expect(nearDuplicates(rows)).toEqual([
      { later: 2, earlier: 0, similarity: 15 / 17 },
      { later: 3, earlier: 0, similarity: 1 },
    ]);
  });

  it("does not join up chains: a row is compared with rows that are no near-duplicates", () => {
    const rows = texts("a b c d e f", "b c d e f g", "c d e f g h");
    const threshold = 0.6;
    expect(nearDuplicates({ ...rows, threshold })).toEqual([{ later: 1, earlier: 0, similarity: 9 / 13 }]);
    // The last one would be one of the second's.
    const last = { ...rows, contents: rows.contents.slice(1), labels: [0, 0], threshold };
    expect(nearDuplicates(last)).toEqual([{ later: 1, earlier: 0, similarity: 9 / 13 }]);
  });

  it("compares rows of one label only, and gives places among all rows", () => {
    const rows = texts("a b c", "a b c", "q", "a b c");
    expect(nearDuplicates({ ...rows, labels: [0, 1, 1, 1] })).toEqual([
      { later: 3, earlier: 1, similarity: 1 },
    ]);
  });

  it("misses no pair of texts: the same as comparing all", () => {
    const word = fc.constantFrom("ant", "bee", "cat", "dog", "eel", "fox", "gnu");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.array(word, { maxLength: 6 }), fc.nat(1)), { minLength: 1, maxLength: 25 }),
        fc.constantFrom(0.3, 0.5, 0.7, 0.9, 1),
        (rows, threshold) => {
          const contents = rows.map(([words]) => bytes(words.join(" ")));
          const labels = rows.map(([, label]) => label);
          const shingles = contents.map((content) => shinglesOf(content));
          // Texts without a word have nothing to find them by, and are alike to nothing.
          const similarity = (a: number, b: number) =>
            shingles[a]!.length + shingles[b]!.length === 0 ? 0 : jaccard(shingles[a]!, shingles[b]!);
          expect(nearDuplicates({ kind: "text", contents, labels, threshold })).toEqual(
            byAllPairs(labels, threshold, similarity),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("misses no pair of e-mails or digits: the same as comparing all", () => {
    const emails = emailContents()
      .slice(0, 120)
      .map((content) => content.subarray(0, -1));
    const shingles = emails.map((content) => shinglesOf(content));
    const none = emails.map(() => 0);
    const expected = byAllPairs(none, 0.4, (a, b) => jaccard(shingles[a]!, shingles[b]!));
    expect(expected.length).toBeGreaterThan(0);
    expect(nearDuplicates({ kind: "text", contents: emails, labels: none, threshold: 0.4 })).toEqual(
      expected,
    );

    const shape = { width: 28, height: 28 };
    const digits = digitContents()
      .slice(1000, 1120)
      .map((content) => content.subarray(0, -1));
    const vectors = digits.map((pixels) => imageVector(pixels, shape));
    const dot = (a: number, b: number) => vectors[a]!.reduce((sum, x, k) => sum + x * vectors[b]![k]!, 0);
    const pairs = byAllPairs(none, ROW_RULES.imageSimilarity, dot);
    expect(pairs.length).toBeGreaterThan(3);
    expect(nearDuplicates({ kind: "image", ...shape, version: 1, contents: digits, labels: none })).toEqual(
      pairs,
    );
    // Cells of two by two pixels make no other pairs of honest digits.
    const found = nearDuplicates({ kind: "image", ...shape, contents: digits, labels: none });
    expect(found.map(({ later }) => later)).toEqual(pairs.map(({ later }) => later));
  });

  it("finds rows whose features lie in one direction, however long they are", () => {
    const features = Float64Array.of(1, 2, 2, -1, 3, 6.1, 0, 0, -1, -2);
    const rows = { kind: "features", features, featureCount: 2, labels: [0, 0, 0, 0, 0] } as const;
    expect(nearDuplicates(rows)).toMatchObject([{ later: 2, earlier: 0 }]);
    expect(nearDuplicates({ ...rows, labels: [0, 0, 1, 0, 0] })).toEqual([]);
  });

  it("finds digits that were moved, brightened and touched", () => {
    const digit = digitContents()[4321]!.subarray(0, 784);
    const moved = new Uint8Array(784);
    for (let k = 0; k < 784 - 57; k++) moved[k + 57] = Math.min(255, Math.round(digit[k]! * 0.8));
    moved[3] = 90;
    const rows = { kind: "image", width: 28, height: 28, contents: [digit, moved], labels: [5, 5] } as const;
    expect(nearDuplicates(rows)).toMatchObject([{ later: 1, earlier: 0 }]);
  });

  it("finds a picture under a pattern that keeps the sums of its cells, unless a recipe compares as before", () => {
    const digit = digitContents()[4321]!.subarray(0, 784);
    const chequered = digit.slice();
    for (let y = 0; y < 28; y += 2)
      for (let x = 0; x < 28; x += 2) {
        const cell = [y * 28 + x, y * 28 + x + 29, y * 28 + x + 1, y * 28 + x + 28];
        const sum = cell.reduce((total, k) => total + digit[k]!, 0);
        const high = Math.min(255, Math.floor(sum / 2));
        const rest = sum - 2 * high;
        for (const [i, value] of [high, high, rest >> 1, rest - (rest >> 1)].entries())
          chequered[cell[i]!] = value;
      }
    const contents = [digit, chequered];
    const rows = { kind: "image", width: 28, height: 28, contents, labels: [5, 5] } as const;
    expect(nearDuplicates({ ...rows, version: 1 })).toEqual([]);
    expect(nearDuplicates(rows)).toMatchObject([{ later: 1, earlier: 0 }]);
  });

  it("finds texts of the same words in another order where a model counts words", () => {
    const words = Array.from({ length: 20 }, (_, k) => `word${k}`);
    const rows = texts(
      words.join(" "),
      [...words].reverse().join(" "),
      `${words.slice(0, 12).join(" ")} a b c d`,
    );
    expect(nearDuplicates(rows)).toEqual([]);
    expect(nearDuplicates({ ...rows, hasWordSets: true })).toEqual([{ later: 1, earlier: 0, similarity: 1 }]);
  });
});
