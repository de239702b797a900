/** Tests of a registered language model behind the answer server: paid answers, checks and streams. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { wholeText } from "@openledger/attribution/rows/text-rows";
import {
  fetchPublishedRows,
  findPublishedSpans,
  type PublishedRows,
} from "@openledger/attribution/spans/published-spans";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { ModelStatics } from "@openledger/circuits/ledger/leaf";
import { askMessage } from "@openledger/circuits/ledger/model-query";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { paymentChain } from "@openledger/circuits/settlement/divide-epoch";
import { askAdapter, askModel } from "@openledger/client/actions/answers/ask-model";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import { listAdapters } from "@openledger/client/actions/answers/completion-stream";
import { answerSchema, sealedAnswerSchema } from "@openledger/client/actions/answers/model-answers";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { unexpectedLines } from "@openledger/foundation/testing/unexpected-lines";
import OpenAI from "openai";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { folderSource } from "../../engine/files/folder-source.ts";
import { makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { worldConfig } from "../../testing/serving-world.ts";
import { testKernels } from "../../testing/test-kernels.ts";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "../../testing/text-rows.ts";
import { describeBase, readFrom } from "../../tuning/recipe/base-files.ts";
import { type TextParts, textFamily } from "../../tuning/recipe/text-family.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { textTraining } from "../../tuning/recipe/text-training.ts";
import { parseCited } from "../../tuning/retrieval/citations.ts";
import { listPublished, type ModelLocation } from "../answers/answer-models.ts";
import { type ServedModels, serveModels } from "../serve-models.ts";

const MODEL_ID = 9;
/** Model of the same rows and base, with another rank and other targets, which cites rows. */
const OTHER_ID = 10;
const PAYER = 4;
const PRICE_WEI = "2000000000000000000";
const setting = () => ({ bases: [readFrom(folderSource(base))], kernels: testKernels, threadCount: 1 });

const unexpected = unexpectedLines();
let folder: string;
let base: string;
let model: PublishedModel<TextParts>;
let other: PublishedModel<TextParts>;
/** The first one, by an int8 base, in a folder of its own. */
let int8: PublishedModel<TextParts>;
beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-paid-"));
  base = join(folder, "base");
  await writeMadeModel(base, makeModel(byteConfig, "text"));
  const rows = ownedTexts(sampleTexts(24));
  const described = await describeBase(folderSource(base), "made");
  const answers = { promptTokens: 32, answerTokens: 12, temperature: 0.7, endToken: null, noRepeat: 3 };
  const size = { rows: 64, features: 36, payees: 16, draws: 4 };
  const split = { ownerParts: 16_384n, validatorParts: 13_107n };
  const publish = async (modelId: number, changed: Partial<TextRecipe>, to = "published") => {
    const recipe = textRecipeFor(rows, described, { answers, ...changed });
    const trained = await textTraining(textFamily(setting()), setting()).train(rows, recipe, {});
    const made = publishedModel(trained, registerModel(trained, { split }, size), { publishRows: true });
    await writeModel(join(folder, to, String(modelId)), made);
    return made;
  };
  model = await publish(MODEL_ID, {});
  other = await publish(OTHER_ID, {
    adapter: { rank: 4, alpha: 4, targets: ["o_proj"] },
    answers: { ...answers, promptTokens: 64 },
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
  int8 = await publish(MODEL_ID, { weights: "int8" }, "int8");
  return () => rm(folder, { recursive: true });
});

