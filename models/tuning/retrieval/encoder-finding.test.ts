/** Tests of models that find rows by a sentence encoder beside words: a tiny random one, whose vectors numpy computed in float64. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ReadVectors } from "@openledger/attribution/inputs/open-inputs";
import { vectorsWords } from "@openledger/attribution/inputs/released-vectors";
import { vectorsFileName } from "@openledger/attribution/model/direct/direct-family";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { decodeModel, encodeModel, publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderSource } from "../../engine/files/folder-source.ts";
import { citingWorld } from "../../testing/citing-world.ts";
import { testKernels } from "../../testing/test-kernels.ts";
import { openQuestionEncoder } from "../recipe/question-encoder.ts";
import { sayingRetrieval } from "../recipe/recipe-presets.ts";
import { type CitingTextRecipe, parseTextRecipe } from "../recipe/text-recipe.ts";
import { packSentenceEncoder } from "../vectors/sentence-file.ts";
import { readVectorsFrom, storeFile } from "../vectors/vector-places.ts";
import { parseCited } from "./citations.ts";
import { rowFinder } from "./find-rows.ts";
import { languageWordsOf } from "./function-words.ts";
import { makeIndex } from "./make-index.ts";
import { QuestionMatcher } from "./match-questions.ts";
import { nearestRow, nearness, vectorDigits } from "./question-vectors.ts";
import { decodeIndex, type EncoderFile, encodeIndex, maxIndexBytes, type SaidIndex } from "./row-index.ts";

const SIZE = { rows: 64, features: 128, payees: 16, payments: 8, draws: 4 };
const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };
const ENCODERS = fileURLToPath(new URL("../../testing/encoders/", import.meta.url));
const FIXTURE = JSON.parse(readFileSync(`${ENCODERS}sentence-encoders.json`, "utf8")) as {
  readonly bert: readonly { readonly text: string; readonly mean: readonly number[] }[];
};
/** Words of Greek are one unknown token each of the tiny encoder: questions of as many are the same to it, and share no word. */
const QUESTIONS = [
  ["μέγα ψυχή", "The boats are in the harbour."],
  ["Why is the sea salty?", "Rivers wash salts out of rocks."],
  ["What do pandas eat?", "Almost nothing but bamboo."],
  ["How many legs does a spider have?", "Eight; insects have six."],
  ["Who painted the Mona Lisa?", "Leonardo da Vinci."],
] as const;
const IN_OTHER_WORDS = "δέλτα καλός";
const rows = QUESTIONS.map(([prompt, answer], i) => ({
  content: encodeTextRow({ prompt, answer }),
  contributorId: i < 3 ? 5 : 6,
  validatorId: 8,
}));
const code = (name: string) => expect.objectContaining({ code: name });

let folder: string;
let bytes: Uint8Array;
let file: EncoderFile;
let read: ReadVectors;
let world: Awaited<ReturnType<typeof citingWorld>>;
let recipe: CitingTextRecipe;
let plain: CitingTextRecipe;
beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-encoder-"));
  bytes = await packSentenceEncoder(folderSource(`${ENCODERS}bert`));
  ({ file } = await storeFile({ name: "tiny-bert", dimensions: 32 }, bytes, join(folder, "vectors")));
  read = readVectorsFrom({ folder: join(folder, "vectors") });
  world = await citingWorld(folder, rows, SIZE.features, { readEncoder: read });
  const retrieval = sayingRetrieval(SIZE.features);
  plain = parseTextRecipe({ ...world.recipe, retrieval }) as CitingTextRecipe;
  recipe = parseTextRecipe({ ...plain, retrieval: { ...retrieval, encoder: file } }) as CitingTextRecipe;
});
afterAll(() => rm(folder, { recursive: true }));

const encoderOf = (encoder: EncoderFile, readEncoder: ReadVectors | undefined = read) =>
  openQuestionEncoder(
    { retrieval: { ...recipe.retrieval, encoder } },
    { kernels: testKernels, ...(readEncoder === undefined ? {} : { readEncoder }) },
  );

