/**
 * What provers on other machines make of one ledger: proofs a minute of one prover that asks the sequencer itself, and of 1, 2
 * and 4 that take their jobs from the queue, each on one core; what the queue costs a proof; and how long the job of a killed
 * prover waits for the next one. The sequencer, Redis and the provers are real processes and stores; there is no L1.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { buildBatchCircuit, WORLD_SIZES } from "@openledger/e2e/world/circuits";
import { createLogger } from "@openledger/foundation/logger";
import type { BackendName } from "@openledger/prover/backends";
import { createDispatchMetrics } from "@openledger/prover/jobs/dispatch-metrics";
import { Dispatcher } from "@openledger/prover/jobs/dispatcher";
import { connectRedis, KEY_PREFIX, QUEUE_NAME } from "@openledger/prover/jobs/prove-queue";
import { redisProgram, startRedis, type TestRedis } from "@openledger/prover/testing/redis.fixtures";
import {
  depositsFor,
  OPERATOR_TOKEN,
  operatorHeaders,
  startTestRollup,
  type TestRollup,
  temporaryFolder,
  testDeployment,
} from "@openledger/sequencer/testing/test-rollup";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { median } from "./prove-summary.ts";

interface ProversBenchOptions {
  readonly backend: BackendName;
  /** Batches that each measurement proves after the first of each prover. */
  readonly batchCount: number;
  readonly progress: (text: string) => void;
}

interface Measured {
  readonly proofsPerMinute: number;
  /** Median time between two proofs, less what the prover itself spent on one. */
  readonly besideMs: number;
}

/** One wide slot: 52,234 constraints. */
const { shape: SHAPE } = WORLD_SIZES.get(2)!;
const LOCK_MS = 4_000;
const POLL_MS = 50;
const TOKEN = OPERATOR_TOKEN.replaceAll(" ", "-");

export async function benchProvers(options: ProversBenchOptions) {
  const program = redisProgram();
  if (program === null) throw new Error("this benchmark needs redis-server or valkey-server");
  const circuit = await buildBatchCircuit(SHAPE);
  const redis = await startRedis(program);
  try {
    const run = async (name: string, proverCount: number, isQueue: boolean) => {
      const measured = await measure(options, circuit.proving, redis, proverCount, isQueue);
      options.progress(`${name}: ${measured.proofsPerMinute.toFixed(1)} proofs a minute`);
      return measured;
    };
    const inProcess = await run("asking the sequencer", 1, false);
    const one = await run("queue, 1 prover", 1, true);
    const two = await run("queue, 2 provers", 2, true);
    const four = await run("queue, 4 provers", 4, true);
    const again = await run("asking the sequencer, again", 1, false);
    const takeoverMs = await measureTakeover(options, circuit.proving, redis);
    options.progress(`job of a killed prover: ${takeoverMs} ms, with a lock of ${LOCK_MS} ms`);
    const round = (value: number) => Math.round(10 * value) / 10;
    const perMinute = (...all: Measured[]) =>
      round(all.reduce((sum, { proofsPerMinute }) => sum + proofsPerMinute, 0) / all.length);
    return {
      provers: {
        proofsPerMinute: {
          inProcess: perMinute(inProcess, again),
          1: perMinute(one),
          2: perMinute(two),
          4: perMinute(four),
        },
        overheadMs: Math.round(one.besideMs - (inProcess.besideMs + again.besideMs) / 2),
        takeoverMs,
        lockMs: LOCK_MS,
        cores: availableParallelism(),
        backend: options.backend,
      },
    };
  } finally {
    await redis.stop();
  }
}

type Proving = Awaited<ReturnType<typeof buildBatchCircuit>>["proving"];

interface World {
  readonly rollup: TestRollup;
  readonly dispatcher: Dispatcher;
  readonly connection: Redis;
  startProver(index: number, isQueue: boolean): ChildProcess;
  close(): Promise<void>;
}

