import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toFixed40 } from "@openledger/attribution/maths/fixed-point";
import type { FamilyTraining, Trained } from "@openledger/attribution/model/model-family";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { testFolder } from "@openledger/foundation/testing/test-fixtures";
import { folderSource } from "@openledger/models/files/folder-source";
import { describeBase } from "@openledger/models/registered/base-files";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import type { TextRecipe } from "@openledger/models/registered/text-recipe";
import { mostClaimedBytes, tokensOfPrompt } from "@openledger/models/registered/text-tokens";
import { type TrainingSetting, textTraining } from "@openledger/models/registered/text-training";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { byteConfig, ownedTexts, sampleTexts } from "@openledger/models/testing/text-rows";
import { readSpelling } from "@openledger/models/tokens/token-spelling";
import { openTokenizer } from "@openledger/models/tokens/tokenizer";
import { byteCharacters } from "@openledger/models/tokens/train-tokenizer";
import { type Hex, zeroAddress } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { requirePostable } from "../rows/postable-rows.ts";
import { isTracedBy, textRules, withPromise, withTracing } from "../rows/traced-recipe.ts";
import { registeredTexts, settingOver, tunedTexts, writeByteBase } from "../testing/tuned-texts.ts";
import { mostShownNumbers } from "./claimable.ts";
import { claimOf, namesModel, textOf, traceQuery, tracingKernels } from "./traced-model.ts";
import { openTracedText } from "./traced-text.ts";

const rows = ownedTexts(sampleTexts(8));
const contents = rows.map(({ content }) => content);
const CLAIMANT = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
/** Of no numbers. */
const TRACING = { claimant: CLAIMANT.toLowerCase(), digest: `0x${"22".repeat(32)}` };
const folder = testFolder("traced");
let setting: TrainingSetting;
let training: FamilyTraining<TextParts>;
let parts: Trained<TextParts>;
beforeAll(async () => {
  const made = await tunedTexts(folder, rows);
  ({ parts, setting } = made);
  training = withPromise(made.training, setting);
});

const open = (made: typeof parts) => openTracedText({ rollup: zeroAddress, modelId: 9n }, made, setting);

test("the trace of a registered model's answer ends in the query that its receipt would have", async () => {
  const { family, recipe } = parts;
  const opened = await family.open(parts);
  const { query, text: answer } = opened.answer("The union?");
  const traced = await open(parts);
  const text = traced.textOf("The union?", answer);
  const own = traceQuery(traced.model, text, tracingKernels("wasm", traced.model));
  expect([...own.query]).toEqual([...(query as Int16Array).slice(0, recipe.method.featureCount)]);
  // Whoever reads the claim has the same text, and knows the model by its roots.
  const { statement } = claimOf(traced.model, own);
  expect(textOf(statement)).toEqual(text);
  expect(namesModel(traced.model, statement)).toBe(true);
  expect(namesModel(traced.model, { ...statement, inputs: statement.inputs.toReversed() })).toBe(false);
});

test("a byte order mark is a part of a prompt, and bytes that are no text are nobody's prompt", async () => {
  const traced = await open(parts);
  const isPrompt = (prompt: Hex, tokens: readonly number[]) =>
    traced.isPromptOf(prompt, { tokens: [...tokens, 65], promptCount: tokens.length });
  expect(isPrompt("0xefbbbf48", [0xef, 0xbb, 0xbf, 0x48])).toBe(true);
  expect(isPrompt("0xefbbbf48", [0x48])).toBe(false);
  expect(isPrompt("0xff48", [0xff, 0x48])).toBe(false);
});

