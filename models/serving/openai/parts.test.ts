/**
 * Tests of the parts of the OpenAI routes without a server: text of tokens, the fair queue, shares of the engine, memory of
 * adapters.
 */
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { describe, expect, it } from "vitest";
import { exactHalves } from "../../engine/adapters/exact-halves.ts";
import { RangeAllocator } from "../../engine/adapters/range-allocator.ts";
import { byteTokens as bytes } from "../../engine/tokens/tokenizer.ts";
import { FairQueue } from "../fair-queue.ts";
import { RunningShares } from "../running-shares.ts";
import { TokenText } from "./token-text.ts";

/** The parts of a text whose tokens come one by one. */
function partsOf(
  tokens: readonly number[],
  stops: readonly string[],
): { parts: string[]; isStopped: boolean } {
  const text = new TokenText(bytes, stops);
  const parts = tokens.map((token) => text.push(token));
  parts.push(text.end());
  return { parts, isStopped: text.isStopped };
}

describe("text of tokens", () => {
  it("never cuts a character", () => {
    const expected = "aé漢🐳.";
    const { parts } = partsOf(bytes.encode(expected), []);
    expect(parts.join("")).toBe(expected);
    for (const part of parts) expect(part).not.toContain("\ufffd");
  });

  it("gives out what is no text, too, and goes on", () => {
    const { parts } = partsOf([...Array(20).fill(0x80), ...bytes.encode("ok")], []);
    expect(parts.join("")).toMatch(/^\ufffd+ok$/);
  });

  it("gives the text of all tokens together, whatever bytes they are", () => {
    const random = new TestRandom(15);
    const kinds = [0x41, 0x80, 0xa9, 0xbf, 0xc3, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x90, 0xb3, 0xff, 0xef, 0xbb];
    for (let run = 0; run < 500; run++) {
      const tokens = Array.from({ length: 1 + random.below(60) }, () => random.pick(kinds));
      expect(partsOf(tokens, []).parts.join("")).toBe(bytes.decode(tokens));
    }
  });

  it("ends before the first stop, whatever came at once", () => {
    expect(partsOf(bytes.encode("one two three"), ["two", "e t"])).toMatchObject({ isStopped: true });
    expect(partsOf(bytes.encode("one two three"), ["two", "e t"]).parts.join("")).toBe("on");
    expect(partsOf(bytes.encode("aab"), ["aaab"]).parts.join("")).toBe("aab");
    expect(partsOf(bytes.encode("aaab"), ["aab"]).parts.join("")).toBe("a");
  });
});

