import { RollupError } from "@openledger/foundation/rollup-error";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FETCHED_ROWS, type QueueRow, RowQueue } from "./row-queue.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const rowOf = (digest: string): QueueRow => ({
  digest,
  excerpt: digest,
  values: null,
  bytes: 1,
  isCut: false,
  isWellFormed: true,
});
const turnOf = (...digests: string[]) => ({ rows: digests.map(rowOf), labelledCount: 0, held: null });
const digestsOf = ({ state }: RowQueue) => state.value.rows.map(({ digest }) => digest);

/** A host that answers when it is told to: by the first row that is neither on the page nor labelled. */
function slowHost(all: readonly string[]) {
  const labelled = new Set<string>();
  const waiting: (() => void)[] = [];
  const queue = new RowQueue(
    (onPage) =>
      new Promise((settle) => {
        const taken = new Set([...onPage, ...labelled]);
        const digest = all.find((one) => !taken.has(one));
        waiting.push(() => settle(turnOf(...(digest === undefined ? [] : [digest]))));
      }),
  );
  return {
    queue,
    /** Requests that wait for their answer. */
    waiting,
    answer: async () => {
      waiting.shift()?.();
      await vi.advanceTimersByTimeAsync(0);
    },
    label() {
      labelled.add(queue.state.value.rows[0]!.digest);
      queue.next();
    },
  };
}

it("has the row on the screen and the next one, and makes one request at a time", async () => {
  const { answer, queue, waiting } = slowHost(["a", "b", "c"]);
  queue.fill();
  queue.fill();
  expect(waiting).toHaveLength(1);
  for (let i = 0; i < FETCHED_ROWS; i++) await answer();
  expect([digestsOf(queue), waiting.length]).toEqual([["a", "b"], 0]);
});

it("gets no row twice, whenever labels and answers come", async () => {
  const all = ["a", "b", "c", "d", "e", "f"];
  for (let order = 0; order < 2 ** all.length; order++) {
    const { answer, label, queue } = slowHost(all);
    const seen: string[] = [];
    queue.fill();
    for (let i = 0; !queue.state.value.isEmpty; i++) {
      // A label before the answer that is on its way, or after it.
      if ((order & (1 << (i % all.length))) === 0) await answer();
      const [digest] = digestsOf(queue);
      if (digest === undefined) await answer();
      else {
        seen.push(digest);
        label();
      }
    }
    expect(seen).toEqual(all);
  }
});

it("requests the next row again by itself, while the host does not answer or is too busy", async () => {
  const busy = new RollupError("SRV_RATE_LIMITED", "slowly", { isRetryable: true });
  const failures: unknown[] = [busy, new TypeError("Failed to fetch")];
  const queue = new RowQueue(async () => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    return turnOf("a");
  });
  queue.fill();
  await vi.advanceTimersByTimeAsync(0);
  expect(queue.state.value).toMatchObject({ isRepeated: true, problem: { code: "SRV_RATE_LIMITED" } });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(queue.state.value).toMatchObject({ isRepeated: true, problem: { code: "CLI_UNREACHABLE" } });
  await vi.advanceTimersByTimeAsync(4_000);
  expect(queue.state.value).toMatchObject({ isRepeated: false, problem: null });
  expect(digestsOf(queue)[0]).toBe("a");
});

it("asks a host that has refused only when it is told to, and at once where it would wait", async () => {
  let error: RollupError | null = new RollupError("DNT_ACCESS_NOT_GRANTED", "no", {});
  let questionCount = 0;
  const queue = new RowQueue(async () => {
    questionCount += 1;
    if (error !== null) throw error;
    return questionCount > 3 ? turnOf() : turnOf("a");
  });
  queue.fill();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([questionCount, queue.state.value.isRepeated]).toEqual([1, false]);
  error = new RollupError("SRV_RATE_LIMITED", "slowly", { isRetryable: true });
  queue.again();
  await vi.advanceTimersByTimeAsync(0);
  expect([questionCount, queue.state.value.isRepeated]).toEqual([2, true]);
  error = null;
  queue.again();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([questionCount, digestsOf(queue), queue.state.value.problem]).toEqual([4, ["a"], null]);
});

it("is empty once the host has no row, until one is put back, and requests nothing when it has ended", async () => {
  let questionCount = 0;
  const queue = new RowQueue(async () => {
    questionCount += 1;
    return questionCount === 1 ? turnOf("a") : turnOf();
  });
  queue.fill();
  await vi.advanceTimersByTimeAsync(0);
  expect([digestsOf(queue), queue.state.value.isEmpty]).toEqual([["a"], false]);
  const [row] = queue.state.value.rows;
  queue.next();
  await vi.advanceTimersByTimeAsync(0);
  expect([questionCount, queue.state.value.isEmpty]).toEqual([3, true]);
  queue.putBack(row!);
  expect([digestsOf(queue), queue.state.value.isEmpty]).toEqual([["a"], false]);
  queue.next();
  queue.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([questionCount, queue.state.value.isEmpty]).toEqual([4, false]);
});
