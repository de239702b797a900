/**
 * Tests of x402 with a real sequencer and a real answer server in one process, without L1: `@x402/fetch` as it comes from npm pays a
 * classifier. x402.all.test.ts has a rollup with both kinds of models.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signMessage } from "@openledger/circuits/field/curve/eddsa";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import { sizesOfName } from "@openledger/circuits/registry/circuit-sizes";
import { activationOf } from "@openledger/circuits/settlement/payee-table-rules";
import { settlementCircuitName } from "@openledger/circuits/settlement/settlement-size";
import { decodeX402Header, encodeX402Header } from "@openledger/circuits/wire/x402-payment";
import { payInference } from "@openledger/client/actions/ledger/pay-inference";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { clientWithoutL1 } from "@openledger/client/testing/client-without-l1";
import { checkPaidAnswer } from "@openledger/client/x402/check-paid-answer";
import { type ReceiptSchemeOptions, receiptScheme } from "@openledger/client/x402/receipt-scheme";
import { createLogger } from "@openledger/foundation/logger";
import { Secret } from "@openledger/foundation/secret";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import {
  settlementDeployment,
  settlementJson,
  signAs,
  signatureJson,
} from "@openledger/sequencer/testing/test-model";
import { close, head, report } from "@openledger/sequencer/testing/test-operator";
import {
  L1_TIMESTAMP,
  ONE_OPEN_CODE,
  ONE_OPEN_WEI,
  operatorHeaders,
  startTestRollup,
  TEST_DOMAIN,
  TEST_ROLLUP,
  type TestRollup,
  type TestUser,
} from "@openledger/sequencer/testing/test-rollup";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { getAddress } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AnsweredModel, DIRECT_SIZE, publishDirectModel } from "../../testing/answered-world.ts";
import { worldConfig } from "../../testing/serving-world.ts";
import { modelUrl, type ServedModels, serveModels } from "../serve-models.ts";

const DAY_SECONDS = 86_400;
/** The model's settlement circuit: its cap of payments. */
const SIZE = { ...DIRECT_SIZE, payments: 16 };

let folder: string;
let rollup: TestRollup;
let published: AnsweredModel;
let home: TestDatabase;
let served: ServedModels;
let modelId: number;
let payer: TestUser;
let client: LedgerClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "x402-ledger-"));
  published = await publishDirectModel();
  const { circuits, deployment } = await settlementDeployment(folder);
  const name = settlementCircuitName(SIZE);
  const settling = { ...deployment.circuits[1]!, name, ...sizesOfName(name) };
  const all = [...deployment.circuits, settling];
  rollup = await startTestRollup({
    dataPath: join(folder, "ledger"),
    userCount: 2,
    deployment: { ...deployment, circuits: all },
  });
  const [owner, other] = rollup.users as [TestUser, TestUser];
  payer = other;
  modelId = await makePayable(owner, all.length - 1, circuits);
  const sequencerUrl = await rollup.app.listen({ host: "127.0.0.1", port: 0 });
  const info = (await rollup.get("/v1/info")).body;
  client = clientWithoutL1({
    sequencerUrl,
    rollupAddress: getAddress(TEST_ROLLUP.rollupAddress),
    tokenAddress: getAddress(info.tokenAddress),
    sequencerAddress: info.preconfirmationSigner,
    domain: TEST_DOMAIN,
    leafId: payer.id,
    l2Key: {
      keyX: payer.keyX,
      secret: new Secret("0x"),
      sign: (message) => signMessage(payer.secret, message),
    },
  });
  home = await createTestDatabase();
  served = await serveModels(
    worldConfig(folder, {
      SERVING_BASE_PATH: undefined,
      SERVING_ADAPTERS_PATH: undefined,
      SERVING_DATABASE_URL: home.url,
    }),
    {
      logger: createLogger("models", "silent"),
      published: {
        locations: [{ modelId, folder: published.publishedFolder }],
        sequencerUrl,
        domain: TEST_DOMAIN,
        rollup: TEST_ROLLUP,
      },
    },
  );
}, 120_000);
afterAll(async () => {
  await served?.close();
  await home?.drop();
  await rollup?.stop();
  await published?.remove();
  await rm(folder, { recursive: true });
});

