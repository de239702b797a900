/** Tests of MCP over HTTP where clients time out, cancel and leave: the official client, and raw requests for what it never sends. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientOptions, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { MODEL_ID, type PaidLedger, startPaidLedger } from "../testing/paid-ledger.ts";
import { askResult } from "./mcp-schemas.ts";

let world: PaidLedger;
let app: Awaited<ReturnType<PaidLedger["openApp"]>>;
beforeAll(async () => {
  world = await startPaidLedger();
  app = await world.openApp();
});
afterAll(async () => {
  await app?.stop();
  await world?.stop();
});

const USUAL: ClientOptions = {};
const MODERN: ClientOptions = { versionNegotiation: { mode: { pin: "2026-07-28" } } };
const REVISIONS = [
  ["2025-11-25", USUAL],
  ["2026-07-28", MODERN],
] as const;
let count = 0;
const freshAsk = () => ({
  name: "ask",
  arguments: { model: `model-${MODEL_ID}`, prompt: `${world.prompts[0]} by HTTP ${count++}` },
});

async function connected(options: ClientOptions): Promise<Client> {
  const client = new Client({ name: "a test", version: "1" }, options);
  const headers = { authorization: `Bearer ${app.token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${app.url}/mcp`), { requestInit: { headers } }),
  );
  onTestFinished(() => client.close());
  return client;
}

/** Puts a server before the model's own that takes its time for each answer. */
async function slowServer(delayMs: number) {
  const { serverUrl: real } = world.place;
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.method === "POST") await sleep(delayMs);
    const { method = "GET" } = request;
    const answer = await fetch(`${real}${request.url}`, {
      method,
      headers: { accept: request.headers.accept ?? "*/*", "content-type": "application/json" },
      ...(method === "GET" ? {} : { body: Buffer.concat(chunks) }),
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  Object.assign(world.place, { serverUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  onTestFinished(() => {
    server.close();
    Object.assign(world.place, { serverUrl: real });
  });
}

const receiptOf = ({ structuredContent }: { structuredContent?: unknown }) =>
  askResult.parse(structuredContent).openledger.receipt;

it.each(REVISIONS)("pays once where a client times out and asks again, in %s", async (_, options) => {
  await slowServer(150);
  const client = await connected(options);
  const question = freshAsk();
  const paidBefore = world.ledger.paid.length;
  await expect(client.callTool(question, { timeout: 20 })).rejects.toThrow(/timed out/i);
  const again = await client.callTool(question);
  expect(receiptOf(again)).toMatch(/^0x/);
  expect(world.ledger.paid).toHaveLength(paidBefore + 1);
});

it.each(REVISIONS)("pays once where a client cancels after the payment, in %s", async (_, options) => {
  const client = await connected(options);
  const question = freshAsk();
  const paidBefore = world.ledger.paid.length;
  const leaving = new AbortController();
  world.ledger.onPayment = () => leaving.abort();
  onTestFinished(() => void Object.assign(world.ledger, { onPayment: () => {} }));
  await expect(client.callTool(question, { signal: leaving.signal })).rejects.toThrow();
  world.ledger.onPayment = () => {};
  await expect.poll(() => world.ledger.paid.length).toBe(paidBefore + 1);
  await client.callTool(question);
  expect(world.ledger.paid).toHaveLength(paidBefore + 1);
});

it.each(REVISIONS)("pays once where a client closes its connections, in %s", async (_, options) => {
  await slowServer(150);
  const leaver = await connected(options);
  const question = freshAsk();
  const paidBefore = world.ledger.paid.length;
  const left = expect(leaver.callTool(question)).rejects.toThrow();
  await sleep(60);
  await leaver.close();
  await left;
  const client = await connected(options);
  await client.callTool(question);
  expect(world.ledger.paid).toHaveLength(paidBefore + 1);
});

it.each(REVISIONS)("tells a client that asked for it that it is at work, in %s", async (_, options) => {
  await slowServer(4_500);
  const client = await connected(options);
  const progress: number[] = [];
  const answer = await client.callTool(freshAsk(), {
    timeout: 4_000,
    resetTimeoutOnProgress: true,
    onprogress: (step) => void progress.push(step.progress),
  });
  expect(receiptOf(answer)).toMatch(/^0x/);
  expect(progress).toEqual([3]);
});

/** Sends a JSON-RPC message of revision 2025-11-25. */
const send = (sessionId: string | null, message: object) =>
  fetch(`${app.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${app.token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
      ...(sessionId === null ? {} : { "mcp-session-id": sessionId }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", ...message }),
  });
const call = (sessionId: string | null, id: number, params: object) =>
  send(sessionId, { id, method: "tools/call", params });
const cancel = (sessionId: string | null, requestId: number) =>
  send(sessionId, { method: "notifications/cancelled", params: { requestId } });

async function newSession(): Promise<string> {
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "a test", version: "1" },
  };
  const answer = await send(null, { id: 0, method: "initialize", params });
  await answer.text();
  return answer.headers.get("mcp-session-id")!;
}

it("gives the answer again where the cancel and the answer have crossed", async () => {
  const session = await newSession();
  const question = freshAsk();
  const paidBefore = world.ledger.paid.length;
  expect(await (await call(session, 1, question)).text()).toContain("structuredContent");
  expect((await cancel(session, 1)).status).toBe(202);
  expect(await (await call(session, 2, question)).text()).toContain("structuredContent");
  expect(world.ledger.paid).toHaveLength(paidBefore + 1);
  // Who has its answer and asks again wants another.
  expect(await (await call(session, 3, question)).text()).toContain("structuredContent");
  expect(world.ledger.paid).toHaveLength(paidBefore + 2);
});

it("gives a cancel that overtakes its request to that request, which pays nothing", async () => {
  const session = await newSession();
  const paidBefore = world.ledger.paid.length;
  await cancel(session, 1);
  expect(await (await call(session, 1, freshAsk())).text()).not.toContain("structuredContent");
  expect(world.ledger.paid).toHaveLength(paidBefore);
});

it("hands no cancel to another session's request of the same id, nor to one of two without session", async () => {
  await slowServer(150);
  const [own, other] = [await newSession(), await newSession()];
  expect(own).not.toBe(other);
  const asked = [
    call(own, 1, freshAsk()),
    call("of-before-a-restart", 1, freshAsk()),
    call(null, 1, freshAsk()),
    call(null, 1, freshAsk()),
  ];
  await sleep(50);
  await cancel(other, 1);
  await cancel(null, 1);
  for (const answer of asked) expect(await (await answer).text()).toContain("structuredContent");
});

it("cancels one question of a batch, and answers the other", async () => {
  await slowServer(150);
  const session = await newSession();
  const [first, second] = [freshAsk(), freshAsk()];
  const batch = fetch(`${app.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${app.token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-03-26",
      "mcp-session-id": session,
    },
    body: JSON.stringify(
      [first, second].map((params, id) => ({ jsonrpc: "2.0", id, method: "tools/call", params })),
    ),
  });
  await sleep(30);
  await cancel(session, 0);
  const text = await (await batch).text();
  expect(text).toContain('"id":1');
  const paidBefore = world.ledger.paid.length;
  await (await call(session, 2, first)).text();
  expect(world.ledger.paid).toHaveLength(paidBefore);
});

it("keeps an answer whose client closes the socket before it is written", async () => {
  const question = freshAsk();
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: question });
  const { host, port } = new URL(app.url);
  const socket = connect(Number(port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const paidBefore = world.ledger.paid.length;
  world.ledger.onPayment = () => socket.destroy();
  onTestFinished(() => void Object.assign(world.ledger, { onPayment: () => {} }));
  const closed = once(socket, "close");
  socket.write(
    `POST /mcp HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${app.token}\r\ncontent-type: application/json\r\n` +
      `accept: application/json, text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await closed;
  world.ledger.onPayment = () => {};
  await expect.poll(() => world.ledger.paid.length).toBe(paidBefore + 1);
  const again = await call(null, 1, question);
  expect(await again.text()).toContain("structuredContent");
  expect(world.ledger.paid).toHaveLength(paidBefore + 1);
});
