/**
 * A worker that says that it has a job and never ends it, for a test that kills it: stuck-job-worker.ts URL LEASE_MS [KEY]. With a
 * key it attempts that job, and saves something.
 */
import { JobQueue } from "../database/job-queue.ts";
import { createLogger } from "../logger.ts";
import { DOUBLING } from "./doubling-jobs.ts";
import { databaseAt } from "./test-database.ts";

const [url = "", lease = "", key] = process.argv.slice(2);
const leaseMs = Number(lease);
const queue = await JobQueue.open(databaseAt(url), DOUBLING, {
  logger: createLogger("test", "silent"),
  migrates: false,
});
const sayBegun = (): Promise<never> => {
  process.stdout.write("begun\n");
  return new Promise(() => {});
};
if (key === undefined) queue.work({ name: "stuck", leaseMs, run: sayBegun });
else
  await queue.attempt(
    key,
    { n: 1 },
    {
      leaseMs,
      signal: new AbortController().signal,
      async run(job) {
        await job.save({ half: 1 });
        return sayBegun();
      },
    },
  );