/** Registers the published model on the ledger, up to its activation. @returns its leaf */
async function makePayable(
  owner: TestUser,
  circuit: number,
  circuits: Awaited<ReturnType<typeof settlementDeployment>>["circuits"],
): Promise<number> {
  const { model } = published;
  const { payees, statics } = model;
  const call = async (path: string, payload?: object) =>
    (payload === undefined ? await rollup.get(path) : await rollup.post(path, payload, operatorHeaders)).body;
  const done = async (answer: Promise<{ hash?: string; error?: object }>) => {
    const { error, hash } = await answer;
    expect(error).toBeUndefined();
    return hash;
  };
  const created = async (kind: number, words: bigint[]) => {
    const fields = { kind, words, amountCode: ONE_OPEN_CODE };
    const hash = await done(signAs(call, owner, owner.id, fields));
    return (await call(`/v1/operations/${hash}`)).createdId as number;
  };
  const datanetId = await created(KIND.createDatanet, [owner.l1Owner, owner.keyX]);
  expect(datanetId).toBe(model.recipe.datanet.id);
  const { binding, featuresCommitment, ownersCommitment, payeeRoot, split } = statics;
  const price = ONE_OPEN_WEI / 2n;
  const words = [owner.l1Owner, owner.keyX, featuresCommitment, ownersCommitment, payeeRoot, binding];
  const id = await created(KIND.createModel, [...words, price | (split << 96n)]);
  const rowCount = BigInt(payees.reduce((sum, one) => sum + one.rowCount, 0));
  const version = [BigInt(model.recipe.datanet.rowsRoot), ownersCommitment, payeeRoot, rowCount, 0n];
  await done(signAs(call, owner, datanetId, { kind: KIND.publishVersion, words: version }));
  await close(rollup);
  for (let number = 1; number <= rollup.sequencer.pipeline.registry.closedNumber; number++)
    await report(rollup, number, "final");
  await head(rollup, L1_TIMESTAMP + DAY_SECONDS);
  const approval = { kind: KIND.approveModel, b: id, words: [hashStatics(statics)] };
  await done(signAs(call, owner, datanetId, { ...approval, bOwner: owner.l1Owner, bKind: LEAF_KIND.model }));
  const cap = { circuit, payments: SIZE.payments };
  const { data } = activationOf({ modelId: id, statics, payees }, cap, SIZE.payees);
  const activation = {
    ...settlementJson(data, "payeeTable", circuits),
    signature: signatureJson(owner, data),
  };
  await done(call("/v1/settlements", activation));
  return id;
}

const url = () => `${modelUrl(served.url, modelId)}/v1/answers`;
const question = (prompt: string, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ prompt }),
});
const paidBy = ({ headers }: Response) => decodeX402Header(headers.get("payment-response")!);
/** Sum of answers' prices with the maximum of their fees: fourteen units at twice the rate. */
async function costWei(answers: bigint): Promise<bigint> {
  const { feePerUnitWei } = (await rollup.get("/v1/info")).body;
  return answers * (ONE_OPEN_WEI / 2n + 28n * BigInt(feePerUnitWei));
}
const paymentCount = async () => (await rollup.get(`/v1/leaves/${modelId}`)).body.counters.paymentCount;

function payerWith(changes: Partial<ReceiptSchemeOptions> = {}) {
  const limits = { maxPriceWei: ONE_OPEN_WEI, budgetWei: 20n * ONE_OPEN_WEI };
  const scheme = receiptScheme(client, { ...limits, ...changes });
  const x402 = new x402Client().register(scheme.network, scheme).setSpendControls(scheme.spendControls);
  return { scheme, pay: wrapFetchWithPayment(scheme.fetch, x402) };
}

it("is paid and checked; the same payment again opens the same answer, also twice at once", async () => {
  const sent: string[] = [];
  const keeping: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const header = request.headers.get("payment-signature");
    if (header !== null) sent.push(header);
    return fetch(request);
  };
  const { pay, scheme } = payerWith({ fetch: keeping, models: () => published.checkable });
  const prompt = published.prompts[0]!;
  const before = await paymentCount();
  const response = await pay(url(), question(prompt));
  const body = await response.json();
  expect([response.status, await paymentCount()]).toEqual([200, before + 1]);
  const { headers } = response;
  const checked = await checkPaidAnswer(client, {
    ...{ modelId, model: published.checkable, request: { prompt }, body, headers },
  });
  expect(checked.transaction).toMatch(/^0x[0-9a-f]{64}$/);
  for (const again of await Promise.all(
    [1, 2].map(() => fetch(url(), question(prompt, { "payment-signature": sent[0]! }))),
  )) {
    expect([again.status, await again.json()]).toEqual([200, body]);
    expect(paidBy(again)).toEqual(paidBy(response));
  }
  expect([await paymentCount(), scheme.spentWei]).toEqual([before + 1, await costWei(1n)]);
  // Whoever reads the payment on the ledger has no signature of the question, and another question has another one.
  const payment = decodeX402Header(sent[0]!) as { payload: Payload };
  const stolen = {
    ...payment,
    payload: { ...payment.payload, signature: { r8x: "0x1", r8y: "0x2", s: "0x3" } },
  };
  for (const [asked, presented] of [
    [prompt, encodeX402Header(stolen)],
    ["another question", sent[0]!],
  ] as const) {
    const refused = await fetch(url(), question(asked, { "payment-signature": presented }));
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { error: { code: "ATT_ASK_REFUSED" } },
    ]);
  }
});

