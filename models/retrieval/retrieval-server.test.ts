/** A retrieval model behind a real server, and behind one that is false. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { createModelServer, type ModelServer } from "@openledger/attribution/internal/server/model-server";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { encodeModel, type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { AnswerStore } from "@openledger/attribution/server/answer-store";
import { createLedgerView } from "@openledger/attribution/server/ledger-view";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import { FakeFailure } from "@openledger/client/testing/fake-sequencer";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { answerWords } from "@openledger/scripts/internal/commands/models/answer-words";
import { afterAll, beforeAll, expect, it } from "vitest";
import { askSpans } from "../spans/check-citations.ts";
import { hostSpans } from "../spans/host-spans.ts";
import { buildSpanIndex, type SpanIndex } from "../spans/span-index.ts";
import { passageRows, passages, retrievalRecipeFor } from "../testing/retrieval-world.ts";
import { fetchCitedRows, parseCitations } from "./citations.ts";
import { type RetrievalParts, retrievalFamily } from "./retrieval-family.ts";
import { retrievalTraining } from "./retrieval-training.ts";

const MODEL_ID = 9;
const PRICE_WEI = 10n ** 18n;
const PROMPT = passages[7]!.split(" ").slice(2, 9).join(" ");

let model: PublishedModel<RetrievalParts>;
let index: SpanIndex;
let fixture: LedgerFixture;
let folder: string;
let store: AnswerStore;
let server: ModelServer;
let url: string;
let liar: Server;
let liarUrl: string;
/** What the liar makes of a path's answer. */
let lie: (path: string, body: Buffer) => Buffer | string = (_path, body) => body;

beforeAll(async () => {
  await initPoseidon();
  const rows = passageRows();
  const recipe = retrievalRecipeFor(rows);
  const trained = await retrievalTraining.train(rows, recipe, {});
  const split = { ownerParts: 16_384n, validatorParts: 13_107n };
  const size = { rows: 64, features: recipe.columnCount, payees: 16, draws: 4 };
  model = publishedModel(trained, registerModel(trained, { split }, size), { publishRows: true });
  index = await indexOf(passages);
  fixture = await createLedgerFixture({ hasFeed: false });
  const { answers } = fixture.sequencer;
  for (const route of ["leaves", "models"]) answers.set(`GET /v1/${route}/${MODEL_ID}`, modelLeaf());
  const noPayments = { epoch: 1, isClosed: false, paymentCount: 0, payments: [] };
  answers.set(`GET /v1/models/${MODEL_ID}/payments?epoch=1&from=0`, noPayments);
  answers.set(
    `GET /v1/models/${MODEL_ID}/payments?epoch=2&from=0`,
    new FakeFailure(404, { error: { code: "SEQ_UNKNOWN", message: "not yet" } }),
  );
  folder = await mkdtemp(join(tmpdir(), "retrieval-"));
  store = await AnswerStore.open(folder);
  server = await createModelServer(
    encodeModel(model),
    {
      modelId: MODEL_ID,
      domain: fixture.client.domain,
      answerTtlMs: 60_000,
      rateLimitPerMinute: 1_000,
      families: [retrievalFamily],
    },
    {
      ledger: createLedgerView(fixture.sequencer.url),
      store,
      log: { error: (facts, message) => expect.fail(`${message} ${JSON.stringify(facts)}`) },
      spans: hostSpans(index),
    },
  );
  url = await server.app.listen({ host: "127.0.0.1", port: 0 });
  liar = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method } = request;
    const headers = { "content-type": "application/json" };
    const body = method === "POST" ? { body: Buffer.concat(parts) } : {};
    const given = await fetch(`${url}${request.url}`, { method: method!, headers, ...body });
    response.statusCode = given.status;
    response.end(lie(request.url!, Buffer.from(await given.arrayBuffer())));
  });
  await new Promise<void>((resolve) => liar.listen(0, "127.0.0.1", resolve));
  liarUrl = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
});
afterAll(async () => {
  liar.close();
  await server.app.close();
  await store.close();
  await fixture.close();
  await rm(folder, { recursive: true });
});

