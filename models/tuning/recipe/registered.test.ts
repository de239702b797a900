/** Tests of language models of the ledger: training, files, verification, answers, byte for byte. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import {
  type ModelFamily,
  openCheckable,
  type TrainedModel,
} from "@openledger/attribution/model/model-family";
import {
  decodeModel,
  encodeModel,
  type PublishedModel,
  publishedModel,
} from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { registerModel } from "@openledger/attribution/model/registration";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { hashContents } from "@openledger/attribution/rows/labelled-rows";
import { wholeText } from "@openledger/attribution/rows/text-rows";
import { integerScores } from "@openledger/attribution/scores/integer-scores";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { partOf } from "@openledger/foundation/testing/test-random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roundToHalves } from "../../engine/files/float-formats.ts";
import { folderSource } from "../../engine/files/folder-source.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import { makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "../../testing/text-rows.ts";
import { TuningPaused } from "../training/tune-adapter.ts";
import { describeBase, readFrom } from "./base-files.ts";
import { type TextParts, textFamily } from "./text-family.ts";
import { parseTextRecipe, type TextRecipe } from "./text-recipe.ts";
import { heldOutRows, rowWeights, textTraining } from "./text-training.ts";

const SIZE = { rows: 64, features: 36, payees: 16, draws: 4 };
const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };
const code = (name: string) => expect.objectContaining({ code: name });

let folder: string;
let rows: OwnedRow[];
let recipe: TextRecipe;
let trained: TrainedModel<TextParts>;
let model: PublishedModel<TextParts>;

/** Kernels of the processor: one set in the core, where the tests of kernels and of tuning compare all of them. */
const sets = partOf(nativeKernelSets(), 3);
const settingOf = (kernels: KernelChoice, threadCount = 1) => ({
  bases: [readFrom(folderSource(folder))],
  kernels,
  threadCount,
});
const trainingOf = (kernels: KernelChoice, threadCount = 1) => {
  const setting = settingOf(kernels, threadCount);
  return textTraining(textFamily(setting), setting);
};

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-text-"));
  await writeMadeModel(folder, makeModel(byteConfig, "text"));
  rows = ownedTexts(sampleTexts(24));
  recipe = textRecipeFor(rows, await describeBase(folderSource(folder), "made"));
  trained = await trainingOf("wasm").train(rows, recipe, {});
  model = publishedModel(trained, registerModel(trained, { split: SPLIT }, SIZE), { publishRows: true });
});
afterAll(() => rm(folder, { recursive: true }));

const facts = () => ({ staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) });
const hashesOf = ({ adapter, features, queryMap }: TrainedModel<TextParts>) => ({
  adapter: hashContents([adapter]),
  features: hashContents([new Uint8Array(features.values.buffer)]),
  queryMap: hashContents([queryMap]),
});

/** Numbers of a safetensors file of floats. */
function numbersOf(file: Uint8Array): Float32Array {
  const from = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return new Float32Array(file.slice(from).buffer);
}

