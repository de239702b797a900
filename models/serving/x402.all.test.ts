/**
 * Tests of answers paid by x402, with `@x402/fetch` as it comes from npm, on a rollup: paid and checked answers of both models, what
 * is refused, and what a payment opens again.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { decodeX402Header } from "@openledger/circuits/wire/x402-payment";
import { createAccount } from "@openledger/client/actions/ledger/create-account";
import { keyFromSecret } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getInfo, getLeaf, getOperation } from "@openledger/client/sequencer/ledger-reads";
import { checkPaidAnswer } from "@openledger/client/x402/check-paid-answer";
import { type ReceiptSchemeOptions, receiptScheme } from "@openledger/client/x402/receipt-scheme";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { packageEntries } from "@openledger/scripts/packing/package-entries";
import { PACKAGES } from "@openledger/scripts/packing/packages";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { pad } from "viem";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { PRICE_WEI } from "../testing/settling-fixture.ts";
import { BOB, type SoldWorld, startSoldWorld } from "../testing/sold-world.ts";

const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
let world: SoldWorld;
let bob: LedgerClient;
let text: Awaited<ReturnType<typeof openModel>>;
let direct: Awaited<ReturnType<typeof openModel>>;

const openModel = async (modelId: number) =>
  openCheckable(await fetchAnswering(`${world.serverUrl}/ledger/${modelId}`, world.families));

beforeAll(async () => {
  world = await startSoldWorld();
  bob = { ...world.world.bob, leafId: BOB };
  [text, direct] = [await openModel(world.textId), await openModel(world.directId)];
}, 900_000);
afterAll(() => world?.stop());

const LIMITS = { maxPriceWei: OPEN, budgetWei: 20n * OPEN };

/** A payer as a program has it: x402's client with the scheme, and its wrapped fetch. */
function payerOf(client: LedgerClient, changes: Partial<ReceiptSchemeOptions> = {}) {
  const scheme = receiptScheme(client, { ...LIMITS, ...changes });
  const errors: unknown[] = [];
  const x402 = new x402Client()
    .register(scheme.network, scheme)
    .setSpendControls(scheme.spendControls)
    .onPaymentCreationFailure(async ({ error }) => {
      errors.push(error);
    });
  return { scheme, errors, pay: wrapFetchWithPayment(scheme.fetch, x402) };
}

const post = (body: object, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});
const chats = () => `${world.serverUrl}/v1/chat/completions`;
const answers = (modelId: number) => `${world.serverUrl}/ledger/${modelId}/v1/answers`;
const chat = (content: string) => ({
  model: `model-${world.textId}`,
  messages: [{ role: "user" as const, content }],
});
/** Price with the maximum fee: fourteen units at twice the rate. */
const costWei = async () => PRICE_WEI + 28n * (await getInfo(bob)).feePerUnitWei;
const payments = async () => (await world.paidBy(BOB)).length;
const headerOf = (response: Response, name: string) => decodeX402Header(response.headers.get(name)!) as never;

describe("an unpaid request", () => {
  it("gets the requirements in its header, and the text that is bound in its body", async () => {
    const response = await fetch(chats(), post(chat("dobaki me")));
    expect(response.status).toBe(402);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const { scheme } = payerOf(bob);
    const required = headerOf(response, "payment-required") as { accepts: { extra: object }[] };
    expect(required).toMatchObject({
      x402Version: 2,
      resource: { url: chats(), mimeType: "application/json" },
      accepts: [
        {
          scheme: "receipt",
          network: scheme.network,
          amount: PRICE_WEI.toString(),
          asset: bob.tokenAddress.toLowerCase(),
          payTo: String(world.textId),
          maxTimeoutSeconds: 60,
          extra: { modelId: world.textId, askUrl: answers(world.textId) },
        },
      ],
    });
    const { error } = (await response.json()) as { error: { openledger: { data: { prompt: string } } } };
    expect(error).toMatchObject({
      code: "insufficient_quota",
      openledger: {
        code: "MOD_SERVE_UNPAID",
        data: { reason: "ATT_PAYMENT_REQUIRED", paymentRequired: required },
      },
    });
    expect(error.openledger.data.prompt).toBe(text.chat!.promptOf(chat("dobaki me")));
    // A request with fields of our own is answered as before.
    const own = await fetch(chats(), post({ ...chat("dobaki me"), openledger: {} }));
    expect([own.status, own.headers.get("payment-required")]).toEqual([402, null]);
    const bad = await fetch(chats(), post(chat("dobaki me"), { "payment-signature": "e30=" }));
    expect(bad.status).toBe(400);
  });
});

