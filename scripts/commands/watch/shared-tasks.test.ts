import { createLogger } from "@openledger/foundation/logger";
import {
  createTestDatabase,
  databaseAt,
  type TestDatabase,
} from "@openledger/foundation/testing/test-database";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { SharedTasks } from "./shared-tasks.ts";
import type { StoredTask } from "./watch-tasks.ts";

const logger = createLogger("test", "silent");
const rollup = { chainId: 31_337, rollupAddress: `0x${"A".repeat(40)}` };
const never = new AbortController().signal;
const MODEL = { modelId: 7, epoch: null };

let home: TestDatabase;
const open: SharedTasks[] = [];
beforeAll(async () => {
  home = await createTestDatabase();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => home.drop());

async function watcher(of = rollup): Promise<SharedTasks> {
  const tasks = await SharedTasks.open(databaseAt(home.url), of, logger);
  open.push(tasks);
  return tasks;
}
const storedTask = (task: Partial<StoredTask> = {}): StoredTask => ({
  ...MODEL,
  conclusion: { result: "same", difference: null, text: "as its recipe makes it", versions: [1, 2] },
  foundAtMs: 1_795_892_400_123,
  sentTo: [],
  isReported: true,
  ...task,
});

it("a task is one watcher's at a time; of two at once one has it, and after it the other", async () => {
  const [one, other] = [await watcher(), await watcher()];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = () => {};
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const first = one.alone(MODEL, never, async () => {
    begun();
    await held;
  });
  await hasBegun;
  expect(await other.alone(MODEL, never, async () => {})).toBe(false);
  // Another task is free.
  expect(await other.alone({ modelId: 7, epoch: 1 }, never, async () => {})).toBe(true);
  release();
  expect(await first).toBe(true);
  expect(await other.alone(MODEL, never, async () => {})).toBe(true);
  const failing = one.alone(MODEL, never, async () => {
    throw new Error("out of order");
  });
  await expect(failing).rejects.toThrow("out of order");
  expect(await other.alone(MODEL, never, async () => {}), "a failure leaves it to the next").toBe(true);
});

it("results come to all watchers, also those that one had before; a later one wins, an adopted one does not", async () => {
  const one = await watcher();
  const difference = { file: "features.bin", row: 17 };
  const differing = storedTask({
    epoch: 3,
    conclusion: { result: "differs", difference, text: "row 17", versions: [] },
    isReported: false,
  });
  await one.adopt([storedTask(), differing]);
  const other = await watcher();
  expect(await other.all()).toEqual([storedTask(), differing]);
  await one.put({ ...differing, sentTo: ["http://host#5"], isReported: true }, never);
  await one.adopt([differing]);
  expect((await other.news()).find(({ epoch }) => epoch === 3)).toEqual({
    ...differing,
    sentTo: ["http://host#5"],
    isReported: true,
  });
});

it("of another rollup are refused", async () => {
  await watcher();
  await expect(watcher({ ...rollup, rollupAddress: `0x${"b".repeat(40)}` })).rejects.toMatchObject({
    code: "SRV_WRONG_DATABASE",
  });
});
