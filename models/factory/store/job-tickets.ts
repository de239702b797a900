/**
 * Tickets: the entries of the factory's jobs in the queues that workers take them from (foundation/database/job-queue.ts). An
 * entry names a job and no more: what it is and how far it came is in the factory's tables, which its worker writes by a token.
 */
import { type JobKind, JobQueue } from "@openledger/foundation/database/job-queue";
import type { DatabaseConfig } from "@openledger/foundation/database/open-database";
import type { DatabaseLogger } from "@openledger/foundation/database/queries";
import { z } from "zod";
import { nameId } from "../factory-api.ts";
import type { StoredJob } from "./factory-records.ts";

/** A run that is over is not begun by an entry that was left behind. */
const taskSchema = z.strictObject({ jobId: nameId, run: z.int().min(0) });
const nothingSchema = z.strictObject({});

const kindNamed = (name: string) =>
  ({
    name,
    task: taskSchema,
    answer: nothingSchema,
    progress: nothingSchema,
    // Workers count starts without a step: a long training outlives many machines.
    maxAttempts: Number.POSITIVE_INFINITY,
  }) as const satisfies JobKind<z.ZodType, z.ZodType, z.ZodType>;

export type TicketQueue = JobQueue<typeof taskSchema, typeof nothingSchema, typeof nothingSchema>;
export type TicketedJob = z.output<typeof taskSchema>;

export interface TicketQueues {
  readonly trainings: TicketQueue;
  readonly activations: TicketQueue;
  close(): Promise<void>;
}

/**
 * @param options.migrates false for a worker: its role may not make tables
 * @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_SCHEMA
 */
export async function openTicketQueues(
  config: DatabaseConfig,
  options: { readonly logger: DatabaseLogger; readonly migrates: boolean },
): Promise<TicketQueues> {
  const trainings = await JobQueue.open(config, kindNamed("train"), options);
  try {
    const activations = await JobQueue.open(config, kindNamed("activate"), options);
    return {
      trainings,
      activations,
      async close() {
        await Promise.all([trainings.close(), activations.close()]);
      },
    };
  } catch (error) {
    await trainings.close();
    throw error;
  }
}

/** Run of a job: its training's, or its activation's. */
interface Run {
  readonly jobId: string;
  readonly run: number;
}

const keyOf = ({ jobId, run }: Run): string => `${jobId} ${run}`;

/** Puts a run into its queue, unless it is there. @param priority the smallest goes first */
export const sendRun = (queue: TicketQueue, { jobId, run }: Run, priority?: number): Promise<void> =>
  queue.send(keyOf({ jobId, run }), { jobId, run }, priority === undefined ? {} : { priority });

export const removeRun = (queue: TicketQueue, run: Run): Promise<void> => queue.remove(keyOf(run));

/** Runs that are not in the queue. */
export async function missingRuns<T extends Run>(queue: TicketQueue, runs: readonly T[]): Promise<T[]> {
  const missing = new Set(await queue.missing(runs.map(keyOf)));
  return runs.filter((run) => missing.has(keyOf(run)));
}

export const trainingOf = ({ run, view }: Pick<StoredJob, "run" | "view">): Run => ({
  jobId: view.id,
  run,
});

export const activationOf = ({ proofRun, view }: Pick<StoredJob, "proofRun" | "view">): Run => ({
  jobId: view.id,
  run: proofRun,
});