test("a prompt that no claim could show is refused where the recipe promises claims", async () => {
  const tokens = await openTokenizer(folderSource(folder), byteConfig.vocab_size);
  const answers = { ...parts.recipe.answers, promptTokens: 8_192, answerTokens: 500 };
  const untraced = { ...parts.recipe, answers };
  const traced = { ...untraced, tracing: TRACING };
  const most = "a".repeat(
    Array.from({ length: 8_192 }, (_, k) => k).findLast((k) => k <= mostClaimedBytes(k, traced))!,
  );
  expect(tokensOfPrompt(tokens, most, traced)).toHaveLength(most.length);
  expect(() => tokensOfPrompt(tokens, `${most}a`, traced)).toThrow(
    expect.objectContaining({ code: "ATT_ROW_INVALID" }),
  );
  expect(tokensOfPrompt(tokens, `${most}a`, untraced)).toHaveLength(most.length + 1);
});

test("a prompt that its tokens do not spell is refused where the recipe promises claims", async () => {
  const source = folderSource(folder);
  const tokens = await openTokenizer(source, byteConfig.vocab_size);
  const known = (await readSpelling(source, byteConfig.vocab_size))!;
  const [bytes, lost] = [new Uint8Array(), "b".charCodeAt(0)];
  const spelled = known.tokens.map((token, i) => (i === lost ? { ...token, bytes } : token));
  const spelling = { ...known, tokens: spelled };
  const { recipe } = parts;
  const traced = { ...recipe, tracing: TRACING };
  expect(tokensOfPrompt(tokens, "a", traced, spelling)).toHaveLength(1);
  expect(tokensOfPrompt(tokens, "ab", traced, known)).toHaveLength(2);
  expect(tokensOfPrompt(tokens, "ab", recipe, spelling)).toHaveLength(2);
  expect(() => tokensOfPrompt(tokens, "ab", traced, spelling)).toThrow(
    expect.objectContaining({ code: "ATT_ROW_INVALID" }),
  );
});

test("a recipe with no room for claims of its longest texts is not made", async () => {
  const made = (promptTokens: number, answerTokens: number) => {
    const answers = { ...parts.recipe.answers, promptTokens, answerTokens };
    return withTracing({ ...parts, recipe: { ...parts.recipe, answers } }, CLAIMANT, setting, null);
  };
  // One token, and answers that leave less than nothing; more tokens than a claim has; a prompt without a byte a token.
  for (const [promptTokens, answerTokens] of [
    [1, 860],
    [4_000, 97],
    [3_000, 541],
  ] as const)
    await expect(made(promptTokens, answerTokens)).rejects.toMatchObject({ code: "MOD_CLAIMS_TOO_LARGE" });
  const weighed = { ...parts.recipe, answers: { ...parts.recipe.answers, weigh: "added" } } as const;
  await expect(withTracing({ ...parts, recipe: weighed }, CLAIMANT, setting, null)).rejects.toMatchObject({
    code: "ATT_RECIPE_INVALID",
  });
  // Nor does whoever verifies take one that another program made.
  const forged = {
    ...parts.recipe,
    answers: { ...parts.recipe.answers, answerTokens: 860 },
    tracing: TRACING,
  };
  await expect(training.promise!({ ...parts, recipe: forged })).rejects.toMatchObject({
    code: "MOD_CLAIMS_TOO_LARGE",
  });
  const { answers } = parts.recipe;
  const room = (promptTokens: number, answerTokens: number) =>
    mostClaimedBytes(promptTokens, { ...parts.recipe, answers: { ...answers, answerTokens } });
  expect(room(1, 860)).toBeLessThan(0);
  expect(room(3_000, 541)).toBe(2_877);
  // This one fits, though its engine has no room for such texts.
  await expect(made(3_000, 540)).rejects.not.toMatchObject({ code: "MOD_CLAIMS_TOO_LARGE" });
});

/** The parts over a base of which nothing but its config.json is asked. */
async function overConfig(own: string, config: object, changed: Partial<TextRecipe> = {}) {
  await writeFile(join(own, "config.json"), JSON.stringify({ ...byteConfig, ...config }));
  const base = await describeBase(folderSource(own), "made");
  const place = settingOver(own);
  const recipe: TextRecipe = { ...parts.recipe, base, weights: "float32", ...changed };
  return { made: { ...parts, recipe }, place };
}

