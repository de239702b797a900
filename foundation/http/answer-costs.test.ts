import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { processErrors } from "../error-table.ts";
import { BYTES_PER_UNIT, setCost } from "./answer-costs.ts";
import { createServer } from "./create-server.ts";

/** Units a minute: two a second, six at once. */
const PER_MINUTE = 120;

async function serve() {
  const running = { now: 0, max: 0 };
  const app = await createServer({
    isOwn: ({ headers }) => headers["x-own"] !== undefined,
    limits: { rateLimitPerMinute: PER_MINUTE },
    bodyLimitBytes: 1_000,
    errors: { log: { error: () => {} }, statusOf: ({ code }) => processErrors.statusOf(code) ?? 500 },
  });
  app.get("/short", () => ({ ok: true }));
  app.get("/long", () => "x".repeat(5 * BYTES_PER_UNIT));
  app.get("/octets", () => Buffer.alloc(5 * 262_144));
  app.get<{ Querystring: { found: string } }>("/list", { config: { maxCost: () => 5 } }, async (request) => {
    running.now += 1;
    running.max = Math.max(running.max, running.now);
    await sleep(20);
    running.now -= 1;
    setCost(request, Number(request.query.found));
    return [];
  });
  app.get("/free", { config: { maxCost: () => 100, rateLimit: false } }, () => []);
  onTestFinished(() => app.close());
  const ask = async (url: string, remoteAddress = "10.0.0.1", own: Record<string, string> = {}) => {
    const { headers, statusCode } = await app.inject({ method: "GET", url, remoteAddress, headers: own });
    return [statusCode, headers["retry-after"] ?? null];
  };
  return { ask, running };
}

it("counts an answer by its bytes, and refuses the next one of that network until the debt is over", async () => {
  const { ask } = await serve();
  expect(await ask("/long")).toEqual([200, null]);
  expect(await ask("/long")).toEqual([200, null]);
  expect(await ask("/short")).toEqual([429, "2"]);
  expect(await ask("/short", "10.0.0.2")).toEqual([200, null]);
});

it("counts octets, too: they are cheaper, and not free", async () => {
  const { ask } = await serve();
  expect(await ask("/octets")).toEqual([200, null]);
  expect(await ask("/octets")).toEqual([200, null]);
  expect(await ask("/octets")).toEqual([429, "2"]);
});

it("takes a list's highest cost before it runs, and gives back what it did not cost", async () => {
  const { ask } = await serve();
  for (let i = 0; i < 4; i++) expect(await ask("/list?found=0")).toEqual([200, null]);
  expect(await ask("/list?found=4")).toEqual([200, null]);
  expect(await ask("/list?found=0")).toEqual([429, "2"]);
  expect(await ask("/short")).toEqual([200, null]);
  expect(await ask("/free")).toEqual([200, null]);
});

it("makes long answers one at a time, those of other networks too", async () => {
  const { ask, running } = await serve();
  const addresses = Array.from({ length: 5 }, (_, i) => `10.0.1.${i}`);
  const answers = await Promise.all(addresses.map((address) => ask("/list?found=5", address)));
  expect(answers).toEqual(addresses.map(() => [200, null]));
  expect(running.max).toBe(1);
});

it("refuses none of one network's long answers for what those before it give back", async () => {
  const { ask } = await serve();
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask("/list?found=0")));
  expect(answers).toEqual(answers.map(() => [200, null]));
});

it("charges a list once its turn comes: of six at a time that cost it all, one is answered", async () => {
  const { ask } = await serve();
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask("/list?found=5")));
  expect(answers.map(([status]) => status)).toEqual([200, ...Array.from({ length: 5 }, () => 429)]);
});

it("charges the operator's own servers nothing, and has them wait for no stranger", async () => {
  const { ask, running } = await serve();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => ask("/list?found=5", "10.0.0.1", { "x-own": "1" })),
  );
  expect(answers).toEqual(answers.map(() => [200, null]));
  expect(running.max).toBe(8);
  expect(await ask("/list?found=5")).toEqual([200, null]);
});

it("lets a hundred long answers of one network wait, and another network's beside them", async () => {
  const { ask } = await serve();
  const many = Promise.all(Array.from({ length: 110 }, () => ask("/list?found=0")));
  const other = ask("/list?found=0", "10.0.0.2");
  const statuses = (await many).map(([status]) => status);
  expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  expect(await other).toEqual([200, null]);
});
