/** Tests of paid questions: one payment for an answer, whatever fails between question, answer and payment. */
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import type { Estimate } from "@openledger/client/actions/answers/model-answers";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { MODEL_ID, PAYER, type PaidLedger, PRICE_WEI, startPaidLedger } from "../testing/paid-ledger.ts";
import type { AskerLimits } from "./asker.ts";

let world: PaidLedger;
beforeAll(async () => {
  world = await startPaidLedger();
});
afterAll(() => world?.stop());
let paidBefore: number;
let folder: string;
beforeEach(() => {
  Object.assign(world.ledger, { mode: "takes", priceWei: PRICE_WEI, epoch: 1, onPayment: () => {} });
  paidBefore = world.ledger.paid.length;
  folder = world.newFolder();
});
/** Receipts that the case has paid. */
const paid = () => world.ledger.paid.slice(paidBefore).map(({ receipt }) => hex32(receipt));

let count = 0;
/** A question that no case has asked before. */
const fresh = () => `${world.prompts[0]} ${count++}`;

/** Begins a process, which the case ends at the latest. */
async function begin(limits: Partial<AskerLimits> = {}) {
  const { close, ...opened } = await world.openAsker(folder, limits);
  let isClosed = false;
  const end = async () => {
    if (!isClosed) await close();
    isClosed = true;
  };
  onTestFinished(end);
  const ask = (prompt: string) => opened.asker.ask({ place: world.place, prompt });
  return { ...opened, ask, end };
}

it("asks, checks and pays, with the signed payment on disk before it is sent", async () => {
  const { ask, journal } = await begin();
  const states: string[] = [];
  world.ledger.onPayment = () => states.push(journal.heads.at(-1)!.state);
  const answer = await ask(fresh());
  expect(states).toEqual(["signed"]);
  expect(answer).toMatchObject({
    finish: "stop",
    openledger: { modelId: MODEL_ID, payment: { payerId: PAYER } },
  });
  expect(["ham", "spam"]).toContain(answer.text);
  expect(paid()).toEqual([answer.openledger.receipt]);
  await answer.delivered();
  expect(journal.heads).toMatchObject([{ state: "paid", isDelivered: true }]);
});

it("pays each of several questions at once, one after another", async () => {
  const { ask } = await begin();
  const answers = await Promise.all([fresh(), fresh(), fresh()].map(ask));
  expect(paid()).toEqual(answers.map(({ openledger }) => openledger.receipt));
  expect(answers.map(({ openledger }) => openledger.payment.nonce)).toEqual(
    [0, 1, 2].map((i) => paidBefore + i),
  );
});

it("asks nothing above price or budget, and says what would be needed", async () => {
  const { ask, journal } = await begin();
  world.ledger.priceWei = 3n * PRICE_WEI;
  await expect(ask(fresh())).rejects.toMatchObject({
    code: "GAT_ABOVE_PRICE",
    data: { priceWei: `${3n * PRICE_WEI}`, maxPriceWei: `${2n * PRICE_WEI}` },
  });
  world.ledger.priceWei = PRICE_WEI;
  const { balanceWei } = world.ledger;
  world.ledger.balanceWei = PRICE_WEI;
  await expect(ask(fresh())).rejects.toMatchObject({
    code: "GAT_BUDGET_TOO_LOW",
    data: { balanceWei: `${PRICE_WEI}`, leafId: PAYER },
  });
  world.ledger.balanceWei = balanceWei;
  expect([journal.heads, paid()]).toEqual([[], []]);
});

it("reserves for questions under way: two at once never cost more than there is", async () => {
  const { ask } = await begin();
  const { balanceWei } = world.ledger;
  world.ledger.balanceWei = 2n * PRICE_WEI;
  const results = await Promise.allSettled([fresh(), fresh()].map(ask));
  world.ledger.balanceWei = balanceWei;
  expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(paid()).toHaveLength(1);
});

it("refuses questions beyond its queue", async () => {
  const { ask } = await begin({ maxQueued: 1 });
  const results = await Promise.allSettled([fresh(), fresh()].map(ask));
  expect(results).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { code: "GAT_QUEUE_FULL", isRetryable: true } },
  ]);
});

