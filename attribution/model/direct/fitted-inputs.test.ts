import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, it } from "vitest";
import { encodeTextVectors } from "../../inputs/text-vectors.ts";
import { wordsOf } from "../../rows/words.ts";
import { fittedInputs } from "./fitted-inputs.ts";
import { rootWeights } from "./label-weights.ts";

const hashOf = (word: string) => wordsOf(Buffer.from(word), true)[0]!;
/** Two meanings, each of forty words that no two texts share. */
const WORDS = Array.from({ length: 80 }, (_, k) => ({
  word: `word${"abcdefghij"[Math.floor(k / 10)]}${"abcdefghij"[k % 10]}`,
  meaning: k % 2,
}));
const FILE = encodeTextVectors(
  WORDS.map(({ meaning, word }, k) => ({
    hash: hashOf(word),
    weight: 200,
    components: meaning === 0 ? [100, k % 7, 3, 0] : [-100, 0, k % 5, 3],
  })),
);
const VECTORS = {
  name: "two-meanings",
  sizeBytes: FILE.length,
  sha256: bytesToHex(sha256(FILE)),
  dimensions: 4,
};
const CLASSES = ["bill", "boat"];
const ROOM = { bucketCount: 1_024, baseBuckets: 0 };
const options = {
  classes: CLASSES,
  decayOf: () => 0.003,
  vectors: VECTORS,
  readVectors: async () => FILE,
};
const rowOf = (text: string, label: string | null) => ({ content: Buffer.from(text), label });

describe("ways to count rows", () => {
  it("are chosen by what their models say of unseen rows", async () => {
    const rows = WORDS.map(({ meaning, word }) => rowOf(`the ${word}`, CLASSES[meaning]!));
    const inputs = await fittedInputs({ kind: "text", labelCount: 2 }, rows, ROOM, options);
    // No word is in two texts but "the", so words say nothing.
    expect(inputs).toMatchObject({ kind: "text", vectors: VECTORS });
    expect(await fittedInputs({ kind: "text", labelCount: 2 }, rows, ROOM, options)).toEqual(inputs);
    const stages: string[] = [];
    await fittedInputs({ kind: "text", labelCount: 2 }, rows, ROOM, {
      ...options,
      onProgress: ({ done, stage, total }) => stages.push(`${stage} ${done}/${total}`),
    });
    // Eighty rows, then five ways.
    expect(stages).toEqual(Array.from({ length: 86 }, (_, done) => `choose ${done}/85`));
  });

  it("are the simplest where all are as good, where few rows have labels, and without vectors", async () => {
    const words = { kind: "text", bucketCount: 1_024 };
    const told = WORDS.map(({ meaning, word }) => rowOf(`${word} ${CLASSES[meaning]}`, CLASSES[meaning]!));
    expect(await fittedInputs({ kind: "text", labelCount: 2 }, told, ROOM, options)).toEqual(words);
    const rows = WORDS.map(({ meaning, word }, k) => rowOf(`the ${word}`, k < 19 ? CLASSES[meaning]! : null));
    expect(await fittedInputs({ kind: "text", labelCount: 2 }, rows, ROOM, options)).toEqual(words);
    const all = WORDS.map(({ meaning, word }) => rowOf(`the ${word}`, CLASSES[meaning]!));
    const without = { classes: CLASSES, decayOf: options.decayOf };
    expect(await fittedInputs({ kind: "text", labelCount: 2 }, all, ROOM, without)).not.toHaveProperty(
      "vectors",
    );
  });

  it("are the simplest where none fits, so that a recipe is refused with what it needs", async () => {
    const rows = WORDS.map(({ meaning, word }) => rowOf(`the ${word}`, CLASSES[meaning]!));
    const full = { bucketCount: 16, baseBuckets: 16 };
    expect(await fittedInputs({ kind: "text", labelCount: 2 }, rows, full, options)).toMatchObject({
      kind: "text",
      bucketCount: 16,
    });
  });
});

describe("weights of labels", () => {
  it("are the roots of how rare they are, with a mean of 1 over the rows", () => {
    // √(1/90) : √(1/10) is 1 : 3, and (90 · 1 + 10 · 3) / 100 is 1.2.
    expect(rootWeights([90, 10])).toEqual([833, 2_500]);
    expect(rootWeights([10, 40, 90, 0])).toEqual([2_333, 1_167, 778, 2_333]);
    expect(rootWeights([7, 7, 7])).toBeUndefined();
    expect(rootWeights([7, 7, 0])).toBeUndefined();
    expect(rootWeights([7])).toBeUndefined();
    expect(rootWeights([1_000_000, 1])![1]).toBe(20_000);
  });
});