function indexOf(texts: readonly string[], rowsRoot = model.recipe.datanet.rowsRoot.slice(2)) {
  const documents = passageRows().map(({ content, contributorId, validatorId }, i) => ({
    text: new TextEncoder().encode(texts[i]!),
    digest: bytesToHex(sha256(content)),
    contributorId,
    validatorId,
  }));
  return buildSpanIndex(documents, { rowsRoot, rowText: "text", engine: "typescript" });
}

/** The model as the sequencer shows it. */
function modelLeaf() {
  const { split, ...statics } = model.statics;
  const { ownerParts, validatorParts } = unpackSplit(split);
  return {
    id: MODEL_ID,
    kind: "model",
    nonce: 0,
    nextNonce: 0,
    l1Owner: "0x000000000000000000000000000000000000000b",
    keyX: hex32(0n),
    balanceWei: "0",
    chain: hex32(0n),
    openAmountWei: "0",
    counters: {
      isReady: true,
      isApproved: true,
      cap: 64,
      paymentCount: 0,
      epoch: 1,
      priceWei: PRICE_WEI.toString(),
    },
    model: {
      ...Object.fromEntries(Object.entries(statics).map(([name, value]) => [name, hex32(value)])),
      datanetId: 4,
      version: 1,
      drawCount: 4,
      featureCount: model.recipe.columnCount,
      ownerParts: Number(ownerParts),
      validatorParts: Number(validatorParts),
      epochStart: 1,
    },
    closedEpoch: null,
    payees: [],
  };
}

async function askAndCheck(serverUrl: string) {
  const answer = await askModel(fixture.client, { serverUrl, modelId: MODEL_ID, prompt: PROMPT, from: 4 });
  const own = await openCheckable(await fetchAnswering(url, [retrievalFamily]));
  checkAnswer(own, answer, { prompt: PROMPT, payerId: 4, staticsHash: model.staticsHash });
  return answer;
}

const refused = (code: string, data: object = {}) =>
  expect.objectContaining({ code, data: expect.objectContaining(data) });

it("sells nothing where no row comes close", async () => {
  const asked = askModel(fixture.client, { serverUrl: url, modelId: MODEL_ID, prompt: "zebra", from: 4 });
  await expect(asked).rejects.toMatchObject({ code: "ATT_NO_ROW_FOUND" });
});

it("cites rows with their texts and shares, the same as its settlement would pay", async () => {
  const answer = await askAndCheck(url);
  const rows = await fetchCitedRows(url, parseCitations(answer.answer));
  expect(rows[0]).toMatchObject({ row: 7, text: passages[7], contributorId: 5, validatorId: 8 });
  for (const [k, { row, shareMillionths }] of rows.entries()) {
    const { row: paid, share } = answer.estimate.topRows[k]!;
    expect({ row, shareMillionths }).toEqual({ row: paid, shareMillionths: Math.floor(share * 1e6) });
  }
  const words = await answerWords(answer, {
    serverUrl: url,
    recipe: model.recipe,
    spansRoot: index.root,
    output: { progress: () => undefined },
  });
  const lines = words.lines.join("\n");
  for (const part of [
    `${rows.length} rows answer this`,
    "row 7 ",
    passages[7]!.slice(0, 60),
    "shown, not paid",
  ])
    expect(lines).toContain(part);
  expect(words.json).toMatchObject({ spans: { root: index.root } });
  expect(answer.estimate.topRows.slice(rows.length).every(({ share }) => share === 0)).toBe(true);
});

