/** Tests of the guard in a real browser: no page of the internet calls the gateway, not even one that knows the token. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { McpServer } from "@modelcontextprotocol/server";
import { createLogger } from "@openledger/foundation/logger";
import { Secret } from "@openledger/foundation/secret";
import { openBrowser } from "@openledger/web/testing/browser";
import type { FastifyInstance } from "fastify";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { McpOverHttp } from "../mcp/mcp-over-http.ts";
import { createGatewayApp } from "./gateway-app.ts";
import { createToken } from "./guard.ts";

const token = createToken();
let browser: Browser;
let app: FastifyInstance;
let port: number;
/** Requests that reached a route, past the guard. */
let reached: string[] = [];
let stranger: Server;
let strangersUrl: string;

beforeAll(async () => {
  app = await createGatewayApp({
    // No request gets as far as these.
    asker: {} as never,
    locations: {} as never,
    budget: {} as never,
    token: new Secret(token),
    maxPriceWei: 1n,
    mcp: new McpOverHttp(() => new McpServer({ name: "none", version: "1" })),
    logger: createLogger("gateway", "silent"),
  });
  app.addHook("preParsing", async ({ url }) => {
    reached.push(url);
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  ({ port } = app.server.address() as AddressInfo);
  stranger = createServer((_request, response) => {
    response.setHeader("content-type", "text/html").end("<p>Hello");
  });
  await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
  strangersUrl = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  // The name of a stranger's page resolves to this machine.
  browser = await openBrowser(["--host-resolver-rules=MAP rebound.example 127.0.0.1"]);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await app?.close();
  stranger?.close();
});
let page: Page;
beforeEach(async () => {
  reached = [];
  page = await browser.newPage();
});
afterEach(() => page.close());

/** Has the page call the gateway in the ways that a page has. @returns what it could read, by the way */
const attack = (from: Page, base: string): Promise<Record<string, string>> =>
  from.evaluate(
    async ({ base, token }) => {
      const authorization = `Bearer ${token}`;
      const json = { authorization, "content-type": "application/json" };
      const body = JSON.stringify({ model: "model-1", messages: [{ role: "user", content: "x" }] });
      const ways: [way: string, path: string, init: RequestInit][] = [
        ["with the token", "/v1/models", { headers: { authorization } }],
        ["without it", "/v1/models", {}],
        ["a question", "/v1/chat/completions", { method: "POST", headers: json, body }],
        ["a simple question", "/v1/chat/completions", { method: "POST", mode: "no-cors", body }],
        ["a tool", "/mcp", { method: "POST", headers: json, body: "{}" }],
      ];
      const read: Record<string, string> = {};
      for (const [way, path, init] of ways)
        read[way] = await fetch(`${base}${path}`, init).then(
          (answer) => `${answer.type} ${answer.status}`,
          () => "refused",
        );
      return read;
    },
    { base, token },
  );

test("a page of another origin reads nothing, and no route hears of it", { timeout: 120_000 }, async () => {
  await page.goto(strangersUrl);
  expect(await attack(page, `http://127.0.0.1:${port}`)).toEqual({
    "with the token": "refused",
    "without it": "refused",
    "a question": "refused",
    // It was sent, unread, and refused there.
    "a simple question": "opaque 0",
    "a tool": "refused",
  });
  expect(reached).toEqual([]);
});

test("a page whose name resolves to this machine reads refusals alone", { timeout: 120_000 }, async () => {
  // Its policy would stop the page's requests: they are to meet the check of their Host.
  const context = await browser.newContext({ bypassCSP: true });
  const rebound = await context.newPage();
  const shown = await rebound.goto(`http://rebound.example:${port}/`);
  expect([shown?.status(), await rebound.evaluate("location.origin")]).toEqual([
    400,
    `http://rebound.example:${port}`,
  ]);
  const read = await attack(rebound, "");
  expect(read).toMatchObject({
    "with the token": "basic 400",
    "a question": "basic 400",
    "a tool": "basic 400",
  });
  expect(reached).toEqual([]);
  await context.close();
});
