/** A settler's side of the queue, a worker's side, and a real Redis. */
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { payeeTableCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { activationOf } from "@openledger/circuits/settlement/payee-table-rules";
import { epochOf, statedInputs } from "@openledger/circuits/testing/settlement/settlement-world";
import { createLogger } from "@openledger/foundation/logger";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createProver } from "../backends.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import type { Prover, ProvingCircuit } from "../proving/prover.ts";
import { redisProgram, startRedis, type TestRedis } from "../testing/redis.fixtures.ts";
import { createQueueJobClient } from "./queue-jobs.ts";
import { createQueueProver } from "./queue-prover.ts";
import type { ProveJob, ProveJobClient } from "./sequencer-jobs.ts";

const program = redisProgram();
const logger = createLogger("test", "silent");
const TIMEOUT = { timeout: 120_000 };
let circuit: ProvingCircuit;
let redis: TestRedis;
let settler: Prover;
let worker: ProveJobClient;
let local: Prover;

/** Of an activation, one for each seed. */
const inputsOf = (seed: number) =>
  statedInputs(activationOf(epochOf({ seed }).model, { circuit: 3, payments: 60 }, 4)).inputs;
const startSettler = () => createQueueProver({ queueUrl: redis.url, handInSecret: null }, { logger });

/** The worker's next job, once it is there. */
async function taken(): Promise<ProveJob> {
  await expect.poll(() => worker.nextJob(), { timeout: 30_000 }).not.toBeNull();
  return (await worker.nextJob())!;
}

describe.skipIf(program === null)("a settler's proofs by the queue", () => {
  beforeAll(async () => {
    await initPoseidon();
    circuit = await developmentSetup(await compileCircuit(payeeTableCircuitSpec(4)));
    local = await createProver("wasm");
  }, 300_000);
  beforeEach(async () => {
    redis = await startRedis(program!);
    settler = await startSettler();
    const asWorker = { queueUrl: redis.workerUrl, proverName: "worker", lockMs: 30_000 };
    worker = await createQueueJobClient(asWorker, { logger });
  });
  afterEach(async () => {
    await worker.close?.();
    await settler.close();
    await redis.stop();
  });

  test(
    "one that gives up while a worker proves, and asks again, gets the same job's proof",
    TIMEOUT,
    async () => {
      const inputs = inputsOf(1);
      const stopping = new AbortController();
      const givenUp = settler.prove({ circuit, inputs }, { signal: stopping.signal });
      const rejected = expect(givenUp).rejects.toMatchObject({ code: "PRV_CANCELLED" });
      const job = await taken();
      stopping.abort();
      await rejected;
      await settler.close();
      settler = await startSettler();
      const asked = settler.prove({ circuit, inputs });
      expect(await worker.nextJob()).toEqual(job);
      const made = await local.prove({ circuit, inputs: job.inputs });
      expect(await worker.submitProof(job, made)).toBe(true);
      expect((await asked).publicSignals).toEqual(made.publicSignals);
    },
  );

  test("a right proof of other inputs is no answer: the job is done again", TIMEOUT, async () => {
    const right = await local.prove({ circuit, inputs: inputsOf(1) });
    const other = await local.prove({ circuit, inputs: inputsOf(2) });
    expect(other.publicSignals).not.toEqual(right.publicSignals);
    const asked = settler.prove({ circuit, inputs: inputsOf(1), publicSignals: right.publicSignals });
    await worker.submitProof(await taken(), other);
    await worker.submitProof(await taken(), right);
    expect((await asked).publicSignals).toEqual(right.publicSignals);
  });
});
