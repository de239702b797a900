/** Tests of x402's facilitator: what it supports, verifies and settles, by x402's own client of facilitators. */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import { x402Network } from "@openledger/circuits/wire/x402-payment";
import { hex32 } from "@openledger/foundation/hex";
import { HTTPFacilitatorClient } from "@x402/core/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Call,
  findModel,
  settlementDeployment,
  stepModel,
  type TestModel,
} from "../testing/test-model.ts";
import { close, head, report } from "../testing/test-operator.ts";
import {
  L1_TIMESTAMP,
  ONE_OPEN_CODE,
  ONE_OPEN_WEI,
  operationJson,
  operatorHeaders,
  signedBy,
  startTestRollup,
  TEST_DOMAIN,
  type TestRollup,
  type TestUser,
  temporaryFolder,
} from "../testing/test-rollup.ts";

const DAY_SECONDS = 86_400;
const folder = temporaryFolder();
const network = x402Network(TEST_DOMAIN);
let rollup: TestRollup;
let model: TestModel;
let payer: TestUser;
let facilitator: HTTPFacilitatorClient;

beforeAll(async () => {
  const { circuits, deployment } = await settlementDeployment(folder.path);
  rollup = await startTestRollup({ dataPath: `${folder.path}/data`, userCount: 2, deployment });
  const [owner, other] = rollup.users as [TestUser, TestUser];
  payer = other;
  const call: Call = async (path, payload) =>
    (payload === undefined ? await rollup.get(path) : await rollup.post(path, payload, operatorHeaders)).body;
  const until = async (name: string) => {
    for (let step = ""; step !== name; ) [step] = await stepModel(call, owner, circuits);
  };
  await until("publish");
  await close(rollup);
  for (let number = 1; number <= rollup.sequencer.pipeline.registry.closedNumber; number++)
    await report(rollup, number, "final");
  await head(rollup, L1_TIMESTAMP + DAY_SECONDS);
  await until("activation");
  model = (await findModel(call, owner)) as TestModel;
  const url = await rollup.app.listen({ host: "127.0.0.1", port: 0 });
  facilitator = new HTTPFacilitatorClient({ url: `${url}/x402` });
});
afterAll(async () => {
  await rollup?.stop();
  folder.remove();
});

const leafOf = async (id: number) => (await rollup.get(`/v1/leaves/${id}`)).body;
const paymentCount = async () => (await leafOf(model.modelId)).counters.paymentCount;

interface Changes {
  readonly operation?: Partial<Parameters<typeof signedBy>[1]>;
  readonly required?: object;
  readonly accepted?: object;
  readonly payload?: object;
}

/** A payment and its requirements, as x402's messages have them. */
async function paymentOf(
  receipt: bigint,
  { accepted, operation = {}, payload = {}, required }: Changes = {},
) {
  const { modelId, owner } = model;
  const requirements = {
    scheme: "receipt",
    network,
    amount: ONE_OPEN_WEI.toString(),
    asset: (await rollup.get("/v1/info")).body.tokenAddress,
    payTo: String(modelId),
    maxTimeoutSeconds: 60,
    extra: {
      modelId,
      staticsHash: hex32(1n),
      promptSha256: hex32(2n),
      askUrl: "http://127.0.0.1/ledger/1/v1/answers",
      accountUrl: "docs",
    },
    ...required,
  };
  const signed = signedBy(payer, {
    kind: KIND.payInference,
    b: modelId,
    words: [receipt],
    amountCode: ONE_OPEN_CODE,
    nonce: BigInt((await leafOf(payer.id)).nonce),
    bOwner: owner.l1Owner,
    bKind: LEAF_KIND.model,
    ...operation,
  });
  const body = operationJson(signed);
  const paymentPayload = {
    x402Version: 2,
    accepted: { ...requirements, ...accepted },
    payload: {
      payerId: payer.id,
      signature: body.signature,
      receipt: hex32(receipt),
      operation: body,
      ...payload,
    },
  };
  return [paymentPayload, requirements] as never as Parameters<HTTPFacilitatorClient["verify"]>;
}

const verified = async (receipt: bigint, changes: Changes) =>
  (await facilitator.verify(...(await paymentOf(receipt, changes)))).invalidReason;

