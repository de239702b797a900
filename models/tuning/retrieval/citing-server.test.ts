/** A model that cites rows behind a real server, and behind one that is false. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { type ModelFamily, openCheckable } from "@openledger/attribution/model/model-family";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import {
  fetchPublishedRows,
  findPublishedSpans,
  type PublishedRows,
} from "@openledger/attribution/spans/published-spans";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { modelReader } from "@openledger/client/datanets/host-request";
import {
  createLedgerFixture,
  type LedgerFixture,
  leafAnswer,
  owners,
} from "@openledger/client/testing/ledger-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { claimStore } from "@openledger/foundation/store/store-identity";
import { unexpectedLines } from "@openledger/foundation/testing/unexpected-lines";
import { answerWords } from "@openledger/scripts/commands/models/answer-words";
import { afterAll, beforeAll, expect, it } from "vitest";
import { modelUrl, type ServedModels } from "../../serving/serve-models.ts";
import { citingWorld, passageRows, passagesOf } from "../../testing/citing-world.ts";
import { serveWorld } from "../../testing/serving-world.ts";
import type { TextParts } from "../recipe/text-family.ts";
import { fetchRow, parseCited } from "./citations.ts";

const ROLLUP = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };

const MODEL_ID = 9;
/** Account that nobody has granted anything. */
const STRANGER = 6;
const passages = passagesOf(32, 14);
const PROMPT = passages[7]!.split(" ").slice(2, 9).join(" ");

const unexpected = unexpectedLines();
let model: PublishedModel<TextParts>;
let families: readonly ModelFamily[];
let fixture: LedgerFixture;
let folder: string;
let served: ServedModels;
let url: string;
let liar: Server;
let liarUrl: string;
/** Answer of the liar to every request. */
let lie: string;

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
  fixture = await createLedgerFixture({ hasFeed: false });
  const { answers } = fixture.sequencer;
  answers.set(`GET /v1/leaves/${MODEL_ID}`, modelLeaf());
  const stranger = { id: STRANGER, l1Owner: owners.payer, keyX: fixture.key.keyX, nextNonce: 0 };
  answers.set(`GET /v1/leaves/${STRANGER}`, leafAnswer(stranger));
  const noPayments = { epoch: 1, isClosed: false, chain: hex32(0n), paymentCount: 0, payments: [] };
  answers.set(`GET /v1/models/${MODEL_ID}/payments?epoch=1&from=0`, noPayments);
  setDatanetPolicy(0n);
  const modelFolder = join(folder, "model");
  await writeModel(modelFolder, model);
  const settings = { SERVING_ADAPTERS_PATH: undefined };
  served = await serveWorld(folder, settings, {
    logger: createLogger("test", "error", unexpected),
    published: {
      locations: [{ modelId: MODEL_ID, folder: modelFolder }],
      sequencerUrl: fixture.sequencer.url,
      domain: fixture.client.domain,
      rollup: ROLLUP,
    },
  });
  url = modelUrl(served.url, MODEL_ID);
  liar = createServer((_request, response) => response.end(lie));
  await new Promise<void>((resolve) => liar.listen(0, "127.0.0.1", resolve));
  liarUrl = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
});
afterAll(async () => {
  liar.close();
  await served.close();
  await fixture.close();
  await rm(folder, { recursive: true });
});

/** The same model behind another server. */
const serveFrom = (data: string, modelFolder = "model"): Promise<ServedModels> =>
  serveWorld(
    folder,
    { SERVING_ADAPTERS_PATH: undefined, SERVING_DATA_PATH: data },
    {
      logger: createLogger("test", "silent"),
      published: {
        locations: [{ modelId: MODEL_ID, folder: join(folder, modelFolder) }],
        sequencerUrl: fixture.sequencer.url,
        domain: fixture.client.domain,
        rollup: ROLLUP,
      },
    },
  );

/** The same model behind a server that knows of a withdrawn row. @param contributorId who has signed that */
async function serveWithout(digest: string, contributorId: number): Promise<ServedModels> {
  const data = join(folder, `data-${contributorId}`);
  claimStore(data, { kind: "answer-server", rollup: null });
  const { id: datanetId } = model.recipe.datanet;
  await writeFile(
    join(data, "registered-withdrawn.json"),
    JSON.stringify({ format: "openledger-withdrawn-rows-1", rows: [{ datanetId, digest, contributorId }] }),
  );
  return serveFrom(data);
}

