/**
 * Tests of payments through many kills: a gateway's process is killed between question, answer and payment, again and again. After each kill
 * another question is answered at once, the lost one is given, and receipts, balance and nonces are equal.
 *
 * `GATEWAY_PAYMENTS` and `GATEWAY_KILLS` set how many; 200 and 40 take some minutes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openledgerSchema } from "./asking/received-answer.ts";
import { type FailingServer, startFailingServer } from "./testing/failing-server.ts";
import type { KilledGatewayOptions } from "./testing/killed-gateway.ts";
import { type PaidLedger, PRICE_WEI, startPaidLedger } from "./testing/paid-ledger.ts";

const paymentCount = Number(process.env.GATEWAY_PAYMENTS ?? 24);
const killCount = Number(process.env.GATEWAY_KILLS ?? 6);
/** Longest time that another question takes after a kill. */
const WITHIN_MS = 10_000;
const FEE_WEI = 14_000n;

let world: PaidLedger;
let server: FailingServer;
let child: ChildProcess | null = null;
beforeAll(async () => {
  world = await startPaidLedger();
  server = await startFailingServer(world.place.serverUrl);
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await server?.close();
  await world?.stop();
});

interface Running {
  readonly url: string;
  readonly token: string;
}

const entry = new URL("./testing/killed-gateway.ts", import.meta.url).href;
const starter = new URL("../scripts/bundle/start.js", import.meta.url).href;
const program = `const { start } = await import(${JSON.stringify(starter)}); await start(${JSON.stringify(entry)});`;

async function start(options: KilledGatewayOptions): Promise<Running> {
  const { HOME = "", PATH = "" } = process.env;
  const starting = spawn(
    process.execPath,
    ["--input-type=module", "-e", program, "--", JSON.stringify(options)],
    { cwd: repositoryRoot, env: { HOME, PATH }, stdio: ["ignore", "pipe", "inherit"] },
  );
  child = starting;
  let text = "";
  for await (const part of starting.stdout) {
    text += part;
    if (text.endsWith("\n")) break;
  }
  return JSON.parse(text) as Running;
}

const kill = () => void child!.kill("SIGKILL");

/** Asks a question. @returns its receipt. @throws where the gateway is killed meanwhile, or refuses */
async function ask({ token, url }: Running, content: string, key?: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    body: JSON.stringify({
      model: `model-${world.place.modelId}`,
      messages: [{ role: "user", content }],
    }),
  });
  const body = (await response.json()) as { openledger?: unknown };
  if (response.status !== 200) throw new Error(JSON.stringify(body));
  return openledgerSchema.parse(body.openledger).receipt;
}

/** Points at which the gateway is killed, once. */
const POINTS: Readonly<Record<string, () => void>> = {
  "the server has made the answer": () => {
    server.onQuestion = async ({ pass }) => {
      server.onQuestion = null;
      await pass();
      kill();
    };
  },
  "the payment is signed": () => {
    world.ledger.onPayment = () => {
      world.ledger.mode = "silent";
      kill();
    };
  },
  "the sequencer has the payment": () => {
    world.ledger.onPayment = () => {
      world.ledger.mode = "takes-silently";
      kill();
    };
  },
  "some time has passed": () => void pause(20 + 400 * Math.random()).then(kill),
};

test(`${paymentCount} payments through ${killCount} kills are each made once, and nobody is locked out`, {
  timeout: 60_000 + killCount * 60_000 + paymentCount * 5_000,
}, async () => {
  const options: KilledGatewayOptions = {
    sequencerUrl: world.client.sequencerUrl!,
    place: { ...world.place, serverUrl: server.serverUrl },
    own: world.newFolder(),
    models: world.newFolder(),
  };
  world.ledger.balanceWei = BigInt(paymentCount + 1) * (PRICE_WEI + FEE_WEI);
  const beganWei = world.ledger.balanceWei;
  const given: string[] = [];
  const points = Object.entries(POINTS);
  let count = 0;
  const fresh = () => `win a cruise ${count++}`;
  let running = await start(options);
  for (let round = 0; round < killCount; round++) {
    // As many plain questions as make up the number: two of a round are asked around its kill.
    const plainCount = Math.floor(((round + 1) * paymentCount) / killCount) - given.length - 2;
    for (let left = plainCount; left > 0; left -= 4)
      given.push(
        ...(await Promise.all(Array.from({ length: Math.min(4, left) }, () => ask(running, fresh())))),
      );
    const [point, arm] = points[round % points.length]!;
    const lost = fresh();
    const key = round % 2 === 0 ? undefined : `key-${round}`;
    const ended = once(child!, "exit");
    arm();
    const first = await ask(running, lost, key).catch(() => null);
    await ended;
    world.ledger.onPayment = () => {};
    Object.assign(world.ledger, { mode: "takes" });
    running = await start(options);
    const beganMs = Date.now();
    given.push(await ask(running, fresh()));
    expect(Date.now() - beganMs, point).toBeLessThan(WITHIN_MS);
    // A client that had its answer before the kill asks no more, unless by its key.
    const again = first !== null && key === undefined ? first : await ask(running, lost, key);
    if (first !== null) expect(again, point).toBe(first);
    given.push(again);
  }
  const paid = world.ledger.paid.map(({ receipt }) => hex32(receipt));
  expect(new Set(paid).size).toBe(paid.length);
  expect([...given].sort()).toEqual([...paid].sort());
  expect(paid).toHaveLength(paymentCount);
  expect(world.ledger.paid.map(({ nonce }) => nonce)).toEqual(paid.map((_, i) => i));
  expect(world.ledger.balanceWei).toBe(beganWei - BigInt(paid.length) * (PRICE_WEI + FEE_WEI));
});
