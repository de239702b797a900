import { testServer } from "@openledger/foundation/testing/test-fixtures";
import { zeroAddress } from "viem";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RecomputeThread } from "./challenger-thread.ts";
import type { RecomputeTask } from "./playing/watch-registry.ts";
import { TREES } from "./statements/committed-model.ts";

const modules = () => ({ send: vi.fn(), spend: vi.fn(), turns: vi.fn(), onProgress: vi.fn() });

/** @param posted what is said of the model commitment, besides its number */
const taskWith = (
  rpcUrl: string,
  changed: Partial<RecomputeTask>,
  posted?: RecomputeTask["modelCommitment"],
): RecomputeTask => ({
  modelCommitment: { id: 1n, family: "direct", ...posted } as RecomputeTask["modelCommitment"],
  asked: { open: [], shown: [], paid: [] },
  ...{ known: null, place: null, trains: false, sliceMs: null, games: null, digest: null, keeps: null },
  setting: {
    ...{ rpcUrl, disputes: zeroAddress, rollup: null, base: undefined, account: zeroAddress },
    ...{ mostFeesWei: 0n, mostStakeWei: undefined, spentWei: 0n },
  },
  ...changed,
});

test("a node's address, which may hold a key, is in nothing that a thread fails with", async () => {
  const node = await testServer(async (_, response) => void response.writeHead(400).end("{}"));
  const roots = Object.fromEntries(TREES.map((tree) => [tree, new Uint8Array(32)]));
  const statement = {
    ...{ modelId: 3, staticsHash: 1n, rowsRoot: 1n, answering: 1n, ownersCommitment: 1n, payeeRoot: 1n },
    ...{ binding: 1n, split: 1n, rowCount: 4, bucketCount: 8, columnCount: 9, decay: 1n, clipLength: 0 },
    ...{ clipQuantile: 1n, sharesDuplicates: false, roots },
  };
  const thread = new RecomputeThread();
  const posted = { endsAtSeconds: 2n ** 33n, statement } as never;
  const told = await thread
    .recompute(taskWith(`${node}/v3/KEY`, {}, posted), modules())
    .then(({ failure }) => failure)
    .catch((error: unknown) => error);
  await thread.close();
  expect(told).toMatchObject({ code: "BRG_L1_REFUSED" });
  expect((told as Error).message).not.toContain("KEY");
});

const HOUR_MS = 3_600_000;
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

test("places have two hours, a training has six; then the thread ends, and the next task has another", async () => {
  let onAsked = () => {};
  // Attack: a server that takes every question and answers none.
  const url = await testServer(() => onAsked());
  const thread = new RecomputeThread();
  for (const [trains, hours] of [
    [false, 2],
    [true, 6],
  ] as const) {
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    let ended: unknown = null;
    const done = thread
      .recompute(taskWith(url, { place: { url }, trains }), modules())
      .catch((error: unknown) => {
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
