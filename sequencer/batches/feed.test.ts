import { afterEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import {
  operationJson,
  operatorHeaders,
  startTestRollup,
  type TestRollup,
  temporaryFolder,
  transfer,
} from "../testing/test-rollup.ts";
import { Feed, type FeedSocket, parseTopics } from "./feed.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const socketOf = (bufferedAmount = 0) => {
  const sent: string[] = [];
  const socket = {
    bufferedAmount,
    sent,
    isOpen: true,
    send: (text: string) => void sent.push(text),
    ping: () => {},
    terminate: () => {
      socket.isOpen = false;
    },
  };
  return socket satisfies FeedSocket;
};

describe("Feed", () => {
  it("sends a topic to those who asked for it, in one sequence", () => {
    const feed = new Feed({ maxClients: 2, maxBufferedBytes: 10 });
    const [all, leaf] = [socketOf(), socketOf()];
    feed.add(all, parseTopics(undefined), "203.0.113.1");
    feed.add(leaf, parseTopics("leaf:7"), "203.0.113.1");
    feed.publish("operations", "acknowledged", { a: 1 });
    feed.publish("leaf:7", "acknowledged", { a: 1 });
    feed.publish("leaf:8", "acknowledged", { a: 1 });
    expect(all.sent.map((text) => JSON.parse(text))).toEqual([
      { topic: "operations", event: "acknowledged", data: { a: 1 }, sequence: 1 },
    ]);
    expect(leaf.sent.map((text) => JSON.parse(text).sequence)).toEqual([2]);
    expect(() => feed.add(socketOf(), new Set(), "203.0.113.2")).toThrow(
      expect.objectContaining({ code: "SEQ_FEED_FULL" }),
    );
    feed.remove(all);
    feed.remove(all);
    expect(feed.clientCount).toBe(1);
  });

  it("cuts off a consumer that does not read", () => {
    const feed = new Feed({ maxClients: 2, maxBufferedBytes: 10 });
    const [slow, quick] = [socketOf(11), socketOf()];
    for (const socket of [slow, quick]) feed.add(socket, parseTopics("batches"), "203.0.113.1");
    feed.publish("batches", "closed", {});
    expect([slow.isOpen, slow.sent.length, quick.sent.length, feed.clientCount]).toEqual([false, 0, 1, 1]);
  });

  it("refuses topics that do not exist", () => {
    for (const text of [
      "",
      "x",
      "leaf:",
      "leaf:-1",
      "leaf:01",
      "operations,,",
      Array.from({ length: 65 }, (_, i) => `leaf:${i}`).join(),
    ]) {
      expect(() => parseTopics(text), text).toThrow(expect.objectContaining({ code: "SEQ_BAD_REQUEST" }));
    }
  });
});

describe("GET /v1/feed", () => {
  it("tells of operations and batches, and refuses before the upgrade", async () => {
    const folder = temporaryFolder();
    cleanUps.push(folder.remove);
    const rollup: TestRollup = await startTestRollup({ dataPath: folder.path });
    cleanUps.push(() => rollup.stop());
    const url = (await rollup.listen()).replace("http", "ws");
    const refused = new WebSocket(`${url}/v1/feed?topics=nothing`);
    const status = await new Promise((resolve) =>
      refused.on("unexpected-response", (_request, response) => resolve(response.statusCode)),
    );
    expect(status).toBe(400);
    refused.on("error", () => {});
    refused.terminate();

    const [alice, bob] = rollup.users;
    const socket = new WebSocket(`${url}/v1/feed?topics=operations,batches,leaf:${bob!.id}`);
    const events: [string, string][] = [];
    socket.on("message", (text) => {
      const { topic, event } = JSON.parse(String(text));
      events.push([topic, event]);
    });
    await new Promise((resolve) => socket.on("open", resolve));
    await rollup.post("/v1/operations", operationJson(transfer(alice!, bob!, 0n)));
    await rollup.post("/operator/close", {}, operatorHeaders);
    await expect.poll(() => events.length).toBe(4);
    expect(events).toEqual([
      ["operations", "acknowledged"],
      [`leaf:${bob!.id}`, "acknowledged"],
      ["batches", "closed"],
      [`leaf:${bob!.id}`, "closed"],
    ]);
    socket.terminate();
  });
});
