/** A worker that says that it has a job and never ends it, for a test that kills it: endless-worker.ts URL LEASE_MS CIRCUIT HASH */
import { createLogger } from "@openledger/foundation/logger";
import { databaseAt } from "@openledger/foundation/testing/test-database";
import type { ProvingCircuit } from "../proving/prover.ts";
import { startQueueWorker } from "../queue/queue-worker.ts";

const [url = "", leaseMs = "", name = "", contentHash = ""] = process.argv.slice(2);
const circuit = { name, contentHash } as ProvingCircuit;
await startQueueWorker(
  { database: databaseAt(url), name: "endless", leaseMs: Number(leaseMs) },
  {
    logger: createLogger("test", "silent"),
    circuits: new Map([[name, circuit]]),
    maker: {
      make() {
        process.stdout.write("begun\n");
        return new Promise(() => {});
      },
      check: async () => {},
    },
  },
);
