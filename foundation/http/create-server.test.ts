import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { processErrors } from "../error-table.ts";
import { rawBodyOf } from "./bodies.ts";
import { clientNetwork } from "./client-network.ts";
import { createServer, type ServerOptions } from "./create-server.ts";
import type { HttpErrors } from "./http-errors.ts";
import { TrustedProxies } from "./trusted-proxies.ts";

interface Records {
  readonly logged: string[];
  readonly refused: string[];
}

async function serve(options: Partial<ServerOptions> = {}) {
  const records: Records = { logged: [], refused: [] };
  const errors: HttpErrors = {
    statusOf: ({ code }) => processErrors.statusOf(code)!,
    onRefusal: ({ code }) => void records.refused.push(code),
    log: { error: (_facts, message) => void records.logged.push(message) },
  };
  const limits = { rateLimitPerMinute: 1_000 };
  const app = await createServer({ errors, limits, bodyLimitBytes: 1_000, ...options });
  app.get("/who", (request) => clientNetwork(request));
  app.get("/fail", () => {
    throw new Error("not foreseen");
  });
  app.get("/syntax", () => BigInt("x"));
  app.get("/forbidden", () => {
    throw Object.assign(new Error("Forbidden"), { statusCode: 403 });
  });
  app.get("/of/:name", () => "named");
  app.post("/body", ({ body }) => body);
  app.post("/large", { bodyLimit: 100_000_000 }, (request) => ({ bytes: rawBodyOf(request)?.length }));
  const refuse = async () => {
    throw processErrors.raise("SRV_BAD_REQUEST", "refused by its header");
  };
  app.post("/refused", { bodyLimit: 100_000_000, onRequest: refuse }, () => "never");
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  return { app, url, records, port: Number(new URL(url).port) };
}

async function open(port: number, localAddress = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Reads the server's text until it ends the connection. */
async function readToEnd(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes;
  });
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

async function ask(port: number, head: string, localAddress?: string): Promise<string> {
  const socket = await open(port, localAddress);
  socket.write(`${head}\r\nconnection: close\r\n\r\n`);
  return readToEnd(socket);
}

const statusOf = (answer: string) => Number(answer.split(" ")[1]);

describe("connections", () => {
  it("of one address are a quarter of all, so that idle ones leave room for others", async () => {
    const { port } = await serve({ limits: { maxConnections: 8, rateLimitPerMinute: 1_000 } });
    const idle = await Promise.all(Array.from({ length: 2 }, () => open(port)));
    expect(await ask(port, "GET /who HTTP/1.1\r\nhost: localhost")).toBe("");
    expect(statusOf(await ask(port, "GET /who HTTP/1.1\r\nhost: localhost", "127.0.0.2"))).toBe(200);
    idle[0]!.destroy();
    await expect
      .poll(async () => statusOf(await ask(port, "GET /who HTTP/1.1\r\nhost: localhost")))
      .toBe(200);
  });

  it("are bounded in all, whoever has them", async () => {
    const { port } = await serve({ limits: { maxConnections: 4, rateLimitPerMinute: 1_000 } });
    for (const host of [2, 3, 4, 5]) await open(port, `127.0.0.${host}`);
    expect(await ask(port, "GET /who HTTP/1.1\r\nhost: localhost", "127.0.0.6")).toBe("");
  });

  it("of a trusted proxy are bounded with all, and not as one client's", async () => {
    const proxies = new TrustedProxies(["127.0.0.1"]);
    const { port } = await serve({ limits: { maxConnections: 8, rateLimitPerMinute: 1_000, proxies } });
    const idle = await Promise.all(Array.from({ length: 6 }, () => open(port)));
    expect(idle.every((socket) => !socket.destroyed)).toBe(true);
    expect(statusOf(await ask(port, "GET /who HTTP/1.1\r\nhost: localhost"))).toBe(200);
  });

  it("end where head or body do not come in time", async () => {
    const { port, records } = await serve({ requestTimeoutMs: 300 });
    const silent = await open(port);
    const head = await open(port);
    head.write("GET /who HTTP/1.1\r\n");
    const body = await open(port);
    body.write(
      "POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{",
    );
    const trickle = setInterval(() => body.write(" "), 50);
    const answers = await Promise.all([silent, head, body].map(readToEnd));
    clearInterval(trickle);
    expect(answers.map(statusOf)).toEqual([408, 408, 408]);
    expect(answers[2]).toContain('"code":"SRV_BAD_REQUEST"');
    expect(answers[2]).toContain("content-security-policy: default-src 'none'");
    expect(records).toEqual({ logged: [], refused: [] });
  });

  it.each([
    ["content-length: 30000000", Buffer.alloc(0)],
    ["transfer-encoding: chunked", Buffer.from(`${(30_000_000).toString(16)}\r\n`)],
  ])(
    "are read no further where a large body with %s is refused, and end once the sender has its answer",
    async (framing, prefix) => {
      const { app, port } = await serve({ hasRawBodies: true });
      const sockets: Socket[] = [];
      app.server.on("connection", (socket: Socket) => sockets.push(socket));
      const socket = await open(port);
      const length = 30_000_000;
      socket.write(
        `POST /refused HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/octet-stream\r\n${framing}\r\n\r\n`,
      );
      socket.write(Buffer.concat([prefix, Buffer.alloc(length)]));
      expect(statusOf(await readToEnd(socket))).toBe(400);
      expect(sockets[0]!.bytesRead).toBeLessThan(length / 10);
    },
  );

  it("may send longer than the time-out where the body is large and comes fast enough", async () => {
    const { port } = await serve({ requestTimeoutMs: 300, hasRawBodies: true });
    const send = async (bytesEach: number) => {
      const socket = await open(port);
      const length = 20 * bytesEach;
      socket.write(
        `POST /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/octet-stream\r\ncontent-length: ${length}\r\n\r\n`,
      );
      let sent = 0;
      const timer = setInterval(() => {
        if (sent++ < 20 && !socket.destroyed) socket.write(Buffer.alloc(bytesEach));
        else clearInterval(timer);
      }, 50);
      onTestFinished(() => clearInterval(timer));
      return statusOf(await readToEnd(socket));
    };
    expect(await Promise.all([send(200_000), send(10)])).toEqual([200, 408]);
  });
});

