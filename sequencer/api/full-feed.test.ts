import { once } from "node:events";
import { connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { freshFolder } from "../testing/fresh-rollup.ts";
import { startTestRollup, type TestRollup } from "../testing/test-rollup.ts";

it("refuses a feed that has no place before the framework sees it", async () => {
  const folder = freshFolder();
  const environment = { SEQUENCER_FEED_MAX_CLIENTS: "40" };
  const rollup: TestRollup = await startTestRollup({ dataPath: folder, environment });
  onTestFinished(() => rollup.stop());
  let seen = 0;
  const url = (await rollup.listen()).replace("http", "ws");
  const route = rollup.app.routing.bind(rollup.app);
  rollup.app.routing = (request, response) => {
    seen += 1;
    route(request, response);
  };
  const ask = () =>
    new Promise<{ status: number; body: string; policy?: unknown }>((resolve) => {
      const socket = new WebSocket(`${url}/v1/feed`);
      onTestFinished(() => socket.terminate());
      socket.on("error", () => {});
      socket.on("open", () => resolve({ status: 101, body: "" }));
      socket.on("unexpected-response", async (_request, response) => {
        let body = "";
        for await (const part of response) body += String(part);
        resolve({ status: response.statusCode!, body, policy: response.headers["content-security-policy"] });
      });
    });
  const opened = await Promise.all(Array.from({ length: 10 }, ask));
  expect(opened.map(({ status }) => status)).toEqual(Array(10).fill(101));
  expect(seen).toBe(10);
  const refused = await ask();
  expect(refused.status).toBe(503);
  expect(refused.policy).toContain("default-src 'none'");
  expect(JSON.parse(refused.body)).toMatchObject({
    error: { code: "SRV_OVERLOADED", data: { maxOfNetwork: 10 } },
  });
  expect(seen).toBe(10);
});

it("refuses what does not open a feed in the form of every refusal", async () => {
  const rollup = await startTestRollup({ dataPath: freshFolder() });
  onTestFinished(() => rollup.stop());
  const port = Number(new URL(await rollup.listen()).port);
  const upgrade = "GET /v1/feed HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\n";
  for (const head of [
    `${upgrade}upgrade: nothing\r\n`,
    `${upgrade}upgrade: websocket\r\nsec-websocket-version: 13\r\n`,
    `${upgrade}upgrade: websocket\r\nsec-websocket-key: short\r\nsec-websocket-version: 13\r\n`,
  ]) {
    const socket = connect({ host: "127.0.0.1", port });
    socket.write(`${head}\r\n`);
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
    });
    await once(socket, "close");
    const [status, body] = text.split("\r\n\r\n");
    expect(status, head).toMatch(/^HTTP\/1.1 400 (?:.|\r\n)*default-src 'none'/);
    expect(JSON.parse(body!), head).toMatchObject({ error: { code: "SRV_BAD_REQUEST" } });
  }
});