test("a width whose norms no transaction shows is not promised", async () => {
  const own = await mkdtemp(join(folder, "width-"));
  const of = (width: number, changed: Partial<TextRecipe> = {}) =>
    overConfig(own, { hidden_size: width, num_hidden_layers: 1 }, changed);
  const { answerTokens, promptTokens } = parts.recipe.answers;
  const most = mostShownNumbers(promptTokens + answerTokens);
  // 128 KiB, less 16 for all but tokens and numbers.
  expect(4 * (most + promptTokens + answerTokens)).toBe(112 * 1_024);
  // Two heads, of whole sixteens.
  const widest = 32 * Math.floor(most / 96);
  const tooWide = await of(widest + 32);
  const refused = { code: "MOD_CLAIMS_TOO_LARGE", data: { reason: "width", width: widest + 32 } };
  for (const given of [null, contents])
    await expect(withTracing(tooWide.made, CLAIMANT, tooWide.place, given)).rejects.toMatchObject(refused);
  const verify = async ({ made, place }: Awaited<ReturnType<typeof of>>) =>
    withPromise(textTraining(textFamily(place), place), place).promise!(made);
  await expect(verify(await of(widest + 32, { tracing: TRACING }))).rejects.toMatchObject(refused);
  // A narrower one is enough for queries; a row that is longer has more tokens in its statement.
  const fits = await of(widest);
  await expect(withTracing(fits.made, CLAIMANT, fits.place, null)).rejects.not.toMatchObject(refused);
  const long = {
    rowTokens: promptTokens + answerTokens + 96,
    tracing: { ...TRACING, rows: true as const },
  };
  await expect(verify(await of(widest, long))).rejects.toMatchObject({
    code: "MOD_ROWS_NOT_POSTABLE",
    data: { reason: "width" },
  });
});

test("a base of int8, by its size or by the recipe, is not promised, and nobody opens a model that promises it", async () => {
  const own = await mkdtemp(join(folder, "int8-"));
  const large = { vocab_size: 2 ** 21 };
  const refused = { code: "ATT_RECIPE_INVALID" };
  for (const weights of [undefined, "int8"] as const) {
    const { made, place } = await overConfig(own, large, { weights });
    await expect(withTracing(made, CLAIMANT, place, null)).rejects.toMatchObject(refused);
  }
  const { made, place } = await overConfig(own, large, { weights: undefined, tracing: TRACING });
  await expect(textFamily(place).weightsOf!(made.recipe)).rejects.toMatchObject(refused);
  const { tracing: _, ...plain } = made.recipe;
  expect(await textFamily(place).weightsOf!(plain)).toBe("int8");
});

test("a trace that nobody can hold is not promised, and a program that nobody can make", async () => {
  const own = await mkdtemp(join(folder, "large-"));
  const refusal = async (config: object, promptTokens: number) => {
    const { recipe } = parts;
    const answers = { ...recipe.answers, promptTokens };
    const { made, place } = await overConfig(own, config, { answers });
    return withTracing(made, CLAIMANT, place, null).then(
      () => null,
      ({ code, data }) => ({ code, reason: data.reason }),
    );
  };
  const refused = { code: "MOD_CLAIMS_TOO_LARGE", reason: "trace-size" };
  // Of Qwen 3's smallest the parameters alone, of them turned once more, are too many.
  const qwen = { vocab_size: 151_936, hidden_size: 1_024, intermediate_size: 3_072, num_hidden_layers: 28 };
  expect(await refusal(qwen, 40)).toEqual(refused);
  // A wide vocabulary alone is none; what no config says is missing only later.
  expect(await refusal({ vocab_size: 151_936 }, 40)).not.toMatchObject({ code: refused.code });
  // Few numbers, but each token's heads have norms of their own: operations rise with the square of the length.
  const heads = { model_type: "qwen3", head_dim: 16, num_attention_heads: 16, num_key_value_heads: 8 };
  const deep = { ...heads, num_hidden_layers: 28, max_position_embeddings: 512 };
  expect(await refusal(deep, 400)).toEqual(refused);
  expect(await refusal(deep, 40)).not.toMatchObject({ code: refused.code });
});

