/** Tests of a direct (logistic) model behind the answer server: answers, receipts, payments, openings. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import { fetchModel, writeModel } from "@openledger/attribution/model/model-directory";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { directMatrix, registerModel } from "@openledger/attribution/model/registration";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { recipeFor, sampleRows } from "@openledger/attribution/testing/sample-rows";
import { verifySignature } from "@openledger/circuits/field/curve/eddsa";
import type { DirectQuery } from "@openledger/circuits/ledger/direct-query";
import { sealedBytes } from "@openledger/circuits/ledger/model-query";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { askModel, askSealed } from "@openledger/client/actions/answers/ask-model";
import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { signQuestion } from "@openledger/client/actions/answers/sign-question";
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { buyAnswer, payForAnswer } from "@openledger/client/tasks/pay-for-answer";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { Database } from "@openledger/foundation/database/database";
import { hex32 } from "@openledger/foundation/hex";
import { attackServer } from "@openledger/foundation/http/testing/attack-server";
import { createLogger } from "@openledger/foundation/logger";
import { encodeStoreRecord, STORE_FILE } from "@openledger/foundation/store/store-identity";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { unexpectedLines } from "@openledger/foundation/testing/unexpected-lines";
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import {
  type AnsweredModel,
  DIRECT_SIZE,
  modelLeaf,
  type Payment,
  PRICE_WEI,
  publishDirectModel,
  ROLLUP,
  setPayments as setPaymentsOf,
} from "../../testing/answered-world.ts";
import { worldConfig } from "../../testing/serving-world.ts";
import { modelUrl, type ServedModels, serveModels } from "../serve-models.ts";
import { ANSWERS_PART, AnswerStore } from "./answer-store.ts";

/** Models of the server that the cases share: the same files under an id for each case, so that no case meets another's answers. */
const unexpected = unexpectedLines();
const SHARED_IDS = Array.from({ length: 25 }, (_, i) => 10 + i);
const TTL_MS = 60_000;

let world: AnsweredModel;
let model: AnsweredModel["model"];
let publishedFolder: string;
let prompts: string[];
let checkable: AnsweredModel["checkable"];

beforeAll(async () => {
  world = await publishDirectModel();
  ({ checkable, model, prompts, publishedFolder } = world);
  return () => world.remove();
});

/** Database of all servers: each case has a model of its own. */
let home: TestDatabase;
let fixture: LedgerFixture;
let shared: ServedModels;
/** Model of the case. */
let modelId: number;
/** Address of the model's routes. */
let url: string;
let nowMs = 1_000_000;

beforeAll(async () => {
  fixture = await createLedgerFixture({ hasFeed: false });
  for (modelId of SHARED_IDS) {
    const leaf = modelLeaf(model, modelId);
    for (const route of ["leaves", "models"])
      fixture.sequencer.answers.set(`GET /v1/${route}/${modelId}`, leaf);
    setPayments([]);
  }
  const folder = await mkdtemp(join(tmpdir(), "answers-"));
  home = await createTestDatabase();
  shared = await start(folder, { modelIds: SHARED_IDS });
  return async () => {
    await shared.close();
    await home.drop();
    await fixture.close();
    await rm(folder, { recursive: true });
  };
});
const unused = [...SHARED_IDS];
beforeEach(() => {
  modelId = unused.shift()!;
  url = modelUrl(shared.url, modelId);
  fixture.sequencer.heard.length = 0;
});

/** A folder of the case's own, for a server that ends or starts within it. */
async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "answers-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** Starts a server for the case alone, which closes it. */
async function startOwn(folder: string, options: Omit<StartOptions, "modelIds"> = {}) {
  const served = await start(folder, { ...options, modelIds: [modelId] });
  onTestFinished(() => served.close());
  url = modelUrl(served.url, modelId);
  return served;
}

interface StartOptions {
  readonly modelIds: readonly number[];
  /** Errors that the server logs; default: nothing is an error. */
  readonly errors?: string[];
  readonly pollIntervalMs?: number;
  /** Folder of the published model; default: that of the cases. */
  readonly from?: string;
}

