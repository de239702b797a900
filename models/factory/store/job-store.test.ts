import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "@openledger/foundation/logger";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FactoryStore, type StoredJob } from "./factory-store.ts";
import { JobRunner } from "./job-runner.ts";
import { JobStore } from "./job-store.ts";

const ROLLUP = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };

const folder = mkdtempSync(join(tmpdir(), "factory-jobs-"));
let store: FactoryStore;
let jobs: JobStore;
let runner: JobRunner;

beforeAll(async () => {
  store = await FactoryStore.open(folder, ROLLUP, () => {});
  jobs = new JobStore(store, Date.now);
  const taskOf = () => {
    throw new Error("nothing is trained here");
  };
  runner = new JobRunner(
    jobs,
    { maxRunning: 1, dataPath: folder, taskOf, sideTimeoutMs: 60_000, jobSilenceMs: 60_000 },
    createLogger("test", "silent"),
  );
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const code = (name: string) => expect.objectContaining({ code: name });
const doneJob = (id: string) =>
  ({
    order: 1,
    registration: { state: "ready", percent: 0, activation: null, failure: null, statics: null },
    view: { id, leafId: 2, state: "done", lastEvent: 0 },
  }) as unknown as StoredJob;

it("keeps a job whose activation is being proven, and refuses what is said of a deleted one", async () => {
  await jobs.add(doneJob("job-a"), [{ kind: "state", state: "done", failure: null }]);
  const { registration } = jobs.get("job-a");
  await jobs.change("job-a", { job: { registration: { ...registration, state: "proving" } } });
  await expect(runner.delete(jobs.get("job-a"))).rejects.toThrow(code("MOD_FACTORY_JOB_STATE"));
  await jobs.change("job-a", { job: { registration: { ...registration, state: "proven" } } });
  const deleting = runner.delete(jobs.get("job-a"));
  // Nothing brings it back while it goes.
  await expect(jobs.change("job-a", { view: { step: 7 } })).rejects.toThrow(code("MOD_FACTORY_UNKNOWN"));
  await deleting;
  expect(await store.jobs()).toEqual([]);
});
