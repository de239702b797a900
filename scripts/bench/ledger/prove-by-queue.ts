/**
 * Proofs by one worker of the queue and by two, and the takeover of a killed worker's job, for `npm run bench -- ledger --queue`:
 * workers are processes of this machine, on an empty database.
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, databaseAt } from "@openledger/foundation/testing/test-database";
import type { CircuitInputs, ProvingCircuit } from "@openledger/prover/proving/prover";
import { createQueueProver } from "@openledger/prover/queue/queue-prover";

export interface QueueCase {
  readonly circuit: ProvingCircuit;
  readonly operations: number;
  /** Inputs of the `index`th job; each has others. */
  inputsOf(index: number): CircuitInputs;
}

interface QueueBenchOptions {
  readonly backend: string;
  /** Proofs of each worker that count. */
  readonly rounds: number;
}

const CHILD = new URL("./queue-child.ts", import.meta.url);
/**
 * Cores of each worker, as a machine of its own would have them: else one worker's witness and proof share all cores, and two could
 * be no faster.
 */
const CORES = Math.max(1, Math.floor(availableParallelism() / 2));

export async function proveByQueue(subject: QueueCase, { backend, rounds }: QueueBenchOptions) {
  const home = await createTestDatabase();
  const logger = createLogger("bench", "warn", process.stderr);
  const asker = await createQueueProver({ database: databaseAt(home.url), cancelsAborted: true }, { logger });
  const workerUrl = await home.workerUrl();
  let jobCount = 0;
  const prove = () => asker.prove({ circuit: subject.circuit, inputs: subject.inputsOf(jobCount++) });
  const proveMany = async (count: number) => {
    const startedAtMs = performance.now();
    await Promise.all(Array.from({ length: count }, prove));
    return (performance.now() - startedAtMs) / count;
  };
  const workers: Worker[] = [];
  const addWorker = async () => {
    workers.push(await startWorker(workerUrl, backend, subject.circuit, workers.length));
    // Each loads its key with its first proof, which does not count; both are busy with two jobs a worker.
    await proveMany(2 * workers.length);
  };
  try {
    await addWorker();
    const oneMs = await proveMany(rounds);
    await addWorker();
    const twoMs = await proveMany(2 * rounds);
    const takeoverMs = await takeover(workers, prove);
    const figures = {
      coresAWorker: CORES,
      msPerProof: { one: Math.round(oneMs), two: Math.round(twoMs) },
      twoToOne: Math.round((100 * oneMs) / twoMs) / 100,
      takeoverMs: Math.round(takeoverMs),
      provenOperationsPerSecond: Math.round((100_000 * subject.operations) / twoMs) / 100,
    };
    console.log(`by the queue: ${JSON.stringify(figures)}`);
    return figures;
  } finally {
    for (const { child } of workers) child.kill("SIGKILL");
    await asker.close();
    await home.drop();
  }
}

/** Milliseconds from the kill of a worker in a proof to the beginning of its job at the other one. */
async function takeover(workers: readonly Worker[], prove: () => Promise<unknown>): Promise<number> {
  const begun = workers.map((worker) => nextBegin(worker).then(() => worker));
  const proven = prove();
  const beginner = await Promise.race(begun);
  beginner.child.kill("SIGKILL");
  const killedAtMs = performance.now();
  await begun[beginner === workers[0] ? 1 : 0];
  const tookMs = performance.now() - killedAtMs;
  await proven;
  return tookMs;
}

/** Process that proves, and those who wait for the beginning of its next job. */
interface Worker {
  readonly child: ChildProcess;
  readonly waiting: (() => void)[];
}

const nextBegin = ({ waiting }: Worker) => new Promise<void>((resolve) => waiting.push(resolve));

/** Starts the worker of a place, on cores of its own by util-linux's `taskset`. @throws Error where there is none */
async function startWorker(
  url: string,
  backend: string,
  circuit: ProvingCircuit,
  position: number,
): Promise<Worker> {
  const child = fork(CHILD, [url, backend, `${CORES}`], {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
  });
  // Its threads of later take the same cores.
  const cores = `${position * CORES}-${(position + 1) * CORES - 1}`;
  execFileSync("taskset", ["-a", "-c", "-p", cores, `${child.pid}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ready = once(child, "message");
  const waiting: (() => void)[] = [];
  // Listens all the time: Node keeps messages for a listener that comes later.
  child.on("message", () => {
    for (const resolve of waiting.splice(0)) resolve();
  });
  child.send(circuit);
  await ready;
  return { child, waiting };
}
