import { testServer } from "@openledger/foundation/testing/test-fixtures";
import { zeroAddress } from "viem";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RecomputeThread } from "./challenger-thread.ts";
import type { RecomputeTask } from "./playing/watch-registry.ts";

const HOUR_MS = 3_600_000;
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

test("places have two hours, a training has six; then the thread ends, and the next task has another", async () => {
  let onAsked = () => {};
  // Attack: a server that takes every question and answers none.
  const url = await testServer(() => onAsked());
  const setting = { rpcUrl: url, disputes: zeroAddress, rollup: null, base: undefined, account: null };
  const thread = new RecomputeThread();
  for (const [trains, hours] of [
    [false, 2],
    [true, 6],
  ] as const) {
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    const modelCommitment = { id: 1n, family: "direct" } as RecomputeTask["modelCommitment"];
    const nothing = { known: null, games: null, digest: null, keeps: null };
    const task = { modelCommitment, place: { url }, trains, ...nothing };
    const none = { open: [], shown: [], paid: [] };
    const given = {
      ...task,
      asked: none,
      setting: { ...setting, mostFeesWei: 0n, mostStakeWei: undefined, spentWei: 0n },
    };
    const modules = { send: vi.fn(), spend: vi.fn(), turns: vi.fn(), onProgress: vi.fn() };
    let ended: unknown = null;
    const done = thread.recompute(given, modules).catch((error: unknown) => {
      ended = error;
    });
    await asked;
    await vi.advanceTimersByTimeAsync(hours * HOUR_MS - 1);
    expect(ended).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    await done;
    const why = expect.stringContaining(`it takes more than ${hours} hours`);
    expect(ended).toMatchObject({ code: "MOD_THREAD_ENDED", message: why });
  }
  await thread.close();
});
