/** Takes a job of the queue at the address of its first argument, says which, and lives on until it is killed. */
import { createLogger } from "@openledger/foundation/logger";
import { createQueueJobClient } from "../jobs/queue-jobs.ts";

const [queueUrl, lockMs] = process.argv.slice(2);
const client = await createQueueJobClient(
  { queueUrl: queueUrl!, proverName: "taking", lockMs: Number(lockMs) },
  { logger: createLogger("test", "silent") },
);
const job = await client.nextJob();
process.stdout.write(`${job?.batchHash}\n`);
setInterval(() => {}, 1_000);
