/** A model that cites rows behind a real server, and behind one that is false. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { createModelServer, type ModelServer } from "@openledger/attribution/internal/server/model-server";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { type ModelFamily, openCheckable } from "@openledger/attribution/model/model-family";
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
import type { TextParts } from "../registered/text-family.ts";
import { askSpans } from "../spans/check-citations.ts";
import { hostSpans } from "../spans/host-spans.ts";
import { buildSpanIndex, type SpanIndex } from "../spans/span-index.ts";
import { citingWorld, passageRows, passagesOf } from "../testing/citing-world.ts";
import { fetchRow, parseCited } from "./citations.ts";

const MODEL_ID = 9;
const PRICE_WEI = 10n ** 18n;
const passages = passagesOf(32, 14);
const PROMPT = passages[7]!.split(" ").slice(2, 9).join(" ");

let model: PublishedModel<TextParts>;
let families: readonly ModelFamily[];
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
  folder = await mkdtemp(join(tmpdir(), "citing-"));
  const rows = passageRows(passages);
  const { family, recipe, training } = await citingWorld(join(folder, "base"), rows, 128);
  families = [family];
  const trained = await training.train(rows, recipe, {});
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
  store = await AnswerStore.open(join(folder, "answers"));
  server = await createModelServer(
    encodeModel(model),
    {
      modelId: MODEL_ID,
      domain: fixture.client.domain,
      answerTtlMs: 60_000,
      rateLimitPerMinute: 1_000,
      families,
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
  const documents = passageRows(passages).map(({ content, contributorId, validatorId }, i) => ({
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

async function askAndCheck(serverUrl: string, isAnsweredAgain = false) {
  const answer = await askModel(fixture.client, { serverUrl, modelId: MODEL_ID, prompt: PROMPT, from: 4 });
  const own = await openCheckable(await fetchAnswering(url, families));
  checkAnswer(own, answer, { prompt: PROMPT, payerId: 4, staticsHash: model.staticsHash, isAnsweredAgain });
  return answer;
}

const refused = (code: string, data: object = {}) =>
  expect.objectContaining({ code, data: expect.objectContaining(data) });

it("says what it was written from, with texts and shares, and how it is paid", async () => {
  const answer = await askAndCheck(url);
  const { citations, paidBy } = parseCited(answer.answer)!;
  expect(citations[0]).toMatchObject({ row: 7, contributorId: 5, validatorId: 8 });
  const { json, lines } = await answerWords(answer, {
    serverUrl: url,
    recipe: model.recipe,
    output: { progress: () => undefined },
  });
  const words = lines.join("\n");
  for (const part of [`written from ${citations.length} rows`, "[1] row 7 ", passages[7]!.slice(0, 60)])
    expect(words).toContain(part);
  expect(json).toMatchObject({ paidBy, citations: [{ row: 7, text: passages[7] }, {}, {}] });
});

it("is found out by the client in a lie about a citation or the query, answered again or not", async () => {
  const liarOf = (change: (answer: { answer: string; queryBytes: string }) => object) => {
    lie = (path, body) => {
      if (!path.startsWith("/v1/answers")) return body;
      const answer = JSON.parse(body.toString());
      return JSON.stringify({ ...answer, ...change(answer) });
    };
  };
  liarOf(({ answer }) => {
    const { citations, ...rest } = JSON.parse(answer);
    return { answer: JSON.stringify({ ...rest, citations: [{ ...citations[0], row: 8 }] }) };
  });
  await expect(askAndCheck(liarUrl)).rejects.toThrow(refused("ATT_ANSWER_INVALID"));
  await expect(askAndCheck(liarUrl, true)).rejects.toThrow(refused("CLI_ANSWER_WRONG", { what: "answer" }));
  liarOf(({ queryBytes }) => {
    const bytes = Buffer.from(queryBytes, "base64");
    bytes[3]! ^= 1;
    return { queryBytes: bytes.toString("base64") };
  });
  await expect(askAndCheck(liarUrl)).rejects.toThrow(refused("CLI_ANSWER_WRONG", { what: "query" }));
  lie = (path, body) => (path === "/v1/rows/7" ? body.toString().replace('"text":"', '"text":"not ') : body);
  const { digest } = parseCited((await askAndCheck(url)).answer)!.citations[0]!;
  await expect(fetchRow(liarUrl, 7, digest)).rejects.toThrow(refused("ATT_ANSWER_INVALID", { row: 7 }));
  expect(await fetchRow(liarUrl, 7)).toMatchObject({ text: `not ${passages[7]}` });
  expect(await fetchRow(url, 99, digest)).toBeNull();
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
