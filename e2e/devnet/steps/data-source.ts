/**
 * Step of the devnet's job that posts one batch in a blob, and its check: so few operations are cheaper in calldata, where the
 * sequencer puts all the others.
 */
import type { HistoryEvent } from "@openledger/bridge/l1/l1-history";
import { isBlobShape, KIND } from "@openledger/circuits/protocol";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { type Job, withRetry } from "../job.ts";
import type { Check } from "./check.ts";

/** Journal entry with the number of the batch. */
const BLOB_BATCH = "blob-batch";

/** Closes the open batch into a blob, as its operator may. Once: where the job has done so before, the sequencer chooses. */
export async function closeIntoBlob(job: Job): Promise<void> {
  const isDone = job.journal.get<number>(BLOB_BATCH) !== undefined;
  await job.keys.blobs;
  const number = await withRetry(job, () => job.closeBatch(isDone ? undefined : "blob"));
  if (isDone || number === null) return;
  await job.journal.set(BLOB_BATCH, number);
  job.console.done(
    `batch ${number} is closed into a blob, as the operator asks; the others as they cost less`,
  );
}

/** Each blob was held against the name that L1 has of it when the batch was read. */
export async function checkServices(job: Job, events: readonly HistoryEvent[]): Promise<Check> {
  const batches = events.filter((event) => event.type === "batch").map(({ batch }) => batch);
  const inBlobs = batches.filter(({ shape }) => isBlobShape(shape));
  const operationCount = inBlobs
    .flatMap(({ narrow }) => narrow)
    .filter(({ kind }) => kind !== KIND.null).length;
  const { data } = await withRetry(job, () => getStatus(job.people.alice));
  // null after a restart without a close.
  const last = data?.last ?? null;
  const isChosen = data?.mode === "auto" && last?.reason !== "only";
  const of = `${inBlobs.length} of ${batches.length} batches, ${operationCount} operations in a blob`;
  return {
    statement: "batches were posted in calldata and in a blob, and the sequencer has the choice",
    holds: isChosen && operationCount > 0 && inBlobs.length < batches.length,
    detail: last === null ? of : `${of}; the last one in ${last.place}: ${last.reason}`,
  };
}