/** Reads no payments by itself. */
function start(
  folder: string,
  { errors, from = publishedFolder, modelIds, pollIntervalMs = 600_000 }: StartOptions,
) {
  const settings = {
    SERVING_BASE_PATH: undefined,
    SERVING_ADAPTERS_PATH: undefined,
    SERVING_DATABASE_URL: home.url,
    SERVING_ANSWER_TTL_SECONDS: String(TTL_MS / 1_000),
    SERVING_RATE_LIMIT_PER_MINUTE: "1000",
  };
  const logger = createLogger("test", "error", {
    write: (line) => {
      if (errors === undefined) unexpected.write(line);
      else errors.push((JSON.parse(line) as { msg: string }).msg);
    },
  });
  const { client, sequencer } = fixture;
  const published = {
    locations: modelIds.map((id) => ({ modelId: id, folder: from })),
    sequencerUrl: sequencer.url,
    domain: client.domain,
    rollup: ROLLUP,
    pollIntervalMs,
  };
  return serveModels(worldConfig(folder, settings), { logger, published, nowMs: () => nowMs });
}

/** The store of a server that was closed. */
async function openStore() {
  const logger = createLogger("test", "silent");
  const database = await Database.open({ url: home.url, part: ANSWERS_PART, rollup: ROLLUP, logger });
  return { store: new AnswerStore(database, modelId), close: () => database.close() };
}

/** Payments of the case's model. */
const setPayments = (payments: readonly Payment[], isClosed = false) =>
  setPaymentsOf(fixture, modelId, payments, isClosed);

const ask = (prompt: string) => askModel(fixture.client, { serverUrl: url, modelId, prompt, from: 4 });

async function acknowledge({ hash }: SignedSubmission): Promise<void> {
  const preconfirmation = await fixture.signPreconfirmation({
    operationHash: hash,
    opIndex: 3,
    deadlineSeconds: 99,
  });
  fixture.sequencer.answers.set("POST /v1/operations", { hash, status: "acknowledged", preconfirmation });
}

async function pay(answer: UncheckedAnswer, prompt: string, own = checkable) {
  return payForAnswer(fixture.client, {
    modelId,
    model: own,
    prompt,
    answer,
    from: 4,
    onSigned: acknowledge,
  });
}