it.each(["takes-silently", "silent"] as const)(
  "gives an answer once its payment is sure, where the sequencer %s",
  async (mode) => {
    const { ask, journal } = await begin();
    const prompt = fresh();
    world.ledger.mode = mode;
    await expect(ask(prompt)).rejects.toMatchObject({ code: "GAT_PAYMENT_UNSURE", isRetryable: true });
    expect(journal.heads.at(-1)).toMatchObject({ state: "signed" });
    // Another question would sign with the same nonce: it waits.
    await expect(ask(fresh())).rejects.toMatchObject({ code: "GAT_PAYMENT_UNSURE" });
    world.ledger.mode = "takes";
    const other = await ask(fresh());
    const answer = await ask(prompt);
    expect(paid()).toEqual([answer.openledger.receipt, other.openledger.receipt]);
  },
);

it.each(["takes-silently", "silent"] as const)(
  "sends the same payment after a kill, where the sequencer %s",
  async (mode) => {
    const first = await begin();
    const prompt = fresh();
    world.ledger.mode = mode;
    await expect(first.ask(prompt)).rejects.toMatchObject({ code: "GAT_PAYMENT_UNSURE" });
    const { hash } = first.journal.heads.at(-1)!.payment!.signed;
    await first.end();
    world.ledger.mode = "takes";
    const second = await begin();
    await second.asker.resume();
    const { payment, receipt } = (await second.ask(prompt)).openledger;
    expect(payment.hash).toBe(hash);
    expect(paid()).toEqual([receipt]);
  },
);

it("pays after a kill for an answer that the server has made, and gives it to the same question once", async () => {
  const first = await begin();
  const prompt = fresh();
  await first.journal.begin({ ...world.place, prompt, tools: [] });
  const made = await askModel(world.client, { ...world.place, prompt, from: PAYER });
  await first.end();
  const second = await begin();
  await second.asker.resume();
  // Asked at once, while the answer is being paid for.
  const input = await second.ask(prompt);
  expect(input.openledger.receipt).toBe(hex32(made.receipt));
  expect(paid()).toEqual([hex32(made.receipt)]);
  await input.delivered();
  const asked = await second.ask(prompt);
  expect(paid()).toEqual([hex32(made.receipt), asked.openledger.receipt]);
});

it("gives an answer to the next asker of the question, if the first one left without it", async () => {
  const { ask, journal } = await begin();
  const prompt = fresh();
  const first = await ask(prompt);
  first.left();
  const second = await ask(prompt);
  expect(second.openledger).toEqual(first.openledger);
  await second.delivered();
  expect(journal.heads).toMatchObject([{ state: "paid", isDelivered: true }]);
  expect(paid()).toHaveLength(1);
});

it("drops a payment that the ledger refuses, and signs the next one with its nonce", async () => {
  const { ask, journal } = await begin();
  world.ledger.mode = "refuses";
  await expect(ask(fresh())).rejects.toMatchObject({
    code: "GAT_PAYMENT_REFUSED",
    data: { reason: "OP_EPOCH_FULL" },
  });
  expect(journal.heads).toMatchObject([{ state: "dropped", code: "OP_EPOCH_FULL" }]);
  world.ledger.mode = "takes";
  // The server counts that answer as unpaid: it is paid first.
  const answer = await ask(fresh());
  expect(paid()).toHaveLength(2);
  expect(paid()[1]).toBe(answer.openledger.receipt);
  expect(answer.openledger.payment.nonce).toBe(paidBefore + 1);
});

it("pays nothing for an answer that does not check", async () => {
  const { asker, journal } = await begin();
  const prompt = fresh();
  const false_ = await startFalseServer(world.place.serverUrl);
  onTestFinished(() => void false_.close());
  const serverUrl = `http://127.0.0.1:${(false_.address() as AddressInfo).port}`;
  const place = { ...world.place, serverUrl };
  await expect(asker.ask({ place, prompt })).rejects.toMatchObject({ code: "CLI_ANSWER_WRONG" });
  expect(journal.heads).toMatchObject([{ state: "dropped", code: "CLI_ANSWER_WRONG", payment: null }]);
  expect(paid()).toEqual([]);
  // The honest server has the answer, which is paid for before another one is asked for.
  await asker.ask({ place: world.place, prompt });
  expect(paid()).toHaveLength(1);
});

