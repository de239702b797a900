import { expect, it } from "vitest";
import { backingOff } from "./back-off.ts";

interface Net {
  isUp: boolean;
  nowMs: number;
  isWanted: boolean;
  /** Times of the requests that went out. */
  readonly askedAtMs: number[];
  readonly fetch: typeof fetch;
}

function netOf(): Net {
  const net = { isUp: true, nowMs: 0, isWanted: false, askedAtMs: [] as number[] };
  const plain = (async () => {
    net.askedAtMs.push(net.nowMs);
    if (!net.isUp) throw new TypeError("Failed to fetch");
    return new Response("{}");
  }) as typeof fetch;
  const fetch = backingOff({ fetch: plain, nowMs: () => net.nowMs, isWanted: () => net.isWanted });
  return Object.assign(net, { fetch });
}

const SERVERS = ["http://a.test", "http://b.test", "http://c.test", "http://d.test"];

/** Each server asked ten times a second. */
async function pollFor(net: Net, seconds: number): Promise<void> {
  const endMs = net.nowMs + 1_000 * seconds;
  for (; net.nowMs < endMs; net.nowMs += 100)
    for (const server of SERVERS) await net.fetch(`${server}/v1/status`).catch(() => undefined);
}

it("asks servers that are down at most once a second, all together, and ever more rarely", async () => {
  const net = netOf();
  net.isUp = false;
  await pollFor(net, 30);
  const early = net.askedAtMs.length;
  expect(early).toBeLessThanOrEqual(30);
  await pollFor(net, 60);
  // Four servers, each every 16 seconds.
  expect(net.askedAtMs.length - early).toBeLessThanOrEqual(16);
});

it("asks as often as before once a server answers again, and at once where the reader wants it", async () => {
  const net = netOf();
  net.isUp = false;
  await pollFor(net, 60);
  net.isUp = true;
  const before = net.askedAtMs.length;
  await expect(net.fetch(SERVERS[0]!)).rejects.toThrow("asked again in a moment");
  net.isWanted = true;
  net.nowMs += 1_000;
  await net.fetch(SERVERS[0]!);
  net.isWanted = false;
  await net.fetch(SERVERS[0]!);
  expect(net.askedAtMs.length - before).toBe(2);
});

it("takes what the page ends itself for no failure, and a proxy's word for one", async () => {
  const states = [
    () => Promise.reject(new DOMException("ended", "AbortError")),
    async () => new Response("", { status: 502 }),
  ];
  const fetch = backingOff({ fetch: (() => states.shift()!()) as typeof globalThis.fetch, nowMs: () => 0 });
  await expect(fetch("http://a.test")).rejects.toThrow("ended");
  expect((await fetch("http://a.test")).status).toBe(502);
  await expect(fetch("http://a.test")).rejects.toThrow("asked again in a moment");
});
