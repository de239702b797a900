/**
 * Tests that nobody is locked out: after each failure between a question and its answer the next other question is answered, nothing is
 * paid twice, and what was made and paid is given.
 */
import { createHash } from "node:crypto";
import { askModel, askSealed } from "@openledger/client/actions/answers/ask-model";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type FailingServer, type QuestionExchange, startFailingServer } from "../testing/failing-server.ts";
import { PAYER, type PaidLedger, PRICE_WEI, startPaidLedger } from "../testing/paid-ledger.ts";
import type { AskerLimits, GatewayQuestion, PaidAnswer } from "./asker.ts";

/** Longest time that another question takes after a failure. */
const WITHIN_MS = 10_000;

let world: PaidLedger;
let server: FailingServer;
beforeAll(async () => {
  world = await startPaidLedger();
  server = await startFailingServer(world.place.serverUrl);
});
afterAll(async () => {
  await server?.close();
  await world?.stop();
});
let paidBefore: number;
let folder: string;
beforeEach(() => {
  Object.assign(world.ledger, {
    mode: "takes",
    priceWei: PRICE_WEI,
    balanceWei: 100n * PRICE_WEI,
    epoch: 1,
    onPayment: () => {},
  });
  server.onQuestion = null;
  server.prompts.length = 0;
  paidBefore = world.ledger.paid.length;
  folder = world.newFolder();
  // An answer that an earlier case has given up counts until it lapses.
  world.passTime();
});
/** Receipts that the case has paid. */
const paid = () => world.ledger.paid.slice(paidBefore).map(({ receipt }) => hex32(receipt));

let count = 0;
const fresh = () => `${world.prompts[0]} lost ${count++}`;

/** Begins a process, which the case ends at the latest. */
async function begin(limits: Partial<AskerLimits> = {}) {
  const { close, ...opened } = await world.openAsker(folder, limits);
  let isClosed = false;
  const end = async () => {
    if (!isClosed) await close();
    isClosed = true;
  };
  onTestFinished(end);
  const place = { ...world.place, serverUrl: server.serverUrl };
  const ask = async (prompt: string, more: Partial<GatewayQuestion> = {}) => {
    const answer = await opened.asker.ask({ place, prompt, ...more });
    await answer.delivered();
    return answer;
  };
  return { ...opened, ask, end, place };
}
type Running = Awaited<ReturnType<typeof begin>>;

/** Asks another question, in the time that an agent waits. */
async function askOther({ ask }: Running): Promise<PaidAnswer> {
  const beganMs = Date.now();
  const answer = await ask(fresh());
  expect(Date.now() - beganMs).toBeLessThan(WITHIN_MS);
  return answer;
}

/** Requires that every payment is of an answer that somebody got or can still get, and none is made twice. */
function requireEachOnce({ journal }: Running, answers: readonly PaidAnswer[]): void {
  const receipts = paid();
  expect(new Set(receipts).size).toBe(receipts.length);
  for (const { openledger } of answers) expect(receipts).toContain(openledger.receipt);
  const known = journal.heads.filter(({ state }) => state === "paid").map(({ receipt }) => receipt);
  expect([...known].sort()).toEqual([...receipts].sort());
  expect(journal.heads.every(({ hasAnswer, state }) => state !== "paid" || hasAnswer)).toBe(true);
}

const changed =
  (change: (answer: Record<string, unknown>) => object) =>
  async ({ pass, send }: QuestionExchange) => {
    const answer = await pass();
    if (answer.status !== 200) return send(answer);
    send({
      ...answer,
      text: JSON.stringify({ ...JSON.parse(answer.text), ...change(JSON.parse(answer.text)) }),
    });
  };

/** Failures between question and answer, as the server, a proxy or the network has them. */
const FAILURES: Readonly<Record<string, NonNullable<FailingServer["onQuestion"]>>> = {
  "the connection breaks once the answer is made": async ({ pass, response }) => {
    await pass();
    response.destroy();
  },
  "the connection breaks before the server reads the question": ({ response }) => void response.destroy(),
  "half the answer comes": async ({ pass, response }) => {
    const { text, type } = await pass();
    response.writeHead(200, { "content-type": type });
    response.write(text.slice(0, 100));
    setTimeout(() => response.destroy(), 20);
  },
  "the answer is cut and ended": async ({ pass, send }) => {
    const answer = await pass();
    send({ ...answer, text: answer.text.slice(0, 100) });
  },
  "it redirects": ({ response }) => void response.writeHead(307, { location: "http://127.0.0.1:9/" }).end(),
  "a proxy says that it is away": ({ send }) =>
    send({ status: 502, type: "text/html", text: "<h1>Bad Gateway</h1>" }),
  "another label": changed(() => ({ label: "IGNORE THIS" })),
  "another answer": changed(() => ({ answer: '{"label":"spam"}x' })),
  "another payer": changed(() => ({ payerId: 5 })),
  "another salt": changed(() => ({ salt: "0x01" })),
  "another query": changed(({ queryBytes }) => ({
    queryBytes: Buffer.alloc(Buffer.from(String(queryBytes), "base64").length, 3).toString("base64"),
  })),
  "other words were streamed": async ({ pass, response }) => {
    const { text } = await pass();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('data: {"soFar":"EVIL TEXT"}\n\n');
    response.end(`data: ${text}\n\n`);
  },
};

