/** The parts of the sequencer's answers about models (docs/reference/api.md) that the client reads, checked where they enter. */

import { element as fieldElement, proof, wei } from "@openledger/circuits/wire/wire-fields";
import { z } from "zod";
import { leafSchema } from "./sequencer-schemas.ts";

const hex = z.string().regex(/^0x[0-9a-fA-F]*$/);
const count = z.int().nonnegative();

const roleSchema = z.object({ earnedWei: wei, claimedWei: wei, claimableWei: wei });

const payeeSchema = z.object({
  index: count,
  contributorId: count,
  validatorId: count,
  rowCount: count,
  accruedWei: wei,
  contributor: roleSchema,
  validator: roleSchema,
});

/** What L1 says of a close; null where it is not there yet. */
const closeEpochFields = {
  closedAtBlock: count.nullable(),
  closedAtSeconds: count.nullable(),
  randomnessBlock: count.nullable(),
  prevRandao: fieldElement.nullable(),
  seed: fieldElement.nullable(),
  isRandomnessMissed: z.boolean(),
  anyoneSettlesFromSeconds: count.nullable(),
  defaultSplitFromSeconds: count.nullable(),
};

const closedEpochSchema = z.object({
  epoch: count,
  closingBatch: count,
  amountWei: wei,
  chain: fieldElement,
  closed: fieldElement,
  ...closeEpochFields,
});
export type ClosedEpochView = z.output<typeof closedEpochSchema>;

export const modelSchema = leafSchema.extend({
  kind: z.literal("model"),
  counters: z.object({
    isReady: z.boolean(),
    isApproved: z.boolean(),
    cap: count,
    paymentCount: count,
    epoch: count,
    priceWei: wei,
  }),
  model: z.object({
    featuresCommitment: fieldElement,
    ownersCommitment: fieldElement,
    payeeRoot: fieldElement,
    binding: fieldElement,
    datanetId: count,
    version: count,
    /** The settlement circuit's, for the model's life. */
    drawCount: count,
    /** null where the owner signed none that a circuit has. */
    featureCount: count.nullable(),
    ownerParts: count,
    validatorParts: count,
    epochStart: count,
  }),
  closedEpoch: closedEpochSchema.nullable(),
  payees: z.array(payeeSchema),
});
export type LedgerModelLeaf = z.output<typeof modelSchema>;

const paymentSchema = z.object({
  hash: hex,
  receipt: fieldElement,
  payerId: count,
  amountWei: wei,
  cumulativeWei: wei,
  batchNumber: count,
});
export type LedgerPayment = z.output<typeof paymentSchema>;

export const paymentsSchema = z.object({
  epoch: count,
  isClosed: z.boolean(),
  closingBatch: count.nullable(),
  chain: fieldElement,
  amountWei: wei,
  paymentCount: count,
  /** What the draws come from; absent while the epoch is open, null while L1 has not recorded it. */
  seed: fieldElement.nullish(),
  prevRandao: fieldElement.nullish(),
  payments: z.array(paymentSchema),
});

export const rewardsSchema = z.object({
  leafId: count,
  claimableWei: wei,
  rewards: z.array(
    roleSchema.extend({
      modelId: count,
      payeeIndex: count,
      role: z.enum(["contributor", "validator"]),
      rowCount: count,
    }),
  ),
});
export type LeafRewards = z.output<typeof rewardsSchema>;

export const settlementSchema = z.object({
  modelId: count,
  epoch: count,
  kind: z.enum(["settle", "activation"]),
  settlementHash: fieldElement,
  status: z.string(),
  batchNumber: count,
  l1TransactionHash: hex.nullable(),
  circuit: z.string(),
  data: hex,
  publicSignals: z.tuple([fieldElement, fieldElement, fieldElement]),
  proof,
  voidCount: count.optional(),
  ownerWei: wei.optional(),
  treasuryWei: wei.optional(),
  burnedWei: wei.optional(),
  earnedSumWei: wei.optional(),
  earnedWei: z.array(wei).optional(),
  closingBatch: count.optional(),
  cap: count.optional(),
});
export type LedgerSettlement = z.output<typeof settlementSchema>;

export const preVerifiedSchema = z.object({
  modelId: count,
  epoch: count,
  settlementHash: fieldElement,
  circuit: z.string(),
  /** "waiting" for a batch, "superseded" by another settlement, or how far the batch is that takes it. */
  status: z.string(),
  batchNumber: count.nullable(),
  /** Code of what keeps it out of a batch. */
  reason: z.string().nullable(),
});
