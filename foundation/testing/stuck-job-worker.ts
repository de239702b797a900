/** A worker that says that it has a job and never ends it, for a test that kills it: stuck-job-worker.ts URL LEASE_MS */
import { JobQueue } from "../database/job-queue.ts";
import { createLogger } from "../logger.ts";
import { DOUBLING } from "./doubling-jobs.ts";
import { databaseAt } from "./test-database.ts";

const [url = "", leaseMs = ""] = process.argv.slice(2);
const queue = await JobQueue.open(databaseAt(url), DOUBLING, {
  logger: createLogger("test", "silent"),
  migrates: false,
});
queue.work({
  name: "stuck",
  leaseMs: Number(leaseMs),
  run() {
    process.stdout.write("begun\n");
    return new Promise(() => {});
  },
});
