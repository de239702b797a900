/**
 * Tests of answers paid by x402 where the sequencer fails: unreachable, refusing after its word, without a facilitator. The payer is
 * `@x402/fetch` as it comes from npm. x402.all.test.ts has a rollup.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leafReference, messageHash } from "@openledger/circuits/ledger/operation";
import { LEAF_KIND } from "@openledger/circuits/protocol";
import { decodeOperation, type OperationBody } from "@openledger/circuits/wire/operation-body";
import { decodeX402Header, encodeX402Header, x402Network } from "@openledger/circuits/wire/x402-payment";
import { FakeFailure } from "@openledger/client/testing/fake-sequencer";
import {
  createLedgerFixture,
  type LedgerFixture,
  leafAnswer,
  owners,
} from "@openledger/client/testing/ledger-fixture";
import {
  type OpenPayment,
  type ReceiptSchemeOptions,
  receiptScheme,
} from "@openledger/client/x402/receipt-scheme";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type AnsweredModel,
  modelLeaf,
  PRICE_WEI,
  publishDirectModel,
  ROLLUP,
  setPayments,
} from "../../testing/answered-world.ts";
import { worldConfig } from "../../testing/serving-world.ts";
import { modelUrl, type ServedModels, serveModels } from "../serve-models.ts";

const PAYER = 4;
const IDS = Array.from({ length: 24 }, (_, i) => 10 + i);

let published: AnsweredModel;
let fixture: LedgerFixture;
let home: TestDatabase;
let folder: string;
let served: ServedModels;
/** Model of the case. */
let modelId = 9;
/** Price with the maximum fee: fourteen units at twice the fixture's rate. */
const COST_WEI = PRICE_WEI + 14n * 2_000n;
let priceWei = PRICE_WEI;
let cap = 64;
let isApproved = true;
/** Payments that the fake ledger has executed. */
let settled: { readonly hash: string; readonly receipt: bigint }[] = [];
let settle: "takes" | "silent" | "takes-silently" | "refuses" = "takes";

const silence = () => new FakeFailure(503, { error: { code: "SEQ_AWAY", message: "the sequencer is away" } });

beforeAll(async () => {
  published = await publishDirectModel();
  fixture = await createLedgerFixture({ hasFeed: false });
  home = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), "x402-"));
  const { answers } = fixture.sequencer;
  for (const id of IDS)
    for (const route of ["leaves", "models"])
      answers.set(`GET /v1/${route}/${id}`, () =>
        modelLeaf(published.model, id, {
          priceWei: `${priceWei}`,
          isApproved,
          cap,
          paymentCount: settled.length,
        }),
      );
  const payer = () => ({
    ...leafAnswer({ id: PAYER, l1Owner: owners.payer, keyX: fixture.key.keyX, nextNonce: settled.length }),
    balanceWei: `${100n * PRICE_WEI}`,
  });
  answers.set(`GET /v1/leaves/${PAYER}`, payer);
  answers.set("POST /x402/verify", { isValid: true, payer: String(PAYER) });
  answers.set("POST /x402/settle", settleAnswer);
  served = await start();
}, 120_000);
afterAll(async () => {
  await served.close();
  await home.drop();
  await fixture.close();
  await published.remove();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  modelId += 1;
  priceWei = PRICE_WEI;
  cap = 64;
  isApproved = true;
  settled = [];
  settle = "takes";
  setPayments(fixture, modelId, []);
  fixture.sequencer.heard.length = 0;
});

const start = (settings: Record<string, string> = {}, pollIntervalMs = 600_000) =>
  serveModels(
    worldConfig(folder, {
      SERVING_BASE_PATH: undefined,
      SERVING_ADAPTERS_PATH: undefined,
      SERVING_DATABASE_URL: home.url,
      SERVING_RATE_LIMIT_PER_MINUTE: "1000",
      ...settings,
    }),
    {
      logger: createLogger("models", "silent"),
      published: {
        locations: IDS.map((id) => ({ modelId: id, folder: published.publishedFolder })),
        sequencerUrl: fixture.sequencer.url,
        domain: fixture.client.domain,
        rollup: ROLLUP,
        pollIntervalMs,
      },
    },
  );

