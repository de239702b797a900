/** Modules that the factory's workers (training, activations) get, and the limit and errors that they share. */
import type { Database } from "@openledger/foundation/database/database";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { factoryError } from "../../model-errors.ts";
import type { FactoryConfig } from "../factory-config.ts";
import type { JobFiles } from "../store/job-files.ts";
import type { JobStore } from "../store/job-store.ts";
import type { TicketQueues } from "../store/job-tickets.ts";
import type { Scratch } from "../store/scratch.ts";

export interface WorkerModules {
  /** Name of the worker, for counts and logs. */
  readonly name: string;
  readonly config: FactoryConfig;
  readonly database: Database;
  readonly files: JobFiles;
  readonly jobs: JobStore;
  readonly queues: TicketQueues;
  readonly scratch: Scratch;
  readonly log: Logger;
}

/** Starts of a job, without a step in between, after which it has failed: it may be what ends its workers. */
export const MAX_SILENT_STARTS = 3;

/** Thrown where another worker has the job now. */
export class JobLost extends Error {}

export const typed = (error: unknown, unforeseen: string): RollupError =>
  isRollupError(error) ? error : factoryError("SRV_INTERNAL", unforeseen, { cause: error });
