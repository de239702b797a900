/** Tests of static encoders, against vectors that numpy computed in float64 by Model2Vec's formula (testing/encoders/make-static.py). */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";
import { inputsSchema } from "@openledger/attribution/inputs/model-inputs";
import { openInputs } from "@openledger/attribution/inputs/open-inputs";
import { vectorsWords } from "@openledger/attribution/inputs/released-vectors";
import { readTextVectors } from "@openledger/attribution/inputs/text-vectors";
import { decodeTokenVectors } from "@openledger/attribution/inputs/token-vectors";
import { describe, expect, it } from "vitest";
import { memorySource } from "../../engine/files/memory-source.ts";
import { encodeTensors, type NamedTensor } from "../../engine/files/safetensors.ts";
import { deriveEncoder } from "./static-encoder.ts";

interface Fixture {
  readonly name: string;
  readonly tokenizer: { model: Record<string, unknown>; [field: string]: unknown };
  readonly table: readonly (readonly number[])[];
  readonly weights: readonly number[] | null;
  readonly cases: readonly { text: string; ids: readonly number[]; vector: readonly number[] }[];
}
const FIXTURES = JSON.parse(
  readFileSync(new URL("../../testing/encoders/static-encoders.json", import.meta.url), "utf8"),
) as Fixture[];
const DIMENSIONS = 12;

function tensorsOf({ table, weights }: Fixture): NamedTensor[] {
  const floats = (values: readonly number[]) => Float32Array.from(values);
  return [
    { name: "embeddings", shape: [table.length, DIMENSIONS], values: floats(table.flat()) },
    ...(weights === null ? [] : [{ name: "weights", shape: [weights.length], values: floats(weights) }]),
  ];
}

const sourceOf = (fixture: Fixture, tensors = tensorsOf(fixture), tokenizer: object = fixture.tokenizer) =>
  memorySource(
    "tiny",
    new Map([
      ["tokenizer.json", Buffer.from(JSON.stringify(tokenizer))],
      ["model.safetensors", encodeTensors(tensors)],
    ]),
  );