/** The model as the sequencer shows it to its server. */
function modelLeaf() {
  const { split, ...statics } = model.statics;
  const { ownerParts, validatorParts } = unpackSplit(split);
  const shown = Object.entries(statics).map(([name, value]) => [name, hex32(value)]);
  return {
    kind: "model",
    l1Owner: "0x000000000000000000000000000000000000000b",
    counters: { isReady: true, isApproved: true, cap: 64, paymentCount: 0, priceWei: `${10n ** 18n}` },
    model: {
      ...Object.fromEntries(shown),
      ownerParts: Number(ownerParts),
      validatorParts: Number(validatorParts),
    },
  };
}

/** Has the sequencer show the Datanet of the model's rows with a card of this hash; 0n: none. */
function setDatanetPolicy(policy: bigint): void {
  const { id, rowsRoot } = model.recipe.datanet;
  const [l1Owner, zero] = ["0x000000000000000000000000000000000000000b", hex32(0n)];
  const datanet = { version: 1, rowCount: passages.length, publishedAt: 0, policy: hex32(policy), rowsRoot };
  const leaf = {
    id,
    kind: "datanet",
    l1Owner,
    keyX: hex32(fixture.key.keyX),
    chain: zero,
    datanet,
    counters: {},
  };
  fixture.sequencer.answers.set(`GET /v1/leaves?ids=${id}`, [leaf]);
}

const ask = () => askModel(fixture.client, { serverUrl: url, modelId: MODEL_ID, prompt: PROMPT, from: 4 });

async function check(answer: UncheckedAnswer, isAnsweredAgain = false) {
  const own = await openCheckable(await fetchAnswering(url, families));
  checkAnswer(own, answer, { prompt: PROMPT, payerId: 4, staticsHash: model.staticsHash, isAnsweredAgain });
}

const refused = (code: string, data: object = {}) =>
  expect.objectContaining({ code, data: expect.objectContaining(data) });

