/**
 * Jobs between provers' callers and workers on any number of machines, in PostgreSQL (foundation/database/job-queue.ts).
 * queue-prover.ts puts them, queue-worker.ts takes them.
 */
import { elementOrDecimal, proof } from "@openledger/circuits/wire/wire-fields";
import { type JobKind, JobQueue } from "@openledger/foundation/database/job-queue";
import type { DatabaseConfig } from "@openledger/foundation/database/open-database";
import type { DatabaseLogger } from "@openledger/foundation/database/queries";
import { ONE_DAY_MS } from "@openledger/foundation/settings";
import { z } from "zod";
import { PROOF_STAGES } from "../proving/prover.ts";

const proveTaskSchema = z.strictObject({
  circuit: z.string().max(200),
  /** Hash of the circuit. A worker with other keys of the same name is of no use. */
  contentHash: z.string().max(200),
});
export type ProveTask = z.output<typeof proveTaskSchema>;

/** A stage of a proof: thirty days. Any worker may write it. */
const MAX_TIMING_MS = 30 * ONE_DAY_MS;
const timing = z.number().nonnegative().max(MAX_TIMING_MS);

/** Answer of a worker: a proof, and its maker. */
const proveAnswerSchema = z.strictObject({
  backend: z.string().max(100),
  proof,
  publicSignals: z.array(elementOrDecimal).max(100),
  timings: z.strictObject({ witnessMs: timing, proveMs: timing, verifyMs: timing }),
  worker: z.string().max(100),
  elapsedMs: timing,
});
export type ProveAnswer = z.output<typeof proveAnswerSchema>;
/** Answer as a worker writes it: text before parsing. */
export type WrittenAnswer = z.input<typeof proveAnswerSchema>;

const proveProgressSchema = z.strictObject({ stage: z.enum(PROOF_STAGES), elapsedMs: timing });

/** Name of the queue. */
export const PROOF_QUEUE = "prove";

const PROOFS = {
  name: PROOF_QUEUE,
  task: proveTaskSchema,
  answer: proveAnswerSchema,
  progress: proveProgressSchema,
} as const satisfies JobKind<z.ZodType, z.ZodType, z.ZodType>;

export type ProofQueue = JobQueue<
  typeof proveTaskSchema,
  typeof proveAnswerSchema,
  typeof proveProgressSchema
>;

/**
 * @param options.migrates false for a worker: its role may not make tables
 * @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_SCHEMA
 */
export const openProofQueue = (
  config: DatabaseConfig,
  options: { readonly logger: DatabaseLogger; readonly migrates: boolean },
): Promise<ProofQueue> => JobQueue.open(config, PROOFS, options);