describe.each(FIXTURES)("a static encoder of $name", (fixture) => {
  const made = deriveEncoder(sourceOf(fixture), DIMENSIONS);

  it("cuts texts as its tokenizer does", async () => {
    const { tokensOf } = decodeTokenVectors(await made);
    const published = new Tokenizer(fixture.tokenizer, {});
    const model = fixture.tokenizer.model as { unk_id?: number };
    const unknown = model.unk_id ?? 1;
    for (const { ids, text } of fixture.cases) {
      expect(tokensOf(Buffer.from(text)), text).toEqual(ids);
      const { ids: all } = published.encode(text, { add_special_tokens: false });
      expect(
        all.filter((id: number) => id !== unknown),
        text,
      ).toEqual(ids);
    }
  });

  it("has the digits of the float64 vectors, but where these are at a tie", async () => {
    const { digitsOf, dimensions, knownWords } = readTextVectors(await made);
    expect(dimensions).toBe(DIMENSIONS);
    let compared = 0;
    for (const { ids, text, vector } of fixture.cases) {
      const digits = digitsOf(Buffer.from(text));
      expect(knownWords(Buffer.from(text))).toBe(ids.length);
      for (const [j, component] of vector.entries()) {
        const exact = Math.max(-3, Math.min(3, 2 * Math.sqrt(DIMENSIONS) * component));
        expect(Math.abs(digits[j]! - exact), `${text} ${j}`).toBeLessThan(0.55);
        if (Math.abs(Math.abs(exact % 1) - 0.5) > 0.05) {
          // Adding 0 makes −0 a 0.
          expect(digits[j], `${text} ${j}`).toBe(Math.round(exact) + 0);
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(0.7 * DIMENSIONS * fixture.cases.length);
  });

  it("counts texts of a recipe that names it, as its owner's", async () => {
    const bytes = await made;
    const file = {
      name: "tiny",
      sizeBytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      dimensions: DIMENSIONS,
      of: "tokens",
    };
    const inputs = inputsSchema.parse({ kind: "text", vectors: file, wordCount: 0, bucketCount: 32 });
    const { countsOf } = await openInputs(inputs, { baseBuckets: 0 }, async () => bytes);
    const digits = readTextVectors(bytes).digitsOf(Buffer.from(fixture.cases[0]!.text));
    const counts = countsOf(fixture.cases[0]!.text);
    for (const [j, digit] of digits.entries())
      expect([counts[2 * j], counts[2 * j + 1]]).toEqual([Math.max(0, digit), Math.max(0, -digit)]);
    expect([...countsOf("☃")].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(1);
    expect(vectorsWords({ inputs })!.isReleased).toBe(false);
  });

  it("of a prefix of its components has those, and no file has more than its table", async () => {
    const short = readTextVectors(await deriveEncoder(sourceOf(fixture), 4));
    const { ids, text } = fixture.cases[0]!;
    const sum = (j: number) =>
      ids.reduce((total, id) => total + (fixture.weights?.[id] ?? 1) * fixture.table[id]![j]!, 0);
    const [length, digits] = [Math.hypot(sum(0), sum(1), sum(2), sum(3)), short.digitsOf(Buffer.from(text))];
    for (const [j, digit] of digits.entries())
      expect(Math.abs(digit - Math.max(-3, Math.min(3, (4 * sum(j)) / length)))).toBeLessThan(0.55);
    await expect(deriveEncoder(sourceOf(fixture), DIMENSIONS + 1)).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
    });
  });
});

describe("an encoder", () => {
  const [fixture] = FIXTURES as [Fixture];
  const [table] = tensorsOf(fixture) as [NamedTensor];

  it.each<[string, string, () => ReturnType<typeof sourceOf>]>([
    ["MOD_SOURCE_UNREADABLE", "without a tokenizer", () => memorySource("none", new Map())],
    [
      "MOD_CONFIG_UNSUPPORTED",
      "with another tensor",
      () => sourceOf(fixture, [table, { ...table, name: "lm_head.weight" }]),
    ],
    [
      "MOD_FILE_INVALID",
      "with a row too few",
      () =>
        sourceOf(fixture, [
          { ...table, shape: [table.shape[0]! - 1, DIMENSIONS], values: table.values.subarray(DIMENSIONS) },
        ]),
    ],
    [
      "MOD_FILE_INVALID",
      "with weights of another number",
      () => sourceOf(fixture, [table, { name: "weights", shape: [2], values: Float32Array.of(1, 1) }]),
    ],
    [
      "MOD_CONFIG_UNSUPPORTED",
      "of pairs of bytes",
      () =>
        sourceOf(fixture, [table], {
          ...fixture.tokenizer,
          model: { type: "BPE", vocab: fixture.tokenizer.model["vocab"], merges: [] },
        }),
    ],
  ])("is refused by %s %s", async (code, _how, source) => {
    await expect(deriveEncoder(source(), DIMENSIONS)).rejects.toMatchObject({ code });
  });

  it("is refused where its file is damaged", async () => {
    const bytes = await deriveEncoder(sourceOf(fixture), DIMENSIONS);
    const refused = (change: (copy: Buffer) => Uint8Array) =>
      expect(() => readTextVectors(change(Buffer.from(bytes)))).toThrow(
        expect.objectContaining({ code: "ATT_VECTORS_INVALID" }),
      );
    refused((copy) => copy.subarray(1));
    refused((copy) => copy.subarray(0, copy.length - 1));
    refused((copy) => copy.fill(0x80, copy.length - 1));
    refused((copy) => copy.fill(0x20, 20, 21));
    refused((copy) => (copy.writeUInt32LE(0xffff_ffff, 12), copy));
    refused((copy) => (copy.writeUInt32LE(0, 16), copy));
  });
});
