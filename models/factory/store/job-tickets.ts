/**
 * Entries of the factory's jobs in the queues that workers take them from (foundation/database/job-queue.ts). An entry names a
 * job and no more: what it is and how far it came is in the factory's tables, which its worker writes by a token.
 */
import { type JobKind, JobQueue } from "@openledger/foundation/database/job-queue";
import type { DatabaseConfig } from "@openledger/foundation/database/open-database";
import type { DatabaseLogger } from "@openledger/foundation/database/queries";
import { z } from "zod";
import { nameId } from "../factory-api.ts";
import type { StoredJob } from "./factory-records.ts";

const taskSchema = z.strictObject({ jobId: nameId });
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

type Entry = Pick<StoredJob, "proofRun" | "run" | "turn"> & {
  readonly view: Pick<StoredJob["view"], "id">;
};

/** Each run of a job has an entry of its own. */
export const trainingKey = ({ run, view: { id } }: Omit<Entry, "turn" | "proofRun">): string =>
  `train ${id} ${run}`;
const activationKey = ({ proofRun, view: { id } }: Omit<Entry, "turn" | "run">): string =>
  `activate ${id} ${proofRun}`;

/** Puts a job into its queue, unless it is there. */
export const sendTraining = ({ trainings }: TicketQueues, job: Omit<Entry, "proofRun">): Promise<void> =>
  trainings.send(trainingKey(job), { jobId: job.view.id }, { priority: job.turn });

export const sendActivation = (
  { activations }: TicketQueues,
  job: Omit<Entry, "turn" | "run">,
): Promise<void> => activations.send(activationKey(job), { jobId: job.view.id });
