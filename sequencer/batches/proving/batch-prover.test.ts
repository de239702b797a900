import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import { fromContractProof } from "@openledger/circuits/wire/groth16-proof";
import { simulateCircuit } from "@openledger/contracts/testing/test-prover";
import { toSnarkjsKey } from "@openledger/prover/formats/verification-key";
import type { OutsideProver } from "@openledger/prover/process/outside-prover";
import { proverError } from "@openledger/prover/prover-errors";
import type { ProofJob, ProofResult, ProveOptions } from "@openledger/prover/proving/prover";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { close, unproven } from "../../testing/test-operator.ts";
import {
  L1_TIMESTAMP,
  operatorHeaders,
  startTestRollup,
  TEST_SHAPE,
  type TestRollup,
  temporaryFolder,
  testDeployment,
  transfer,
} from "../../testing/test-rollup.ts";

/** Circuit with a known trapdoor: any statement has a proof that verifies. */
const circuit = simulateCircuit(batchSizes(TEST_SHAPE));
/** Timeout in milliseconds: a batch's proof may wait for a pass, and a failed one for its pause. */
const PATIENT = { timeout: 20_000 };

function forge({ publicSignals }: ProofJob): ProofResult {
  const signals = publicSignals as readonly [bigint, bigint, bigint];
  return {
    proof: fromContractProof(circuit.forge(signals)),
    publicSignals: [...signals],
    timings: { witnessMs: 1, proveMs: 2, verifyMs: 3 },
    backend: "forged",
  };
}

/** Makes proofs as a test says. */
class ForgingProver implements OutsideProver {
  readonly backend = "forged";
  readonly state = {
    place: "queue",
    isReady: true,
    workerCount: 1,
    waitingCount: 0,
    activeCount: 0,
  } as never;
  concurrency = 2;
  make: (job: ProofJob, options: ProveOptions) => Promise<ProofResult> = async (job) => forge(job);
  readonly priorities: ProveOptions["priority"][] = [];
  isClosed = false;

  prove(job: ProofJob, options: ProveOptions = {}): Promise<ProofResult> {
    this.priorities.push(options.priority);
    return this.make(job, options);
  }
  async close(): Promise<void> {
    this.isClosed = true;
  }
}

let folder: ReturnType<typeof temporaryFolder>;
let prover: ForgingProver;
let rollup: TestRollup;

beforeEach(async () => {
  folder = temporaryFolder();
  prover = new ForgingProver();
});
afterEach(async () => {
  await rollup.stop();
  expect(prover.isClosed).toBe(true);
  folder.remove();
});

/** Starts a rollup whose deposits fill the first two batches. */
async function start(): Promise<void> {
  const verificationKeyPath = join(folder.path, "key.json");
  writeFileSync(verificationKeyPath, JSON.stringify(toSnarkjsKey(verifierKey({ ...circuit, index: 0 }))));
  const plain = await testDeployment();
  rollup = await startTestRollup({
    dataPath: join(folder.path, "data"),
    deployment: { ...plain, circuits: [{ ...plain.circuits[0]!, verificationKeyPath }] },
    openProver: async () => prover,
  });
  await rollup.listen();
}

const statusOf = async (number: number) => (await rollup.sequencer.pipeline.batch(number))?.status;
const metric = (name: string) => rollup.metrics.registry.getSingleMetricAsString(name);