it("counts no payment as made that the sequencer has dropped", async () => {
  const { ask, journal } = await begin();
  world.ledger.mode = "dropped";
  await expect(ask(fresh())).rejects.toMatchObject({ code: "GAT_PAYMENT_REFUSED" });
  expect(journal.heads).toMatchObject([{ state: "dropped" }]);
  world.ledger.mode = "takes";
  await ask(fresh());
});

it("pays the ledger's price, which was raised after the server made its answer, up to the maximum", async () => {
  const { ask } = await begin();
  const prompt = fresh();
  await askModel(world.client, { ...world.place, prompt, from: PAYER });
  world.ledger.priceWei = (3n * PRICE_WEI) / 2n;
  expect((await ask(prompt)).openledger.priceWei).toBe(`${world.ledger.priceWei}`);
});

it("pays once for a question that is sent again after its asker has left", async () => {
  const { asker } = await begin();
  const question = { place: world.place, prompt: fresh() };
  const leaving = new AbortController();
  const first = asker.ask(question, { signal: leaving.signal });
  world.ledger.onPayment = () => leaving.abort();
  const second = asker.ask(question);
  const [left, input] = await Promise.all([first, second]);
  expect(input.openledger.receipt).toBe(left.openledger.receipt);
  expect(paid()).toHaveLength(1);
  await input.delivered();
});

it("gives an answer whose asker leaves before they have it to the next who asks the same", async () => {
  const { asker } = await begin();
  const question = { place: world.place, prompt: fresh() };
  const leaving = new AbortController();
  await asker.ask(question, { signal: leaving.signal });
  leaving.abort();
  await (await asker.ask(question)).delivered();
  expect(paid()).toHaveLength(1);
});

it("pays once for a question that is sent again while the one from before a kill is made good", async () => {
  const first = await begin();
  const prompt = fresh();
  await first.journal.begin({ ...world.place, prompt, tools: [] });
  await first.end();
  const second = await begin();
  await second.asker.resume();
  await (await second.ask(prompt)).delivered();
  expect(paid()).toHaveLength(1);
});

it("pays for no answer where other words were shown before", async () => {
  const { asker, journal } = await begin();
  const prompt = fresh();
  const false_ = await startFalseServer(
    world.place.serverUrl,
    (answer) =>
      ["buy this", JSON.parse(answer).label].map((soFar) => `data: {"soFar":"${soFar}"}\n\n`).join("") +
      `data: ${JSON.stringify(JSON.parse(answer))}\n\n`,
  );
  onTestFinished(() => void false_.close());
  const serverUrl = `http://127.0.0.1:${(false_.address() as AddressInfo).port}`;
  let shown = "";
  const asked = asker.ask(
    { place: { ...world.place, serverUrl }, prompt },
    {
      onText: (piece) => {
        shown += piece;
      },
    },
  );
  await expect(asked).rejects.toMatchObject({ code: "CLI_ANSWER_WRONG", data: { what: "stream" } });
  expect(shown).toBe("buy this");
  expect(journal.heads).toMatchObject([{ state: "dropped" }]);
  expect(paid()).toEqual([]);
  await asker.ask({ place: world.place, prompt });
});

it("counts the fee under the maximum price", async () => {
  const fee = 14_000n;
  const { ask, end } = await begin({ maxPriceWei: PRICE_WEI + fee - 1n });
  await expect(ask(fresh())).rejects.toMatchObject({
    code: "GAT_ABOVE_PRICE",
    data: { feeWei: `${fee}`, neededWei: `${PRICE_WEI + fee}`, maxPriceWei: `${PRICE_WEI + fee - 1n}` },
  });
  await end();
  const { ask: askMore } = await begin({ maxPriceWei: PRICE_WEI + fee });
  world.ledger.onPayment = ({ maxFeePerUnitWei }) =>
    // Fourteen units: the signed fee can pass the maximum no more than the estimated one.
    expect(14n * BigInt(maxFeePerUnitWei)).toBeLessThanOrEqual(fee);
  await askMore(fresh());
  expect(paid()).toHaveLength(1);
});