it("names a port that another process has", async () => {
  const { app } = await serve();
  const { port } = app.server.address() as AddressInfo;
  const errors: HttpErrors = { statusOf: () => 500, log: { error() {} } };
  const second = await createServer({ errors, limits: { rateLimitPerMinute: 1 }, bodyLimitBytes: 1 });
  await expect(second.listen({ host: "127.0.0.1", port })).rejects.toMatchObject({
    code: "SRV_CONFIG_INVALID",
    message: expect.stringContaining(`port ${port} of 127.0.0.1 is in use`),
    data: { host: "127.0.0.1", port },
  });
});

it("ends no request that has no connection, and leaves no timer that would", async () => {
  const { app } = await serve({ requestTimeoutMs: 100 });
  const ended: unknown[] = [];
  app.server.on("clientError", (error) => ended.push(error));
  const { statusCode } = await app.inject({ method: "POST", url: "/body", payload: { a: 1 } });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect({ statusCode, ended }).toEqual({ statusCode: 200, ended: [] });
});

describe("the client's address", () => {
  const forwarded = { "x-forwarded-for": "198.51.100.9, 2001:db8::1" };

  it("is what a trusted proxy says, and no stranger's word", async () => {
    const limits = { rateLimitPerMinute: 1_000, proxies: new TrustedProxies(["127.0.0.0/24"]) };
    const trusting = await serve({ limits });
    const plain = await serve();
    const who = async (url: string, headers: Record<string, string>) =>
      (await fetch(`${url}/who`, { headers })).text();
    expect(await who(trusting.url, forwarded)).toBe("2001:db8:0:0::/64");
    expect(await who(trusting.url, { "x-forwarded-for": "198.51.100.9, 127.0.0.7" })).toBe("198.51.100.9");
    expect(await who(trusting.url, {})).toBe("127.0.0.1");
    expect(await who(plain.url, forwarded)).toBe("127.0.0.1");
  });

  it("is what requests are counted by, so that users of a proxy have a limit each", async () => {
    const limits = { rateLimitPerMinute: 2, proxies: new TrustedProxies(["127.0.0.1"]) };
    const { url } = await serve({ limits });
    const ask = async (address: string, path = "/who") =>
      (await fetch(url + path, { headers: { "x-forwarded-for": address } })).status;
    for (const address of ["203.0.113.1", "203.0.113.2", "2001:db8::1"])
      expect([await ask(address), await ask(address, "/nothing")]).toEqual([200, 404]);
    expect(await ask("203.0.113.1")).toBe(429);
    expect(await ask("2001:db8::ffff", "/nothing")).toBe(429);
  });

  it.each(["nonsense", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/", "1.2.3.4/8/8"])(
    "is not told by %s",
    (entry) => {
      expect(() => new TrustedProxies([entry])).toThrow();
    },
  );
});

describe("answers", () => {
  it("have headers that let nothing run and nobody frame them, whatever they are", async () => {
    const { url, port } = await serve();
    const answers = [
      ...(await Promise.all(["/who", "/nothing", "/fail", "/%"].map((path) => fetch(url + path)))),
      await fetch(`${url}/body`, { method: "POST", body: "no", headers: { "content-type": "text/plain" } }),
    ];
    for (const { headers, url } of answers) {
      expect(headers.get("content-security-policy"), url).toMatch(
        /^default-src 'none'.*frame-ancestors 'none'; sandbox$/,
      );
      expect(headers.get("x-content-type-options"), url).toBe("nosniff");
      expect(headers.get("x-frame-options"), url).toBe("DENY");
    }
    expect(await ask(port, "rubbish")).toMatch(/^HTTP\/1.1 400 (?:.|\r\n)*x-frame-options: DENY/);
  });

  it("say what the client did wrong, and log only what nobody foresaw", async () => {
    const { url, records } = await serve();
    const post = async (body: string | Uint8Array<ArrayBuffer>, type = "application/json") => {
      const answer = await fetch(`${url}/body`, { method: "POST", body, headers: { "content-type": type } });
      return [answer.status, ((await answer.json()) as { error: { code: string } }).error.code];
    };
    const get = async (path: string) => {
      const answer = await fetch(url + path);
      return [answer.status, ((await answer.json()) as { error: { code: string } }).error.code];
    };
    expect(await get("/%")).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await get(`/of/${"x".repeat(200)}`)).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await get("/forbidden")).toEqual([404, "SRV_UNKNOWN_ROUTE"]);
    expect(await get("/nothing")).toEqual([404, "SRV_UNKNOWN_ROUTE"]);
    expect(await post("")).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await post("{")).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await post('{"__proto__": {}}')).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await post(Buffer.from('{"a": "\xff"}', "latin1"))).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await post("{}", "text/plain")).toEqual([415, "SRV_MEDIA_TYPE"]);
    expect(await post(" ".repeat(1_001))).toEqual([413, "SRV_TOO_LARGE"]);
    expect(records.logged).toEqual([]);
    expect(await get("/fail")).toEqual([500, "SRV_INTERNAL"]);
    expect(records.logged).toEqual(["unforeseen failure of a request"]);
    // A SyntaxError of a handler is not the client's.
    expect(await get("/syntax")).toEqual([500, "SRV_INTERNAL"]);
    expect(records.logged).toHaveLength(2);
  });

  it("are in the server's form where Node and a library have words of their own", async () => {
    const { app, port } = await serve();
    expect(await ask(port, "OPTIONS /who HTTP/1.1\r\nhost: localhost")).toMatch(/^HTTP\/1.1 404/);
    await app.close();
    const errors: HttpErrors = { statusOf: ({ code }) => processErrors.statusOf(code)!, log: { error() {} } };
    const open = await createServer({ errors, limits: { rateLimitPerMinute: 1_000 }, bodyLimitBytes: 1_000 });
    onTestFinished(() => open.close());
    // As @fastify/cors has it.
    open.options("*", (_request, reply) => reply.code(204).send());
    open.get("/who", () => "you");
    const openPort = Number(new URL(await open.listen({ host: "127.0.0.1", port: 0 })).port);
    for (const head of [
      "GET /who HTTP/1.1",
      "OPTIONS /who HTTP/1.1\r\nhost: localhost",
      "OPTIONS /who HTTP/1.1\r\nhost: localhost\r\norigin: https://a.example",
    ]) {
      const [status, body] = (await ask(openPort, head)).split("\r\n\r\n");
      expect(status, head).toMatch(/^HTTP\/1.1 400 (?:.|\r\n)*content-type: application\/json/);
      expect(JSON.parse(body!), head).toMatchObject({ error: { code: "SRV_BAD_REQUEST" } });
    }
    const preflight =
      "OPTIONS /who HTTP/1.1\r\nhost: localhost\r\norigin: https://a.example\r\naccess-control-request-method: GET";
    expect(await ask(openPort, preflight)).toMatch(/^HTTP\/1.1 204/);
    expect(await ask(openPort, "GET /who HTTP/1.0")).toMatch(/^HTTP\/1.1 200/);
  });

  it("are nobody's where the sender leaves in the middle of a body", async () => {
    const { app, port, records } = await serve();
    const ended = new Promise<void>((resolve) => {
      app.server.on("request", (request) => request.on("close", () => setImmediate(resolve)));
    });
    const socket = await open(port);
    socket.write(
      "POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{",
    );
    await once(app.server, "request");
    socket.destroy();
    await ended;
    expect(records).toEqual({ logged: [], refused: [] });
  });

  it("are for those who ask by a name of the server, where it is this machine's own", async () => {
    const limits = { rateLimitPerMinute: 1_000, publicUrl: "https://ledger.example/api" };
    const { port } = await serve({ limits });
    const status = async (host: string) => statusOf(await ask(port, `GET /who HTTP/1.1\r\nhost: ${host}`));
    for (const host of [
      "localhost",
      `localhost:${port}`,
      `127.0.0.1:${port}`,
      "[::1]",
      "ledger.example",
      "LEDGER.example:443",
    ])
      expect([host, await status(host)]).toEqual([host, 200]);
    for (const host of [
      "attacker.example",
      "127.0.0.1.attacker.example",
      "localhost.attacker.example:80",
      "a b",
      "10.0.0.1",
    ])
      expect([host, await status(host)]).toEqual([host, 400]);
  });
});