describe("a payer with @x402/fetch", () => {
  it("pays a chat, whole and streamed, a completion and a classifier's answer, each checked", async () => {
    const before = await payments();
    const models = (modelId: number) => (modelId === world.textId ? text : direct);
    const { pay, scheme } = payerOf(bob, { models });
    const request = chat("dobaki me");
    const response = await pay(chats(), post(request));
    expect(response.status).toBe(200);
    const body = (await response.json()) as {
      choices: [{ message: { content: string } }];
      openledger: object;
    };
    const settled = headerOf(response, "payment-response") as { transaction: `0x${string}` };
    expect(settled).toMatchObject({ success: true, payer: String(BOB), network: scheme.network });
    const order = { modelId: world.textId, model: text, request, headers: response.headers };
    const checked = await checkPaidAnswer(bob, { ...order, body, isAnsweredAgain: true });
    expect(checked).toMatchObject({
      transaction: settled.transaction,
      message: { content: body.choices[0].message.content },
      assurance: { answer: "recomputed" },
    });
    expect((await getOperation(bob, settled.transaction))!.words[0]).toBe(checked.answer.receipt);
    // What is shown, what is bound and what was paid are compared.
    for (const [what, changed] of [
      ["text", { ...body, choices: [{ ...body.choices[0], message: { content: "another" } }] }],
      ["answer", { ...body, openledger: { ...body.openledger, answer: '{"text":"x","tokens":[]}' } }],
      ["receipt", { ...body, openledger: { ...body.openledger, salt: `0x${"1".repeat(64)}` } }],
    ] as const)
      await expect(
        checkPaidAnswer(bob, { ...order, body: changed, isAnsweredAgain: true }),
        what,
      ).rejects.toMatchObject({
        code: "CLI_ANSWER_WRONG",
        data: { what: expect.stringMatching(/text|answer|query|receipt/) },
      });

    const stream = await pay(chats(), post({ ...chat("lume nado"), stream: true }));
    expect(stream.headers.get("content-type")).toContain("text/event-stream");
    expect(headerOf(stream, "payment-response")).toMatchObject({ success: true });
    expect(await stream.text()).toMatch(/"openledger":[\s\S]*data: \[DONE\]/);

    const completion = { model: `model-${world.textId}`, prompt: "porasi me" };
    const second = await pay(`${world.serverUrl}/v1/completions`, post(completion));
    await checkPaidAnswer(bob, {
      ...{ modelId: world.textId, model: text, request: completion, headers: second.headers },
      body: await second.json(),
    });

    const label = await pay(answers(world.directId), post({ prompt: "win a free cruise now" }));
    const { answer, message } = await checkPaidAnswer(bob, {
      ...{ modelId: world.directId, model: direct, request: { prompt: "win a free cruise now" } },
      ...{ headers: label.headers, body: await label.json() },
    });
    expect([answer.label, message]).toEqual([expect.any(String), null]);
    // The payment of another answer is not this one's.
    await expect(checkPaidAnswer(bob, { ...order, body, headers: label.headers })).rejects.toMatchObject({
      data: { what: "payment" },
    });
    expect(await payments()).toBe(before + 4);
    expect(scheme.spentWei).toBe(4n * (await costWei()));
  }, 120_000);

  it("is told what it lacks, with a code: account, price, budget, balance, and a wrapped fetch", async () => {
    const before = await payments();
    const tryTo = async (client: LedgerClient, changes: Partial<ReceiptSchemeOptions> = {}) => {
      const { errors, pay } = payerOf(client, changes);
      const failed = (await pay(chats(), post(chat("luki"))).catch((error: unknown) => error)) as Error;
      return [failed.message, errors[0]] as const;
    };
    const stranger = { ...bob, leafId: null, l2Key: await keyFromSecret(pad("0x1234")) };
    const [message, error] = await tryTo(stranger);
    expect(message).toMatch(/CLI_PAYER_NO_ACCOUNT: .*deposit of OPEN/);
    expect(error).toMatchObject({
      code: "CLI_PAYER_NO_ACCOUNT",
      data: { accountUrl: expect.stringMatching(/^http|^docs/) },
    });
    // Beyond the scheme's own maximum x402's client already refuses.
    expect((await tryTo(bob, { maxPriceWei: PRICE_WEI - 1n }))[0]).toMatch(/spendControls/);
    expect((await tryTo(bob, { budgetWei: PRICE_WEI - 1n }))[1]).toMatchObject({
      code: "CLI_BUDGET_SPENT",
      data: { reason: "budget", leftWei: `${PRICE_WEI - 1n}` },
    });
    const poorKey = await keyFromSecret(pad("0x4321"));
    const { hash } = await createAccount(bob, {
      l1Owner: (await getLeaf(bob, BOB)).l1Owner,
      keyX: poorKey.keyX,
      amountWei: 10n ** 15n,
    });
    const leafId = (await getOperation(bob, hash))!.createdId!;
    expect((await tryTo({ ...bob, l2Key: poorKey, leafId }))[1]).toMatchObject({
      code: "CLI_BUDGET_SPENT",
      data: { reason: "balance" },
    });
    const { errors, scheme } = payerOf(bob);
    const unwrapped = new x402Client().register(scheme.network, scheme).setSpendControls(false);
    unwrapped.onPaymentCreationFailure(async ({ error }) => void errors.push(error));
    await expect(wrapFetchWithPayment(fetch, unwrapped)(chats(), post(chat("luki")))).rejects.toThrow(
      /CLI_X402_INVALID/,
    );
    expect(errors[0]).toMatchObject({ code: "CLI_X402_INVALID", data: { reason: "no-question" } });
    expect(await payments()).toBe(before);
    expect((await getLeaf(bob, leafId)).balanceWei).toBe(10n ** 15n);
  }, 120_000);

  it("is a program of less than forty lines", async () => {
    const before = await payments();
    const folder = await mkdtemp(join(tmpdir(), "pay-x402-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    // The program imports the package by its name: its entries, from the sources.
    const paths: Record<string, string[]> = {};
    for (const [path, entry] of packageEntries(repositoryRoot, PACKAGES.client)) {
      const name = basename(path, ".ts");
      await writeFile(join(folder, `${name}.ts`), entry.replaceAll('"./', `"${repositoryRoot}/`));
      paths[name === "index" ? "openledger-client" : `openledger-client/${name}`] = [
        join(folder, `${name}.ts`),
      ];
    }
    const tsconfig = join(folder, "tsconfig.json");
    await writeFile(tsconfig, JSON.stringify({ compilerOptions: { module: "nodenext", paths } }));
    const { f, home, sequencerUrl } = world.world;
    const program = join(repositoryRoot, "examples/pay-x402.ts");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", tsx, program, "win a cruise"],
      {
        env: {
          PATH: process.env.PATH,
          TSX_TSCONFIG_PATH: tsconfig,
          RPC_URL: f.rpcUrl,
          SEQUENCER_URL: sequencerUrl,
          ROLLUP: f.rollup.address,
          PRIVATE_KEY: await readFile(join(home, "bob-key"), "utf8"),
          ANSWERS_URL: answers(world.directId),
        },
      },
    );
    expect(stdout).toMatch(/\npaid at most 0\.5\d* OPEN by 0x[0-9a-f]{64}, receipt 0x[0-9a-f]{64}\n$/);
    expect(await payments()).toBe(before + 1);
    expect((await readFile(program, "utf8")).split("\n").length).toBeLessThanOrEqual(41);
  }, 120_000);

  it("does not pay for another text than it sent", async () => {
    const before = await payments();
    const other: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      if (!request.url.endsWith("/v1/chat/completions")) return fetch(request);
      return fetch(request.url, post(chat("another question")));
    };
    const { errors, pay } = payerOf(bob, { fetch: other, models: () => text });
    await expect(pay(chats(), post(chat("my question")))).rejects.toThrow(/CLI_ANSWER_WRONG/);
    expect(errors[0]).toMatchObject({ data: { what: "prompt" } });
    expect(await payments()).toBe(before);
  });
});