it("holds what is signed and not yet on the ledger against the budget", async () => {
  const { ask, journal } = await begin();
  const prompt = fresh();
  world.ledger.mode = "silent";
  await expect(ask(prompt)).rejects.toMatchObject({ code: "GAT_PAYMENT_UNSURE" });
  expect(journal.owedWei()).toBe(PRICE_WEI + 14_000n);
  const { balanceWei } = world.ledger;
  world.ledger.balanceWei = 2n * PRICE_WEI;
  await expect(ask(fresh())).rejects.toMatchObject({ code: "GAT_BUDGET_TOO_LOW" });
  Object.assign(world.ledger, { balanceWei, mode: "takes" });
  await ask(prompt);
  expect(journal.owedWei()).toBe(0n);
});

it("never reads a balance from before a payment without its reservation", async () => {
  const { ask } = await begin();
  const { balanceWei } = world.ledger;
  world.ledger.balanceWei = 3n * PRICE_WEI;
  // Requests that begin at every moment of the first one's payment.
  const results = await Promise.allSettled(
    Array.from({ length: 6 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, 40 * i));
      return ask(fresh());
    }),
  );
  world.ledger.balanceWei = balanceWei;
  expect(paid()).toHaveLength(2);
  for (const one of results)
    if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "GAT_BUDGET_TOO_LOW" });
});

it.each(["open", "lapsed"])(
  "pays an answer that was refused once, when the server insists on it, %s",
  async (how) => {
    const { ask, journal } = await begin();
    const prompt = fresh();
    world.ledger.mode = "refuses";
    await expect(ask(prompt)).rejects.toMatchObject({ code: "GAT_PAYMENT_REFUSED" });
    const receipt = journal.heads[0]!.receipt!;
    world.ledger.mode = "takes";
    if (how === "lapsed") world.passTime();
    const answer = await ask(fresh());
    expect(paid()).toEqual([receipt, answer.openledger.receipt]);
    // It is given to who asks it again.
    expect((await ask(prompt)).openledger.receipt).toBe(receipt);
    expect(paid()).toHaveLength(2);
  },
);

it("says which answer the server waits for, and why it is not paid; goes on once it is cheaper", async () => {
  const { ask, journal } = await begin();
  world.ledger.mode = "refuses";
  await expect(ask(fresh())).rejects.toMatchObject({ code: "GAT_PAYMENT_REFUSED" });
  const receipt = journal.heads[0]!.receipt!;
  await expect(ask(fresh())).rejects.toMatchObject({
    code: "GAT_ANSWER_OPEN",
    data: { reason: "GAT_PAYMENT_REFUSED", receipt, hasLapsed: false, expiresAtMs: expect.any(Number) },
  });
  world.ledger.mode = "takes";
  await ask(fresh());
  expect(paid()).toHaveLength(2);
});

it("pays an answer that it never got, when the server waits for it, and no other question of before", async () => {
  const first = await begin();
  const [input, cutOff] = [fresh(), fresh()];
  // The first one ended without an answer at the server, the second one with one.
  await first.journal.begin({ ...world.place, prompt: input, tools: [] });
  await first.journal.begin({ ...world.place, prompt: cutOff, tools: [] });
  const made = await askModel(world.client, { ...world.place, prompt: cutOff, from: PAYER });
  await first.end();
  const second = await begin();
  await second.asker.resume();
  expect(paid()).toEqual([]);
  world.passTime();
  const answer = await second.ask(fresh());
  expect(paid()).toEqual([hex32(made.receipt), answer.openledger.receipt]);
  expect(second.journal.heads.map(({ state }) => state)).toEqual(["dropped", "paid", "paid"]);
});