it.each(Object.entries(FAILURES))(
  "goes on where %s, and gives the answer to who asks again",
  async (_, fail) => {
    const running = await begin();
    const prompt = fresh();
    server.onQuestion = fail;
    // Clients try three times.
    for (let i = 0; i < 3; i++) await expect(running.ask(prompt)).rejects.toThrow();
    expect(running.journal.heads.length).toBeLessThanOrEqual(1);
    server.onQuestion = null;
    const others = [await askOther(running), await askOther(running)];
    const again = await running.ask(prompt);
    requireEachOnce(running, [...others, again]);
    // Each question was paid once, the lost one too.
    expect(paid()).toHaveLength(3);
  },
);

it.each(Object.entries(FAILURES))("goes on where %s for that question, for good", async (_, fail) => {
  const running = await begin();
  const prompt = fresh();
  server.onQuestion = async (exchange) => {
    if (exchange.body.prompt === prompt) await fail(exchange);
    else exchange.send(await exchange.pass());
  };
  for (let i = 0; i < 3; i++) await expect(running.ask(prompt)).rejects.toThrow();
  const others = [await askOther(running), await askOther(running)];
  await expect(running.ask(prompt)).rejects.toThrow();
  requireEachOnce(running, others);
  expect(paid()).toHaveLength(2);
  server.onQuestion = null;
  requireEachOnce(running, [...others, await running.ask(prompt)]);
});

it.each(["open", "lapsed"])(
  "finds a lost answer behind a storm of questions to a server that is away, %s",
  async (how) => {
    const running = await begin();
    const lost = fresh();
    server.onQuestion = FAILURES["the connection breaks once the answer is made"]!;
    await expect(running.ask(lost)).rejects.toMatchObject({ code: "CLI_UNREACHABLE" });
    const gone = await startFailingServer(world.place.serverUrl);
    await gone.close();
    const away = { ...world.place, serverUrl: gone.serverUrl };
    for (let i = 0; i < 40; i++)
      await expect(running.ask(fresh(), { place: away })).rejects.toMatchObject({
        code: "CLI_UNREACHABLE",
        data: { isSent: false },
      });
    // Nothing was sent: nothing stays of it.
    expect(running.journal.heads).toHaveLength(1);
    server.onQuestion = ({ response }) => void response.destroy();
    for (let i = 0; i < 20; i++) await expect(running.ask(fresh())).rejects.toThrow();
    server.onQuestion = null;
    if (how === "lapsed") world.passTime();
    const others = [await askOther(running), await askOther(running)];
    expect((await running.ask(lost)).openledger.receipt).toBe(paid()[0]);
    requireEachOnce(running, others);
    expect(paid()).toHaveLength(3);
  },
);

it.each(["open", "lapsed"])("pays first where the lost question is not known any more, %s", async (how) => {
  // As by a gateway whose store was lost.
  const made = await askModel(world.client, { ...world.place, prompt: fresh(), from: PAYER });
  if (how === "lapsed") world.passTime();
  const running = await begin();
  const others = [await askOther(running), await askOther(running)];
  requireEachOnce(running, others);
  expect(paid()).toHaveLength(2);
  expect(paid()).not.toContain(hex32(made.receipt));
  expect(running.journal.heads.map(({ isSealed }) => isSealed)).toEqual([true, false]);
});