/** A sequencer with closed batches, and an empty queue. */
async function openWorld(
  { backend }: ProversBenchOptions,
  proving: Proving,
  redis: TestRedis,
  batchCount: number,
): Promise<World> {
  const folder = temporaryFolder();
  const plain = await testDeployment(SHAPE);
  const { contentHash, wasmPath, zkeyPath } = proving;
  const verificationKeyPath = join(dirname(zkeyPath), "verification-key.json");
  const deployment = {
    ...plain,
    circuits: [{ ...plain.circuits[0]!, verificationKeyPath, contentHash, wasmPath, zkeyPath }],
  };
  const deploymentPath = join(folder.path, "deployment.json");
  writeFileSync(deploymentPath, encodeDeployment(deployment));
  const rollup = await startTestRollup({
    dataPath: join(folder.path, "data"),
    deployment,
    userCount: 0,
  });
  const entries = depositsFor(SHAPE.wide * batchCount);
  await rollup.post("/operator/queue-entries", { entries }, operatorHeaders);
  const sequencerUrl = await rollup.listen();
  const connection = await connectRedis(redis.url, () => {});
  await connection.flushall();
  const dispatcher = new Dispatcher(
    {
      handInSecret: null,
      sequencerUrl,
      operatorToken: TOKEN,
      pollIntervalMs: POLL_MS,
      maxBackoffMs: 1_000,
      targetMs: 60_000,
    },
    { redis: connection, logger: createLogger("test", "silent"), metrics: createDispatchMetrics() },
  );
  const children: ChildProcess[] = [];
  return {
    ...{ rollup, dispatcher, connection },
    startProver(index, isQueue) {
      const core = index % availableParallelism();
      const args = ["-c", `${core}`, process.execPath, "--import", "tsx", "prover/service/main.ts"];
      const child = spawn("taskset", args, {
        stdio: ["ignore", "ignore", "inherit"],
        env: {
          HOME: process.env.HOME,
          PATH: process.env.PATH,
          PROVER_DEPLOYMENT_PATH: deploymentPath,
          PROVER_NAME: `prover-${index}`,
          PROVER_BACKEND: backend,
          PROVER_POLL_INTERVAL_MS: `${POLL_MS}`,
          PROVER_LOG_LEVEL: "error",
          PROVER_QUEUE_LOCK_MS: `${LOCK_MS}`,
          ...(isQueue
            ? { PROVER_QUEUE: redis.workerUrl }
            : { PROVER_SEQUENCER_URL: sequencerUrl, PROVER_TOKEN: TOKEN }),
        },
      });
      child.once("exit", (code) => {
        if (code !== null) throw new Error(`a prover ended with ${code}`);
      });
      children.push(child);
      return child;
    },
    async close() {
      for (const child of children) child.kill("SIGKILL");
      await dispatcher.close();
      connection.disconnect();
      await rollup.stop();
      folder.remove();
    },
  };
}

async function measure(
  options: ProversBenchOptions,
  proving: Proving,
  redis: TestRedis,
  proverCount: number,
  isQueue: boolean,
): Promise<Measured> {
  // Each prover reads its key for its first proof, which does not count.
  const batchCount = proverCount + options.batchCount;
  const world = await openWorld(options, proving, redis, batchCount);
  const stopping = new AbortController();
  const dispatching = isQueue ? world.dispatcher.run(stopping.signal) : Promise.resolve();
  try {
    for (let i = 0; i < proverCount; i++) world.startProver(i, isQueue);
    const provenAtMs: number[] = [];
    const ownMs: number[] = [];
    const { book } = world.rollup.sequencer.line;
    const seen = new Set<number>();
    while (seen.size < batchCount) {
      await delay(20);
      for (let number = 1; number <= batchCount; number++) {
        const proof = book.record(number)?.proof ?? null;
        if (proof === null || seen.has(number)) continue;
        seen.add(number);
        provenAtMs.push(performance.now());
        ownMs.push(Object.values(proof.timings).reduce((sum, value) => sum + value, 0));
      }
    }
    const counted = provenAtMs.slice(proverCount - 1);
    const elapsedMs = counted.at(-1)! - counted[0]!;
    const between = counted.slice(1).map((time, i) => time - counted[i]!);
    return {
      proofsPerMinute: (60_000 * (counted.length - 1)) / elapsedMs,
      besideMs: median(between) - median(ownMs.slice(proverCount)),
    };
  } finally {
    stopping.abort();
    await dispatching;
    await world.close();
  }
}

/** From the end of a prover in the middle of its work to the begin of the next one's with the same job. */
async function measureTakeover(
  options: ProversBenchOptions,
  proving: Proving,
  redis: TestRedis,
): Promise<number> {
  const world = await openWorld(options, proving, redis, 1);
  const queue = new Queue(QUEUE_NAME, { connection: world.connection, prefix: KEY_PREFIX });
  try {
    await world.dispatcher.look();
    const holder = async () => {
      const [job] = await queue.getActive();
      return job?.processedBy ?? null;
    };
    const first = world.startProver(0, true);
    while ((await holder()) !== "prover-0") await delay(5);
    first.kill("SIGKILL");
    const killedAtMs = performance.now();
    world.startProver(1, true);
    while ((await holder()) !== "prover-1") await delay(5);
    return Math.round(performance.now() - killedAtMs);
  } finally {
    await queue.close();
    await world.close();
  }
}