it("pays no question of before on a server's word", async () => {
  const first = await begin();
  const prompt = fresh();
  const liar = await startFalseServer(world.place.serverUrl, (answer) => answer, {
    isRefused: (body) => (JSON.parse(body) as { prompt: string }).prompt !== prompt,
    status: 402,
    body: { error: { code: "ATT_ANSWER_UNPAID", message: "pay", data: { receipt: hex32(7n) } } },
  });
  onTestFinished(() => void liar.close());
  const serverUrl = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
  const place = { ...world.place, serverUrl };
  await first.journal.begin({ ...place, prompt, tools: [] });
  await first.end();
  const second = await begin();
  await second.asker.resume();
  for (let i = 0; i < 2; i++)
    await expect(second.asker.ask({ place, prompt: fresh() })).rejects.toMatchObject({
      code: "GAT_ANSWER_OPEN",
      data: { reason: "unknown-answer", receipt: hex32(7n) },
    });
  expect(paid()).toEqual([]);
  await second.asker.ask({ place: world.place, prompt });
});

it("pays no answer twice that a server gives again", async () => {
  const { asker } = await begin();
  const prompt = fresh();
  let before: string | undefined;
  const replaying = await startFalseServer(world.place.serverUrl, (answer) => {
    before ??= answer;
    return before;
  });
  onTestFinished(() => void replaying.close());
  const serverUrl = `http://127.0.0.1:${(replaying.address() as AddressInfo).port}`;
  const place = { ...world.place, serverUrl };
  await (await asker.ask({ place, prompt })).delivered();
  await expect(asker.ask({ place, prompt })).rejects.toMatchObject({ code: "GAT_ANSWER_REPLAYED" });
  expect(paid()).toHaveLength(1);
  // The honest server has another answer, of its own question.
  await asker.ask({ place: world.place, prompt });
});

