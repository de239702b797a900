/** Step of the devnet's job that closes the last batch and waits until L1 has all batches. */
import { getBatch, getStatus } from "@openledger/client/sequencer/ledger-reads";
import { formatDuration } from "../console.ts";
import { type Job, untilFound, withRetry } from "../job.ts";

/**
 * Closes the last batch and waits until L1 has accepted every batch, telling of each one on its way.
 * @param toldCount batches that were told of before. @returns batches that are told of now
 */
export async function settle(job: Job, toldCount: number): Promise<number> {
  const { alice } = job.people;
  await withRetry(job, () => job.closeBatch());
  let reportedCount = toldCount;
  return untilFound(job, "the batches", async () => {
    const { batches, estimates, head } = await getStatus(alice);
    while (reportedCount < batches.posted) {
      reportedCount += 1;
      await tell(job, reportedCount);
    }
    // The open batch may be empty; everything before it has to be on L1.
    if (head.operationCount === 0 && batches.posted >= head.batchNumber - 1) return reportedCount;
    if (head.operationCount > 0 && batches.closed === batches.posted) await job.closeBatch();
    // Proving is the slow part, one batch after another.
    const remainingMs = Math.max(0, batches.closed - batches.proven) * estimates.proveMs + estimates.postMs;
    const counts = `${batches.closed} closed, ${batches.proven} proven, ${batches.posted} on L1`;
    job.console.progress(`batches: ${counts}; about ${Math.ceil(remainingMs / 1000)} s to go`);
    return null;
  });
}

async function tell(job: Job, number: number): Promise<void> {
  const batch = await withRetry(job, () => getBatch(job.people.alice, number));
  const proven = batch?.proveMs == null ? "" : `, proven in ${formatDuration(batch.proveMs)}`;
  job.console.done(
    `batch ${number} accepted by L1${proven}: ${batch?.l1TransactionHash ?? "?"}, ${batch?.gasUsed ?? "?"} gas`,
  );
}
