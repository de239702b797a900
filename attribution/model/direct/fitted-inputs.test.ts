import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, it } from "vitest";
import type { VectorsFile } from "../../inputs/model-inputs.ts";
import type { ReadVectors } from "../../inputs/open-inputs.ts";
import { encodeTextVectors } from "../../inputs/text-vectors.ts";
import { wordsOf } from "../../rows/words.ts";
import { tinyVectors } from "../../testing/tiny-vectors.ts";
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
  vectors: [VECTORS],
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

describe("word vectors of several languages", () => {
  const english = tinyVectors({ win: [100, 2, 1, 0], lunch: [-90, 1, 4, 0] });
  const german = { file: VECTORS, read: async () => FILE };
  const read: ReadVectors = (file) => (file.sha256 === VECTORS.sha256 ? german : english).read(file);
  const inputsOf = (rows: ReturnType<typeof rowOf>[], vectors: readonly VectorsFile[]) =>
    fittedInputs({ kind: "text", labelCount: 2 }, rows, ROOM, { ...options, vectors, readVectors: read });

  it("are those that know the most words of the rows, in any order of the files", async () => {
    const rows = WORDS.map(({ meaning, word }) => rowOf(`the ${word}`, CLASSES[meaning]!));
    for (const files of [
      [english.file, german.file],
      [german.file, english.file],
    ])
      expect(await inputsOf(rows, files)).toMatchObject({ vectors: VECTORS });
    const others = rows.map(({ label }, k) => rowOf(label === "bill" ? `win ${k}` : `lunch x${k}`, label));
    expect(await inputsOf(others, [german.file, english.file])).not.toMatchObject({ vectors: VECTORS });
  });
});
