import { attackServer } from "@openledger/foundation/http/testing/attack-server";
import { describe, expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { freshRollup } from "../testing/fresh-rollup.ts";
import { operationJson, operatorHeaders, type TestRollup, transfer } from "../testing/test-rollup.ts";
import { Feed, type FeedSocket, parseTopics } from "./feed.ts";

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
      expect.objectContaining({
        code: "SRV_OVERLOADED",
        data: expect.objectContaining({ reason: "feed-full" }),
      }),
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

  it("gives one network a tenth of its places, IPv6 by /64, and takes them back", () => {
    const feed = new Feed({ maxClients: 200, maxBufferedBytes: 10 });
    const sockets = Array.from({ length: 20 }, () => socketOf());
    for (const socket of sockets) feed.add(socket, new Set(["batches"]), "203.0.113.1");
    expect(() => feed.requireRoom("203.0.113.1")).toThrow(
      expect.objectContaining({
        code: "SRV_OVERLOADED",
        data: expect.objectContaining({ reason: "feed-full" }),
      }),
    );
    feed.requireRoom("203.0.113.2");
    feed.remove(sockets[0]!);
    feed.requireRoom("203.0.113.1");
    feed.close();
  });

  it("cuts off who does not answer a ping by the next one", () => {
    const feed = new Feed({ maxClients: 2, maxBufferedBytes: 10 });
    const [gone, here] = [socketOf(), socketOf()];
    for (const socket of [gone, here]) feed.add(socket, new Set(["batches"]), "203.0.113.1");
    feed.ping();
    feed.heard(here);
    feed.ping();
    expect([gone.isOpen, here.isOpen, feed.clientCount]).toEqual([false, true, 1]);
    feed.close();
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
      expect(() => parseTopics(text), text).toThrow(expect.objectContaining({ code: "SRV_BAD_REQUEST" }));
    }
  });
});

describe("GET /v1/feed", () => {
  it("takes no more of one address than its share, and hears pongs", async () => {
    const environment = { SEQUENCER_FEED_MAX_CLIENTS: "40", SEQUENCER_PROXIES: "127.0.0.1" };
    const rollup = await freshRollup({ environment });
    const url = await rollup.listen();
    const opened = async (address: string) => {
      const headers = { "x-forwarded-for": address };
      const socket = new WebSocket(`${url.replace("http", "ws")}/v1/feed`, { headers });
      onTestFinished(() => socket.terminate());
      socket.on("error", () => {});
      return new Promise((resolve) => {
        socket.on("open", () => resolve(101));
        socket.on("unexpected-response", (_request, response) => resolve(response.statusCode));
      });
    };
    const own = await Promise.all(Array.from({ length: 13 }, (_, i) => opened(`2001:db8::${i}`)));
    expect(own.filter((status) => status === 101)).toHaveLength(10);
    expect(own.filter((status) => status === 503)).toHaveLength(3);
    expect(await opened("203.0.113.2")).toBe(101);
    rollup.feed.ping();
    // A client that answers is there after every further ping.
    await expect.poll(() => rollup.feed.unheardCount).toBe(0);
    rollup.feed.ping();
    expect(rollup.feed.clientCount).toBe(11);
  });

  it("is on a server that is protected as every one is", async () => {
    const rollup = await freshRollup();
    expect(
      await attackServer(await rollup.listen(), { post: "/v1/operations", metrics: "/metrics" }),
    ).toEqual([]);
  });

  it("tells of operations and batches, and refuses before the upgrade", async () => {
    const rollup: TestRollup = await freshRollup();
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