/** Reply of the facilitator to `settle`. */
function settleAnswer(body: unknown): unknown {
  const { payload } = (body as { paymentPayload: { payload: { operation: OperationBody; receipt: string } } })
    .paymentPayload;
  const { domain } = fixture.client;
  const bRef = leafReference({ l1Owner: 0x0bn, kind: LEAF_KIND.model });
  const hash = hex32(messageHash(decodeOperation(payload.operation), { domain, bRef }));
  const terms = { payer: String(PAYER), network: x402Network(domain), amount: `${PRICE_WEI}` };
  if (settle === "silent") return silence();
  if (settle === "refuses")
    return { success: false, errorReason: "OP_EPOCH_FULL", errorMessage: "full", transaction: "", ...terms };
  if (!settled.some((one) => one.hash === hash)) {
    settled.push({ hash, receipt: BigInt(payload.receipt) });
    setPayments(
      fixture,
      modelId,
      settled.map(({ hash: name, receipt }) => ({ receipt, payerId: PAYER, hash: name })),
    );
    fixture.sequencer.answers.set(`GET /v1/operations/${hash}`, {
      ...payload.operation,
      ...{ hash, amountCode: 1, status: "acknowledged", preconfirmation: null },
    });
  }
  return settle === "takes-silently" ? silence() : { success: true, transaction: hash, ...terms };
}

const question = (prompt: string): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ prompt }),
});
const url = () => `${modelUrl(served.url, modelId)}/v1/answers`;

function payer(
  sending: typeof globalThis.fetch = globalThis.fetch,
  budgetWei = 4n * PRICE_WEI,
  options: Partial<ReceiptSchemeOptions> = {},
) {
  // As clients have it by default: an answer of a busy machine takes more than the fixture's five seconds.
  const client = { ...fixture.client, leafId: PAYER, requestTimeoutMs: 30_000 };
  const limits = { maxPriceWei: 2n * PRICE_WEI, budgetWei };
  const scheme = receiptScheme(client, { ...limits, fetch: sending, ...options });
  const { network, spendControls } = scheme;
  const config = { schemes: [{ network, client: scheme }], spendControls };
  return { scheme, pay: wrapFetchWithPaymentFromConfig(scheme.fetch, config) };
}
const settleCount = () => fixture.sequencer.heard.filter(({ route }) => route === "POST /x402/settle").length;
const responseOf = (response: Response) => decodeX402Header(response.headers.get("payment-response")!);