describe("a payment", () => {
  it("that was settled before its server was killed opens the answer, paid once", async () => {
    const before = await payments();
    let isAway = true;
    const sent: string[] = [];
    const losing: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      const header = request.headers.get("payment-signature");
      if (header === null) return fetch(request);
      sent.push(header);
      if (!isAway) return fetch(request);
      // The server settles, and ends before it answers.
      const payment = decodeX402Header(header) as { accepted: object };
      const body = { x402Version: 2, paymentPayload: payment, paymentRequirements: payment.accepted };
      const settled = await fetch(`${world.world.sequencerUrl}/x402/settle`, post(body));
      expect(await settled.json()).toMatchObject({ success: true });
      throw new TypeError("fetch failed");
    };
    const { pay, scheme } = payerOf(bob, { fetch: losing });
    await expect(pay(answers(world.directId), post({ prompt: "tupo ralu" }))).rejects.toThrow("fetch failed");
    expect(await payments()).toBe(before + 1);
    await world.restart();
    isAway = false;
    const response = await pay(answers(world.directId), post({ prompt: "tupo ralu" }));
    expect(response.status).toBe(200);
    expect([await payments(), scheme.spentWei]).toEqual([before + 1, await costWei()]);
    expect([sent.length, new Set(sent).size]).toEqual([2, 1]);
    // It is no payment for another model: the question is signed for this one.
    const headers = { "payment-signature": sent[0]! };
    const other = await fetch(answers(world.textId), post({ prompt: "tupo ralu" }, headers));
    expect([other.status, await other.json()]).toMatchObject([422, { error: { code: "ATT_ASK_REFUSED" } }]);
  }, 120_000);
});
