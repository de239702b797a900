import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type LeafState, packBinding, packCounters } from "@openledger/circuits/ledger/leaf";
import { LEAF_KIND } from "@openledger/circuits/protocol";
import { createLogger } from "@openledger/foundation/logger";
import { temporaryFolder } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { AlarmTeller } from "./alarm-teller.ts";
import { DayBudget } from "./day-budget.ts";
import type { WatchSeat } from "./recomputation.ts";
import { recomputeOnThread } from "./recompute-thread.ts";
import { Retries } from "./retries.ts";
import { WatchStore } from "./watch-store.ts";
import type { StoredTask } from "./watch-tasks.ts";
import { findModels, tasksOf } from "./watched-models.ts";
import type { WatchEvent } from "./webhook.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const rollup = { chainId: 31_337, rollupAddress: `0x${"a".repeat(40)}` };
const openStore = (name: string, of = rollup) => WatchStore.open(join(folder.path, name), of, () => {});
const logger = createLogger("test", "silent");

describe("retries", () => {
  it("wait twice as long each time, an hour at most, and begin anew after a success", () => {
    let nowMs = 1_000;
    const retries = new Retries(() => nowMs);
    const failure = { code: "X", text: "why" };
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      retries.fail("a", failure);
      const failedAtMs = nowMs;
      while (!retries.isDue("a")) nowMs += 1_000;
      waits.push((nowMs - failedAtMs) / 1_000);
    }
    expect(waits).toEqual([15, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    expect(retries.lastingFor(nowMs - 1_000)).toEqual([["a", expect.objectContaining({ sinceMs: 1_000 })]]);
    expect(retries.lastingFor(nowMs)).toEqual([]);
    retries.succeed("a");
    expect([retries.all, retries.isDue("a")]).toEqual([[], true]);
    retries.fail("a", failure, nowMs + 5);
    expect(retries.isDue("a")).toBe(false);
    nowMs += 5;
    expect(retries.isDue("a")).toBe(true);
  });
});

describe("a day's budget", () => {
  it("is spent over restarts, and new on the next day", async () => {
    const limits = { maxMs: 100, maxBytes: 1_000 };
    const day = { ms: 20_000 * 86_400_000 };
    const store = await openStore("budget");
    const budget = await DayBudget.open(limits, store, () => day.ms);
    await budget.spend({ ms: 60 });
    await budget.spend({ bytes: 2_000 });
    expect([budget.leftMs, budget.leftBytes]).toEqual([40, 0]);
    await store.close();
    const again = await openStore("budget");
    onTestFinished(() => again.close());
    const reopened = await DayBudget.open(limits, again, () => day.ms);
    expect(reopened.usage).toEqual({ day: 20_000, ms: 60, bytes: 2_000 });
    day.ms += 86_400_000;
    expect([reopened.leftMs, reopened.leftBytes]).toEqual([100, 1_000]);
  });
});

describe("the thread that recomputes", () => {
  const nowhere = "http://127.0.0.1:1";
  const seat = {
    rpcUrl: nowhere,
    sequencerUrl: nowhere,
    historyUrl: nowhere,
    rollupAddress: rollup.rollupAddress,
  };
  const task = { modelId: 1, epoch: null, serverUrl: nowhere, base: null, rowsFolder: null };

  it("tells why it cannot, stops at its time's limit, begins anew, and ends with its watcher", async () => {
    const stopping = new AbortController();
    const run = (maxMs: number) =>
      recomputeOnThread(seat as WatchSeat, task, { maxMs, signal: stopping.signal, onProgress: () => {} });
    const why = () =>
      run(60_000).catch(({ code, message }: { code?: string; message: string }) => code ?? message);
    const first = await why();
    expect(first).toMatch(/UNREACHABLE/);
    expect(await run(1)).toBe(null);
    expect(await why()).toBe(first);
    const running = why();
    stopping.abort(new Error("the watcher stops"));
    expect(await running).toBe("the watcher stops");
    expect(await why()).toBe("the watcher stops");
  });
});

it("a store of another rollup is refused", async () => {
  await (await openStore("identity")).close();
  const other = { ...rollup, rollupAddress: `0x${"b".repeat(40)}` };
  await expect(openStore("identity", other)).rejects.toMatchObject({ code: "SRV_WRONG_DIRECTORY" });
});

describe("what is to be recomputed", () => {
  const model = (datanetId: bigint, furtherDatanets: number[], epoch: bigint, closed: bigint | null) => {
    const binding = packBinding({
      datanetId,
      version: 2n,
      rowCount: 9n,
      predecessorId: 0n,
      drawBits: 2n,
      featureCount: 16n,
      furtherDatanets,
    });
    const counters = packCounters({
      isReady: true,
      isApproved: true,
      cap: 1n,
      paymentCount: 0n,
      epoch,
      priceWei: 0n,
      approvals: 0,
    });
    return {
      leaf: { kind: LEAF_KIND.model, counters },
      model: { statics: { binding } },
      rewards: { closed: closed === null ? null : { epoch: closed } },
    } as unknown as LeafState;
  };
  const datanet = { leaf: { kind: LEAF_KIND.datanet }, datanet: {} } as unknown as LeafState;
  const leaves: [number, LeafState][] = [
    [5, datanet],
    [7, model(5n, [], 1n, null)],
    [9, model(5n, [6], 4n, 3n)],
    [11, model(6n, [], 3n, null)],
  ];

  it("is every model of the Datanets that are named, with its settled epochs alone", () => {
    const of = (expected: number[] | null) =>
      [...tasksOf(findModels(leaves, expected && new Set(expected)))].map(
        ({ epoch, modelId }) => `${modelId}/${epoch ?? "model"}`,
      );
    expect(of(null)).toEqual(["11/model", "9/model", "7/model", "11/2", "11/1", "9/2", "9/1"]);
    expect(of([5])).toEqual(["9/model", "7/model", "9/2", "9/1"]);
    expect(of([8])).toEqual([]);
  });
});

describe("the webhook", () => {
  it("hears of each alarm and of its end, again where it did not take it, and of a difference once for good", async () => {
    const heard: WatchEvent[] = [];
    let status = 500;
    const server = createServer(async (request, response) => {
      let text = "";
      for await (const part of request) text += String(part);
      heard.push(JSON.parse(text) as WatchEvent);
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const difference = { file: "features.bin", row: 17 };
    const differing: StoredTask[] = [
      {
        modelId: 13,
        epoch: null,
        conclusion: { result: "differs", difference, text: "it differs", versions: [2] },
        foundAtMs: 1,
        sentTo: [],
        isReported: false,
      },
    ];
    const alarms = [{ name: "l1-stalled", kind: "l1-stalled", text: "the newest block is old" }];
    const watcher = {
      get differing() {
        return differing as never;
      },
      report: async (task: StoredTask, tell: () => Promise<boolean>) => {
        if (await tell()) differing.splice(0, 1, { ...task, isReported: true });
      },
      unavailableFor: () => [],
    };
    const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const teller = new AlarmTeller(
      { webhookUrl, ...rollup, unavailableMs: 1 },
      { watcher, alarms: () => alarms, logger, nowMs: () => 5 },
    );
    const kinds = () => heard.splice(0).map(({ kind, state }) => `${kind} ${state}`);
    await teller.poll();
    expect(kinds()).toEqual(["differs raised", "l1-stalled raised"]);
    status = 200;
    await teller.poll();
    expect(heard[0]).toEqual({
      kind: "differs",
      state: "raised",
      text: "it differs",
      modelId: 13,
      epoch: null,
      ...difference,
      atMs: 5,
      ...rollup,
    });
    expect(kinds()).toEqual(["differs raised", "l1-stalled raised"]);
    await teller.poll();
    expect(kinds()).toEqual([]);
    alarms.pop();
    await teller.poll();
    await teller.poll();
    expect(kinds()).toEqual(["l1-stalled ended"]);
  });
});
