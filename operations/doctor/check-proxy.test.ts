import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { startTestRollup, type TestRollup, temporaryFolder } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { checkProxy } from "./check-proxy.ts";

const folder = temporaryFolder();
let rollup: TestRollup;
let port: number;

beforeAll(async () => {
  rollup = await startTestRollup({ dataPath: folder.path, userCount: 0 });
  port = Number(new URL(await rollup.app.listen({ port: 0, host: "127.0.0.1" })).port);
});
afterAll(async () => {
  await rollup.stop();
  folder.remove();
});

/** A reverse proxy in front of the sequencer. */
async function startProxy(closed: readonly string[], passesUpgrades = true): Promise<string> {
  const pass = ({ headers, method, url }: IncomingMessage) =>
    request({ port, path: url!, method: method!, headers: { ...headers, "x-forwarded-for": "203.0.113.7" } });
  const proxy = createServer((asked, response) => {
    if (closed.some((path) => asked.url!.startsWith(path))) return void response.writeHead(404).end();
    const onward = pass(asked).on("response", (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.end();
  });
  proxy.on("upgrade", (asked, socket) => {
    if (!passesUpgrades) return void socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    const onward = pass(asked).on("upgrade", (_, other) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
      socket.on("close", () => other.destroy()).on("error", () => other.destroy());
    });
    onward.end();
  });
  await new Promise<void>((listening) => proxy.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void proxy.close());
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

const sequencer = () => ({ name: "sequencer", kind: "sequencer", healthPath: "/health", port }) as const;
const look = async (publicUrl: string, proxies = "127.0.0.1") =>
  (await checkProxy(sequencer(), { publicUrl, proxies })).problem;

test("doctor finds nothing wrong with a reverse proxy that passes what clients need", async () => {
  expect(await look(await startProxy(["/operator/", "/metrics"]))).toBeNull();
});

test("doctor names what a reverse proxy passes, what it does not, and what the process does not know of it", async () => {
  const open = await startProxy([]);
  expect(await look(open)).toBe("the proxy passes /operator/chain, which answers 401");
  expect(await look(open, "")).toBe("no proxy is trusted: all clients share one rate limit");
  expect(await look("http://ledger.example")).toBe("clients reach it without TLS");
  expect(await look(await startProxy(["/v1"]))).toBe(`/v1/info answers 404 there, and 200 on port ${port}`);
  expect(await look(await startProxy(["/operator/", "/metrics"], false))).toBe(
    "the proxy does not pass WebSockets: /v1/feed answers 400",
  );
  expect(await look("https://127.0.0.1:2")).toMatch(
    /^https:\/\/127\.0\.0\.1:2\/v1\/info: connect ECONNREFUSED/,
  );
});
