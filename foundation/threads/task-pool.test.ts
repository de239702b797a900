import { getPriority, platform } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { RollupError } from "../rollup-error.ts";
import { TaskPool } from "./task-pool.ts";

type Sample = typeof import("../testing/sample-tasks.ts");
const open: TaskPool<Sample>[] = [];

function createPool(
  options: {
    threadCount?: number;
    maxHeapMb?: number;
    maxWaiting?: number;
    niceness?: number;
    tasks?: URL;
  } = {},
) {
  const pool = new TaskPool<Sample>({
    tasks: new URL("../testing/sample-tasks.ts", import.meta.url),
    seat: "a seat",
    threadCount: 1,
    maxHeapMb: 256,
    ended: (cause) => new RollupError("TST_ENDED", cause.message, { cause }),
    ...options,
  });
  open.push(pool);
  return pool;
}
afterEach(async () => {
  for (const pool of open.splice(0)) await pool.close();
});

let shared: TaskPool<Sample> | undefined;
/** The pool of tests whose thread stays: each thread loads a TypeScript loader first. */
function sharedPool(): TaskPool<Sample> {
  if (shared === undefined) {
    shared = createPool();
    open.pop();
  }
  return shared;
}
afterAll(() => shared?.close());

describe("results", () => {
  test("come from another thread, which has its seat, and keep their types", async () => {
    const pool = sharedPool();
    const { seat, threadId } = await pool.run("where", undefined as never);
    expect(seat).toBe("a seat");
    expect(threadId).toBeGreaterThan(0);
    expect(await pool.run("add", [1n, 2n ** 200n])).toBe(2n ** 200n + 1n);
  });

  test.skipIf(platform() !== "linux")("come later where the threads stand back", async () => {
    const own = getPriority();
    expect(await createPool({ niceness: 2 }).run("niceness", undefined as never)).toBe(Math.min(own + 2, 19));
    expect(getPriority()).toBe(own);
  });

  test("all parts are told before the result, in their order", async () => {
    const pool = sharedPool();
    const told: number[] = [];
    expect(await pool.run("count", 1_000, { onPart: (part) => told.push(part) })).toBe(1_000);
    expect(told).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  });

  test("bytes are moved both ways", async () => {
    const pool = sharedPool();
    const bytes = new Uint8Array(1_000);
    expect(await pool.run("lengthOf", bytes, { transfer: [bytes.buffer] })).toBe(1_000);
    expect(bytes.byteLength).toBe(0);
    expect((await pool.run("makeBytes", 5)).bytes).toEqual(new Uint8Array(5).fill(7));
  });

  test("as many threads work as there are", async () => {
    const pool = createPool({ threadCount: 2 });
    const ids = await Promise.all(
      [1, 2].map(async () => {
        await pool.run("waitFor", 300);
        return (await pool.run("where", undefined as never)).threadId;
      }),
    );
    expect(new Set(ids).size).toBeLessThanOrEqual(2);
    const waiting = new Int32Array(new SharedArrayBuffer(4));
    const meet = () => pool.run("meet", { count: 2, waiting });
    expect(await Promise.all([meet(), meet()])).toEqual([true, true]);
  });
});