describe("the facilitator", () => {
  it("names its scheme, the rollup as a network, OPEN, and where a payer gets an account", async () => {
    const { kinds, signers } = await facilitator.getSupported();
    expect(signers).toEqual({});
    expect(kinds).toEqual([
      {
        x402Version: 2,
        scheme: "receipt",
        network,
        extra: {
          asset: (await rollup.get("/v1/info")).body.tokenAddress,
          accountUrl: "docs/reference/x402.md#an-account",
        },
      },
    ]);
    expect(network).toMatch(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/);
  });

  it("verifies a payment and changes nothing, settles it once, and again with the same answer", async () => {
    const payment = await paymentOf(11n);
    const before = [
      await leafOf(payer.id),
      await leafOf(model.modelId),
      rollup.sequencer.pipeline.head.position,
    ];
    for (let i = 0; i < 2; i++)
      expect(await facilitator.verify(...payment)).toMatchObject({ isValid: true, payer: String(payer.id) });
    expect([
      await leafOf(payer.id),
      await leafOf(model.modelId),
      rollup.sequencer.pipeline.head.position,
    ]).toEqual(before);
    const count = await paymentCount();
    const [first, second] = await Promise.all([
      facilitator.settle(...payment),
      facilitator.settle(...payment),
    ]);
    expect(first).toMatchObject({
      success: true,
      network,
      payer: String(payer.id),
      amount: ONE_OPEN_WEI.toString(),
    });
    expect(second).toEqual(first);
    expect(await paymentCount()).toBe(count + 1);
    expect((await rollup.get(`/v1/operations/${first.transaction}`)).body).toMatchObject({
      kind: "payInference",
      a: payer.id,
      words: [hex32(11n)],
    });
    // A payment that is settled stays valid: a server that was killed before it answered asks again.
    expect(await facilitator.verify(...payment)).toMatchObject({ isValid: true });
    expect(await facilitator.settle(...payment)).toEqual(first);
    expect(await paymentCount()).toBe(count + 1);
  });

  it.each<[string, Changes, string]>([
    ["another scheme", { required: { scheme: "exact" } }, "SEQ_PAYMENT_MISMATCH"],
    ["another network", { required: { network: "eip155:1" } }, "SEQ_PAYMENT_MISMATCH"],
    ["another asset", { required: { asset: "USD" } }, "SEQ_PAYMENT_MISMATCH"],
    ["other requirements than it accepts", { accepted: { amount: "1" } }, "SEQ_PAYMENT_MISMATCH"],
    ["another recipient", { required: { payTo: "1" } }, "SEQ_PAYMENT_MISMATCH"],
    ["an amount below", { operation: { amountCode: ONE_OPEN_CODE - (1n << 35n) } }, "SEQ_PAYMENT_MISMATCH"],
    ["an amount above", { operation: { amountCode: ONE_OPEN_CODE + 1n } }, "SEQ_PAYMENT_MISMATCH"],
    ["another model", { operation: { b: 2 } }, "SEQ_PAYMENT_MISMATCH"],
    ["another receipt", { operation: { words: [99n] } }, "SEQ_PAYMENT_MISMATCH"],
    ["another payer", { payload: { payerId: 2 } }, "SEQ_PAYMENT_MISMATCH"],
    ["a forged signature", { operation: { domain: 5n } }, "OP_BAD_SIGNATURE"],
    ["a nonce that is used up", { operation: { nonce: 0n } }, "OP_WRONG_NONCE"],
    ["a nonce behind a gap", { operation: { nonce: 99n } }, "OP_WRONG_NONCE"],
    ["too low a fee", { operation: { maxFeePerUnitWei: 1n } }, "OP_FEE_TOO_LOW"],
    [
      "more than the payer has",
      { operation: { amountCode: encodeAmount(10n ** 22n) }, required: { amount: (10n ** 22n).toString() } },
      "OP_BALANCE_TOO_LOW",
    ],
    [
      "less than the model's price",
      { operation: { amountCode: 1n }, required: { amount: "1" } },
      "OP_BELOW_PRICE",
    ],
  ])("refuses %s, and changes nothing", async (_what, changes, code) => {
    // The nonce that is used up is one of another operation.
    const before = [await leafOf(payer.id), await paymentCount()];
    expect(await verified(12n, changes)).toBe(code);
    const settled = await facilitator.settle(...(await paymentOf(12n, changes)));
    expect(settled).toMatchObject({ success: false, errorReason: code, transaction: "" });
    expect([await leafOf(payer.id), await paymentCount()]).toEqual(before);
  });

  it("computes no amount of a code that the ledger does not have", async () => {
    const [paymentPayload, paymentRequirements] = await paymentOf(14n);
    const operation = { ...(paymentPayload.payload.operation as object), amountCode: "9".repeat(20) };
    const payload = { ...paymentPayload.payload, operation };
    const order = { x402Version: 2, paymentPayload: { ...paymentPayload, payload }, paymentRequirements };
    expect(await rollup.post("/x402/verify", order)).toMatchObject({
      status: 200,
      body: { isValid: false, invalidReason: "OP_MALFORMED" },
    });
    expect(await rollup.post("/x402/settle", order)).toMatchObject({
      status: 200,
      body: { success: false, errorReason: "OP_MALFORMED" },
    });
  });

  it("takes no other kind of operation, no unknown field, and no large body", async () => {
    const [paymentPayload, paymentRequirements] = await paymentOf(13n);
    const send = (body: object) => rollup.post("/x402/verify", { x402Version: 2, ...body });
    const kind = {
      ...paymentPayload.payload,
      operation: { ...(paymentPayload.payload.operation as object), kind: "transfer" },
    };
    expect(
      (await send({ paymentPayload: { ...paymentPayload, payload: kind }, paymentRequirements })).body,
    ).toMatchObject({
      isValid: false,
      invalidReason: "SEQ_PAYMENT_MISMATCH",
    });
    for (const body of [
      { paymentPayload, paymentRequirements, more: 1 },
      { paymentPayload: { ...paymentPayload, x402Version: 1 }, paymentRequirements },
      { paymentPayload: { ...paymentPayload, more: 1 }, paymentRequirements },
      { paymentPayload, paymentRequirements: { ...paymentRequirements, amount: "01" } },
      { paymentPayload },
    ])
      expect(await send(body)).toMatchObject({ status: 400, body: { error: { code: "SRV_BAD_REQUEST" } } });
    const large = { ...paymentPayload, extensions: { x: "x".repeat(20_000) } };
    expect(await send({ paymentPayload: large, paymentRequirements })).toMatchObject({ status: 413 });
  });
});