describe("whom an answer pays", () => {
  /** The server's word: a leaf that has no row gets it all. */
  const forLeaf66 = (answer: string) => {
    const { estimate, ...rest } = JSON.parse(answer) as { estimate: { topRows: object[] } };
    const topRows = estimate.topRows.map((row) => ({ ...row, contributorId: 66, share: 1 }));
    return JSON.stringify({
      ...rest,
      estimate: { ...estimate, topRows, contributors: [{ contributorId: 66, share: 1 }] },
    });
  };
  /** A gateway that has no model yet, before a server that changes answers and files. */
  async function beginAt(changes: {
    answer?: (answer: string) => string;
    file?: (path: string, bytes: Buffer) => Buffer | null;
    limits?: Partial<AskerLimits>;
  }) {
    const server = await startFalseServer(
      world.place.serverUrl,
      changes.answer ?? String,
      undefined,
      changes.file,
    );
    onTestFinished(() => void server.close());
    const own = world.newFolder();
    const opened = await world.openAsker(own, changes.limits, join(own, "models"));
    onTestFinished(opened.close);
    const serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      ...opened,
      ask: (prompt: string) => opened.asker.ask({ place: { ...world.place, serverUrl }, prompt }),
    };
  }
  const unpublished = (path: string, bytes: Buffer) => (path.endsWith("/features.bin") ? null : bytes);
  const MIN_ASSURANCE = { minAssurance: { rows: "recomputed" } } as const;

  it("is computed from the matrix that the ledger commits to, whatever the server says, and meets the minimum assurance", async () => {
    const honest = await (await begin()).ask(fresh());
    const { ask } = await beginAt({ answer: forLeaf66, limits: MIN_ASSURANCE });
    const { openledger } = await ask(fresh());
    expect(openledger.assurance).toMatchObject({ query: "recomputed", rows: "recomputed" });
    const ids = ({ rows }: typeof openledger) => new Set(rows.map(({ contributorId }) => contributorId));
    expect(ids(openledger)).not.toContain(66);
    expect(openledger.contributors.map(({ contributorId }) => contributorId).sort()).toEqual(
      honest.openledger.contributors.map(({ contributorId }) => contributorId).sort(),
    );
    const sum = openledger.contributors.reduce((total, { share }) => total + share, 0);
    expect(sum).toBeCloseTo(1, 9);
  });

  it("is the server's word where it publishes no matrix, which is said; what no settlement pays is refused", async () => {
    const honest = await begin();
    const { ask } = await beginAt({ file: unpublished });
    expect((await ask(fresh())).openledger.assurance).toMatchObject({ rows: "believed" });
    const changed = (change: (estimate: Estimate) => object) => (answer: string) => {
      const { estimate, ...rest } = JSON.parse(answer) as { estimate: Estimate };
      return JSON.stringify({ ...rest, estimate: { ...estimate, ...change(estimate) } });
    };
    const cases: Record<string, (answer: string) => string> = {
      "another's leaf": forLeaf66,
      "a share above 1": changed(({ topRows }) => ({ topRows: [{ ...topRows[0]!, share: 1.5 }] })),
      "a negative share": changed(({ topRows }) => ({ topRows: [{ ...topRows[0]!, share: -0.1 }] })),
      "more than 1 together": changed(({ contributors }) => ({
        contributors: contributors.map((one) => ({ ...one, share: 0.9 })),
      })),
      "a row twice": changed(({ topRows }) => ({
        topRows: [0, 1].map(() => ({ ...topRows[0]!, share: 0.1 })),
      })),
      "a contributor alone": changed(() => ({ contributors: [{ contributorId: 66, share: 0.1 }] })),
    };
    for (const [name, answer] of Object.entries(cases)) {
      const evil = await beginAt({ answer, file: unpublished });
      const prompt = fresh();
      await expect(evil.ask(prompt), name).rejects.toMatchObject({ code: "CLI_ANSWER_WRONG" });
      expect(evil.journal.heads, name).toMatchObject([{ state: "dropped", payment: null }]);
      await honest.ask(prompt);
    }
    const wary = await beginAt({ file: unpublished, limits: MIN_ASSURANCE });
    await expect(wary.ask(fresh())).rejects.toMatchObject({
      code: "CLI_BELOW_LEAST",
      data: { part: "rows" },
    });
  });

  it("is of no matrix that the ledger does not commit to: nothing is asked or paid", async () => {
    const other = (path: string, bytes: Buffer) => {
      if (path.endsWith("/manifest.json")) {
        const manifest = JSON.parse(bytes.toString());
        manifest.files["features.bin"].sha256 = features();
        return Buffer.from(JSON.stringify(manifest));
      }
      return path.endsWith("/features.bin") ? otherMatrix(bytes) : bytes;
    };
    const original = Buffer.from(
      await (await fetch(`${world.place.serverUrl}/v1/model/features.bin`)).arrayBuffer(),
    );
    // One entry of another row's value.
    const otherMatrix = (bytes: Buffer) => {
      const changed = Buffer.from(bytes);
      const at = changed.findIndex((byte, i) => i % 2 === 0 && byte > 0 && byte < 100);
      changed[at]! += 1;
      return changed;
    };
    const features = () => createHash("sha256").update(otherMatrix(original)).digest("hex");
    const { ask, journal } = await beginAt({ file: other });
    await expect(ask(fresh())).rejects.toMatchObject({
      code: "ATT_MODEL_FILE_INVALID",
      data: { file: "features.bin", why: expect.stringContaining("commitments") },
    });
    expect([journal.heads.length, paid()]).toEqual([0, []]);
  });
});

it("pays no answer that the account has paid for without this gateway", async () => {
  const { ask, journal } = await begin();
  const prompt = fresh();
  const { receipt } = await askModel(world.client, { ...world.place, prompt, from: PAYER });
  // By x402, or by a gateway whose store was lost. The server has not seen it yet.
  world.ledger.paid.push({ receipt, nonce: world.ledger.paid.length, hash: hex32(9n) });
  await expect(ask(prompt)).rejects.toMatchObject({
    code: "GAT_ANSWER_REPLAYED",
    data: { receipt: hex32(receipt) },
  });
  expect([paid(), journal.heads[0]]).toMatchObject([[hex32(receipt)], { state: "dropped", payment: null }]);
  // Now it has.
  world.ledger.paid.pop();
  world.take(hex32(9n), hex32(receipt));
});

