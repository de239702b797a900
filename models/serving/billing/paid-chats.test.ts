/** Chats with a registered language model behind the answer server: one text for question, receipt, check and payment. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { paymentChain } from "@openledger/circuits/settlement/divide-epoch";
import { askChat } from "@openledger/client/actions/answers/ask-chat";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import { answerSchema } from "@openledger/client/actions/answers/model-answers";
import { signQuestion } from "@openledger/client/actions/answers/sign-question";
import { payForAnswer, payForChat } from "@openledger/client/tasks/pay-for-answer";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { unexpectedLines } from "@openledger/foundation/testing/unexpected-lines";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderSource } from "../../engine/files/folder-source.ts";
import { openTokenizer } from "../../engine/tokens/tokenizer.ts";
import { byteTemplate } from "../../testing/chat-fixtures.ts";
import { makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { worldConfig } from "../../testing/serving-world.ts";
import { testKernels } from "../../testing/test-kernels.ts";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "../../testing/text-rows.ts";
import { describeBase, readFrom } from "../../tuning/recipe/base-files.ts";
import { type TextParts, textFamily } from "../../tuning/recipe/text-family.ts";
import { textTraining } from "../../tuning/recipe/text-training.ts";
import { parseCited } from "../../tuning/retrieval/citations.ts";
import { listPublished } from "../answers/answer-models.ts";
import { type ServedModels, serveModels } from "../serve-models.ts";

const MODEL_ID = 9;
const PAYER = 4;
const PRICE_WEI = 2_000_000_000_000_000_000n;
const ANSWER_TOKENS = 12;

const unexpected = unexpectedLines();
let folder: string;
let model: PublishedModel<TextParts>;
let fixture: LedgerFixture;
let home: TestDatabase;
let served: ServedModels;
let openai: OpenAI;
const setting = () => ({
  bases: [readFrom(folderSource(join(folder, "base")))],
  kernels: testKernels,
  threadCount: 1,
});
const training = () => textTraining(textFamily(setting()), setting());
const families = () => [textFamily(setting()) as never];

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-chats-"));
  const base = join(folder, "base");
  await writeMadeModel(base, makeModel(byteConfig, "text"));
  await writeFile(join(base, "chat_template.jinja"), byteTemplate);
  const source = folderSource(base);
  const template = (await openTokenizer(source, 256)).chat()!;
  const rows = ownedTexts(sampleTexts(24));
  const recipe = textRecipeFor(rows, await describeBase(source, "made"), {
    chat: { template: template.sha256, question: template.questionMarks! },
    answers: { promptTokens: 80, answerTokens: ANSWER_TOKENS, temperature: 0.7, endToken: null, noRepeat: 3 },
    method: { kind: "ek-fac", power: 0.5, damping: 0, featureCount: 16 },
    retrieval: {
      bucketBits: 8,
      quantile: 0.5,
      thresholdColumns: 2,
      rows: 1,
      excerptTokens: 24,
      citationPermille: 1_000,
    },
  });
  const trained = await training().train(rows, recipe, {});
  const size = { rows: 64, features: 36, payees: 16, draws: 4 };
  const split = { ownerParts: 16_384n, validatorParts: 13_107n };
  model = publishedModel(trained, registerModel(trained, { split }, size), { publishRows: true });
  await writeModel(join(folder, "published", String(MODEL_ID)), model);

  fixture = await createLedgerFixture({ hasFeed: false });
  setLedger([]);
  home = await createTestDatabase();
  const config = worldConfig(folder, { SERVING_ADAPTERS_PATH: undefined, SERVING_DATABASE_URL: home.url });
  served = await serveModels(config, {
    logger: createLogger("test", "error", unexpected),
    published: {
      locations: await listPublished(join(folder, "published")),
      sequencerUrl: fixture.sequencer.url,
      domain: fixture.client.domain,
      rollup: { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" },
    },
  });
  openai = new OpenAI({ baseURL: `${served.url}/v1`, apiKey: "any", maxRetries: 0 });
}, 240_000);
afterAll(async () => {
  await served.close();
  await fixture.close();
  await home.drop();
  await rm(folder, { recursive: true });
});

/** Sets the sequencer's facts of the model and of payments for it. */
function setLedger(receipts: readonly bigint[]): void {
  const { split, ...statics } = model.statics;
  const { ownerParts, validatorParts } = unpackSplit(split);
  const { answers } = fixture.sequencer;
  const hexes = Object.fromEntries(Object.entries(statics).map(([name, value]) => [name, hex32(value)]));
  const { datanet } = model.recipe;
  const counters = {
    isReady: true,
    isApproved: true,
    approvals: 0,
    cap: 8,
    paymentCount: 0,
    epoch: 1,
    priceWei: `${PRICE_WEI}`,
  };
  const shares = { ownerParts: Number(ownerParts), validatorParts: Number(validatorParts) };
  const leaf = {
    ...{
      id: MODEL_ID,
      kind: "model",
      nonce: 0,
      nextNonce: 0,
      balanceWei: "0",
      chain: hex32(0n),
      openAmountWei: "0",
    },
    l1Owner: "0x000000000000000000000000000000000000000b",
    keyX: hex32(0n),
    counters,
    model: {
      ...hexes,
      ...shares,
      datanetId: datanet.id,
      version: datanet.version,
      furtherDatanets: [],
      epochStart: 1,
      drawCount: 4,
      featureCount: 36,
    },
    closedEpoch: null,
    payees: [],
  };
  for (const route of [`GET /v1/leaves/${MODEL_ID}`, `GET /v1/models/${MODEL_ID}`]) answers.set(route, leaf);
  const payments = receipts.map((receipt) => ({ receipt, payerId: PAYER, cumulativeWei: PRICE_WEI }));
  for (let from = 0; from <= receipts.length; from++) {
    const page = {
      epoch: 1,
      isClosed: false,
      closingBatch: null,
      chain: hex32(paymentChain(payments)),
      amountWei: `${PRICE_WEI}`,
      paymentCount: receipts.length,
      payments: receipts.slice(from).map((receipt) => ({
        hash: hex32(0n),
        batchNumber: 1,
        receipt: hex32(receipt),
        payerId: PAYER,
        amountWei: `${PRICE_WEI}`,
        cumulativeWei: `${PRICE_WEI}`,
      })),
    };
    answers.set(`GET /v1/models/${MODEL_ID}/payments?epoch=1&from=${from}`, page);
    if (from === 0) answers.set(`GET /v1/models/${MODEL_ID}/payments?from=0&limit=500&epoch=1`, page);
  }
}

