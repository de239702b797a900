import { bringCard } from "@openledger/client/datanets/datanet-card";
import { setDisplayName } from "@openledger/client/datanets/display-names";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { hex32 } from "@openledger/foundation/hex";
import { signal } from "@preact/signals";
import { createPublicClient, custom } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensAddressOf, ensNameOf } from "../ledger/ens.ts";
import { readQuery } from "./read-query.ts";
import { type SearchAccess, suggest } from "./suggest.ts";

const card = sampleCard({});
let world: HostWorld;
let host: TestHost;
let access: SearchAccess;
beforeAll(async () => {
  world = await createHostWorld({ card, userCount: 3 });
  host = await world.host("search");
  const { datanetId, owner } = world;
  await bringCard(owner, { hostUrl: host.url, datanetId, card });
  const reader = await world.user(0);
  const site = { sequencer: reader, l1Url: null, datanetHosts: [host.url] };
  const live = {
    batches: signal([{ number: 3 }]),
    info: signal(null),
    status: signal({ queue: { seenIndex: 3 } }),
  };
  access = { site, live, reader } as unknown as SearchAccess;
});
afterAll(() => world?.close());

const found = async (text: string) =>
  (await suggest(access, text)).suggestions.map(({ href, label, note }) => [label, note, href]);

it("reads what is written by its form", () => {
  const hash = `0x${"ab".repeat(32)}`;
  const address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
  expect(readQuery(" Spam Filter ").words).toBe("Spam Filter");
  expect(readQuery("0x2fb").hint).not.toBeNull();
  expect(readQuery("0x2FB4").hash).toEqual({ start: "0x2fb4", end: "", isWhole: false });
  for (const between of ["…", "...", ".."])
    expect(readQuery(`0x2fb4${between}90ab`).hash).toEqual({ start: "0x2fb4", end: "90ab", isWhole: false });
  expect(readQuery(hash).hash).toMatchObject({ isWhole: true });
  expect(readQuery(`${hash}0`).hash, "too long for a hash").toBeNull();
  expect(readQuery(address.toLowerCase()).address).toBe(address);
  expect(readQuery("5").numbered).toEqual({ of: null, number: 5 });
  expect(readQuery("Batch #5").numbered).toEqual({ of: "batch", number: 5 });
  expect(readQuery("model 12").numbered).toEqual({ of: "leaf", number: 12 });
  expect(readQuery("queue entry 0").numbered).toEqual({ of: "queue", number: 0 });
  expect(readQuery("vitalik.eth").ensName).toBe("vitalik.eth");
});

it("suggests whatever has a number, each by itself", async () => {
  expect(await found("2")).toEqual([
    ["Account 2", "", "#/leaf/2"],
    ["Batch 2", "", "#/batch/2"],
    ["Queue entry 2", "from Ethereum", "#/queue/2"],
  ]);
  expect(await found("batch 2")).toEqual([["Batch 2", "", "#/batch/2"]]);
  expect(await found("4000")).toEqual([]);
});

it("asks for no entry that the queue does not have yet", async () => {
  const question: string[] = [];
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    question.push(String(input instanceof Request ? input.url : input));
    return fetch(input, init);
  };
  try {
    expect((await found("3")).at(-1)).toEqual(["Batch 3", "", "#/batch/3"]);
  } finally {
    globalThis.fetch = fetch;
  }
  expect(question.length).toBeGreaterThan(0);
  expect(question.filter((url) => url.includes("/queue/"))).toEqual([]);
});

it("finds names that people have signed, cards by their words, and says who is meant by the number", async () => {
  await setDisplayName(await world.user(1), { hostUrl: host.url, name: "Bob Miller" });
  expect(await found("mil")).toEqual([["Bob Miller", "Account 3", "#/leaf/3"]]);
  expect(await found("bob")).toEqual([["Bob Miller", "Account 3", "#/leaf/3"]]);
  const id = world.datanetId;
  const note = `Datanet ${id}: ${card.description}`;
  expect(await found("good or bad")).toEqual([[card.name, note, `#/datanets/${id}`]]);
  expect(await found("<img src=x>")).toEqual([]);
});

it("finds Ethereum's transactions by a piece of their hash, and says what to write where it is too short", async () => {
  // The world's batches were all posted with this one.
  const batch = ["Batch 1", "on Ethereum by the hash 0x0000…0005", "#/batch/1"];
  expect(await found("0x0000…0005")).toContainEqual(batch);
  expect(await found(hex32(5n))).toContainEqual(batch);
  expect(await found("0x0000…0006")).toEqual([]);
  expect(await found(hex32(1n))).toContainEqual([
    "Queue entry 0",
    "from Ethereum transaction 0x0000…0001",
    "#/queue/0",
  ]);
  expect(await suggest(access, "0xfa")).toMatchObject({
    suggestions: [],
    hint: expect.stringContaining("4"),
  });
});

it("asks Ethereum for names only where the chain has a resolver", async () => {
  const question: string[] = [];
  const request = async ({ method }: { method: string }) => {
    question.push(method);
    throw new Error("this node answers nothing");
  };
  const node = createPublicClient({ transport: custom({ request }, { retryCount: 0 }) });
  const address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
  expect(await ensNameOf(node, 31337, address)).toBeNull();
  expect(await ensAddressOf(node, 31337, "vitalik.eth")).toBeNull();
  expect(question).toEqual([]);
  expect(await ensNameOf(node, 1, address)).toBeNull();
  expect(question).toContain("eth_call");
});
