import { setTimeout as sleep } from "node:timers/promises";
import { realFirst } from "@openledger/circuits/wire/groth16-proof";
import { createLogger } from "@openledger/foundation/logger";
import { describe, expect, test } from "vitest";
import type { ProveJob, ProveJobClient } from "../jobs/sequencer-jobs.ts";
import { proverError } from "../prover-errors.ts";
import type { ProofResult, ProveOptions, Prover, ProvingCircuit } from "../proving/prover.ts";
import { type ProveLoopOptions, runProveLoop } from "./prove-loop.ts";

const point = [1n, 2n] as const;
const result: ProofResult = {
  proof: { a: point, b: realFirst(point, point), c: point },
  publicSignals: [1n, 2n, 3n],
  timings: { witnessMs: 1, proveMs: 2, verifyMs: 3 },
  backend: "test",
};
const circuits = new Map([["table-4-2-2-8-2-2-1", { name: "table-4-2-2-8-2-2-1" } as ProvingCircuit]]);
const jobOf = (batchNumber: number, batchHash = `hash-${batchNumber}`): ProveJob => ({
  batchNumber,
  batchHash,
  circuit: "table-4-2-2-8-2-2-1",
  inputs: {},
});

/** A sequencer with a list of jobs; the first one is wanted until its proof is taken. */
function fakeJobs(...wanted: ProveJob[]) {
  const taken: string[] = [];
  const state = { wanted, taken, isDown: false, refuses: new Set<string>() };
  const client: ProveJobClient = {
    async nextJob() {
      if (state.isDown) throw proverError("SRV_SEQUENCER_UNREACHABLE", "down");
      return state.wanted[0] ?? null;
    },
    async submitProof(job) {
      if (state.isDown) throw proverError("SRV_SEQUENCER_UNREACHABLE", "down");
      if (state.wanted[0]?.batchHash === job.batchHash) state.wanted.shift();
      if (state.refuses.has(job.batchHash)) return false;
      taken.push(job.batchHash);
      return true;
    },
  };
  return { ...state, client, state };
}

function fakeProver(
  prove: (options: ProveOptions, batch: number) => Promise<ProofResult>,
): Prover & { startedCount: number } {
  return {
    backend: "test",
    startedCount: 0,
    prove(_job, options = {}) {
      this.startedCount += 1;
      return prove(options, this.startedCount);
    },
    async close() {},
  };
}

/** Proves until it is cancelled. */
const endless = ({ signal }: ProveOptions) =>
  new Promise<ProofResult>((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(proverError("PRV_CANCELLED", "cancelled")));
  });

function start(jobs: ProveJobClient, prover: Prover) {
  const stopping = new AbortController();
  const options: ProveLoopOptions = {
    pollIntervalMs: 1,
    maxBackoffMs: 4,
    checkIntervalMs: 2,
    signal: stopping.signal,
  };
  const failing: (string | null)[] = [];
  const running = runProveLoop(options, {
    ...{ jobs, prover, circuits, logger: createLogger("test", "silent") },
    onFailing: (code) => {
      failing.push(code);
    },
  });
  return {
    failing,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

describe("runProveLoop", () => {
  test("proves the sequencer's batches one after another", async () => {
    const jobs = fakeJobs(jobOf(1), jobOf(2));
    const loop = start(
      jobs.client,
      fakeProver(async () => result),
    );
    await expect.poll(() => jobs.taken).toEqual(["hash-1", "hash-2"]);
    await loop.stop();
  });

  test("keeps a finished proof while the sequencer is away", async () => {
    const jobs = fakeJobs(jobOf(1));
    const prover = fakeProver(async () => {
      jobs.state.isDown = true;
      return result;
    });
    const loop = start(jobs.client, prover);
    await expect.poll(() => prover.startedCount).toBe(1);
    await sleep(10);
    jobs.state.isDown = false;
    await expect.poll(() => jobs.taken).toEqual(["hash-1"]);
    expect(prover.startedCount).toBe(1);
    await loop.stop();
  });

  test("goes on proving while the sequencer starts again", async () => {
    const jobs = fakeJobs(jobOf(1));
    let finish = () => {};
    const prover = fakeProver(
      ({ signal }) =>
        new Promise((resolve, reject) => {
          finish = () => resolve(result);
          signal?.addEventListener("abort", () => reject(proverError("PRV_CANCELLED", "cancelled")));
        }),
    );
    const loop = start(jobs.client, prover);
    await expect.poll(() => prover.startedCount).toBe(1);
    jobs.state.isDown = true;
    await sleep(15);
    jobs.state.isDown = false;
    finish();
    await expect.poll(() => jobs.taken).toEqual(["hash-1"]);
    await loop.stop();
  });

  test("cancels the proof of a batch that was rebuilt, and proves the new one", async () => {
    const jobs = fakeJobs(jobOf(1, "old"));
    const prover = fakeProver((options, count) => (count === 1 ? endless(options) : Promise.resolve(result)));
    const loop = start(jobs.client, prover);
    await expect.poll(() => prover.startedCount).toBe(1);
    jobs.state.wanted[0] = jobOf(1, "new");
    await expect.poll(() => jobs.taken).toEqual(["new"]);
    await loop.stop();
  });

  test("goes on where the sequencer has no use for a proof", async () => {
    const jobs = fakeJobs(jobOf(1), jobOf(2));
    jobs.state.refuses.add("hash-1");
    const loop = start(
      jobs.client,
      fakeProver(async () => result),
    );
    await expect.poll(() => jobs.taken).toEqual(["hash-2"]);
    await loop.stop();
  });

  test("tries again where the worker died", async () => {
    const jobs = fakeJobs(jobOf(1));
    const prover = fakeProver(async (_options, count) => {
      if (count === 1) throw proverError("PRV_WORKER_DIED", "killed");
      return result;
    });
    const loop = start(jobs.client, prover);
    await expect.poll(() => jobs.taken).toEqual(["hash-1"]);
    await loop.stop();
  });

  test.each([
    ["PRV_NO_WITNESS", () => proverError("PRV_NO_WITNESS", "no witness")],
    ["OTHER", () => new TypeError("a bug")],
  ])("says %s of a job that can only fail again, and proves what comes in its place", async (code, make) => {
    const jobs = fakeJobs(jobOf(1));
    const prover = fakeProver(async () => {
      if (jobs.state.wanted[0]?.batchHash === "hash-1") throw make();
      return result;
    });
    const loop = start(jobs.client, prover);
    await expect.poll(() => prover.startedCount).toBeGreaterThan(2);
    expect(loop.failing.at(-1)).toBe(code);
    jobs.state.wanted[0] = jobOf(1, "closed anew");
    await expect.poll(() => jobs.taken).toEqual(["closed anew"]);
    await expect.poll(() => loop.failing.at(-1)).toBe(null);
    await loop.stop();
  });

  test("refuses a circuit that the deployment does not have", async () => {
    const jobs = fakeJobs({ ...jobOf(1), circuit: "table-1-1-1-2-1-1-1" });
    const loop = start(
      jobs.client,
      fakeProver(async () => result),
    );
    await expect.poll(() => loop.failing.at(-1)).toBe("PRV_CIRCUIT_UNSUPPORTED");
    await loop.stop();
    expect(jobs.taken).toEqual([]);
  });

  test("stops in the middle of a proof", async () => {
    const jobs = fakeJobs(jobOf(1));
    const prover = fakeProver((options) => endless(options));
    const loop = start(jobs.client, prover);
    await expect.poll(() => prover.startedCount).toBe(1);
    await loop.stop();
    expect(jobs.taken).toEqual([]);
  });
});