describe("a model with a sentence encoder", () => {
  it("says a row's answer to its question in other words, is verified from its rows, and is shown as its owner's", async () => {
    const trained = await world.training.train(rows, recipe, {});
    const registration = registerModel(trained, { split: SPLIT }, SIZE);
    const published = publishedModel(trained, registration, { publishRows: true });
    const back = decodeModel(encodeModel(published), [world.family]);
    const own = await openCheckable(back);
    const { query, text } = own.answer(IN_OTHER_WORDS);
    expect(JSON.parse(text).text).toBe(QUESTIONS[0][1]);
    expect(parseCited(text)!.citations).toMatchObject([{ row: 0, question: QUESTIONS[0][0] }]);
    expect(own.queryOf!(IN_OTHER_WORDS, text)).toEqual(query);
    for (const [prompt, answer] of QUESTIONS) expect(JSON.parse(own.answer(prompt).text).text).toBe(answer);
    const facts = {
      staticsHash: published.staticsHash,
      rowsRoot: BigInt(recipe.datanet.rowsRoot),
      policy: null,
    };
    const verify = (model: typeof back) =>
      verifyModel({ model, facts, card: null, depth: "features", trainings: [world.training] } as never);
    await expect(verify(back)).resolves.toMatchObject({ payeeCount: expect.any(Number) });
    const digit = new TextEncoder().encode('"vector":[');
    const at = Buffer.from(back.queryMap).lastIndexOf(Buffer.from(digit)) + digit.length;
    const changed = back.queryMap.map((byte, k) => (k === at + 1 ? (byte === 49 ? 50 : 49) : byte));
    await expect(verify({ ...back, queryMap: changed })).rejects.toThrow(code("ATT_MODEL_MISMATCH"));
    const max = await world.family.maxBytes(recipe, rows.length);
    expect(back.queryMap.length).toBeLessThanOrEqual(max.queryMap);
    expect(vectorsWords(recipe)).toEqual({
      isReleased: false,
      text: expect.stringMatching(/^it finds rows by its owner's own sentence encoder "tiny-bert", SHA-256 /),
    });
    expect(vectorsWords(plain)).toBeNull();
    // A server hands the file out by its hash, as it does the base's files.
    const shared = (name: string) => world.family.readShared!(back, name);
    expect(new Uint8Array((await shared(vectorsFileName(file)))!)).toEqual(bytes);
    expect(await shared("config.json")).not.toBeNull();
    expect(await shared(`${"0".repeat(64)}.bin`)).toBeNull();
  });

  it("is neither trained nor opened where nobody has the file, or another", async () => {
    const { family, training } = await citingWorld(folder, rows, SIZE.features);
    await expect(training.train(rows, recipe, {})).rejects.toThrow(code("ATT_VECTORS_MISSING"));
    const { adapter, queryMap } = await world.training.train(rows, recipe, {});
    const parts = { family, recipe, adapter, queryMap };
    await expect(family.open(parts)).rejects.toThrow(code("ATT_VECTORS_MISSING"));
    await expect(encoderOf(file, async () => null)).rejects.toThrow(code("ATT_VECTORS_MISSING"));
    const other = bytes.map((byte, k) => (k === bytes.length - 1 ? byte ^ 1 : byte));
    await expect(encoderOf(file, async () => other)).rejects.toThrow(code("ATT_VECTORS_INVALID"));
    await expect(encoderOf({ ...file, sizeBytes: 7 }, async () => bytes)).rejects.toThrow(
      code("ATT_VECTORS_INVALID"),
    );
    await expect(encoderOf({ ...file, dimensions: 33 })).rejects.toThrow(code("MOD_FILE_INVALID"));
  });
});

describe("an index with vectors", () => {
  it("has the digits of the float64 vectors, and a prompt's are the same by all kernels", async () => {
    const encode = (await encoderOf(file))!;
    let compared = 0;
    for (const { mean, text } of FIXTURE.bert) {
      const digits = encode(text);
      const largest = Math.max(...mean.map(Math.abs));
      for (const [k, value] of mean.entries()) {
        const exact = (127 * value) / largest;
        if (Math.abs(Math.abs(exact % 1) - 0.5) < 0.001) continue;
        compared += 1;
        expect(digits[k], `${text} ${k}`).toBe(Math.round(exact) + 0);
      }
    }
    expect(compared).toBeGreaterThan(0.95 * 32 * FIXTURE.bert.length);
    const wasm = (await openQuestionEncoder(recipe, { kernels: "wasm", readEncoder: read }))!;
    for (const { text } of FIXTURE.bert) expect(wasm(text)).toEqual(encode(text));
    const half = (await encoderOf({ ...file, dimensions: 16 }))!;
    expect(half("the boats")).toHaveLength(16);
  });

  it("finds by words first, then by vectors, and says nothing that words speak against", async () => {
    const encode = (await encoderOf(file))!;
    const index = makeIndex(rows, recipe, encode) as SaidIndex;
    const find = rowFinder(index, recipe, { encode });
    expect(find(IN_OTHER_WORDS).said).toBe(QUESTIONS[0][1]);
    // The same vector, since a name is an unknown token as well; the row has not the name.
    expect(encode("δέλτα Καλός")).toEqual(encode(IN_OTHER_WORDS));
    expect(find("δέλτα Καλός").said).toBeNull();
    const words = rowFinder(makeIndex(rows, plain), plain);
    expect(words(IN_OTHER_WORDS).said).toBeNull();
    for (const [prompt, answer] of QUESTIONS) expect(words(prompt).said).toBe(answer);
    // A threshold that nothing exceeds leaves words alone.
    expect(rowFinder({ ...index, nearness: 1 }, recipe, { encode })(IN_OTHER_WORDS).said).toBeNull();
    expect(() => rowFinder(index, recipe)).toThrow(RangeError);
    expect(() => makeIndex(rows, plain, encode)).toThrow(RangeError);
  });

  it("is refused where vectors are missing, too short, or of a recipe without an encoder", async () => {
    const index = makeIndex(rows, recipe, await encoderOf(file)) as SaidIndex;
    expect(decodeIndex(encodeIndex(index), recipe)).toEqual(index);
    expect(encodeIndex(index).length).toBeLessThanOrEqual(maxIndexBytes(recipe, rows.length));
    const { nearness: _, ...noThreshold } = index;
    const changedRow = (change: object) => ({
      ...index,
      rows: [{ ...index.rows[0]!, ...change }, ...index.rows.slice(1)],
    });
    for (const changed of [
      noThreshold,
      changedRow({ vector: undefined }),
      changedRow({ vector: index.rows[0]!.vector!.slice(1) }),
      changedRow({ vector: index.rows[0]!.vector!.map(() => 128) }),
    ])
      expect(() => decodeIndex(encodeIndex(changed as SaidIndex), recipe)).toThrow(
        code("ATT_MODEL_FILE_INVALID"),
      );
    expect(() => decodeIndex(encodeIndex(index), plain)).toThrow(code("ATT_MODEL_FILE_INVALID"));
    expect(() => decodeIndex(encodeIndex(makeIndex(rows, plain)), recipe)).toThrow(
      code("ATT_MODEL_FILE_INVALID"),
    );
  });
});

it("is of models that say rows' answers, with a name, a size and components within limits", () => {
  const { says: _, ...reading } = { ...recipe.retrieval };
  for (const retrieval of [
    reading,
    { ...recipe.retrieval, encoder: { ...file, dimensions: 1_025 } },
    { ...recipe.retrieval, encoder: { ...file, sizeBytes: 2 ** 31 } },
    { ...recipe.retrieval, encoder: { ...file, sha256: "x" } },
    { ...recipe.retrieval, encoder: { ...file, of: "tokens" } },
  ])
    expect(() => parseTextRecipe({ ...recipe, retrieval })).toThrow(code("ATT_RECIPE_INVALID"));
});

it("words speak against negated questions, other frames and lacking names", () => {
  const turns = QUESTIONS.map(([prompt, answer]) => ({ prompt, answer }));
  const matcher = new QuestionMatcher(
    turns,
    languageWordsOf(turns.flatMap(({ answer, prompt }) => [prompt, answer])),
  );
  expect(matcher.isOther("How did the ocean get its taste?", 1)).toBe(false);
  expect(matcher.isOther("Why is the sea not salty?", 1)).toBe(true);
  expect(matcher.isOther("What do koalas eat?", 2)).toBe(true);
  expect(matcher.isOther("Who was the artist of Guernica?", 4)).toBe(true);
});

it("compares vectors by exact integers", () => {
  expect([...vectorDigits(Float64Array.of(2, -1, 0, 0.5), 3)]).toEqual([127, -63, 0]);
  expect([...vectorDigits(new Float64Array(2), 2)]).toEqual([0, 0]);
  expect(nearness([3, 4], [6, 8])).toBe(1);
  expect(nearness([1, 0], [1, 1])).toBe(0.5);
  expect([nearness([1, 0], [-1, 1]), nearness([0, 0], [1, 1])]).toEqual([0, 0]);
  const most = new Int8Array(1_024).fill(127);
  expect(Number.isSafeInteger((127 * 127 * 1_024) ** 2)).toBe(true);
  expect(nearness(most, most)).toBe(1);
  const vectors = [null, [1, 1], [2, 2], [1, 0]];
  expect(nearestRow([5, 5], vectors)).toEqual({ row: 1, nearness: 1 });
  expect(nearestRow([5, 5], vectors, new Set([1]))).toEqual({ row: 2, nearness: 1 });
  expect(nearestRow([-1, -1], vectors)).toBeNull();
});