test("whoever verifies a model that promises claims computes its digest again", async () => {
  const verify = async (made: typeof parts) => {
    const model = registeredTexts(made);
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(made.recipe.datanet.rowsRoot) };
    return verifyModel({ model, facts, depth: "features", trainings: [training] });
  };
  const traced = await withTracing(parts, CLAIMANT, setting, null);
  expect(await verify(traced)).toMatchObject({ isTraced: true });
  expect(await verify(parts)).toMatchObject({ isTraced: false });
  // Another's account, other answers, another adapter's numbers: none of them is what the digest was made of.
  const { recipe } = traced;
  const { answers, tracing } = recipe;
  const others = [
    { tracing: { ...tracing!, claimant: `0x${"11".repeat(20)}` } },
    { tracing: { ...tracing!, digest: `0x${"22".repeat(32)}` } },
    { answers: { ...answers, answerTokens: answers.answerTokens + 1 } },
  ];
  for (const changed of others)
    await expect(verify({ ...traced, recipe: { ...recipe, ...changed } })).rejects.toMatchObject({
      code: "ATT_MODEL_MISMATCH",
      data: { what: "tracing" },
    });
});

test("rows are promised where they can be posted, and refused with a reason where not", async () => {
  const promised = await withTracing(parts, CLAIMANT, setting, contents);
  expect(promised.recipe.tracing).toMatchObject({ claimant: CLAIMANT.toLowerCase(), rows: true });
  const queries = await withTracing(parts, CLAIMANT, setting, null);
  expect(queries.recipe.tracing).not.toHaveProperty("rows");
  expect(promised.recipe.tracing!.digest).not.toBe(queries.recipe.tracing!.digest);
  // Who takes the promise back, or makes another one, has not the digest of the model's own numbers.
  const [traced, asked] = [await open(promised), await open(queries)];
  expect(isTracedBy(traced, promised.recipe)).toBe(true);
  expect(isTracedBy(traced, { ...promised.recipe, tracing: queries.recipe.tracing! })).toBe(false);
  const { nearDuplicatesShare, normQuantile } = promised.recipe.rules;
  expect({ nearDuplicatesShare, normQuantile }).toEqual({ nearDuplicatesShare: false, normQuantile: 0.9 });
  expect(textRules(promised.recipe)).toBe(1n | (toFixed40(0.9) << 8n));
  expect(textRules(queries.recipe)).toBe(0n);
  // Programs reach the longest row, which is longer than prompt and answer; without the promise they stay.
  const { answers, rowTokens } = parts.recipe;
  expect([traced, asked].map(({ model }) => model.programs.count)).toEqual([
    rowTokens,
    answers.promptTokens + answers.answerTokens,
  ]);

  const { recipe } = parts;
  const base = { flatPermille: 10 };
  const refused: [string, Partial<TextRecipe>, (readonly Uint8Array[])?][] = [
    ["base-rule", { rules: { ...recipe.rules, base } }],
    ["method", { method: { kind: "tangent", fisher: 9, featureCount: 32 } }],
    ["held-out", { heldOut: 1 }],
    ["columns", { columnCount: 385 }],
    ["features", { method: { ...recipe.method, featureCount: 30 } }],
    ["row-tokens", { rowTokens: 4_097 }],
    ["rows", {}, Array.from({ length: 2_049 }, () => contents[0]!)],
    ["row-bytes", {}, [...contents, new Uint8Array(16_385)]],
    ["row", { rowTokens: 10 }],
  ];
  for (const [reason, changed, given = contents] of refused)
    await expect(
      withTracing({ ...parts, recipe: { ...recipe, ...changed } }, CLAIMANT, setting, given),
    ).rejects.toMatchObject({ code: "MOD_ROWS_NOT_POSTABLE", data: { reason } });
  // Nor does whoever verifies take one that another program made.
  const forged = { ...promised.recipe, heldOut: 1 };
  await expect(training.promise!({ ...parts, recipe: forged })).rejects.toMatchObject({
    code: "MOD_ROWS_NOT_POSTABLE",
  });
});