describe("the queue", () => {
  const dropped: unknown[] = [];
  const limits = {
    maxQueued: 10,
    maxQueuedPerTenant: 6,
    quantum: 100,
    onDropped: (item: unknown) => void dropped.push(item),
  };
  const of = (address: string, tenant = address) => ({ address, tenant });
  const full = expect.objectContaining({
    code: "SRV_OVERLOADED",
    data: expect.objectContaining({ reason: "overloaded" }),
    isRetryable: true,
  });

  it("gives tenants turns by what they ask for, not by how often", () => {
    const queue = new FairQueue<string>(limits);
    for (let i = 0; i < 5; i++) queue.push(of("large"), `L${i}`, 200);
    for (let i = 0; i < 5; i++) queue.push(of("small"), `s${i}`, 50);
    const order = Array.from({ length: 10 }, () => queue.next(() => true));
    expect(order.slice(0, 5)).toEqual(["s0", "s1", "L0", "s2", "s3"]);
    expect(queue.next(() => true)).toBeNull();
  });

  it("asks again about what was not taken, and forgets what left", () => {
    const queue = new FairQueue<string>(limits);
    queue.push(of("a"), "first", 10);
    queue.push(of("a"), "second", 10);
    expect(queue.next(() => false)).toBeNull();
    expect(queue.remove("a", "first")).toBe(true);
    expect(queue.remove("a", "first")).toBe(false);
    expect(queue.next(() => true)).toBe("second");
    expect(queue.size).toBe(0);
  });

  it("passes over who may not run now, whose turn stays its own", () => {
    const queue = new FairQueue<string>(limits);
    for (const item of ["a0", "a1"]) queue.push(of("a"), item, 1);
    queue.push(of("b"), "b0", 1);
    expect(
      queue.next(
        () => true,
        (item) => item.startsWith("b"),
      ),
    ).toBe("b0");
    expect(
      queue.next(
        () => true,
        (item) => item.startsWith("b"),
      ),
    ).toBeNull();
    expect(queue.next(() => true)).toBe("a0");
  });

  it("is bounded for each address, whatever tenants it has, and in all", () => {
    const queue = new FairQueue<number>(limits);
    for (let i = 0; i < 6; i++) queue.push(of("a", `account ${i}`), i, 1);
    expect(() => queue.push(of("a", "account 6"), 6, 1)).toThrow(full);
    for (let i = 0; i < 5; i++) queue.push(of("b"), i, 1);
    expect(dropped.splice(0)).toEqual([5]);
    expect(() => queue.push(of("b"), 5, 1)).toThrow(full);
    expect(queue.drain()).toHaveLength(10);
    for (let i = 0; i < 6; i++) queue.push(of("a"), i, 1);
  });

  it("takes the last place of the address with most of them, for one with fewer", () => {
    const queue = new FairQueue<string>(limits);
    for (let i = 0; i < 6; i++) queue.push(of("a"), `a${i}`, 1);
    for (let i = 0; i < 4; i++) queue.push(of("b"), `b${i}`, 1);
    for (let i = 0; i < 3; i++) queue.push(of("c"), `c${i}`, 1);
    expect(dropped.splice(0)).toEqual(["a5", "a4", "a3"]);
    expect(() => queue.push(of("c"), "c3", 1)).toThrow(full);
    expect(queue.drain().sort()).toEqual(["a0", "a1", "a2", "b0", "b1", "b2", "b3", "c0", "c1", "c2"]);
  });
});

describe("shares of what runs", () => {
  it("are half for one address, and equal parts where others wait", () => {
    const shares = new RunningShares(32, 1_000);
    for (let i = 0; i < 16; i++) {
      expect(shares.hasRoom("a", 10)).toBe(true);
      shares.begin("a", 10);
    }
    expect(shares.hasRoom("a", 10)).toBe(false);
    shares.end("a", 10);
    expect(shares.isBelowShare("a", [])).toBe(true);
    expect(shares.isBelowShare("a", ["a", "b"])).toBe(true);
    expect(shares.isBelowShare("a", ["a", "b", "c"])).toBe(false);
    expect(shares.isBelowShare("b", ["a", "b"])).toBe(true);
    for (let i = 0; i < 15; i++) shares.end("a", 10);
    expect(shares.hasRoom("a", 1_000)).toBe(true);
    shares.begin("a", 450);
    expect([shares.hasRoom("a", 50), shares.hasRoom("a", 51)]).toEqual([true, false]);
  });
});

describe("memory", () => {
  it("is one whole again when all ranges are given back, in any order", () => {
    const ranges = new RangeAllocator(100);
    const taken = [30, 20, 50].map((size) => ({ size, at: ranges.take(size)! }));
    expect(ranges.take(1)).toBeNull();
    for (const i of [1, 0, 2]) ranges.give(taken[i]!.at, taken[i]!.size);
    expect(ranges.take(100)).toBe(0);
  });

  it("holds halves only where they are exact", () => {
    const values = Float32Array.of(0, -0, 1, -1.5, 65_504, 2 ** -24, -3 * 2 ** -24, 2 ** -14);
    expect(Array.from(exactHalves(values)!)).toEqual([0, 0x8000, 0x3c00, 0xbe00, 0x7bff, 1, 0x8003, 0x0400]);
    for (const value of [0.1, 65_536, 2 ** -25, 1 + 2 ** -11])
      expect(exactHalves(Float32Array.of(value))).toBeNull();
  });
});
