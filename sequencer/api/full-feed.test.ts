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