describe("failures", () => {
  test("a RollupError keeps its code, data, remedy and whether a retry may help", async () => {
    const error = await sharedPool()
      .run("refuse", "full")
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RollupError);
    expect(error).toMatchObject({
      code: "SRV_STORE_FAILED",
      message: "the disk is full",
      data: { reason: "full", amount: 5n },
      isRetryable: true,
    });
    expect((error as RollupError).remedy).toContain("fix the disk");
  });

  test("another error keeps its class, where it can be copied, and the thread stays", async () => {
    const pool = sharedPool();
    const { threadId } = await pool.run("where", undefined as never);
    await expect(pool.run("fail", true)).rejects.toThrow(new RangeError("too far"));
    await expect(pool.run("fail", false)).rejects.toThrow("too far");
    expect((await pool.run("where", undefined as never)).threadId).toBe(threadId);
  });

  test.each(["exit", "throw"] as const)(
    "a thread that dies by %s fails its task, and is replaced",
    async (how) => {
      const pool = createPool();
      const [dying, next] = [pool.run("die", how), pool.run("add", [1n, 1n])];
      await expect(dying).rejects.toMatchObject({ code: "TST_ENDED" });
      expect(await next).toBe(2n);
      expect(await pool.run("add", [2n, 2n])).toBe(4n);
    },
  );

  test("a thread that exceeds its heap fails its task, and the process and the next task go on", async () => {
    const pool = createPool({ maxHeapMb: 64 });
    const [dying, next] = [pool.run("fillHeap", 400), pool.run("add", [1n, 1n])];
    await expect(dying).rejects.toMatchObject({
      code: "TST_ENDED",
      cause: { code: "ERR_WORKER_OUT_OF_MEMORY" },
    });
    expect(await next).toBe(2n);
  });

  test("a module that cannot be loaded fails all tasks", async () => {
    const pool = createPool({ tasks: new URL("../testing/no-such-tasks.ts", import.meta.url) });
    await expect(pool.run("add", [1n, 1n])).rejects.toThrow(/no-such-tasks/);
    await expect(pool.run("add", [1n, 1n])).rejects.toThrow(/no-such-tasks/);
  });

  test("an input that cannot be copied fails its task alone", async () => {
    const pool = createPool();
    await expect(pool.run("add", (() => {}) as never)).rejects.toMatchObject({ code: "TST_ENDED" });
    expect(await pool.run("add", [1n, 1n])).toBe(2n);
  });
});

describe("ends", () => {
  // Piscina 5.3.2 with minThreads 0 leaves what waits behind it for ever.
  test("an abort ends a task that never would, and what waits behind it goes on", async () => {
    const pool = createPool();
    await pool.run("add", [0n, 0n]);
    const stopping = new AbortController();
    const endless = pool.run("spin", null, { signal: stopping.signal });
    const behind = [pool.run("add", [1n, 2n]), pool.run("add", [3n, 4n])];
    const reason = new Error("not wanted any more");
    setTimeout(() => stopping.abort(reason), 100);
    await expect(endless).rejects.toBe(reason);
    expect(await Promise.all(behind)).toEqual([3n, 7n]);
  });

  test("an abort takes a task out of the queue, and leaves the running one alone", async () => {
    const pool = sharedPool();
    const running = pool.run("waitFor", 300).then(() => "ended");
    const stopping = new AbortController();
    const waiting = pool.run("add", [1n, 1n], { signal: stopping.signal });
    stopping.abort(new Error("left"));
    await expect(waiting).rejects.toThrow("left");
    expect(await running).toBe("ended");
    await expect(
      pool.run("add", [1n, 1n], { signal: AbortSignal.abort(new Error("before")) }),
    ).rejects.toThrow("before");
  });

  test("more than may wait are refused, and later ones taken", async () => {
    const pool = createPool({ maxWaiting: 1 });
    const taken = [pool.run("waitFor", 100), pool.run("waitFor", 1)];
    await expect(pool.run("waitFor", 1)).rejects.toMatchObject({ code: "SRV_OVERLOADED", isRetryable: true });
    await Promise.all(taken);
    await pool.run("waitFor", 1);
  });

  test("closing fails what runs and what waits, and all that comes", async () => {
    const pool = createPool();
    const running = pool.run("spin", null).catch(({ code }: RollupError) => code);
    const waiting = pool.run("add", [1n, 1n]).catch(({ code }: RollupError) => code);
    await wait(200);
    await pool.close();
    const late = pool.run("add", [1n, 1n]).catch(({ code }: RollupError) => code);
    expect(await Promise.all([running, waiting, late])).toEqual(["TST_ENDED", "TST_ENDED", "TST_ENDED"]);
  });
});