it("is found out by the client in any lie about a citation's share, row, owner or order", async () => {
  const changes: ((citations: Record<string, unknown>[]) => unknown)[] = [
    (all) => [{ ...all[0], shareMillionths: 999_999 }, ...all.slice(1)],
    (all) => [{ ...all[0], row: 8 }, ...all.slice(1)],
    (all) => [{ ...all[0], contributorId: 6 }, ...all.slice(1)],
    (all) => [{ ...all[0], validatorId: 9 }, ...all.slice(1)],
    (all) => [{ ...all[0], digest: "00".repeat(32) }, ...all.slice(1)],
    (all) => [...all, { ...all[0], row: 9 }],
    () => [],
  ];
  for (const change of changes) {
    lie = (path, body) => {
      if (!path.startsWith("/v1/answers")) return body;
      const answer = JSON.parse(body.toString());
      const { citations } = JSON.parse(answer.answer);
      return JSON.stringify({ ...answer, answer: JSON.stringify({ citations: change(citations) }) });
    };
    await expect(askAndCheck(liarUrl)).rejects.toThrow(refused("CLI_ANSWER_WRONG", { what: "answer" }));
  }
  lie = (path, body) => {
    if (!path.startsWith("/v1/answers")) return body;
    const answer = JSON.parse(body.toString());
    const bytes = Buffer.from(answer.queryBytes, "base64");
    bytes[3]! ^= 1;
    return JSON.stringify({ ...answer, queryBytes: bytes.toString("base64") });
  };
  await expect(askAndCheck(liarUrl)).rejects.toThrow(refused("CLI_ANSWER_WRONG", { what: "query" }));
});

it("is found out in a row's text that is not the cited row's", async () => {
  const citations = parseCitations((await askAndCheck(url)).answer);
  lie = (path, body) => (path === "/v1/rows/7" ? body.toString().replace('"text":"', '"text":"not ') : body);
  await expect(fetchCitedRows(liarUrl, citations)).rejects.toThrow(refused("ATT_ANSWER_INVALID", { row: 7 }));
  lie = (_path, body) => body;
  const unknown = await fetchCitedRows(url, [{ ...citations[0]!, row: 99 }]);
  expect(unknown[0]!.text).toBeNull();
});

it("shows what of a text stands word for word in the version, and is found out in false spans", async () => {
  const text = `I quote: ${passages[3]} And then nothing.`;
  const rowsRoot = model.recipe.datanet.rowsRoot.slice(2);
  const options = { serverUrl: url, text, rowsRoot, root: index.root };
  const honest = await askSpans(options);
  expect(honest!.spans).toMatchObject([
    { start: 9, count: 1, sources: [{ document: 3, contributorId: 5, validatorId: 8, offset: 0 }] },
  ]);
  const lies: ((evidence: {
    spans: { start: number; hi: number; sources: { document: number }[] }[];
  }) => void)[] = [
    ({ spans }) => spans[0]!.hi++,
    ({ spans }) => spans[0]!.start++,
    ({ spans }) => spans[0]!.sources[0]!.document++,
  ];
  for (const change of lies) {
    lie = (path, body) => {
      if (path !== "/v1/spans") return body;
      const given = JSON.parse(body.toString());
      change(given.evidence);
      return JSON.stringify(given);
    };
    await expect(askSpans({ ...options, serverUrl: liarUrl })).rejects.toThrow(
      refused("MOD_SPANS_EVIDENCE_FALSE"),
    );
  }
  // An index of its own, in which another row has the words: it has another root.
  const own = hostSpans(await indexOf([passages[1]!, passages[0]!, ...passages.slice(2)]));
  const foreign = hostSpans(await indexOf(passages, "22".repeat(32)));
  for (const [host, root] of [
    [own, index.root],
    [foreign, undefined],
  ] as const) {
    lie = (path, body) => (path === "/v1/spans" ? JSON.stringify(host.cite(text)) : body);
    await expect(askSpans({ ...options, root, serverUrl: liarUrl })).rejects.toThrow(
      refused("MOD_SPANS_EVIDENCE_FALSE"),
    );
  }
});
