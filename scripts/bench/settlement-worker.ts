/** A worker of the queue for the bench of settlements: `settlement-worker.ts QUEUE_URL NAME CIRCUITS.json`. */
import { readFileSync } from "node:fs";
import { createLogger } from "@openledger/foundation/logger";
import { createProver } from "@openledger/prover/backends";
import { createQueueJobClient } from "@openledger/prover/jobs/queue-jobs";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { runProveLoop } from "@openledger/prover/service/prove-loop";

const [queueUrl, proverName, circuitsPath] = process.argv.slice(2) as [string, string, string];
const circuits = JSON.parse(readFileSync(circuitsPath, "utf8"), (_, value) =>
  typeof value === "string" && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
) as ProvingCircuit[];
const logger = createLogger(proverName, "warn");
const jobs = await createQueueJobClient({ queueUrl, proverName, lockMs: 20_000 }, { logger });
const prover = await createProver("native");
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort());
await runProveLoop(
  { pollIntervalMs: 500, maxBackoffMs: 5_000, checkIntervalMs: 3_000, signal: stopping.signal },
  { jobs, prover, circuits: new Map(circuits.map((circuit) => [circuit.name, circuit])), logger },
);
await jobs.close?.();
await prover.close();
