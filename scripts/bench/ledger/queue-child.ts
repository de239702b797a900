/**
 * Worker of the queue of proofs in a process of its own, which prove-by-queue.ts starts: queue-child.ts URL BACKEND THREADS. It gets the
 * circuit as its first message, and says "ready", then "begun" for each job.
 */
import { once } from "node:events";
import { endWithParent } from "@openledger/foundation/end-with-parent";
import { createLogger } from "@openledger/foundation/logger";
import { databaseAt } from "@openledger/foundation/testing/test-database";
import { ProofMaker } from "@openledger/prover/process/proof-maker";
import { readProverConfig } from "@openledger/prover/process/prover-config";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { startQueueWorker } from "@openledger/prover/queue/queue-worker";

endWithParent(0);
const [url = "", backend = "", threads = ""] = process.argv.slice(2);
const [circuit] = (await once(process, "message")) as [ProvingCircuit];
const config = readProverConfig({
  PROVER_BACKEND: backend,
  PROVER_THREADS: threads,
  PROVER_LOG_LEVEL: "warn",
});
const logger = createLogger("bench", config.logLevel, process.stderr);
await startQueueWorker(
  { database: databaseAt(url), name: `${process.pid}`, leaseMs: config.leaseMs },
  {
    logger,
    circuits: new Map([[circuit.name, circuit]]),
    maker: await ProofMaker.open(config, { logger, onCrossCheck: () => {} }),
    onJob: (name) => {
      if (name !== null) process.send!("begun");
    },
  },
);
process.send!("ready");