it("sends a payment again that the sequencer took and dropped", async () => {
  const { ask, asker, journal } = await begin();
  await (await ask(fresh())).delivered();
  const { hash } = journal.heads[0]!.payment!.signed;
  world.forget(hash);
  expect(paid()).toEqual([]);
  await asker.review();
  expect(paid()).toEqual([journal.heads[0]!.receipt]);
  expect(journal.heads).toMatchObject([{ state: "paid", isFinal: false }]);
});

it("counts a payment that was refused and taken later, and pays it no second time", async () => {
  const { ask, asker, journal } = await begin();
  const prompt = fresh();
  world.ledger.mode = "refuses";
  await expect(ask(prompt)).rejects.toMatchObject({ code: "GAT_PAYMENT_REFUSED" });
  const { payment, receipt } = journal.heads[0]!;
  world.ledger.mode = "takes";
  world.take(payment!.signed.hash, receipt!);
  await asker.review();
  expect(journal.heads).toMatchObject([{ state: "paid", code: null }]);
  expect((await ask(prompt)).openledger.receipt).toBe(receipt);
  expect(paid()).toEqual([receipt]);
});

it("finds a payment of a closed epoch that the sequencer's list no longer has", async () => {
  const first = await begin();
  const prompt = fresh();
  world.ledger.mode = "takes-silently";
  await expect(first.ask(prompt)).rejects.toMatchObject({ code: "GAT_PAYMENT_UNSURE" });
  await first.end();
  Object.assign(world.ledger, { epoch: 2, mode: "forgetful" });
  const second = await begin();
  await second.asker.resume();
  expect(second.journal.heads).toMatchObject([{ state: "paid" }]);
  world.ledger.mode = "takes";
  await second.ask(prompt);
  expect(paid()).toHaveLength(1);
});

it("gives two chats of one text at the same time an answer each, and each its own calls of tools", async () => {
  const { asker, journal } = await begin();
  const prompt = fresh();
  const tool = (name: string) => ({ type: "function" as const, function: { name } });
  const questions = [[], [tool("a")], [tool("b")]].map((tools) => ({ place: world.place, prompt, tools }));
  const answers = await Promise.all(questions.map((question) => asker.ask(question)));
  expect(new Set(paid())).toEqual(new Set(answers.map(({ openledger }) => openledger.receipt)));
  expect(paid()).toHaveLength(3);
  for (const answer of answers) answer.left();
  // Who left gets the one that was made for their tools.
  const again = await Promise.all([...questions].reverse().map((question) => asker.ask(question)));
  expect(again.reverse().map(({ openledger }) => openledger.receipt)).toEqual(
    answers.map(({ openledger }) => openledger.receipt),
  );
  expect(new Set(journal.heads.map(({ questionHash }) => questionHash)).size).toBe(3);
});

const OTHER = { spam: "ham", ham: "spam" } as Record<string, string>;
const otherLabel = (answer: string) => answer.replaceAll(/\b(spam|ham)\b/g, (label) => OTHER[label]!);

/** A server between: it changes each answer, by default to one with the other label, or refuses. */
async function startFalseServer(
  url: string,
  change: (answer: string) => string = otherLabel,
  refusal?: { isRefused(body: string): boolean; readonly status: number; readonly body: object },
  changeFile: (path: string, bytes: Buffer) => Buffer | null = (_path, bytes) => bytes,
): Promise<Server> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const isAnswer = request.url === "/v1/answers";
      if (isAnswer && refusal?.isRefused(Buffer.concat(chunks).toString()) === true) {
        response.writeHead(refusal.status, { "content-type": "application/json" });
        response.end(JSON.stringify(refusal.body));
        return;
      }
      const { method = "GET" } = request;
      const body = method === "GET" ? {} : { body: Buffer.concat(chunks) };
      const headers = { accept: "application/json", "content-type": "application/json" };
      const answer = await fetch(`${url}${request.url}`, { method, headers, ...body });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const changed = isAnswer ? change(bytes.toString()) : changeFile(request.url!, bytes);
      if (changed === null) {
        response.writeHead(404).end();
        return;
      }
      const isStream = isAnswer && String(changed).startsWith("data: ");
      const type = isStream ? "text/event-stream" : (answer.headers.get("content-type") ?? "");
      response.writeHead(answer.status, { "content-type": type }).end(changed);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