let fixture: LedgerFixture;
const ANSWER_TTL_MS = 60_000;
let dataCount = 0;
/** Serves registered models alone. @param places default: those of the folder */
async function serveFolder(
  name: string,
  settings: Readonly<Record<string, string>> = {},
  locations?: readonly ModelLocation[],
) {
  const database = await createTestDatabase();
  const config = worldConfig(folder, {
    SERVING_ADAPTERS_PATH: undefined,
    SERVING_DATA_PATH: join(folder, `data-${dataCount++}`),
    SERVING_DATABASE_URL: database.url,
    SERVING_ANSWER_TTL_SECONDS: String(ANSWER_TTL_MS / 1_000),
    ...settings,
  });
  const published = {
    locations: locations ?? (await listPublished(join(folder, name))),
    sequencerUrl: fixture.sequencer.url,
    domain: fixture.client.domain,
    rollup: { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" },
  };
  const logger = createLogger("test", "error", unexpected);
  // One model in memory at a time.
  const small = { ...config, attributionMegabytes: 2 ** -20 };
  try {
    const { close, ...served } = await serveModels(small, {
      logger,
      published,
      nowMs: () => Date.now() + aheadMs,
    });
    return { ...served, close: () => close().then(() => database.drop()) };
  } catch (error) {
    await database.drop();
    throw error;
  }
}
/** Time by which the servers' clocks are ahead. */
let aheadMs = 0;
let served: ServedModels;
let openai: OpenAI;
/** Models of the case, of one server for all cases: `model` and `other`. */
let modelId: number;
let otherId: number;
const CASES = 12;
const unused = Array.from({ length: CASES }, (_, i) => 20 + 2 * i);
beforeAll(async () => {
  fixture = await createLedgerFixture({ hasFeed: false });
  const locations = [MODEL_ID, ...unused].flatMap((id) => [
    { modelId: id, folder: join(folder, "published", String(MODEL_ID)), statics: model.statics },
    { modelId: id + 1, folder: join(folder, "published", String(OTHER_ID)), statics: other.statics },
  ]);
  for (const { modelId: id, statics } of locations) {
    fixture.sequencer.answers.set(`GET /v1/leaves/${id}`, modelLeaf(statics));
    setPayments([], id);
  }
  served = await serveFolder("published", { SERVING_RATE_LIMIT_PER_MINUTE: "1000" }, locations.slice(2));
  openai = new OpenAI({ baseURL: `${served.url}/v1`, apiKey: "any", maxRetries: 0 });
  return async () => {
    await served.close();
    await fixture.close();
  };
});
beforeEach(() => {
  aheadMs = 0;
  modelId = unused.shift()!;
  otherId = modelId + 1;
});

function modelLeaf({ split, ...statics }: ModelStatics) {
  const { ownerParts, validatorParts } = unpackSplit(split);
  const parts = { ownerParts: Number(ownerParts), validatorParts: Number(validatorParts) };
  return {
    kind: "model",
    l1Owner: "0x000000000000000000000000000000000000000b",
    counters: { isReady: true, isApproved: true, cap: 64, paymentCount: 0, priceWei: PRICE_WEI },
    model: {
      ...Object.fromEntries(Object.entries(statics).map(([name, value]) => [name, hex32(value)])),
      ...parts,
    },
  };
}

function setPayments(receipts: bigint[], id = modelId): void {
  const payments = receipts.map((receipt) => ({ receipt, payerId: PAYER, cumulativeWei: BigInt(PRICE_WEI) }));
  const chain = hex32(paymentChain(payments));
  for (let from = 0; from <= receipts.length; from++)
    fixture.sequencer.answers.set(`GET /v1/models/${id}/payments?epoch=1&from=${from}`, {
      epoch: 1,
      isClosed: false,
      chain,
      paymentCount: receipts.length,
      payments: receipts.slice(from).map((receipt) => ({
        hash: hex32(0n),
        receipt: hex32(receipt),
        payerId: PAYER,
        amountWei: PRICE_WEI,
        cumulativeWei: PRICE_WEI,
      })),
    });
}

/** Claim that a request carries beside OpenAI's fields: who pays, and their signature of this question. */
function claimOf(prompt: string, modelId: number) {
  const { client, key } = fixture;
  const message = askMessage({ domain: client.domain, modelId, payerId: PAYER, prompt });
  const { r8x, r8y, s } = key.sign(message);
  return { payerId: PAYER, signature: { r8x: hex32(r8x), r8y: hex32(r8y), s: hex32(s) } };
}

const question = (prompt: string, id = modelId) => {
  return { model: `model-${id}`, prompt, openledger: claimOf(prompt, id) };
};

async function streamed(prompt: string, id = modelId) {
  const stream = await openai.completions.create({ ...question(prompt, id), stream: true });
  let text = "";
  let last: object = {};
  for await (const part of stream) {
    text += part.choices[0]?.text ?? "";
    last = part;
  }
  return { text, answer: answerSchema.parse((last as { openledger: unknown }).openledger) };
}

describe("a registered language model behind the answer server", () => {
  it("has no embeddings, which no receipt binds, and says where they are", async () => {
    const embed = openai.embeddings.create({ model: `model-${modelId}`, input: "The union?" });
    await expect(embed).rejects.toMatchObject({
      status: 400,
      param: "model",
      message: expect.stringContaining("ask a server whose base is free"),
    });
  });

  it("answers with a receipt that a customer checks, once more word for word, and takes payment", async () => {
    const prompt = "The union?";
    const { answer, text } = await streamed(prompt);
    expect(JSON.parse(answer.answer)).toMatchObject({ text });
    expect(answer.priceWei).toBe(BigInt(PRICE_WEI));
    expect(answer.estimate.topRows.length).toBeGreaterThan(0);
    const expected = { prompt, payerId: PAYER, staticsHash: model.staticsHash, isAnsweredAgain: true };
    checkAnswer(await openCheckable(model), answer, expected);
    const cited = (await streamed(prompt, otherId)).answer;
    checkAnswer(await openCheckable(other), cited, { ...expected, staticsHash: other.staticsHash });
    expect(parseCited(cited.answer)).toMatchObject({ paidBy: "citation", citations: [{}] });
    expect(cited.estimate.topRows[0]).toMatchObject({
      row: parseCited(cited.answer)!.citations[0]!.row,
      share: 1,
    });

    // The client library streams the same, and the words of it that stand in the published rows are found.
    const soFar: string[] = [];
    const order = { serverUrl: served.url, modelId, prompt, from: PAYER };
    const again = await askAdapter(fixture.client, { ...order, onText: (more) => soFar.push(more) });
    expect(again.receipt).toBe(answer.receipt);
    expect(soFar.at(-1)).toBe(text);
    const words = wholeText(sampleTexts(24)[21]!);
    const at = `${served.url}/ledger/${modelId}`;
    const rows = await fetchPublishedRows(at, [model.family], [model.recipe.datanet.rowsRoot]);
    const { spans } = await findPublishedSpans(words, rows as PublishedRows);
    expect(spans[0]).toMatchObject({ rowCount: 1, sources: [{ row: 21 }] });

    // The same question has the same answer, also from the routes of an answer server.
    expect((await streamed(prompt)).answer.receipt).toBe(answer.receipt);
    const ledger = { serverUrl: `${served.url}/ledger/${modelId}`, modelId, from: PAYER };
    expect((await askModel(fixture.client, { ...ledger, prompt })).receipt).toBe(answer.receipt);

    const unpaid = { status: 402, type: "insufficient_quota", code: "insufficient_quota" };
    await expect(streamed("A nation?")).rejects.toMatchObject(unpaid);
    await expect(askAdapter(fixture.client, { ...order, prompt: "A nation?" })).rejects.toMatchObject({
      code: "MOD_SERVE_UNPAID",
      data: { httpStatus: 402 },
    });
    setPayments([answer.receipt]);
    const openings = await (await fetch(`${ledger.serverUrl}/v1/openings?epoch=1`)).json();
    expect(openings).toMatchObject({ openings: [{ receipt: hex32(answer.receipt), payerId: PAYER }] });
    expect((await streamed("A nation?")).answer.receipt).not.toBe(answer.receipt);
  });

  it("answers by the int8 base that its recipe names, as customers generate it again, and by no other", async () => {
    fixture.sequencer.answers.set(`GET /v1/leaves/${MODEL_ID}`, modelLeaf(int8.statics));
    const byFloats = serveFolder("int8", { SERVING_WEIGHTS: "float32" });
    await expect(byFloats).rejects.toMatchObject({ code: "SRV_CONFIG_INVALID" });
    const server = await serveFolder("int8");
    try {
      expect(server.language?.weights).toBe("int8");
      const expected = { prompt: "The union?", payerId: PAYER, isAnsweredAgain: true };
      const order = { serverUrl: server.url, modelId: MODEL_ID, prompt: "The union?", from: PAYER };
      const answer = await askAdapter(fixture.client, order);
      const facts = { ...expected, staticsHash: int8.staticsHash };
      checkAnswer(await openCheckable(int8), answer, facts);
      const { weights: _, ...recipe } = int8.recipe;
      const floats = await openCheckable({ ...int8, recipe });
      expect(() => checkAnswer(floats, answer, facts)).toThrow();
    } finally {
      await server.close();
    }
    fixture.sequencer.answers.set(`GET /v1/leaves/${MODEL_ID}`, modelLeaf(model.statics));
    await writeModel(join(folder, "int8", String(OTHER_ID)), other);
    await expect(serveFolder("int8")).rejects.toMatchObject({ code: "MOD_BASE_MISSING" });
  });

  it("shows an answer of its own routes as it is made, once, and whole to programs that read no parts", async () => {
    const serverUrl = `${served.url}/ledger/${modelId}`;
    const ask = async (prompt: string) => {
      const heard: string[] = [];
      const order = { serverUrl, modelId, from: PAYER, prompt };
      return {
        answer: await askModel(fixture.client, { ...order, onText: (text) => heard.push(text) }),
        heard,
      };
    };
    const { answer, heard } = await ask("The union?");
    const { text } = JSON.parse(answer.answer) as { text: string };
    expect(heard.length).toBeGreaterThan(1);
    expect(heard.every((soFar, i) => text.startsWith(soFar) && soFar.startsWith(heard[i - 1] ?? ""))).toBe(
      true,
    );
    expect(await ask("The union?")).toEqual({ answer, heard: [] });
    await expect(ask("A nation?")).rejects.toMatchObject({ code: "ATT_ANSWER_UNPAID" });
    setPayments([answer.receipt]);
    const plain = await fetch(`${serverUrl}/v1/answers`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: "A nation?", ...claimOf("A nation?", modelId) }),
    });
    expect(answerSchema.parse(await plain.json()).receipt).not.toBe(answer.receipt);
  });

  it("seals the answers of an account that left one unpaid, and opens them once they are paid", async () => {
    const order = { serverUrl: served.url, modelId, from: PAYER };
    await askAdapter(fixture.client, { ...order, prompt: "The union?" });
    aheadMs = ANSWER_TTL_MS + 1;
    // Facts that the pages and the command line read before they offer to pay first.
    await expect(askAdapter(fixture.client, { ...order, prompt: "A nation?" })).rejects.toMatchObject({
      code: "MOD_SERVE_UNPAID",
      data: { reason: "left-unpaid", httpStatus: 402 },
    });
    const routes = `${served.url}/ledger/${modelId}/v1/answers`;
    // Nothing of it is shown before, whatever is asked for.
    const request = await fetch(routes, {
      method: "POST",
      headers: { accept: "text/event-stream", "content-type": "application/json" },
      body: JSON.stringify({
        prompt: "A nation?",
        ...claimOf("A nation?", modelId),
        isSealed: true,
      }),
    });
    const sealed = sealedAnswerSchema.parse(await request.json());
    await expect(askAdapter(fixture.client, { ...order, prompt: "A nation?" })).rejects.toMatchObject({
      code: "MOD_SERVE_UNPAID",
      data: { reason: "sealed", receipt: hex32(sealed.receipt) },
    });
    const opening = async () => (await fetch(`${routes}/${hex32(sealed.receipt)}`)).json();
    expect(await opening()).not.toHaveProperty("salt");
    setPayments([sealed.receipt]);
    await expect.poll(opening).toHaveProperty("salt");
    const opened = await askAdapter(fixture.client, { ...order, prompt: "The treasury?" });
    expect(opened.receipt).not.toBe(sealed.receipt);
  });

  it("says to any page which adapters are registered, and of what", async () => {
    const listed = await listAdapters(fixture.client, served.url);
    const { id: datanetId, version } = model.recipe.datanet;
    const about = new Map(listed.map(({ id, openledger }) => [id, openledger]));
    expect(about.get(`model-${modelId}`)).toEqual({
      charging: "ledger",
      modelId,
      datanetId,
      version,
    });
    expect(about.get("base")).toEqual({ charging: "ledger" });
    const raw = await (await fetch(`${served.url}/v1/models/model-${modelId}`)).json();
    expect(raw).toMatchObject({ openledger: { charging: "ledger", isPayable: true } });
    const elsewhere = { origin: "http://127.0.0.1:1" };
    const refused = await fetch(`${served.url}/v1/completions`, {
      method: "POST",
      headers: { ...elsewhere, "content-type": "application/json" },
      body: JSON.stringify({ ...question("Whose?"), openledger: null }),
    });
    expect(refused.status).toBe(402);
    const request = await fetch(`${served.url}/v1/completions`, {
      method: "POST",
      headers: { ...elsewhere, "content-type": "application/json" },
      body: JSON.stringify({ ...question("Whose?"), stream: true }),
    });
    for (const answer of [refused, request]) {
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      await answer.text();
    }
  }, 120_000);

  it("gives base and adapters free of charge where a folder of adapters is named, and no registered model", async () => {
    const free = join(folder, "free");
    await mkdir(free, { recursive: true });
    const server = await serveFolder("published", { SERVING_ADAPTERS_PATH: free });
    try {
      const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "any", maxRetries: 0 });
      const bare = { prompt: "The navy?", max_tokens: 2 };
      expect((await client.completions.create({ ...bare, model: "base" })).usage?.completion_tokens).toBe(2);
      const registered = client.completions.create({ prompt: bare.prompt, model: `model-${MODEL_ID}` });
      await expect(registered).rejects.toMatchObject({ status: 402 });
      const { answers } = fixture.sequencer;
      // The ledger has another model by that number: it is neither free nor for sale.
      answers.set(`GET /v1/leaves/${MODEL_ID}`, modelLeaf(int8.statics));
      const other = client.completions.create({ prompt: bare.prompt, model: `model-${MODEL_ID}` });
      await expect(other).rejects.toMatchObject({
        status: 409,
        type: "server_error",
        code: "model_not_payable",
      });
      answers.set(`GET /v1/leaves/${MODEL_ID}`, modelLeaf(model.statics));
      const embed = (model: string) => client.embeddings.create({ model, input: bare.prompt });
      await expect(embed(`model-${MODEL_ID}`)).rejects.toThrow('take "base", its base, which is free here');
      expect((await embed("base")).data).toHaveLength(1);
      const listed = await listAdapters(fixture.client, server.url);
      expect(listed.map(({ id, openledger }) => [id, openledger.charging])).toEqual([
        ["base", "free"],
        [`model-${OTHER_ID}`, "ledger"],
        [`model-${MODEL_ID}`, "ledger"],
      ]);
    } finally {
      await server.close();
    }
  });

  it("refuses answers of a model whose map is damaged, and gives those of the others", async () => {
    const path = join(folder, "published", String(OTHER_ID), "query-map.bin");
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(1));
    const unusable = { code: "adapter_unusable" };
    await expect(streamed("A nation?", otherId)).rejects.toMatchObject(unusable);
    expect((await streamed("A nation?")).answer.estimate.topRows.length).toBeGreaterThan(0);
    await writeFile(path, bytes);
    expect((await streamed("A nation?", otherId)).text).not.toBe("");
  });

  if (isWhole) {
    it("attributes for models of other ranks and targets by one base, in turns, one of them in memory", async () => {
      const answers = await Promise.all([streamed("The union?"), streamed("The union?", otherId)]);
      const questions = { prompt: "The union?", payerId: PAYER, isAnsweredAgain: true };
      for (const [i, published] of [model, other].entries())
        checkAnswer(await openCheckable(published), answers[i]!.answer, {
          ...questions,
          staticsHash: published.staticsHash,
        });
      expect(answers[0]!.answer.receipt).not.toBe(answers[1]!.answer.receipt);
      const row = await fetch(`${served.url}/ledger/${otherId}/v1/rows/3`);
      expect(Buffer.from(await row.arrayBuffer())).toEqual(Buffer.from(other.rows![3]!.content));
      expect((await fetch(`${served.url}/ledger/${otherId}/v1/rows/24`)).status).toBe(404);
      expect(await (await fetch(`${served.url}/ledger/77/v1/model`)).json()).toMatchObject({
        error: { code: "SRV_BAD_REQUEST" },
      });
    });

    it("does not begin with another base than the models'", async () => {
      const other = join(folder, "other-base");
      await writeMadeModel(other, makeModel(byteConfig, "another text"));
      await expect(serveFolder("published", { SERVING_BASE_PATH: other })).rejects.toMatchObject({
        code: "MOD_BASE_MISSING",
      });
    });

    it("gives nothing to whom nobody answers for, and nothing for nothing to who leaves early", async () => {
      const unpaid = { status: 402, type: "insufficient_quota" };
      const { openledger, ...bare } = question("The navy?");
      await expect(openai.completions.create(bare)).rejects.toMatchObject(unpaid);
      const stolen = { ...bare, prompt: "The treasury?", openledger };
      await expect(openai.completions.create(stolen as never)).rejects.toMatchObject(unpaid);
      await expect(openai.completions.create({ ...bare, model: "base" })).rejects.toMatchObject(unpaid);
      const chat = { model: bare.model, messages: [{ role: "user" as const, content: "x" }] };
      await expect(openai.chat.completions.create(chat)).rejects.toMatchObject(unpaid);
      for (const more of [{ n: 2 }, { logprobs: 1 }])
        await expect(openai.completions.create({ ...question("The navy?"), ...more })).rejects.toMatchObject({
          status: 400,
          code: "unsupported_parameter",
          param: Object.keys(more)[0],
        });
      const long = question("x".repeat(33));
      await expect(openai.completions.create(long)).rejects.toMatchObject({ status: 400, param: "prompt" });

      const leaving = new AbortController();
      const stream = await openai.completions.create(
        { ...question("The navy?"), stream: true },
        { signal: leaving.signal },
      );
      for await (const _ of stream) leaving.abort();
      await expect.poll(() => streamed("A nation?").catch((error: unknown) => error)).toMatchObject(unpaid);
    });
  }
});