it("opens a sealed answer after a kill at each of its steps, and pays it once", async () => {
  for (const step of ["made", "signed", "taken", "paid", "refused"] as const) {
    await askModel(world.client, { ...world.place, prompt: fresh(), from: PAYER });
    world.passTime();
    const before = paid().length;
    folder = world.newFolder();
    const first = await begin();
    const prompt = fresh();
    if (step === "made") {
      await first.journal.begin({ ...first.place, prompt, tools: [] });
      await askSealed(world.client, { ...world.place, prompt, from: PAYER });
    } else {
      // The payment is on its way, or paid and not opened, when the process ends.
      const modes = { signed: "silent", taken: "takes-silently", paid: "takes", refused: "refuses" } as const;
      world.ledger.mode = modes[step];
      if (step === "paid") {
        const away = startFailingServer(world.place.serverUrl);
        const gone = await away;
        world.ledger.onPayment = () => void gone.close();
        const place = { ...world.place, serverUrl: gone.serverUrl };
        await expect(first.ask(prompt, { place })).rejects.toMatchObject({ code: "GAT_ANSWER_SEALED" });
        world.ledger.onPayment = () => {};
        const { id } = first.journal.heads[0]!;
        await first.journal.change(id, { serverUrl: first.place.serverUrl });
      } else {
        const code = step === "refused" ? "GAT_PAYMENT_REFUSED" : "GAT_PAYMENT_UNSURE";
        await expect(first.ask(prompt)).rejects.toMatchObject({ code });
      }
    }
    await first.end();
    world.ledger.mode = "takes";
    const second = await begin();
    await second.asker.resume();
    const others = [await askOther(second), await askOther(second)];
    const answer = await second.ask(prompt);
    expect(["ham", "spam"], step).toContain(answer.text);
    const receipts = paid().slice(before);
    expect(receipts, step).toHaveLength(3);
    expect(new Set(receipts), step).toEqual(
      new Set([answer, ...others].map(({ openledger }) => openledger.receipt)),
    );
    await second.end();
  }
});

it("pays a server that seals nonsense once, and no more before it shows an answer", async () => {
  const running = await begin();
  const beganWith = await running.ask(fresh());
  await askModel(world.client, { ...world.place, prompt: fresh(), from: PAYER });
  world.passTime();
  server.onQuestion = async (exchange) => {
    const answer = await exchange.pass();
    if (exchange.body.isSealed !== true) return exchange.send(answer);
    const { sealed, ...terms } = JSON.parse(answer.text);
    const nonsense = Buffer.alloc(Buffer.from(sealed, "base64").length, 7).toString("base64");
    exchange.send({ ...answer, text: JSON.stringify({ ...terms, sealed: nonsense }) });
  };
  const prompt = fresh();
  const key = { keyHash: "1".repeat(64), bodyHash: "2".repeat(64) };
  for (let i = 0; i < 2; i++)
    await expect(running.ask(prompt, { idempotency: key })).rejects.toMatchObject({ code: "GAT_PAID_WRONG" });
  expect(paid()).toEqual([beganWith.openledger.receipt, expect.any(String)]);
  await askModel(world.client, { ...world.place, prompt: fresh(), from: PAYER });
  world.passTime();
  await expect(running.ask(fresh())).rejects.toMatchObject({
    code: "GAT_ANSWER_OPEN",
    data: { reason: "sealed-unopened" },
  });
  expect(paid()).toHaveLength(2);
});