describe("BatchProver", () => {
  it("has closed batches proven in their order, and says in /health and /v1/status who does", async () => {
    await start();
    await expect.poll(() => unproven(rollup), PATIENT).toEqual([]);
    expect(prover.priorities).toEqual([1, 2]);
    const { proof } = (await rollup.sequencer.pipeline.batch(2))!;
    expect(proof).toMatchObject({ backend: "forged", timings: { proveMs: 2 } });
    expect((await rollup.get("/health")).body.prover).toMatchObject({
      place: "queue",
      workerCount: 1,
      proving: null,
    });
    expect((await rollup.get("/v1/status")).body.operator.prover).toMatchObject({ name: "queue" });
    expect(await metric("rollup_prover_up")).toMatch(/ 1$/m);
    const [alice, bob] = rollup.users;
    await rollup.sequencer.submit(transfer(alice!, bob!, 0n));
    await close(rollup);
    await expect.poll(() => statusOf(3), PATIENT).toBe("proven");
  });

  it("gives the prover as many jobs as it takes at once", async () => {
    prover.concurrency = 1;
    let finish = () => {};
    prover.make = (job) =>
      new Promise((resolve) => {
        finish = () => resolve(forge(job));
      });
    await start();
    await expect.poll(() => prover.priorities, PATIENT).toEqual([1]);
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(prover.priorities).toEqual([1]);
    finish();
    await expect.poll(() => prover.priorities, PATIENT).toEqual([1, 2]);
    finish();
    await expect.poll(() => unproven(rollup), PATIENT).toEqual([]);
  });

  it("has a batch proven as soon as it is closed, and the next one after it, without a timer", async () => {
    prover.concurrency = 1;
    vi.useFakeTimers({ toFake: ["setInterval"] });
    try {
      await start();
      await expect.poll(() => unproven(rollup), PATIENT).toEqual([]);
      expect(prover.priorities).toEqual([1, 2]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("Attack: takes no proof that does not verify, and asks again", async () => {
    prover.concurrency = 1;
    const answers = [
      (job: ProofJob) => ({
        ...forge({ ...job, publicSignals: [1n, 2n, 3n] }),
        publicSignals: [...job.publicSignals!],
      }),
      (job: ProofJob) => forge({ ...job, publicSignals: [1n, 2n, 3n] }),
    ];
    prover.make = async (job) => (answers.shift() ?? forge)(job);
    await start();
    await expect.poll(() => unproven(rollup), PATIENT).toEqual([]);
    expect(await metric("rollup_prover_failures_total")).toContain('code="SEQ_PROOF_INVALID"} 2');
  });

  it("goes on with later batches while one cannot be proven, and tries that again", async () => {
    prover.concurrency = 1;
    let failureCount = 0;
    prover.make = async (job, { priority }) => {
      if (priority === 1 && failureCount++ < 2) throw proverError("PRV_NO_WITNESS", "no witness");
      return forge(job);
    };
    await start();
    await expect.poll(() => unproven(rollup), PATIENT).toEqual([1]);
    await expect.poll(() => unproven(rollup), PATIENT).toEqual([]);
    expect(await metric("rollup_prover_failures_total")).toContain('code="PRV_NO_WITNESS"} 2');
  });

  it("gives up the proof of a batch that is closed anew, and asks for the new one's", async () => {
    prover.make = (job, { signal }) =>
      new Promise((resolve, reject) => {
        if (isNew) return resolve(forge(job));
        signal!.addEventListener("abort", () => {
          abortedCount += 1;
          reject(proverError("PRV_CANCELLED", "cancelled"));
        });
      });
    let abortedCount = 0;
    let isNew = false;
    await start();
    await expect.poll(() => prover.priorities, PATIENT).toEqual([1, 2]);
    isNew = true;
    // Too old for L1: the same operations, a new timestamp.
    const timestamp = L1_TIMESTAMP + 3_000;
    await rollup.post("/operator/l1-head", { blockNumber: 999, timestamp }, operatorHeaders);
    await expect.poll(() => unproven(rollup), PATIENT).toEqual([]);
    expect(abortedCount).toBe(2);
    expect(await metric("rollup_prover_failures_total")).not.toContain("PRV_CANCELLED");
  });

  it("has nothing proven that L1 would not take", async () => {
    let abortedCount = 0;
    prover.make = (_job, { signal }) =>
      new Promise((_resolve, reject) => {
        signal!.addEventListener("abort", () => {
          abortedCount += 1;
          reject(proverError("PRV_CANCELLED", "cancelled"));
        });
      });
    await start();
    await expect.poll(() => prover.priorities, PATIENT).toEqual([1, 2]);
    const frozen = { blockNumber: 11, timestamp: L1_TIMESTAMP + 1, isFrozen: true };
    await rollup.post("/operator/l1-head", frozen, operatorHeaders);
    await expect.poll(() => abortedCount, PATIENT).toBe(2);
    expect(prover.priorities).toEqual([1, 2]);
  });
});