test("rows of a tokenizer whose tokens spell no bytes are not promised", async () => {
  const own = await mkdtemp(join(folder, "unspelled-"));
  // More tokens than bytes, and no tokenizer that says what they spell.
  await writeByteBase(own, { num_hidden_layers: 1, vocab_size: 300 });
  const recipe = { ...parts.recipe, base: await describeBase(folderSource(own), "made") };
  const place = settingOver(own);
  await expect(requirePostable(recipe, contents, place)).rejects.toMatchObject({
    code: "MOD_ROWS_NOT_POSTABLE",
    data: { reason: "vocabulary" },
  });
});

describe("rows whose tokens L1 could not tell from others", () => {
  const answered = async (rowsOf: readonly object[], changed: object = {}) => {
    const own = await mkdtemp(join(folder, "tokens-"));
    await writeMadeModel(own, makeModel({ ...byteConfig, num_hidden_layers: 1, vocab_size: 259 }));
    await writeFile(join(own, "tokenizer.json"), JSON.stringify({ ...TOKENIZER, ...changed }));
    const recipe = { ...parts.recipe, base: await describeBase(folderSource(own), "made") };
    const place = settingOver(own);
    const contents = rowsOf.map((row) => new TextEncoder().encode(JSON.stringify(row)));
    const reason = (error: unknown) => (error as { data: object }).data;
    return await requirePostable(recipe, contents, place).then(() => null, reason);
  };
  const bytes = Object.fromEntries(byteCharacters().map((character, byte) => [character, byte]));
  const TOKENIZER = {
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    decoder: { type: "ByteLevel" },
    normalizer: null,
    post_processor: null,
    added_tokens: [{ id: 258, content: "<|end|>" }],
    model: { type: "BPE", vocab: { ...bytes, th: 256, the: 257 }, merges: ["t h", "th e"] },
  };
  const rows = [{ text: "the state <|end|" }, { prompt: "the", answer: "then" }];

  test("a vocabulary whose rules are not known is refused", async () => {
    expect(await answered(rows)).toBeNull();
    // Bytes are compared in both, and nothing else.
    const unsure = [
      { model: { ...TOKENIZER.model, ignore_merges: true } },
      { added_tokens: [{ id: 258, content: "end" }] },
    ];
    for (const changed of unsure)
      expect(await answered(rows, changed)).toMatchObject({ reason: "vocabulary" });
  });

  test("a row with the text of a token that is taken whole is refused", async () => {
    for (const row of [{ text: "a<|end|>" }, { prompt: "a", answer: "<|end|>b" }])
      expect(await answered([...rows, row])).toMatchObject({ reason: "whole-token", row: 2 });
    // Of a prompt and an answer each is encoded alone.
    expect(await answered([{ prompt: "a<|end", answer: "|>b" }])).toBeNull();
  });
});

test("rows whose trace nobody can hold are not promised", async () => {
  const { recipe } = parts;
  // The map alone has a column of the adapter's numbers a feature.
  const large = { ...recipe, method: { ...recipe.method, featureCount: 2 ** 23 } };
  await expect(requirePostable(large, contents, setting)).rejects.toMatchObject({
    code: "MOD_ROWS_NOT_POSTABLE",
    data: { reason: "trace-size" },
  });
});
