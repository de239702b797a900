/**
 * Tests of `openledger gateway` as a process that is killed between question, answer and payment: after a restart each question is
 * paid once, and its asker gets the answer.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { listOperations } from "@openledger/client/sequencer/ledger-reads";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openledgerSchema } from "./asking/received-answer.ts";
import { BOB, type GatewayWorld, startGatewayWorld } from "./testing/gateway-world.ts";

let world: GatewayWorld;
/** Proxies before sequencer and answer server, at which the gateway is killed. */
let sequencer: HookedProxy;
let server: HookedProxy;
beforeAll(async () => {
  world = await startGatewayWorld();
  sequencer = await startProxy(world.world.sequencerUrl);
  server = await startProxy(world.serverUrl);
}, 900_000);
afterAll(async () => {
  child?.kill("SIGKILL");
  await Promise.all([sequencer?.close(), server?.close()]);
  await world?.stop();
});

interface HookedProxy {
  readonly url: string;
  /** Called for each request of the path, with the function that passes it on. What it does not pass on stays unanswered. */
  onRequest: ((path: string, pass: () => Promise<() => void>) => Promise<void>) | null;
  close(): Promise<void>;
}

/** A proxy that passes on, unless its hook decides otherwise. */
async function startProxy(targetUrl: string): Promise<HookedProxy> {
  const proxy = { onRequest: null as HookedProxy["onRequest"] };
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const pass = async () => {
      const { method = "GET" } = request;
      const { "content-type": type = "application/json", accept = "*/*" } = request.headers;
      const body = method === "GET" ? {} : { body: Buffer.concat(chunks) };
      const headers = { "content-type": type, accept };
      const answer = await fetch(`${targetUrl}${request.url}`, { method, headers, ...body });
      const bytes = Buffer.from(await answer.arrayBuffer());
      return () => {
        const kind = answer.headers.get("content-type") ?? "application/json";
        response.writeHead(answer.status, { "content-type": kind }).end(bytes);
      };
    };
    if (proxy.onRequest === null || request.method !== "POST") (await pass())();
    else await proxy.onRequest(request.url ?? "", pass);
  };
  const listening: Server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    async close() {
      listening.closeAllConnections();
      await new Promise((resolve) => listening.close(resolve));
    },
  });
}

interface Running {
  readonly openai: OpenAI;
  readonly leafId: number;
}
/** The process that runs, or ran last. */
let child: ChildProcess | null = null;
let token = "";

/** Starts the gateway, or starts it again on the same account. @throws if it is killed before it listens */
async function start(more: readonly string[] = []): Promise<Running> {
  const { home } = world.world;
  const args = ["--json", "gateway", "--name", "killed", "--max-price", "1", "--port", "0"];
  const locations = [
    "--private-key-file",
    join(home, "bob-key"),
    "--sequencer",
    sequencer.url,
    "--server",
    server.url,
  ];
  const { HOME = "", PATH = "" } = process.env;
  const starting = spawn(process.execPath, ["scripts/openledger.js", ...args, ...locations, ...more], {
    cwd: repositoryRoot,
    env: { HOME, PATH, OPENLEDGER_HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = starting;
  let text = "";
  for await (const part of starting.stdout) {
    text += part;
    if (text.trimEnd().endsWith("}")) break;
  }
  const facts = JSON.parse(text) as { baseUrl: string; leafId?: number; token?: string };
  if (facts.leafId === undefined) throw new Error(`the gateway did not start: ${text}`);
  token = facts.token ?? token;
  const openai = new OpenAI({ baseURL: facts.baseUrl, apiKey: token, maxRetries: 0 });
  return { openai, leafId: facts.leafId };
}

async function kill(): Promise<void> {
  const ended = once(child!, "exit");
  child!.kill("SIGKILL");
  await ended;
}

const ask = async ({ openai }: Running, content: string) => {
  const messages = [{ role: "user" as const, content }];
  const answer = await openai.chat.completions.create({ model: `model-${world.directId}`, messages });
  return openledgerSchema.parse((answer as { openledger?: unknown }).openledger);
};

const isAnswer = (path: string) => path.endsWith("/v1/answers");
const isPayment = (path: string) => path === "/v1/operations";

/** Kills the gateway at its next operation, once. @param isTaken whether the sequencer has it by then */
const atSequencer = (isTaken: boolean) => () => {
  sequencer.onRequest = async (path, pass) => {
    if (!isPayment(path)) return (await pass())();
    sequencer.onRequest = null;
    if (isTaken) await pass();
    await kill();
  };
};

/** Points at which the gateway is killed. */
const POINTS = {
  "when the server has made the answer": () => {
    server.onRequest = async (path, pass) => {
      const give = await pass();
      if (!isAnswer(path)) return give();
      server.onRequest = null;
      await kill();
    };
  },
  "when the payment is signed, before the sequencer has it": atSequencer(false),
  "when the sequencer has the payment, before it says so": atSequencer(true),
} as const;

test("each question is paid once, wherever the gateway is killed", { timeout: 400_000 }, async () => {
  const opened = async () =>
    (await listOperations(world.world.bob, BOB, { limit: 200 })).filter(
      ({ kind }) => kind === "createAccount",
    );
  const before = (await opened()).length;
  for (const arm of [atSequencer(false), atSequencer(true)]) {
    arm();
    await expect(start(["--budget", "4"])).rejects.toThrow();
  }
  let gateway = await start(["--budget", "4"]);
  expect((await opened()).length).toBe(before + 1);
  const { leafId } = gateway;
  const receipts: string[] = [];
  for (const [when, arm] of Object.entries(POINTS)) {
    arm();
    const question = `a free cruise ${when}`;
    await expect(ask(gateway, question), when).rejects.toThrow();
    gateway = await start();
    expect(gateway.leafId, when).toBe(leafId);
    receipts.push((await ask(gateway, question)).receipt);
    const paid = await world.paidBy(leafId);
    expect(
      paid.map(({ words }) => words[0]),
      when,
    ).toEqual(receipts.map(BigInt));
  }
  // A signal stops it cleanly.
  const ended = once(child!, "exit");
  child!.kill("SIGTERM");
  expect((await ended)[0]).toBe(0);
});