const messages = [
  { role: "system" as const, content: "Say." },
  { role: "user" as const, content: "The navy?" },
  { role: "assistant" as const, content: "It is." },
  { role: "user" as const, content: "The union?" },
];
const TEXT = "[s]Say.[u]The navy?[a]It is.[u]The union?[a]";

/** Request of OpenAI's form, signed for the canonical text. */
async function request(more: object = {}, prompt = TEXT) {
  const claim = await signQuestion(fixture.client, { modelId: MODEL_ID, prompt, from: PAYER });
  return { model: `model-${MODEL_ID}`, messages, openledger: claim, ...more } as never;
}

describe("a paid chat", () => {
  it("is verified from the rows, which are read by the same template", async () => {
    const { datanet } = model.recipe;
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(datanet.rowsRoot) };
    const verify = (recipe = model.recipe) =>
      verifyModel({ model: { ...model, recipe }, facts, depth: "train", trainings: [training() as never] });
    expect(await verify()).toMatchObject({ rowCount: 24 });
    // Without the template the same rows make another model.
    const { chat: _, ...plain } = model.recipe;
    await expect(verify(plain)).rejects.toMatchObject({ code: "ATT_MODEL_MISMATCH" });
    const other = { ...model.recipe, chat: { ...model.recipe.chat!, template: "0".repeat(64) } };
    await expect(verify(other)).rejects.toMatchObject({ code: "ATT_RECIPE_INVALID" });
  }, 240_000);

  it("is one text for an OpenAI client, the client library, the check and the payment", async () => {
    // The customer's copy comes from the server: with the template, whose hash the recipe has.
    const serverUrl = `${served.url}/ledger/${MODEL_ID}`;
    const own = await openCheckable(await fetchAnswering(serverUrl, families()));
    expect(own.chat!.promptOf({ messages })).toBe(TEXT);

    const stream = (await openai.chat.completions.create(
      await request({ stream: true }),
    )) as never as AsyncIterable<OpenAI.ChatCompletionChunk & { openledger?: unknown }>;
    let text = "";
    let last: unknown;
    for await (const part of stream) {
      text += part.choices[0]?.delta.content ?? "";
      last = part.openledger ?? last;
    }
    const answer = answerSchema.parse(last);
    expect(JSON.parse(answer.answer)).toMatchObject({ text });
    expect(answer.answerHash).toBe(answerHash(TEXT, answer.answer));
    const whole = (await openai.chat.completions.create(await request())) as OpenAI.ChatCompletion;
    expect(whole.choices[0]).toMatchObject({
      message: { role: "assistant", content: text },
      finish_reason: "length",
    });
    expect(answerSchema.parse((whole as { openledger?: unknown }).openledger).receipt).toBe(answer.receipt);

    // Rows are found for the last question, and stand before it in the user's turn.
    expect(parseCited(answer.answer)).toMatchObject({ paidBy: "citation", citations: [{}] });
    const plain = await fetch(`${serverUrl}/v1/rows/${parseCited(answer.answer)!.citations[0]!.row}`);
    expect(await plain.text()).toContain("union");

    const facts = { payerId: PAYER, staticsHash: model.staticsHash, isAnsweredAgain: true };
    checkAnswer(own, answer, { ...facts, prompt: TEXT });
    expect(() => checkAnswer(own, answer, { ...facts, prompt: "The union?" })).toThrow();

    // By the client library, in the batch and by the model's own routes.
    const order = { modelId: MODEL_ID, model: own, messages, from: PAYER };
    for (const question of [
      await askChat(fixture.client, { ...order, serverUrl }),
      await askChat(fixture.client, { ...order, serverUrl: served.url, isBatch: true }),
    ]) {
      expect(question.prompt).toBe(TEXT);
      expect(question.answer.receipt).toBe(answer.receipt);
    }
    const acknowledge = async ({ hash }: { hash: `0x${string}` }) => {
      const preconfirmation = await fixture.signPreconfirmation({
        operationHash: hash,
        opIndex: 3,
        deadlineSeconds: 99,
      });
      fixture.sequencer.answers.set("POST /v1/operations", { hash, status: "acknowledged", preconfirmation });
    };
    await expect(
      payForAnswer(fixture.client, { ...order, prompt: "The union?", answer }),
    ).rejects.toMatchObject({
      code: "CLI_ANSWER_WRONG",
    });
    const soFar: string[] = [];
    const paid = await payForChat(fixture.client, {
      ...order,
      serverUrl: served.url,
      isBatch: true,
      isAnsweredAgain: true,
      onText: (more) => soFar.push(more),
      onSigned: acknowledge,
    });
    expect(paid.answer.receipt).toBe(answer.receipt);
    expect(paid.message).toEqual({
      content: text,
      toolCalls: [],
      finishReason: "length",
      answerTokens: ANSWER_TOKENS,
    });
    expect([paid.promptTokens, soFar.at(-1), paid.assurance.answer]).toEqual([
      TEXT.length,
      text,
      "recomputed",
    ]);
    const sent = fixture.sequencer.heard.find(({ route }) => route === "POST /v1/operations");
    expect(sent!.body).toMatchObject({ a: PAYER, b: MODEL_ID, words: [hex32(answer.receipt)] });
    setLedger([answer.receipt]);
  }, 240_000);

  it("is described beside the model: what its recipe decides, and how a chat becomes a text", async () => {
    const { data } = (await (await fetch(`${served.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.find(({ id }) => id === `model-${MODEL_ID}`)).toMatchObject({
      openledger: {
        charging: "ledger",
        modelId: MODEL_ID,
        promptTokens: 56,
        answerTokens: ANSWER_TOKENS,
        temperature: 0.7,
        chat: "template",
      },
    });
  });

  it("is refused by the field where the recipe decides, and where the template has no place", async () => {
    for (const [more, param] of [
      [{ max_tokens: ANSWER_TOKENS - 1 }, "max_tokens"],
      [{ max_completion_tokens: 1 }, "max_completion_tokens"],
      [{ temperature: 1 }, "temperature"],
      [{ top_p: 0.5 }, "top_p"],
      [{ seed: 1 }, "seed"],
      [{ stop: "x" }, "stop"],
      [{ n: 2 }, "n"],
      [{ logprobs: true }, "logprobs"],
      [{ response_format: { type: "json_object" } }, "response_format"],
      [{ tools: [{ type: "function", function: { name: "x" } }] }, "tools"],
      [{ messages: messages.slice(0, 3) }, "messages.2.role"],
      [{ messages: [{ role: "user", content: "x".repeat(80) }] }, "messages"],
    ] as const)
      await expect(openai.chat.completions.create(await request(more)), param).rejects.toMatchObject({
        status: 400,
        param,
      });
    // What fits is taken, and a signature is of the canonical text alone.
    const fits = { max_tokens: ANSWER_TOKENS, temperature: 0.7, top_p: 1, stop: null, n: 1, user: "me" };
    const taken = (await openai.chat.completions.create(await request(fits))) as OpenAI.ChatCompletion;
    expect(taken.choices[0]!.message.content).not.toBe("");
    await expect(openai.chat.completions.create(await request({}, "The union?"))).rejects.toMatchObject({
      status: 402,
    });
  }, 120_000);
});
