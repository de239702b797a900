/**
 * Jobs of settling, one for each epoch of a model: whichever server has the job closes the epoch, or proves and sends its
 * settlement, and no other one does meanwhile. auto-settle.ts attempts them.
 */
import { encodeEntries, type SettlementData } from "@openledger/circuits/settlement/settlement-data";
import type { SettlementBody } from "@openledger/client/actions/l1/send-settlement";
import type { RunningJob } from "@openledger/foundation/database/job-lease";
import { type JobKind, JobQueue } from "@openledger/foundation/database/job-queue";
import type { DatabaseConfig } from "@openledger/foundation/database/open-database";
import type { DatabaseLogger } from "@openledger/foundation/database/queries";
import { hex32 } from "@openledger/foundation/hex";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import { toHex } from "viem";
import { z } from "zod";
import { SETTLING_STAGES } from "./turn-report.ts";

const taskSchema = z.strictObject({
  chainId: z.int().nonnegative(),
  rollupAddress: z.string().max(42),
  modelId: z.int().nonnegative(),
  epoch: z.int().nonnegative(),
});
const answerSchema = z.strictObject({ batchNumber: z.int().nonnegative() });
const progressSchema = z.strictObject({
  stage: z.enum(SETTLING_STAGES),
  provedPercent: z.number().min(0).max(100).nullable(),
});

const SETTLEMENTS = {
  name: "settle",
  task: taskSchema,
  answer: answerSchema,
  progress: progressSchema,
} as const satisfies JobKind<z.ZodType, z.ZodType, z.ZodType>;

type SettlingTask = z.output<typeof taskSchema>;
type SettlingProgress = z.output<typeof progressSchema>;
export type SettlingJob = RunningJob<SettlingTask, SettlingProgress>;
export type SettlingQueue = JobQueue<typeof taskSchema, typeof answerSchema, typeof progressSchema>;

/** @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_ENCODING, SRV_DATABASE_SCHEMA */
export const openSettlingQueue = (
  config: DatabaseConfig,
  { logger }: { readonly logger: DatabaseLogger },
): Promise<SettlingQueue> => JobQueue.open(config, SETTLEMENTS, { logger });

/** Job of an epoch: its key, and what it says. */
export function settlingTask(
  { chainId, rollupAddress }: StoreRollup,
  { epoch, modelId }: { readonly modelId: number; readonly epoch: number },
): { readonly key: string; readonly task: SettlingTask } {
  const task = { chainId, rollupAddress: rollupAddress.toLowerCase(), modelId, epoch };
  return { key: [task.chainId, task.rollupAddress, modelId, epoch].join("/"), task };
}

/** Fields of a saved proof that are compared; the sequencer reads the others. */
const comparedSchema = z.looseObject({
  modelId: z.int(),
  settlementHash: z.string(),
  circuit: z.string(),
  data: z.string(),
  further: z.array(z.looseObject({ data: z.string() })).optional(),
});

/**
 * The proof that an earlier attempt has saved, if it is of exactly this settlement; else null. Whoever may write to the queue can
 * have written it: it counts only where it is what the ledger and L1 make of the epoch now, and the sequencer verifies it again.
 */
export function savedProof(saved: unknown, data: SettlementData, circuit: string): SettlementBody | null {
  const found = comparedSchema.safeParse(saved);
  if (!found.success) return null;
  const body = found.data;
  const isSame =
    body.settlementHash === hex32(data.settlementHash) &&
    body.modelId === data.modelId &&
    [body, ...(body.further ?? [])].map((entry) => entry.data).join() ===
      encodeEntries(data)
        .map((wire) => toHex(wire))
        .join() &&
    body.circuit === circuit;
  return isSame ? (saved as SettlementBody) : null;
}