it("says at OpenAI's routes where a classifier is asked", async () => {
  const post = async (path: string, model: string) => {
    const headers = { "content-type": "application/json" };
    const messages = [{ role: "user", content: "?" }];
    const response = await fetch(`${served.url}${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model, messages }),
    });
    return [response.status, ((await response.json()) as { error: object }).error];
  };
  for (const path of ["/v1/chat/completions", "/v1/completions"]) {
    const askPath = `/ledger/${modelId}/v1/answers`;
    expect(await post(path, `model-${modelId}`)).toMatchObject([
      404,
      { code: "model_not_found", param: "model", message: expect.stringContaining(`POST ${askPath}`) },
    ]);
    expect(await post(path, "model-999")).toMatchObject([404, { code: "unknown_url" }]);
  }
});

describe("an answer paid by x402", () => {
  it("is given with its receipt, paid once", async () => {
    const { pay, scheme } = payer();
    const response = await pay(url(), question(published.prompts[0]!));
    const body = (await response.json()) as { receipt: string; answer: string };
    expect([response.status, BigInt(body.receipt)]).toEqual([200, settled[0]!.receipt]);
    expect(responseOf(response)).toMatchObject({ success: true, transaction: settled[0]!.hash });
    expect([settled.length, scheme.spentWei]).toEqual([1, COST_WEI]);
    // Nothing of it was shown before: the question was asked sealed.
    const status = await (await fetch(`${url()}/${body.receipt}`)).json();
    expect(status).toMatchObject({ isPaid: true });
  });

  it("is not given while the facilitator is away, and is paid once by the same payment afterwards", async () => {
    const { pay, scheme } = payer();
    for (const mode of ["silent", "takes-silently"] as const) {
      settle = mode;
      const failed = await pay(url(), question(published.prompts[0]!));
      expect([failed.status, ((await failed.json()) as { error: object }).error]).toMatchObject([
        503,
        { code: "ATT_SERVER_UNREACHABLE" },
      ]);
    }
    expect([settled.length, scheme.spentWei]).toEqual([1, COST_WEI]);
    settle = "takes";
    const response = await pay(url(), question(published.prompts[0]!));
    expect(response.status).toBe(200);
    expect([settled.length, scheme.spentWei]).toEqual([1, COST_WEI]);
    const sent = fixture.sequencer.heard.filter(({ route }) => route === "POST /x402/settle");
    expect(new Set(sent.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it("is not signed for where the ledger has a payment that the server has not seen", async () => {
    const { sequencer } = fixture;
    const position = `GET /v1/models/${modelId}/payments?from=0&limit=500&epoch=1`;
    const prompt = published.prompts[0]!;
    const { pay: first } = payer();
    settle = "refuses";
    expect((await first(url(), question(prompt))).status).toBe(402);
    const order = sequencer.heard.findLast(({ route }) => route === "POST /x402/settle")!.body;
    const { receipt } = (order as { paymentPayload: { payload: { receipt: string } } }).paymentPayload
      .payload;
    settle = "takes";
    const open = sequencer.answers.get(position) as object;
    const payment = {
      hash: "0x01",
      receipt,
      payerId: PAYER,
      amountWei: "1",
      cumulativeWei: "1",
      batchNumber: 1,
    };
    sequencer.answers.set(position, { ...open, paymentCount: 1, payments: [payment] });
    const { pay, scheme } = payer();
    await expect(pay(url(), question(prompt))).rejects.toThrow("CLI_RECEIPT_PAID");
    expect([settled, scheme.spentWei]).toEqual([[], 0n]);
  });

  it("is presented again by the same payment where its body broke off", async () => {
    let isBroken = true;
    const breaking: typeof globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      const isPaid = request.headers.has("payment-signature");
      const response = await fetch(request);
      if (!isPaid || !isBroken) return response;
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"answer":'));
          setTimeout(() => controller.error(new TypeError("terminated")), 1);
        },
      });
      return new Response(body, response);
    };
    const { pay, scheme } = payer(breaking);
    const broken = await pay(url(), question(published.prompts[0]!));
    expect(broken.status).toBe(200);
    await expect(broken.json()).rejects.toThrow("terminated");
    isBroken = false;
    const response = await pay(url(), question(published.prompts[0]!));
    expect(await response.json()).toMatchObject({ receipt: hex32(settled[0]!.receipt) });
    expect([settled.length, scheme.spentWei]).toEqual([1, COST_WEI]);
    // It is whole: the question asked anew is another purchase of the same answer.
    expect(responseOf(response)).toMatchObject({ amount: `${PRICE_WEI}` });
  });

  /** A payer that is started again with what it has stored. */
  const storing = (options: Partial<ReceiptSchemeOptions> = {}) => {
    let stored = "[]";
    const start = () =>
      payer(globalThis.fetch, 4n * PRICE_WEI, {
        openPayments: JSON.parse(stored) as OpenPayment[],
        onOpenPayments: (payments) => {
          stored = JSON.stringify(payments);
        },
        ...options,
      });
    return { start, stored: () => JSON.parse(stored) as OpenPayment[] };
  };

  it("is presented again by a program that was started again with its open payments", async () => {
    const program = storing();
    settle = "takes-silently";
    expect((await program.start().pay(url(), question(published.prompts[0]!))).status).toBe(503);
    expect(program.stored()).toHaveLength(1);
    settle = "takes";
    const { pay, scheme } = program.start();
    expect(scheme.spentWei).toBe(COST_WEI);
    const response = await pay(url(), question(published.prompts[0]!));
    expect(await response.json()).toMatchObject({ receipt: hex32(settled[0]!.receipt) });
    expect([settled.length, scheme.spentWei]).toEqual([1, COST_WEI]);
    await expect.poll(() => program.stored()).toEqual([]);
  });

  it("is not given back by another rollup's payments, nor by what no scheme has stored", async () => {
    const program = storing();
    settle = "takes-silently";
    await program.start().pay(url(), question(published.prompts[0]!));
    const [one] = program.stored();
    const restored = (openPayment: object) => () =>
      payer(globalThis.fetch, 4n * PRICE_WEI, { openPayments: [openPayment as OpenPayment] });
    expect(restored(one!)).not.toThrow();
    const refused = (reason: string) =>
      expect.objectContaining({ code: "CLI_X402_INVALID", data: expect.objectContaining({ reason }) });
    expect(restored({ ...one, network: "oledger:0" })).toThrow(refused("network"));
    expect(restored({ ...one, costWei: "-1" })).toThrow(refused("stored"));
    expect(restored({ ...one, more: 1 })).toThrow(refused("stored"));
  });

  it("is one payment by its name, for a program that has lost what it signed and a server that was started again", async () => {
    const paymentId = () => "order_0000000000000001";
    settle = "takes-silently";
    const first = payer(globalThis.fetch, 4n * PRICE_WEI, { paymentId });
    expect((await first.pay(url(), question(published.prompts[0]!))).status).toBe(503);
    const port = new URL(served.url).port;
    await served.close();
    served = await start({ SERVING_PORT: port });
    settle = "takes";
    const { pay, scheme } = payer(globalThis.fetch, 4n * PRICE_WEI, { paymentId });
    for (let i = 0; i < 2; i++) {
      const response = await pay(url(), question(published.prompts[0]!));
      expect(await response.json()).toMatchObject({ receipt: hex32(settled[0]!.receipt) });
      expect(responseOf(response)).toMatchObject({ success: true, transaction: settled[0]!.hash });
      // What was signed anew was not executed.
      expect([settled.length, scheme.spentWei]).toEqual([1, 0n]);
    }
    // The answers that were given up hold up no other question.
    const other = payer();
    expect((await other.pay(url(), question(published.prompts[1]!))).status).toBe(200);
  });

  it("is refused by the name of another question's payment, and its price is free again", async () => {
    const paymentId = () => "order_0000000000000002";
    const { pay, scheme } = payer(globalThis.fetch, 4n * PRICE_WEI, { paymentId });
    expect((await pay(url(), question(published.prompts[0]!))).status).toBe(200);
    const response = await pay(url(), question(published.prompts[1]!));
    expect([response.status, await response.json()]).toMatchObject([
      409,
      { error: { code: "ATT_PAYMENT_NAME_USED", data: { receipt: hex32(settled[0]!.receipt) } } },
    ]);
    expect([settled.length, scheme.spentWei]).toEqual([1, COST_WEI]);
  });

  it("is offered by the extension's own words, and refused by a malformed name", async () => {
    const offered = decodeX402Header(
      (await fetch(url(), question(published.prompts[0]!))).headers.get("payment-required")!,
    );
    expect(offered).toMatchObject({
      extensions: { "payment-identifier": { info: { required: false }, schema: { type: "object" } } },
    });
    const short = payer(globalThis.fetch, 4n * PRICE_WEI, { paymentId: () => "short" });
    await expect(short.pay(url(), question(published.prompts[0]!))).rejects.toThrow("CLI_X402_INVALID");
    const adding: typeof globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      const header = request.headers.get("payment-signature");
      if (header === null) return fetch(request);
      const payment = decodeX402Header(header) as object;
      const extensions = { "payment-identifier": { info: { required: false, id: "a b" } } };
      request.headers.set("payment-signature", encodeX402Header({ ...payment, extensions }));
      return fetch(request);
    };
    const response = await payer(adding).pay(url(), question(published.prompts[0]!));
    expect([response.status, settled.length]).toEqual([400, 0]);
  });

  it("is settled whatever else its header carries", async () => {
    const adding: typeof globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      const header = request.headers.get("payment-signature");
      if (header === null) return fetch(request);
      // Four characters here are 21 where the number is written again.
      const more = `,"extensions":{"more":[${Array(900).fill("1e20").join()}]}}`;
      request.headers.set("payment-signature", btoa(atob(header).replace(/}$/, more)));
      return fetch(request);
    };
    const response = await payer(adding).pay(url(), question(published.prompts[0]!));
    expect([response.status, settled.length]).toEqual([200, 1]);
    const { body } = fixture.sequencer.heard.findLast(({ route }) => route === "POST /x402/settle")!;
    const { paymentPayload } = body as { paymentPayload: object };
    expect(Object.keys(paymentPayload).sort()).toEqual(["accepted", "payload", "x402Version"]);
  });

  it("is not paid where a server redirects the request to another origin", async () => {
    const elsewhere = createServer((request, response) => {
      response.writeHead(307, { location: `${served.url}${request.url}` }).end();
    });
    await new Promise<void>((listening) => elsewhere.listen(0, "127.0.0.1", listening));
    const { port } = elsewhere.address() as AddressInfo;
    const { pay, scheme } = payer();
    const asked = url().replace(served.url, `http://127.0.0.1:${port}`);
    await expect(pay(asked, question(published.prompts[0]!))).rejects.toThrow(/CLI_X402_INVALID: no request/);
    elsewhere.close();
    expect([settled.length, scheme.spentWei]).toEqual([0, 0n]);
  });

  it("is opened after a restart by a payment that was settled before, without a further settlement", async () => {
    const { pay, scheme } = payer();
    settle = "takes-silently";
    const failed = await pay(url(), question(published.prompts[0]!));
    expect(failed.status).toBe(503);
    const port = new URL(served.url).port;
    await served.close();
    served = await start({ SERVING_PORT: port }, 100);
    await expect
      .poll(async () => (await fetch(`${url()}/${hex32(settled[0]!.receipt)}`)).json())
      .toMatchObject({ isPaid: true });
    const count = settleCount();
    // The price was raised meanwhile: what was paid on former terms is opened.
    priceWei = PRICE_WEI + 10n ** 16n;
    settle = "silent";
    const open = [...fixture.sequencer.heard].reverse().find(({ route }) => route === "POST /x402/settle");
    const payment = (open!.body as { paymentPayload: object }).paymentPayload;
    const header = { "payment-signature": btoa(JSON.stringify(payment)) };
    const asked = question(published.prompts[0]!);
    const response = await fetch(url(), { ...asked, headers: { ...(asked.headers as object), ...header } });
    expect(response.status).toBe(200);
    expect(responseOf(response)).toMatchObject({ success: true, transaction: settled[0]!.hash });
    expect([settleCount(), scheme.spentWei]).toEqual([count, COST_WEI]);
  });

  it("is opened by the last payment that the model takes, whose settlement was not heard", async () => {
    cap = 1;
    settle = "takes-silently";
    const failed = await payer().pay(url(), question(published.prompts[0]!));
    expect([failed.status, settled.length]).toEqual([503, 1]);
    const { body } = fixture.sequencer.heard.findLast(({ route }) => route === "POST /x402/settle")!;
    const { paymentPayload } = body as { paymentPayload: object };
    const asked = question(published.prompts[0]!);
    const headers = {
      "content-type": "application/json",
      "payment-signature": encodeX402Header(paymentPayload),
    };
    const response = await fetch(url(), { ...asked, headers });
    expect([response.status, settleCount()]).toEqual([200, 1]);
    expect(responseOf(response)).toMatchObject({ success: true, transaction: settled[0]!.hash });
  });

  it.each([
    ["whose epoch is full", "epoch-full"],
    ["that was revoked meanwhile", "not-approved"],
  ])("is opened by the payment that its scheme presents again, of a model %s", async (_, reason) => {
    const { pay, scheme } = payer();
    settle = "takes-silently";
    expect((await pay(url(), question(published.prompts[0]!))).status).toBe(503);
    if (reason === "epoch-full") cap = 1;
    else isApproved = false;
    settle = "silent";
    const unpaid = await fetch(url(), question(published.prompts[0]!));
    expect([unpaid.status, await unpaid.json()]).toMatchObject([
      402,
      { error: { code: "ATT_PAYMENT_REQUIRED", data: { reason, paymentRequired: { accepts: [{}] } } } },
    ]);
    const response = await pay(url(), question(published.prompts[0]!));
    expect(await response.json()).toMatchObject({ receipt: hex32(settled[0]!.receipt) });
    expect([settled.length, scheme.spentWei]).toEqual([1, COST_WEI]);
    // Another question is refused before it is asked, and nothing is signed.
    await expect(pay(url(), question(published.prompts[1]!))).rejects.toThrow(
      reason === "epoch-full" ? /OP_EPOCH_FULL/ : /OP_MODEL_NOT_PAYABLE/,
    );
    expect([settled.length, scheme.spentWei]).toEqual([1, COST_WEI]);
  });

  it("is not given where the settlement fails, which the headers say, and its price is free again", async () => {
    const { pay, scheme } = payer();
    settle = "refuses";
    const response = await pay(url(), question(published.prompts[0]!));
    expect(response.status).toBe(402);
    expect(responseOf(response)).toMatchObject({
      success: false,
      errorReason: "OP_EPOCH_FULL",
      transaction: "",
    });
    expect(decodeX402Header(response.headers.get("payment-required")!)).toMatchObject({
      error: expect.stringMatching(/^OP_EPOCH_FULL/),
    });
    expect(((await response.json()) as { error: object }).error).toMatchObject({
      code: "ATT_PAYMENT_REFUSED",
      data: { reason: "OP_EPOCH_FULL" },
    });
    // The fake ledger knows no such operation.
    expect(scheme.spentWei).toBe(0n);
  });

  it("counts against the budget where a server refuses a payment and has it executed afterwards", async () => {
    const { pay, scheme } = payer(globalThis.fetch, COST_WEI);
    settle = "refuses";
    expect((await pay(url(), question(published.prompts[0]!))).status).toBe(402);
    settle = "takes";
    settleAnswer(fixture.sequencer.heard.findLast(({ route }) => route === "POST /x402/settle")!.body);
    await expect(pay(url(), question(published.prompts[1]!))).rejects.toThrow(/CLI_BUDGET_SPENT/);
    expect([settled.length, scheme.spentWei]).toEqual([1, COST_WEI]);
  });

  it("is not paid where the server would have another model paid, another rollup, or asks at another origin", async () => {
    const other = modelId === IDS[0] ? IDS[1]! : IDS[0]!;
    const cases: [object, RegExp][] = [
      [{ payTo: String(other), extra: { modelId: other } }, /CLI_X402_INVALID: .* no route of model/],
      [{ network: "oledger:0" }, /No network/],
      [
        { extra: { askUrl: `http://127.0.0.2/ledger/${modelId}/v1/answers` } },
        /CLI_X402_INVALID: no request/,
      ],
      [
        {
          extra: { askUrl: url().replace(`/${modelId}/`, `/${other}/`), modelId: other },
          payTo: String(other),
        },
        /CLI_X402_INVALID: model/,
      ],
    ];
    for (const [changed, message] of cases) {
      const lying: typeof globalThis.fetch = async (input, init) => {
        const response = await fetch(input, init);
        const header = response.headers.get("payment-required");
        if (header === null) return response;
        const required = decodeX402Header(header) as { accepts: [{ extra: object }] };
        const accepted = { ...required.accepts[0], ...changed };
        const extra = { ...required.accepts[0].extra, ...(changed as { extra?: object }).extra };
        const paymentRequired = { ...required, accepts: [{ ...accepted, extra }] };
        const body = JSON.stringify({ error: { code: "x", data: { paymentRequired } } });
        const headers = { "payment-required": encodeX402Header(paymentRequired) };
        return Object.defineProperty(new Response(body, { status: 402, headers }), "url", {
          value: response.url,
        });
      };
      const { pay, scheme } = payer(lying);
      await expect(pay(url(), question(published.prompts[0]!)), JSON.stringify(changed)).rejects.toThrow(
        message,
      );
      expect([settled.length, scheme.spentWei]).toEqual([0, 0n]);
    }
  });

  it("is refused without terms where the ledger's node settles nothing, and a signed question is answered", async () => {
    const { answers } = fixture.sequencer;
    const supported = answers.get("GET /x402/supported");
    answers.set(
      "GET /x402/supported",
      new FakeFailure(409, { error: { code: "SEQ_READ_ONLY", message: "ask the sequencer" } }),
    );
    const response = await fetch(url(), question(published.prompts[0]!));
    answers.set("GET /x402/supported", supported);
    expect([response.status, response.headers.get("payment-required")]).toEqual([402, null]);
    expect(await response.json()).toMatchObject({ error: { code: "ATT_PAYMENT_REQUIRED" } });
  });

  it.each([
    ["before the question is asked", "/v1/answers", null],
    ["before the payment is sent", "payment-signature", 402],
  ] as const)("is not paid at another price than the requirements, raised %s", async (_when, at, status) => {
    let isFirst = true;
    const sending: typeof globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      if (at === "payment-signature" && request.headers.has(at)) priceWei += 10n ** 16n;
      const response = await fetch(request);
      if (at === "/v1/answers" && isFirst) priceWei += 10n ** 16n;
      isFirst = false;
      return response;
    };
    const { pay, scheme } = payer(sending);
    const outcome = await pay(url(), question(published.prompts[0]!)).catch((error: Error) => error);
    if (outcome instanceof Error)
      expect([null, outcome.message]).toEqual([status, expect.stringMatching(/CLI_PRICE_TOO_HIGH/)]);
    else
      expect([outcome.status, await outcome.json()]).toMatchObject([
        status,
        { error: { data: { reason: "accepted" } } },
      ]);
    expect([settled.length, scheme.spentWei]).toEqual([0, 0n]);
  });
});