it("pays two different questions at once in turn, and each once", async () => {
  const { pay, scheme } = payerWith();
  const before = await paymentCount();
  const responses = await Promise.all(
    published.prompts.slice(0, 2).map((prompt) => pay(url(), question(prompt))),
  );
  expect(responses.map(({ status }) => status)).toEqual([200, 200]);
  expect([await paymentCount(), scheme.spentWei]).toEqual([before + 2, await costWei(2n)]);
});

it("opens nothing for another amount, another receipt or a forged operation, and counts nothing", async () => {
  const before = await paymentCount();
  for (const change of [
    (payload: Payload) => ({ ...payload, operation: { ...payload.operation, amountCode: "1" } }),
    (payload: Payload) => ({ ...payload, receipt: `0x${"1".repeat(64)}` }),
    (payload: Payload) => ({ ...payload, operation: { ...payload.operation, nonce: 99 } }),
    (payload: Payload) => ({ ...payload, operation: { ...payload.operation, maxFeePerUnitWei: "1" } }),
  ]) {
    const changing: typeof globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      const header = request.headers.get("payment-signature");
      if (header === null) return fetch(request);
      const payment = decodeX402Header(header) as { payload: Payload };
      request.headers.set(
        "payment-signature",
        encodeX402Header({ ...payment, payload: change(payment.payload) }),
      );
      return fetch(request);
    };
    const { pay, scheme } = payerWith({ fetch: changing });
    const response = await pay(url(), question(published.prompts[2]!));
    expect([response.status, await response.json()]).toMatchObject([
      402,
      { error: { code: "ATT_PAYMENT_REFUSED" } },
    ]);
    expect([await paymentCount(), scheme.spentWei]).toEqual([before, 0n]);
  }
});

type Payload = { readonly operation: object; readonly receipt: string };

it("is settled once where the answer is lost, and opened by the same payment", async () => {
  let isLost = true;
  const losing: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    if (!isLost || !request.headers.has("payment-signature")) return fetch(request);
    const payment = decodeX402Header(request.headers.get("payment-signature")!) as { accepted: object };
    const order = { x402Version: 2, paymentPayload: payment, paymentRequirements: payment.accepted };
    expect((await rollup.post("/x402/settle", order)).body).toMatchObject({ success: true });
    throw new TypeError("fetch failed");
  };
  const { pay, scheme } = payerWith({ fetch: losing });
  const before = await paymentCount();
  await expect(pay(url(), question(published.prompts[2]!))).rejects.toThrow("fetch failed");
  isLost = false;
  const response = await pay(url(), question(published.prompts[2]!));
  expect(response.status).toBe(200);
  expect([await paymentCount(), scheme.spentWei]).toEqual([before + 1, await costWei(1n)]);
});

it("names the operation that was executed, whatever is presented for a payment that the ledger has", async () => {
  const sent: string[] = [];
  const keeping: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const header = request.headers.get("payment-signature");
    if (header !== null) sent.push(header);
    return fetch(request);
  };
  const { pay } = payerWith({ fetch: keeping });
  const prompt = `${published.prompts[0]} named`;
  const response = await pay(url(), question(prompt));
  const payment = decodeX402Header(sent[0]!) as { payload: Payload; accepted: object };
  const others = [
    {
      ...payment,
      payload: {
        ...payment.payload,
        operation: { ...payment.payload.operation, nonce: 999, amountCode: "1" },
      },
    },
    { ...payment, accepted: { ...payment.accepted, network: "oledger:0x1" } },
  ];
  for (const other of others) {
    const again = await fetch(url(), question(prompt, { "payment-signature": encodeX402Header(other) }));
    expect([again.status, paidBy(again)]).toEqual([200, paidBy(response)]);
  }
});

it("is paid once: no operation of its payer follows a payment by x402", async () => {
  const before = await paymentCount();
  const { pay } = payerWith();
  const bought = (await (await pay(url(), question(`${published.prompts[1]} once`))).json()) as {
    receipt: string;
  };
  const amountWei = ONE_OPEN_WEI / 2n;
  const again = { modelId, amountWei, receipt: BigInt(bought.receipt) };
  await expect(payInference(client, again)).rejects.toMatchObject({
    code: "CLI_RECEIPT_PAID",
    data: { modelId, receipt: bought.receipt, epoch: 1 },
  });
  expect(await paymentCount()).toBe(before + 1);
});