it("says what it was written from, with texts and shares, and how it is paid", async () => {
  const answer = await ask();
  await check(answer, true);
  const { citations, paidBy } = parseCited(answer.answer)!;
  expect(citations[0]).toMatchObject({ row: 7, contributorId: 5, validatorId: 8 });
  const { json, lines } = await answerWords(answer, {
    serverUrl: url,
    recipe: model.recipe,
    families,
    output: { progress: () => undefined },
  });
  const shown = lines.join("\n");
  for (const part of [`written from ${citations.length} rows; `, "[1] row 8 ", passages[7]!.slice(0, 60)])
    expect(shown).toContain(part);
  expect(json).toMatchObject({ paidBy, citations: [{ row: 7, text: passages[7] }, {}, {}] });
  const { citations: all, ...rest } = JSON.parse(answer.answer);
  const one = { ...answer, answer: JSON.stringify({ ...rest, citations: all.slice(0, 1) }) };
  const words = await answerWords(one, {
    serverUrl: url,
    recipe: model.recipe,
    families,
    output: { progress: () => undefined },
  });
  expect(words.lines[1]).toMatch(/^written from 1 row; (it alone is paid|this answer's)/);
});

it("is found out by the client in a lie about a citation, the query or a row, answered again or not", async () => {
  const answer = await ask();
  const { citations, ...rest } = JSON.parse(answer.answer);
  const other = { ...answer, answer: JSON.stringify({ ...rest, citations: [{ ...citations[0], row: 8 }] }) };
  for (const isAnsweredAgain of [false, true])
    await expect(check(other, isAnsweredAgain)).rejects.toThrow(
      refused("CLI_ANSWER_WRONG", { what: "answer" }),
    );
  const queryBytes = answer.queryBytes.map((byte, k) => (k === 3 ? byte ^ 1 : byte));
  const wrong = refused("CLI_ANSWER_WRONG", { what: "query" });
  await expect(check({ ...answer, queryBytes })).rejects.toThrow(wrong);
  lie = new TextDecoder().decode(model.rows![8]!.content);
  const { digest } = citations[0];
  await expect(fetchRow(liarUrl, 7, digest)).rejects.toThrow(refused("ATT_ANSWER_INVALID", { row: 7 }));
  expect(await fetchRow(liarUrl, 7)).toMatchObject({ text: passages[8] });
  expect(await fetchRow(url, 7, digest)).toMatchObject({ text: passages[7], digest });
  expect(await fetchRow(url, 99, digest)).toBeNull();
});

const rowsRoots = () => [model.recipe.datanet.rowsRoot];

it("publishes the rows in which a text's verbatim spans are found", async () => {
  const text = `I quote: ${passages[3]} And then nothing.`;
  const rows = (await fetchPublishedRows(url, families, rowsRoots())) as PublishedRows;
  const source = { row: 3, contributorId: 5, validatorId: 8, offset: 0 };
  expect(await findPublishedSpans(text, rows)).toMatchObject({
    spans: [{ start: 9, rowCount: 1, sources: [source] }],
    searchedRowCount: passages.length,
  });
  expect((await fetch(`${url}/v1/spans`, { method: "POST" })).status).toBe(404);
});

it("is not answered from a row that was withdrawn, and its files show it no more", async () => {
  const row = 7;
  const { content, contributorId } = passageRows(passages)[row]!;
  const digest = bytesToHex(sha256(content));
  for (const [by, isWithdrawn] of [
    [contributorId, true],
    // Somebody else's word.
    [contributorId + 1, false],
  ] as const) {
    const server = await serveWithout(digest, by);
    const at = modelUrl(server.url, MODEL_ID);
    const statusOf = async (path: string) => (await fetch(`${at}/v1/${path}`)).status;
    const paths = [`rows/${row}`, "model/rows.jsonl", "model/query-map.bin", `rows/${row + 1}`];
    expect(await Promise.all(paths.map(statusOf)), `by ${by}`).toEqual(
      isWithdrawn ? [410, 410, 410, 200] : [200, 200, 200, 200],
    );
    const question = await askModel(fixture.client, {
      serverUrl: at,
      modelId: MODEL_ID,
      prompt: PROMPT,
      from: 4,
    }).then(
      ({ answer }) => parseCited(answer)!.citations.some((one) => one.row === row),
      (error: { code: string; data: { reason?: string } }) => error.data.reason ?? error.code,
    );
    expect(question, `by ${by}`).toBe(isWithdrawn ? "ATT_ROW_WITHDRAWN" : true);
    const rows = await fetchPublishedRows(at, families, rowsRoots());
    expect(typeof rows === "string" ? rows : rows.rows.length, `by ${by}`).toBe(
      isWithdrawn ? "withdrawn" : passages.length,
    );
    await server.close();
  }
});

it("gives its index and its answers, which have the rows' texts, to readers of the rows alone, also where these are withheld", async () => {
  await writeModel(join(folder, "withheld"), { ...model, rows: null } as never);
  for (const [policy, status] of [
    [0n, 200],
    // A card that nobody here shows: the Datanet may be permissioned.
    [5n, 401],
  ] as const) {
    setDatanetPolicy(policy);
    const server = await serveFrom(join(folder, `of-card-${policy}`), "withheld");
    const [index, recipe] = await Promise.all(
      ["query-map.bin", "recipe.json"].map((name) =>
        fetch(`${modelUrl(server.url, MODEL_ID)}/v1/model/${name}`),
      ),
    );
    const hasText = (await index!.text()).includes(passages[7]!.slice(0, 40));
    expect([index!.status, hasText, recipe!.status]).toEqual([status, status === 200, 200]);
    const serverUrl = modelUrl(server.url, MODEL_ID);
    const fetchAs = (from: number) =>
      fetchAnswering(serverUrl, families, { sign: modelReader(fixture.client, serverUrl, from) }).then(
        () => null,
        ({ code }: { code: string }) => code,
      );
    // Who may read the rows gets the index by a signature, and checks answers by it.
    const fetched = [await fetchAs(STRANGER), await fetchAs(model.recipe.datanet.id)];
    expect(fetched).toEqual([status === 200 ? null : "ATT_MODEL_FILE_INVALID", null]);
    const codeOf = (from: number, prompt: string) =>
      askModel(fixture.client, { serverUrl, modelId: MODEL_ID, prompt, from }).then(
        () => null,
        ({ code }: { code: string }) => code,
      );
    const code = status === 200 ? null : "DNT_ACCESS_NOT_GRANTED";
    expect(await codeOf(STRANGER, "zebra xylophone")).toBe(code);
    expect(await codeOf(STRANGER, PROMPT)).toBe(status === 200 ? "ATT_ANSWER_UNPAID" : code);
    // The Datanet itself reads its rows.
    expect(await codeOf(model.recipe.datanet.id, PROMPT)).toBeNull();
    const unsigned = await fetch(`${server.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: `model-${MODEL_ID}`, prompt: PROMPT }),
    });
    expect(unsigned.status).toBe(402);
    await server.close();
  }
});
