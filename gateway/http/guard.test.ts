/** Tests of the gateway's guard: no token, a strange Host, or a page's headers, and nothing answers. */
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "@openledger/foundation/http/create-server";
import { Secret } from "@openledger/foundation/secret";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createToken, guardGateway } from "./guard.ts";
import { errorBody, statusOf } from "./openai-errors.ts";

const token = createToken();
const authorization = `Bearer ${token}`;
let app: FastifyInstance;
let port: number;
beforeAll(async () => {
  app = await createServer({
    limits: { rateLimitPerMinute: 1_000, maxConnections: 16 },
    errors: { log: { error: () => {} }, statusOf, bodyOf: errorBody },
    bodyLimitBytes: 1_024,
  });
  guardGateway(app, new Secret(token));
  app.get("/v1/models", () => ({ data: [] }));
  app.post("/v1/chat/completions", () => ({ isPaid: true }));
  await app.listen({ host: "127.0.0.1", port: 0 });
  ({ port } = app.server.address() as AddressInfo);
});
afterAll(() => app.close());

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly cors: string | undefined;
  readonly challenge?: string;
}

const ask = (headers: Record<string, string>, path = "/v1/models", method = "GET") =>
  new Promise<Answer>((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers }, async (response) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        error?: { openledger: { code: string } };
      };
      const cors = response.headers["access-control-allow-origin"];
      const challenge = response.headers["www-authenticate"];
      const status = response.statusCode!;
      const code = body.error?.openledger.code;
      resolve({ status, code, cors, ...(challenge === undefined ? {} : { challenge }) });
    });
    sent.once("error", reject);
    sent.end();
  });

it("answers a program of this machine with the token", async () => {
  expect(await ask({ authorization })).toEqual({ status: 200, code: undefined, cors: undefined });
  expect((await ask({ authorization }, "/v1/chat/completions", "POST")).status).toBe(200);
  // Clients of MCP may name the server's own origin.
  expect((await ask({ authorization, origin: `http://127.0.0.1:${port}` })).status).toBe(200);
  // Fetch of Node sends no site; a browser's address line sends this one.
  expect((await ask({ authorization, "sec-fetch-site": "none" })).status).toBe(200);
});

it.each<Record<string, string>>([
  { authorization: `bearer ${token}` },
  { authorization: `BEARER  ${token}` },
  { "x-api-key": token },
])("takes the token as clients send it: %j", async (headers) => {
  expect(await ask(headers)).toMatchObject({ status: 200 });
});

it.each<[string, Record<string, string>]>([
  ["no token", {}],
  ["another token", { authorization: `Bearer ${createToken()}` }],
  ["the start of the token", { authorization: authorization.slice(0, -1) }],
  ["the token without its scheme", { authorization: token }],
  ["the token of another scheme", { authorization: `Basic ${token}` }],
  ["another key", { "x-api-key": createToken() }],
])("refuses %s on every route, also on those that are not there", async (_, headers) => {
  for (const [path, method] of [
    ["/v1/models", "GET"],
    ["/v1/chat/completions", "POST"],
    ["/nowhere", "GET"],
    ["/mcp", "POST"],
    ["/v1/models", "OPTIONS"],
  ] as const)
    expect(await ask(headers, path, method)).toMatchObject({
      status: 401,
      code: "SRV_UNAUTHORIZED",
      challenge: "Bearer",
    });
});

it.each<Record<string, string>>([
  { origin: "https://evil.example" },
  { origin: "http://localhost:3000" },
  { origin: "null" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-origin" },
])("refuses a page, even with the token: %j", async (headers) => {
  expect(await ask({ authorization, ...headers })).toEqual({
    status: 403,
    code: "GAT_PAGE_REFUSED",
    cors: undefined,
  });
  const preflight = { ...headers, "access-control-request-method": "POST" };
  expect(await ask(preflight, "/v1/chat/completions", "OPTIONS")).toMatchObject({
    status: 403,
    cors: undefined,
  });
});

it.each(["evil.example", "evil.example:8777", "localhost.evil.example", "127.0.0.1.evil.example", "[::2]"])(
  "refuses the host %s: its name may resolve to this machine",
  async (host) => {
    expect(await ask({ authorization, host })).toMatchObject({ status: 400, code: "SRV_BAD_REQUEST" });
  },
);