const get = async (path: string) => {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe("a direct model behind the answer server", () => {
  it("answers, is checked with the published model, is paid, and opens the receipt", async () => {
    const answer = await ask(prompts[0]!);
    expect(answer.priceWei).toBe(PRICE_WEI);
    const published = await fetchModel(url);
    // Its figure is shown apart, signed.
    expect(published).toEqual({ ...model, figure: null });
    await pay(answer, prompts[0]!, await openCheckable(published));
    const sent = fixture.sequencer.heard.find(({ route }) => route === "POST /v1/operations");
    expect(sent!.body).toMatchObject({ a: 4, b: modelId, words: [hex32(answer.receipt)] });

    expect((await get("/v1/openings?epoch=1")).body).toMatchObject({ openings: [], nextFrom: null });
    expect((await get(`/v1/answers/${hex32(answer.receipt)}`)).body).toMatchObject({ isPaid: false });
    setPayments([
      { receipt: 77n, payerId: 5 },
      { receipt: answer.receipt, payerId: 4 },
    ]);
    const { openings } = (await get("/v1/openings?epoch=1")).body as { openings: Record<string, unknown>[] };
    expect(openings).toEqual([
      {
        index: 1,
        receipt: hex32(answer.receipt),
        payerId: 4,
        answerHash: hex32(answer.answerHash),
        queryBytes: Buffer.from(answer.queryBytes).toString("base64"),
        queryCommitment: hex32(answer.queryCommitment),
        salt: hex32(answer.salt),
      },
    ]);
    const status = (await get(`/v1/answers/${hex32(answer.receipt)}`)).body;
    expect(status).toMatchObject({
      isPaid: true,
      payment: { epoch: 1, index: 1, amountWei: PRICE_WEI.toString() },
    });
    expect(JSON.stringify(status)).not.toContain("confidence");
  });

  it("estimates whom the answer would pay, and says that it is an estimate", async () => {
    const { estimate } = await ask(prompts[0]!);
    expect(estimate.isEstimate).toBe(true);
    const query = checkable.answer(prompts[0]!).query as DirectQuery;
    const scores = directScores(directMatrix(model.features), query).map(Number);
    expect(estimate.topRows[0]!.score).toBe(Math.max(...scores));
    const total = scores.reduce((sum, score) => sum + Math.max(0, score), 0);
    expect(estimate.topRows[0]!.share).toBeCloseTo(Math.max(...scores) / total, 12);
    expect(estimate.contributors.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(estimate.backend).toBe("int32");
  });

  it("gives an account one unpaid answer a time, and the same again to the same question", async () => {
    const first = await ask(prompts[0]!);
    expect(await ask(prompts[0]!)).toEqual(first);
    await expect(ask(prompts[1]!)).rejects.toMatchObject({
      code: "ATT_ANSWER_UNPAID",
      data: { receipt: hex32(first.receipt), expiresAtMs: nowMs + TTL_MS },
    });
    const both = await Promise.allSettled([ask(prompts[1]!), ask(prompts[2]!)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    setPayments([{ receipt: first.receipt, payerId: 4 }]);
    const second = await ask(prompts[1]!);
    expect(second.receipt).not.toBe(first.receipt);
  });

  it("repeats no answer of another model that had its number before: a payment for that receipt would be void", async () => {
    const folder = await ownFolder();
    const served = await startOwn(folder);
    const first = await ask(prompts[0]!);
    await served.close();
    const rows = sampleRows("text", 24);
    const trained = await trainDirect(rows, recipeFor(rows, 64));
    const registration = registerModel(
      trained,
      { split: { ownerParts: 1n, validatorParts: 1n } },
      DIRECT_SIZE,
    );
    const successor = publishedModel(trained, registration, { publishRows: true });
    const from = join(folder, "successor");
    await writeModel(from, successor);
    const { answers } = fixture.sequencer;
    for (const route of ["leaves", "models"])
      answers.set(`GET /v1/${route}/${modelId}`, modelLeaf(successor, modelId));
    await startOwn(folder, { from });
    const second = await ask(prompts[0]!);
    expect(second.answer).toBe(first.answer);
    expect(second.receipt).not.toBe(first.receipt);
    expect(await ask(prompts[0]!)).toEqual(second);
  });

  it("lets two questions at once through one after the other", async () => {
    const both = await Promise.allSettled([ask(prompts[0]!), ask(prompts[1]!)]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("lets an unpaid answer expire, and still opens it when its payment comes late", async () => {
    const first = await ask(prompts[0]!);
    nowMs += TTL_MS + 1;
    await expect(ask(prompts[1]!)).rejects.toMatchObject({
      code: "ATT_ANSWER_UNPAID",
      data: { reason: "left-unpaid", receipt: hex32(first.receipt) },
    });
    setPayments([{ receipt: first.receipt, payerId: 4 }]);
    expect((await get("/v1/openings?epoch=1")).body.openings).toHaveLength(1);
    const second = await ask(prompts[1]!);
    expect(second.receipt).not.toBe(first.receipt);
  });

  it("gives the same question the same answer once it has expired, so that its asker can still pay for it", async () => {
    const first = await ask(prompts[0]!);
    nowMs += TTL_MS + 1;
    expect((await ask(prompts[0]!)).receipt).toBe(first.receipt);
    setPayments([{ receipt: first.receipt, payerId: 4 }]);
    expect((await ask(prompts[1]!)).receipt).not.toBe(first.receipt);
  });

  it("seals the next answer for an account that gives its open one up, once until that expires", async () => {
    const question = (prompt: string) => ({ serverUrl: url, modelId, prompt, from: 4 });
    const sealed = async (prompt: string) => (await askSealed(fixture.client, question(prompt))).given;
    const pay = ({ receipt }: { receipt: bigint }) => setPayments([{ receipt, payerId: 4 }]);
    const first = await ask(prompts[0]!);
    // The same question has the answer that its asker has.
    expect((await sealed(prompts[0]!)).receipt).toBe(first.receipt);
    const instead = await sealed(prompts[1]!);
    expect(instead).toHaveProperty("sealed");
    // Nothing else comes before that one is paid, whatever is asked.
    for (const other of [() => ask(prompts[2]!), () => sealed(prompts[2]!), () => ask(prompts[0]!)])
      await expect(other()).rejects.toMatchObject({ code: "ATT_ANSWER_UNPAID" });
    pay(instead);
    const third = await ask(prompts[2]!);
    expect(third).not.toHaveProperty("sealed");
    // A second one in the time of the first would be read for nothing, too.
    await expect(sealed(`${prompts[0]} again`)).rejects.toMatchObject({
      code: "ATT_ANSWER_UNPAID",
      data: { receipt: hex32(third.receipt) },
    });
    nowMs += TTL_MS + 1;
    expect(await sealed(`${prompts[0]} again`)).toHaveProperty("sealed");
  });

  it("seals the answers of an account that left one unpaid, and opens them once they are paid", async () => {
    const first = await ask(prompts[0]!);
    nowMs += TTL_MS + 1;
    const { answer: bought } = await buyAnswer(fixture.client, {
      serverUrl: url,
      modelId,
      prompt: prompts[1]!,
      from: 4,
      timeoutMs: 10_000,
      model: checkable,
      onSigned: async (signed) => {
        await acknowledge(signed);
        // The ledger has the payment as soon as it is sent.
        setPayments([{ receipt: BigInt(signed.body.words[0]!), payerId: 4 }]);
      },
    });
    expect(bought.label).toBe(checkable.answer(prompts[1]!).label);
    expect(bought.receipt).not.toBe(first.receipt);
    // Now the next one comes first again.
    expect((await ask(prompts[2]!)).answer).toBe(checkable.answer(prompts[2]!).text);
  });

  it("asks who pays first with the row's question, and signs nothing where they leave it", async () => {
    await ask(prompts[0]!);
    nowMs += TTL_MS + 1;
    const before = fixture.sequencer.heard.length;
    const offers: (string | null)[] = [];
    const declined = new Error("not mine");
    const order = { serverUrl: url, modelId, prompt: prompts[1]!, from: 4 };
    for (const model of [{ ...checkable, rowQuestionOf: (prompt: string) => `about ${prompt}?` }, checkable])
      await expect(
        buyAnswer(fixture.client, {
          ...order,
          model,
          onOffer: (question) => {
            offers.push(question);
            throw declined;
          },
        }),
      ).rejects.toBe(declined);
    expect(offers).toEqual([`about ${prompts[1]!}?`, null]);
    const sent = fixture.sequencer.heard.slice(before).map(({ route }) => route);
    expect(sent).not.toContain("POST /v1/operations");
  });

  it("tells nobody what is sealed until it is paid", async () => {
    await ask(prompts[0]!);
    nowMs += TTL_MS + 1;
    const signed = await signQuestion(fixture.client, { modelId, prompt: prompts[1]!, from: 4 });
    const response = await fetch(`${url}/v1/answers`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: prompts[1]!, ...signed, isSealed: true }),
    });
    const sealed = (await response.json()) as Record<string, string>;
    expect(Object.keys(sealed).sort()).toEqual(["expiresAtMs", "payerId", "priceWei", "receipt", "sealed"]);
    const status = (await get(`/v1/answers/${sealed.receipt}`)).body;
    expect(status).toMatchObject({ isPaid: false, answerHash: null, queryCommitment: null });
    expect(status).not.toHaveProperty("salt");
    setPayments([{ receipt: BigInt(sealed.receipt!), payerId: 4 }]);
    const { salt } = (await get(`/v1/answers/${sealed.receipt}`)).body as { salt: string };
    const open = (text: string) =>
      JSON.parse(new TextDecoder().decode(sealedBytes(BigInt(salt), Buffer.from(text, "base64"))));
    expect(open(sealed.sealed!)).toMatchObject({ answer: checkable.answer(prompts[1]!).text });
  });

  const hasPaid = () => fixture.sequencer.heard.some(({ route }) => route === "POST /v1/operations");

  it("is not paid by customers who accept no less than what there is, whatever it claims", async () => {
    const said = await ask(prompts[0]!);
    expect(said.assurance).toEqual({ answer: "proven", query: "recomputed", rows: "believed" });
    const boast = { answer: "proven", query: "proven", rows: "proven" } as const;
    const order = { modelId, model: checkable, prompt: prompts[0]!, from: 4 };
    for (const [part, level] of [
      ["rows", "recomputed"],
      ["query", "proven"],
    ] as const) {
      const answer = { ...said, assurance: boast };
      const minAssurance = { [part]: level };
      const below = { code: "CLI_BELOW_LEAST", data: { part, minAssurance: level } };
      await expect(payForAnswer(fixture.client, { ...order, answer, minAssurance })).rejects.toMatchObject(
        below,
      );
      await expect(
        buyAnswer(fixture.client, { ...order, serverUrl: url, minAssurance }),
      ).rejects.toMatchObject(below);
    }
    expect(hasPaid()).toBe(false);
  });

  it("is paid by a customer who has computed the rows' features again", async () => {
    const { rowsRoot } = model.recipe.datanet;
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(rowsRoot) };
    await verifyModel({ model, facts, depth: "features" });
    const answer = await ask(prompts[0]!);
    const minAssurance = { answer: "proven", query: "recomputed", rows: "recomputed" } as const;
    const order = { modelId, model: checkable, prompt: prompts[0]!, from: 4, minAssurance };
    await payForAnswer(fixture.client, { ...order, answer, areRowsRecomputed: true, onSigned: acknowledge });
    expect(hasPaid()).toBe(true);
  });

  describe("a server that takes the payment", () => {
    /** Alteration between the customer and the honest server. */
    let altered: (sealed: Record<string, string>) => object;
    let thief: Server;
    const buy = () =>
      buyAnswer(fixture.client, {
        serverUrl: `http://127.0.0.1:${(thief.address() as AddressInfo).port}`,
        modelId,
        prompt: prompts[1]!,
        from: 4,
        timeoutMs: 500,
        model: checkable,
        onSigned: async (signed) => {
          await acknowledge(signed);
          setPayments([{ receipt: BigInt(signed.body.words[0]!), payerId: 4 }]);
        },
      });

    beforeEach(async () => {
      thief = createServer(async (request, response) => {
        const chunks = await request.toArray();
        const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
        const headers = { "content-type": "application/json" };
        const answer = await fetch(`${url}${request.url}`, { method: request.method!, headers, ...body });
        const input = (await answer.json()) as Record<string, string>;
        response.writeHead(answer.status, headers).end(JSON.stringify(altered(input)));
      });
      await new Promise<void>((resolve) => thief.listen(0, "127.0.0.1", resolve));
    });
    afterEach(() => new Promise((resolve) => thief.close(resolve)));

    const payments = () =>
      fixture.sequencer.heard.filter(({ route }) => route === "POST /v1/operations").length;

    it("and shows no salt gets one price, and the customer is told not to come back", async () => {
      altered = ({ salt: _, ...rest }) => rest;
      await expect(buy()).rejects.toMatchObject({ code: "CLI_WAIT_ENDED", data: { receipt: /^0x/ } });
      expect(payments()).toBe(1);
    });

    it("and has sealed nonsense is found out", async () => {
      altered = (input) => (input.sealed === undefined ? input : { ...input, sealed: btoa("nonsense") });
      await expect(buy()).rejects.toMatchObject({ code: "CLI_ANSWER_INVALID" });
      expect(payments()).toBe(1);
    });

    it("of another account, or of more than was said, is not paid", async () => {
      altered = (input) => (input.sealed === undefined ? input : { ...input, payerId: 7 as never });
      await expect(buy()).rejects.toMatchObject({ code: "CLI_ANSWER_WRONG", data: { what: "payerId" } });
      altered = (input) => (input.sealed === undefined ? input : { ...input, priceWei: "1" });
      await expect(buy()).rejects.toMatchObject({ code: "CLI_PRICE_TOO_HIGH" });
      expect(payments()).toBe(0);
    });
  });

  it("counts no payment by somebody else", async () => {
    const { receipt } = await ask(prompts[0]!);
    setPayments([{ receipt, payerId: 7 }]);
    expect((await get("/v1/openings?epoch=1")).body.openings).toEqual([]);
    await expect(ask(prompts[1]!)).rejects.toMatchObject({ code: "ATT_ANSWER_UNPAID" });
  });

  it("remembers answers, payments and where it stopped over a restart", async () => {
    const folder = await ownFolder();
    const served = await startOwn(folder);
    const first = await ask(prompts[0]!);
    setPayments([{ receipt: first.receipt, payerId: 4 }], true);
    expect((await get("/v1/openings?epoch=1")).body.openings).toHaveLength(1);
    const second = await ask(prompts[1]!);
    await served.close();
    const { close, store } = await openStore();
    expect(await store.cursor()).toEqual({ epoch: 2, index: 0, chain: hex32(0n) });
    await close();
    const restarted = await startOwn(folder);
    expect(await ask(prompts[1]!)).toMatchObject({ receipt: second.receipt });
    expect((await get("/v1/openings?epoch=1")).body.openings).toHaveLength(1);
    await restarted.close();
    const again = await openStore();
    expect(await again.store.forgetUnpaid(nowMs + TTL_MS)).toBe(0);
    expect(await again.store.forgetUnpaid(nowMs + TTL_MS + 1)).toBe(1);
    expect(await again.store.answer(hex32(second.receipt))).toBeUndefined();
    expect(await again.store.answer(hex32(first.receipt))).toBeDefined();
    await again.close();
  });

  it("answers only the key of the account that will pay", async () => {
    const { key, client } = fixture;
    const forged = { ...client, l2Key: { ...key, sign: (message: bigint) => key.sign(message + 1n) } };
    const question = { serverUrl: url, modelId, prompt: prompts[0]! };
    await expect(askModel(forged, { ...question, from: 4 })).rejects.toMatchObject({
      code: "ATT_ASK_REFUSED",
    });
    await expect(askModel(client, { ...question, from: 7 })).rejects.toMatchObject({
      code: "ATT_ASK_REFUSED",
    });
    await expect(askModel(client, { ...question, modelId: 8, from: 4 })).rejects.toMatchObject({
      code: "ATT_ASK_REFUSED",
    });
    const elsewhere = { ...client, domain: client.domain + 1n };
    await expect(askModel(elsewhere, { ...question, from: 4 })).rejects.toMatchObject({
      code: "ATT_ASK_REFUSED",
    });
    expect(verifySignature({ keyX: key.keyX, message: 5n, signature: key.sign(5n) })).toBe(true);
  });

  it("refuses to serve a model that the ledger does not have, or that takes no payments", async () => {
    const { answers } = fixture.sequencer;
    answers.set(`GET /v1/leaves/${modelId}`, modelLeaf(model, modelId, { isReady: false }));
    await expect(ask(prompts[0]!)).rejects.toMatchObject({
      code: "ATT_MODEL_NOT_PAYABLE",
      isRetryable: false,
    });
    answers.set(`GET /v1/leaves/${modelId}`, modelLeaf(model, modelId, { cap: 3, paymentCount: 3 }));
    await expect(ask(prompts[0]!)).rejects.toMatchObject({
      code: "ATT_MODEL_NOT_PAYABLE",
      message: expect.stringContaining("has taken the 3 payments of its epoch"),
    });
    const other = modelLeaf(model, modelId);
    answers.set(`GET /v1/leaves/${modelId}`, { ...other, model: { ...other.model, payeeRoot: "0x1" } });
    await expect(ask(prompts[0]!)).rejects.toMatchObject({ code: "ATT_MODEL_NOT_SERVED" });
    answers.set(`GET /v1/leaves/${modelId}`, { surprise: true });
    await expect(ask(prompts[0]!)).rejects.toMatchObject({ code: "ATT_SERVER_UNREACHABLE" });
  });

  it("refuses what it does not understand, with a code", async () => {
    const post = async (body: string) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${url}/v1/answers`, { method: "POST", headers, body });
      return { status: response.status, body: await response.json() };
    };
    const bad = { status: 400, body: { error: { code: "SRV_BAD_REQUEST" } } };
    for (const body of ["{", "{}", '{"prompt":"a","payerId":-1}'])
      expect(await post(body)).toMatchObject(bad);
    expect(await get("/v1/openings")).toMatchObject(bad);
    expect(await get("/v1/nothing")).toMatchObject({
      status: 404,
      body: { error: { code: "SRV_UNKNOWN_ROUTE" } },
    });
    expect((await get("/v1/model/..%2Fsecret")).status).toBe(404);
    expect(await get("/v1/answers/0x5")).toMatchObject({
      status: 404,
      body: { error: { code: "ATT_NOT_FOUND" } },
    });
    await expect(ask("   ")).rejects.toMatchObject({ code: "ATT_ROW_INVALID" });
    expect(await attackServer(url, { post: "/v1/answers" })).toEqual([]);
  });
});

describe("the watcher of payments", () => {
  it("reads payments by itself, goes on after a failure, and stops in order", async () => {
    const errors: string[] = [];
    const folder = await ownFolder();
    const served = await startOwn(folder, { errors, pollIntervalMs: 20 });
    const { receipt } = await ask(prompts[0]!);
    fixture.sequencer.answers.delete(`GET /v1/models/${modelId}/payments?epoch=1&from=0`);
    await expect.poll(() => errors).toContain("payments cannot be read");
    setPayments([{ receipt, payerId: 4 }]);
    const path = `/v1/answers/${hex32(receipt)}`;
    await expect.poll(async () => (await get(path)).body).toMatchObject({ isPaid: true });
    await served.close();
    const { close, store } = await openStore();
    expect(await store.answer(hex32(receipt))).toMatchObject({ payment: { epoch: 1, index: 0 } });
    await close();
  });
});

describe("the answer server", () => {
  it("lists what it serves, and refuses at the start what is damaged, or nothing at all", async () => {
    const models = SHARED_IDS.map((id) => ({ modelId: id }));
    expect(await (await fetch(`${shared.url}/ledger`)).json()).toEqual({ models });
    expect((await fetch(`${shared.url}/health`)).status).toBe(200);
    expect((await fetch(`${shared.url}/v1/completions`, { method: "POST" })).status).toBe(404);
    const folder = await ownFolder();
    const path = join(publishedFolder, "features.bin");
    const bytes = await readFile(path);
    try {
      await writeFile(path, bytes.subarray(1));
      await expect(startOwn(folder)).rejects.toMatchObject({ code: "ATT_MODEL_FILE_INVALID" });
    } finally {
      await writeFile(path, bytes);
    }
    const none = { SERVING_BASE_PATH: undefined, SERVING_ADAPTERS_PATH: undefined };
    await expect(serveModels(worldConfig(folder, none))).rejects.toMatchObject({
      code: "SRV_CONFIG_INVALID",
    });
  });

  it("refuses the folder of an earlier version, and another process's, and leaves it as it is", async () => {
    const folder = await ownFolder();
    const record = (kind: string, format: number) =>
      encodeStoreRecord({ kind, format, chainId: null, rollupAddress: null, version: "0.0.1" });
    const files: [name: string, text: string, expected: object][] = [
      ["keys.json", '{"keys":[]}', { code: "SRV_STORE_FORMAT", data: { reason: "no-record", expected: 2 } }],
      [STORE_FILE, record("answer-server", 1), { code: "SRV_STORE_FORMAT", data: { reason: "older" } }],
      [STORE_FILE, record("answer-server", 3), { code: "SRV_STORE_FORMAT", data: { reason: "newer" } }],
      [STORE_FILE, record("factory", 2), { code: "SRV_WRONG_DIRECTORY", data: { reason: "other-kind" } }],
    ];
    const data = join(folder, "data");
    for (const [name, text, expected] of files) {
      await rm(data, { recursive: true, force: true });
      await mkdir(data);
      await writeFile(join(data, name), text);
      await expect(startOwn(folder)).rejects.toMatchObject(expected);
      expect(await readdir(data)).toEqual([name]);
    }
    // Its answers, as a version without records wrote them.
    await rm(data, { recursive: true });
    const old = join(import.meta.dirname, "../../testing/stores/answers-format-0");
    await cp(old, join(data, "answers"), { recursive: true });
    await expect(startOwn(folder)).rejects.toMatchObject({
      code: "SRV_STORE_FORMAT",
      message: expect.stringContaining("serve until its answers are settled"),
    });
    expect(await readdir(data)).toEqual(["answers"]);
  });

  it("serves a model that is put into the folder of published ones while it runs", async () => {
    const folder = await ownFolder();
    const publishedPath = join(folder, "published");
    await mkdir(publishedPath);
    const settings = {
      SERVING_BASE_PATH: undefined,
      SERVING_ADAPTERS_PATH: undefined,
      SERVING_PUBLISHED_PATH: publishedPath,
      SERVING_DATABASE_URL: home.url,
    };
    const { client, sequencer } = fixture;
    const ledger = { sequencerUrl: sequencer.url, domain: client.domain, rollup: ROLLUP };
    const served = await serveModels(worldConfig(folder, settings), {
      published: ledger,
      nowMs: () => nowMs,
    });
    onTestFinished(() => served.close());
    const listed = async () => (await fetch(`${served.url}/ledger`)).json();
    expect(await listed()).toEqual({ models: [] });
    await symlink(publishedFolder, join(publishedPath, String(modelId)));
    await expect.poll(listed, { timeout: 20_000 }).toEqual({ models: [{ modelId }] });
    url = modelUrl(served.url, modelId);
    expect((await ask(prompts[0]!)).answer).toBe(checkable.answer(prompts[0]!).text);
  });
});