describe("a text model", () => {
  it("is the same bytes on every machine, with every set of kernels and any number of threads", async () => {
    expect(hashesOf(trained)).toMatchInlineSnapshot(`
      {
        "adapter": "19f5509ee40e076effbc958a6d11e6b946154964d56d74c70d061db3710af361",
        "features": "b627fc51a2e67a2818773fc9bdbe14a0a6652532f20a7e279f730434fdca2c89",
        "queryMap": "57cfbbe815a1bb0b0d765e1e79d016d7689466fdeabcc6f2bda9063bee8932dd",
      }
    `);
    for (const set of sets)
      expect(hashesOf(await trainingOf(set, 2).train(rows, recipe, {})), set).toEqual(hashesOf(trained));
  });

  it("comes back from its files, and is what its recipe makes of the rows", async () => {
    const family = textFamily(settingOf("wasm"));
    const families: ModelFamily[] = [directFamily, family];
    const back = decodeModel(encodeModel(model), families);
    expect(back).toEqual({ ...model, family });
    const trainings = [trainingOf("wasm")];
    for (const depth of ["train", "features"] as const)
      expect(await verifyModel({ model: back, facts: facts(), depth, trainings })).toEqual({
        rowCount: 24,
        payeeCount: 2,
        areLabelsOfRecords: false,
        accuracy: null,
        isBaseOfCard: false,
        areInputsOfRows: null,
        figure: null,
      });
    const other = { ...model, queryMap: model.queryMap.map((byte, k) => (k === 900 ? byte ^ 64 : byte)) };
    const verify = verifyModel({ model: other, facts: facts(), depth: "train", trainings });
    await expect(verify).rejects.toThrow(
      expect.objectContaining({ data: expect.objectContaining({ what: "queryMap" }) }),
    );
    expect(() => decodeModel(encodeModel(other), families)).toThrow(code("ATT_MODEL_FILE_INVALID"));
    expect(() => decodeModel(encodeModel(model))).toThrow(code("ATT_RECIPE_INVALID"));
  });

  it("of tangents is the same bytes too, stopped or not, and G takes the whole run to verify", async () => {
    const tangent: TextRecipe = {
      ...recipe,
      heldOut: 2,
      tuning: { ...recipe.tuning, decay: 0.01, lastStep: 18 },
      method: { kind: "tangent", fisher: 9, featureCount: 16, components: 20 },
    };
    const made = await trainingOf("wasm").train(rows, tangent, {});
    expect(hashesOf(made)).toMatchInlineSnapshot(`
      {
        "adapter": "ca04fe73efb5b5d7528f62d30ba5a96252e155e3fcfecbb0c30c162a4fe6b5bf",
        "features": "1cc2fa7a4c854747d67ed75dd7cebddf06165723ca323edf8b085d15424c745c",
        "queryMap": "84c30f533a701cbf116428a436dceca5ec7af6be109d8f1be814b8e2e36b8177",
      }
    `);
    const ofRow = (i: number) =>
      made.features.values.subarray(i * recipe.columnCount, (i + 1) * recipe.columnCount);
    for (const i of heldOutRows(rows.length, tangent)) expect(ofRow(i).every((x) => x === 0)).toBe(true);
    const moved = { ...made, queryMap: made.queryMap.with(-1, made.queryMap.at(-1)! ^ 64) };
    const [own, next] = [await made.family.open(made), await made.family.open(moved)];
    expect(next.answer("The union").text).toBe(own.answer("The union").text);
    expect(next.answer("The union").query).not.toEqual(own.answer("The union").query);
    for (const set of sets)
      expect(hashesOf(await trainingOf(set, 2).train(rows, tangent, {})), set).toEqual(hashesOf(made));
    const [stateFolder, setting] = [join(folder, "state"), settingOf("wasm")];
    const stopped = textTraining(textFamily(setting), {
      ...setting,
      watch: { begin: async () => {}, afterStep: async (_, { step }) => (step === 7 ? "pause" : undefined) },
    });
    await expect(stopped.train(rows, tangent, { stateFolder })).rejects.toThrow(TuningPaused);
    const resumed = await trainingOf("wasm").train(rows, tangent, { stateFolder });
    expect(hashesOf(resumed)).toEqual(hashesOf(made));
    const published = publishedModel(made, registerModel(made, { split: SPLIT }, SIZE), {
      publishRows: true,
    });
    const verify = (input: PublishedModel<TextParts>) =>
      verifyModel({
        model: input,
        facts: { ...facts(), staticsHash: published.staticsHash },
        depth: "features",
        trainings: [trainingOf("wasm")],
      });
    await expect(verify(published)).resolves.toMatchObject({ rowCount: 24 });
    const { features } = published;
    const values = features.values.map((x, k) => (k === 40 ? x + 1 : x));
    const wrong = { ...published, features: { ...features, values } } as PublishedModel<TextParts>;
    await expect(verify(wrong)).rejects.toMatchObject({
      code: "ATT_MODEL_MISMATCH",
      data: { what: "features" },
    });
    const max = textFamily(settingOf("wasm")).maxBytes;
    expect((await max(tangent, rows.length)).queryMap).toBeGreaterThanOrEqual(made.queryMap.length);
    await expect(
      max({ ...tangent, method: { ...tangent.method, components: 60_000 } } as TextRecipe, rows.length),
    ).rejects.toThrow(code("ATT_RECIPE_INVALID"));
  });

  it("of an int8 base is the same bytes too, and is trained, verified and asked by nothing else", async () => {
    const int8: TextRecipe = {
      ...recipe,
      heldOut: 2,
      weights: "int8",
      method: { kind: "tangent", fisher: 9, featureCount: 16, components: 20 },
    };
    const training = trainingOf("wasm");
    const made = await training.train(rows, int8, {});
    expect(training.describe(made)).toContain("its base's weights are int8");
    expect(hashesOf(made)).toMatchInlineSnapshot(`
      {
        "adapter": "e69253c3c8c001603993dacfbefd35af044418f4addf3fb036ecf5f3cc3491b3",
        "features": "fc124498b4edfb6d5b92a95a4bcc016cb041cbf07c659b50cc7fb247e870a21a",
        "queryMap": "83f887485c0d2c0f5a4d8bda08bb4e8c301fb1d638b57ed76b9d8bb453af4a82",
      }
    `);
    for (const set of sets)
      expect(hashesOf(await trainingOf(set, 2).train(rows, int8, {})), set).toEqual(hashesOf(made));
    const published = publishedModel(made, registerModel(made, { split: SPLIT }, SIZE), {
      publishRows: true,
    });
    const verified = verifyModel({
      model: published,
      facts: { ...facts(), staticsHash: published.staticsHash },
      depth: "train",
      trainings: [trainingOf("wasm")],
    });
    await expect(verified).resolves.toMatchObject({ rowCount: 24 });
    const first = (await openCheckable(published)).answer("The union");
    for (const set of sets) {
      const other = await openCheckable({ ...published, family: textFamily(settingOf(set)) });
      expect(other.answer("The union"), set).toEqual(first);
      expect(other.queryOf!("The union", first.text), set).toEqual(first.query);
    }
    const { weights: _, ...byFloats } = int8;
    const floats = await openCheckable({ ...published, recipe: byFloats });
    expect(floats.queryOf!("The union", first.text)).not.toEqual(first.query);
    expect(() => parseTextRecipe({ ...recipe, weights: "int4" })).toThrow(code("ATT_RECIPE_INVALID"));
  });

  it("has no more bytes than its recipe has room for, beside the names of its tensors", async () => {
    const max = await textFamily(settingOf("wasm")).maxBytes(recipe, rows.length);
    expect(max.queryMap).toBe(model.queryMap.length);
    expect(max.parameters).toBeGreaterThanOrEqual(model.adapter.length);
    expect(max.parameters).toBeLessThan(model.adapter.length + 4_096);
  });

  it("has an adapter of halves where its recipe says so, and features of exactly that adapter", async () => {
    const halved: TextRecipe = { ...recipe, adapter: { ...recipe.adapter, numbers: "halves" } };
    const training = trainingOf("wasm");
    const made = await training.train(rows, halved, {});
    expect(made.adapter).not.toEqual(trained.adapter);
    const numbers = numbersOf(made.adapter);
    const rounded = Float32Array.from(numbers);
    roundToHalves(rounded, "a test");
    expect(rounded).toEqual(numbers);
    expect(await training.features(made, rows, {})).toEqual(made.features);
  });

  it("answers the same way each time, and its query is of the answer's tokens", async () => {
    const own = await openCheckable(model);
    const first = own.answer("The union");
    expect(own.answer("The union")).toEqual(first);
    expect(JSON.parse(first.text).tokens).toHaveLength(12);
    expect(own.queryOf!("The union", first.text)).toEqual(first.query);
    expect(own.queryOf!("The navy", first.text)).not.toEqual(first.query);
    expect(first.query).toHaveLength(36);
    expect(first.query.every((entry) => Math.abs(entry) % 2 === 1 && Math.abs(entry) <= 255)).toBe(true);
    for (const set of sets)
      expect(
        (await openCheckable({ ...model, family: textFamily(settingOf(set)) })).answer("The union"),
        set,
      ).toEqual(first);
    const warm = { ...model, recipe: { ...recipe, answers: { ...recipe.answers, temperature: 1 } } };
    const drawn = (await openCheckable(warm)).answer("The union");
    expect((await openCheckable(warm)).answer("The union")).toEqual(drawn);
    expect(drawn.text).not.toBe(first.text);
  });

  it("learns to end, answers no run of tokens twice, and keeps the step that held-out rows like best", async () => {
    const training = trainingOf("wasm");
    const answers = { ...recipe.answers, endToken: 0, noRepeat: 3 };
    const tuning = { ...recipe.tuning, rate: 0.05 };
    const made = await training.train(rows, { ...recipe, rowsEnd: true, heldOut: 4, tuning, answers }, {});
    const { heldOut, keptStep, steps, trained: ofTrained } = training.lossesOf(made);
    expect(steps).toBe(20);
    expect(made.recipe.tuning.lastStep ?? steps).toBe(keptStep);
    const early = await training.train(rows, { ...recipe, tuning: { lastStep: 5, ...tuning } }, {});
    const asRead = JSON.stringify(parseTextRecipe(early.recipe));
    expect(JSON.stringify(early.recipe), "as its hash is over it").toBe(asRead);
    expect([ofTrained.rowCount, heldOut!.rowCount]).toEqual([20, 4]);
    expect(heldOut!.after.natsPerToken).toBeLessThan(heldOut!.before.natsPerToken);
    // Tokens are bytes, but the one at the end is none.
    const { after } = ofTrained;
    const ratio = (after.bitsPerByte * Math.LN2) / after.natsPerToken;
    expect(ratio).toBeGreaterThan(1);
    expect(ratio).toBeLessThan(1.1);
    expect(training.describe(made)).toMatch(
      /^20 trained rows: .* before, .* after \(.*\); 4 held-out rows: /,
    );
    const again = await training.train(rows, made.recipe, {});
    expect(again.adapter).toEqual(made.adapter);
    expect(training.lossesOf(again).heldOut).toEqual(heldOut);
    const own = await openCheckable(
      publishedModel(made, registerModel(made, { split: SPLIT }, SIZE), { publishRows: false }),
    );
    const { tokens } = JSON.parse(own.answer("The union").text) as { tokens: number[] };
    const runs = tokens.slice(2).map((_, i) => tokens.slice(i, i + 3).join());
    expect(new Set(runs).size).toBe(runs.length);
    expect(() => parseTextRecipe({ ...recipe, rowsEnd: true })).toThrow(code("ATT_RECIPE_INVALID"));
  });

  it("takes a base: the same in every row, and in every query", async () => {
    const base = { flatPermille: 500 };
    const { featureCount } = recipe.method;
    const based = { ...recipe, rules: { ...recipe.rules, base } };
    const training = trainingOf("wasm");
    const parts = training.family.decode(parseTextRecipe(based), training.family.encode(trained));
    const { values } = await training.features(parts, rows, {});
    const { columnCount } = recipe;
    const first = values.subarray(featureCount, columnCount);
    expect(first.some((entry) => entry > 0)).toBe(true);
    for (let i = 0; i < rows.length; i++)
      expect(values.subarray(i * columnCount + featureCount, (i + 1) * columnCount)).toEqual(first);
    const query = (await training.family.open(parts)).answer("The union").query as Int16Array;
    const plain = (await openCheckable(model)).answer("The union").query;
    expect(query.subarray(0, featureCount)).toEqual(plain.subarray(0, featureCount));
    expect(query.subarray(featureCount).every((entry) => entry === 255)).toBe(true);
    const empty = { ...based, rules: { ...recipe.rules, base: { flatPermille: 0 } } };
    const dotted = { ...recipe, method: { kind: "grad-dot", featureCount: 32 } };
    for (const wrong of [empty, dotted])
      expect(() => parseTextRecipe(wrong)).toThrow(code("ATT_RECIPE_INVALID"));
  });

  it("counts rows by their tokens and pays for what tuning changed, where its recipe says so", async () => {
    const tuning = { ...recipe.tuning, weigh: "tokens" } as const;
    const rules = { ...recipe.rules, base: { flatPermille: 1_000 }, surprisal: "squared" } as const;
    const answers = { ...recipe.answers, weigh: "added" } as const;
    const weighed = parseTextRecipe({ ...recipe, answers, rules, tuning });
    const training = trainingOf("wasm");
    const made = await training.train(rows, weighed, {});
    expect(await training.features(made, rows, {})).toEqual(made.features);
    const unweighed = [
      { weight: 1, tokens: [1], targets: [1] },
      { tokens: [1, 2], targets: [-1, 2] },
    ].flatMap((row) => [row, row]);
    const near = [0.25, 0.25, 1, 0.25];
    const before = [[4], [1], [1, 3], [1]];
    expect(rowWeights(unweighed, before, weighed)).toEqual({ factors: near, baseParts: near });
    const long = unweighed.map((row) => ({ ...row, weight: 4 }));
    expect(rowWeights(long, before, weighed)).toEqual({
      factors: near.map((part) => 2 * part),
      baseParts: near.map((part) => 4 * part),
    });
    expect(rowWeights(long, [], recipe)).toEqual({ factors: [2, 2, 2, 2], baseParts: [4, 4, 4, 4] });
    const { featureCount } = recipe.method;
    const { columnCount } = recipe;
    const baseOf = (i: number) =>
      Array.from(made.features.values)
        .slice(i * columnCount + featureCount, (i + 1) * columnCount)
        .reduce((a, b) => a + b);
    // Tokens are bytes, and all but the first are targets.
    const targetsOf = (i: number) => wholeText(sampleTexts(24)[i]!).length - 1;
    expect(baseOf(6) / baseOf(0)).toBeCloseTo(targetsOf(6) / targetsOf(0), 1);
    expect(targetsOf(6)).not.toBe(targetsOf(0));

    const open = (kernels: KernelChoice, changed: Partial<typeof made> = {}) =>
      textFamily(settingOf(kernels)).open({ ...made, ...changed });
    const own = await open("wasm");
    const { query, text } = own.answer("The union");
    expect(own.queryOf!("The union", text)).toEqual(query);
    for (const set of sets) expect((await open(set)).answer("The union").query, set).toEqual(query);
    const { weigh: _, ...alike } = answers;
    const plain = await open("wasm", { recipe: { ...weighed, answers: alike } });
    expect(plain.answer("The union").text).toBe(text);
    // An adapter that is nothing changes nothing: then chance pays.
    const adapter = made.adapter.slice();
    new Uint8Array(
      adapter.buffer,
      adapter.byteOffset + 8 + Number(new DataView(adapter.buffer).getBigUint64(0, true)),
    ).fill(0);
    const idle = await open("wasm", { adapter });
    const [one, other] = ["The union", "The navy"].map((prompt) => idle.answer(prompt).query as Int16Array);
    expect(one!.every((entry) => Math.abs(entry) === 255)).toBe(true);
    expect(other).not.toEqual(one);
    const said = idle.answer("The union");
    expect(said.query).toEqual(one);
    // If an answer has the base's words with another end, tuning added the end.
    expect(own.queryOf!("The union", said.text)).toEqual(one);
    const { tokens } = JSON.parse(said.text) as { tokens: number[] };
    const ended = Buffer.from([...tokens.slice(0, -1), tokens.at(-1) === 33 ? 34 : 33]);
    const added = JSON.stringify({ text: ended.toString(), tokens: [...ended] });
    expect(own.queryOf!("The union", added)).not.toEqual(one);
    expect(own.queryOf!("The union", added)).not.toEqual(plain.queryOf!("The union", added));
  });

  it("gives most to the row that says what was answered", async () => {
    const own = await openCheckable(model);
    const { values: features, featureCount, rowCount } = model.features;
    const at = 4;
    expect(sampleTexts(24)[at]).toEqual({ prompt: "A nation?", answer: "A nation is strong 4." });
    const tokens = [...Buffer.from("A nation is ")];
    const text = JSON.stringify({ text: "A nation is ", tokens });
    const query = own.queryOf!("A nation?", text);
    const scores = integerScores({ features, featureCount, rowCount, query });
    expect(scores.indexOf(Math.max(...scores))).toBe(at);
  });

  it("refuses answers that it cannot have given, and prompts that it does not take", async () => {
    const own = await openCheckable(model);
    const { text, tokens } = JSON.parse(own.answer("The union").text) as { text: string; tokens: number[] };
    for (const wrong of [
      "spam",
      "null",
      JSON.stringify({ text, tokens: tokens.slice(1) }),
      JSON.stringify({ text: `${text}!`, tokens }),
      JSON.stringify({ tokens, text }),
      JSON.stringify({ text, tokens: [...tokens.slice(1), 256] }),
    ])
      expect(() => own.queryOf!("The union", wrong), wrong).toThrow(code("ATT_ANSWER_INVALID"));
    for (const prompt of ["", "x".repeat(33)])
      expect(() => own.answer(prompt)).toThrow(code("ATT_ROW_INVALID"));
  });

  it("refuses rows that are none, too long or too few, and other bytes of the base", async () => {
    const training = trainingOf("wasm");
    const long = ownedTexts([...sampleTexts(6), { text: "x".repeat(49) }]);
    await expect(training.train(long, textRecipeFor(long, recipe.base), {})).rejects.toMatchObject({
      code: "ATT_ROW_INVALID",
      data: { index: 6 },
    });
    await expect(training.requireTrainable(rows.slice(3), recipe)).resolves.toBeUndefined();
    await expect(training.requireTrainable(rows.slice(21), recipe)).rejects.toThrow(code("ATT_TOO_FEW_ROWS"));
    const files = { ...recipe.base.files, "config.json": { sizeBytes: 5, sha256: "0".repeat(64) } };
    const based = textRecipeFor(rows, { ...recipe.base, files });
    await expect(training.train(rows, based, {})).rejects.toThrow(code("MOD_BASE_MISSING"));
  });
});