it("leaves the queue, and the model's server, when its asker leaves: the next question is answered at once", async () => {
  const { asker, ...running } = await begin({ maxQueued: 2 });
  const closed = new Promise<void>((resolve) => {
    // It says now and then that it is there, and nothing else.
    server.onQuestion = ({ response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const timer = setInterval(() => response.write(": still thinking\n\n"), 100);
      response.once("close", () => {
        clearInterval(timer);
        resolve();
      });
    };
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const prompts = [fresh(), fresh()];
  const asked = [first, second].map(({ signal }, i) =>
    asker.ask({ place: running.place, prompt: prompts[i]! }, { signal }),
  );
  await expect.poll(() => server.prompts.length).toBe(1);
  await expect(running.ask(fresh())).rejects.toMatchObject({ code: "GAT_QUEUE_FULL" });
  // Who waits has its place back at once.
  second.abort();
  await expect(asked[1]).rejects.toThrow();
  first.abort();
  await expect(asked[0]).rejects.toThrow();
  await closed;
  server.onQuestion = null;
  await askOther({ asker, ...running });
  expect(paid()).toHaveLength(1);
});

it("ends in bounded time, whatever a server does, and takes no more questions", async () => {
  const running = await begin();
  const { asker, ask } = running;
  server.onQuestion = ({ response }) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write(": still thinking\n\n"), 100);
    response.once("close", () => clearInterval(timer));
  };
  const asked = Promise.allSettled([ask(fresh()), ask(fresh())]);
  await expect.poll(() => server.prompts.length).toBe(1);
  const beganMs = Date.now();
  await asker.end(500);
  expect(Date.now() - beganMs).toBeLessThan(5_000);
  expect(await asked).toMatchObject([
    { status: "rejected", reason: { code: "CLI_UNREACHABLE" } },
    { status: "rejected", reason: { code: "SRV_STOPPING" } },
  ]);
  await expect(ask(fresh())).rejects.toMatchObject({ code: "SRV_STOPPING" });
});

describe("an Idempotency-Key", () => {
  const keyOf = (name: string, body = "body") => ({
    keyHash: sha256(name),
    bodyHash: sha256(body),
  });

  it("is one question and one payment, for two at once, one after another, and after a restart", async () => {
    const first = await begin();
    const prompt = fresh();
    const key = { idempotency: keyOf("a") };
    // One at a time is all that the balance allows.
    const { balanceWei } = world.ledger;
    world.ledger.balanceWei = (3n * PRICE_WEI) / 2n;
    const both = await Promise.all([first.ask(prompt, key), first.ask(prompt, key)]);
    world.ledger.balanceWei = balanceWei;
    const again = await first.ask(prompt, key);
    await first.end();
    const second = await begin();
    await second.asker.resume();
    const answers = [...both, again, await second.ask(prompt, key)];
    for (const answer of answers)
      expect(answer).toMatchObject({ text: answers[0]!.text, openledger: answers[0]!.openledger });
    expect(paid()).toEqual([answers[0]!.openledger.receipt]);
    // Another key, and no key, are other questions of the same words.
    const others = [await second.ask(prompt, { idempotency: keyOf("b") }), await second.ask(prompt)];
    expect(paid()).toEqual([answers[0]!, ...others].map(({ openledger }) => openledger.receipt));
  });

  it("is refused for another request, and is free again where nothing was asked", async () => {
    const { ask } = await begin();
    const gone = await startFailingServer(world.place.serverUrl);
    await gone.close();
    const place = { ...world.place, serverUrl: gone.serverUrl };
    const unsent = ask(fresh(), { place, idempotency: keyOf("c") });
    await expect(unsent).rejects.toMatchObject({ code: "CLI_UNREACHABLE" });
    const answer = await ask(fresh(), { idempotency: keyOf("c", "another body") });
    await expect(ask(fresh(), { idempotency: keyOf("c") })).rejects.toMatchObject({ code: "GAT_KEY_REUSED" });
    expect(paid()).toEqual([answer.openledger.receipt]);
  });

  it("is the same payment where the first request was lost at each step", async () => {
    for (const mode of ["silent", "takes-silently", "refuses", "lost"] as const) {
      const { ask, end } = await begin();
      const before = paid().length;
      const [prompt, key] = [fresh(), { idempotency: keyOf(`d-${mode}`) }];
      if (mode === "lost") server.onQuestion = FAILURES["half the answer comes"]!;
      else world.ledger.mode = mode;
      await expect(ask(prompt, key), mode).rejects.toThrow();
      await end();
      server.onQuestion = null;
      world.ledger.mode = "takes";
      const second = await begin();
      await second.asker.resume();
      const answers = [await second.ask(prompt, key), await second.ask(prompt, key)];
      expect(paid().slice(before), mode).toEqual([answers[0]!.openledger.receipt]);
      expect(answers[1]!.openledger).toEqual(answers[0]!.openledger);
      await second.end();
    }
  });

  it("takes an answer over that was paid, and that nobody has got", async () => {
    const { asker, ask, place } = await begin();
    const prompt = fresh();
    (await asker.ask({ place, prompt })).left();
    const key = { idempotency: keyOf("e") };
    const answers = [await ask(prompt, key), await ask(prompt, key)];
    expect(paid()).toEqual([answers[0]!.openledger.receipt]);
    expect(answers[1]!.openledger).toEqual(answers[0]!.openledger);
  });
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

it("pays no sealed answer whose bytes differ when it is asked for twice", async () => {
  const running = await begin();
  await askModel(world.client, { ...world.place, prompt: fresh(), from: PAYER });
  world.passTime();
  let sealedCount = 0;
  server.onQuestion = async (exchange) => {
    const answer = await exchange.pass();
    if (exchange.body.isSealed !== true || sealedCount++ > 0) return exchange.send(answer);
    const { sealed, ...terms } = JSON.parse(answer.text);
    exchange.send({ ...answer, text: JSON.stringify({ ...terms, sealed: `AAAA${sealed.slice(4)}` }) });
  };
  const prompt = fresh();
  await expect(running.ask(prompt)).rejects.toMatchObject({ code: "CLI_ANSWER_WRONG" });
  expect(paid()).toEqual([]);
  const others = [await askOther(running), await running.ask(prompt)];
  requireEachOnce(running, others);
  expect(paid()).toHaveLength(2);
});
