/**
 * Schemas of the sequencer's answers about models, payments and settlements (docs/reference/api.md), as far as the client reads
 * them. Field elements and wei become bigint.
 */

import { realFirst } from "@openledger/circuits/wire/groth16-proof";
import * as z from "zod/mini";
import { fieldElement, leafSchema, textOf, wei } from "./sequencer-schemas.ts";

const hex = z.string().check(z.regex(/^0x[0-9a-fA-F]*$/));
const count = z.int().check(z.nonnegative());
const coordinate = textOf(/^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$/, BigInt);
const pair = z.tuple([coordinate, coordinate]);
/** Proof, with the real part of G2's coordinates first. */
const proof = z.object({
  a: pair,
  b: z.pipe(
    z.tuple([pair, pair]),
    z.transform(([x, y]) => realFirst(x, y)),
  ),
  c: pair,
});

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

export type ModelPayee = z.output<typeof payeeSchema>;

/** L1's facts about a close; null until L1 has them. */
const closeEpochFields = {
  closedAtBlock: z.nullable(count),
  closedAtSeconds: z.nullable(count),
  randomnessBlock: z.nullable(count),
  prevRandao: z.nullable(fieldElement),
  seed: z.nullable(fieldElement),
  isRandomnessMissed: z.boolean(),
  anyoneSettlesFromSeconds: z.nullable(count),
  defaultSplitFromSeconds: z.nullable(count),
};

export const closedEpochSchema = z.object({
  epoch: count,
  closingBatch: count,
  amountWei: wei,
  chain: fieldElement,
  closed: fieldElement,
  ...closeEpochFields,
});
export type ClosedEpochView = z.output<typeof closedEpochSchema>;

export const modelSchema = z.extend(leafSchema, {
  kind: z.literal("model"),
  counters: z.object({
    isReady: z.boolean(),
    isApproved: z.boolean(),
    /**
     * Approvals of a model of several Datanets, bit s: Datanet s has approved, while others have not. 0 where
     * `isApproved`.
     */
    approvals: count,
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
    /** Datanet 0; `version` is its version. */
    datanetId: count,
    version: count,
    /** Further Datanets of a model of several, in their places. */
    furtherDatanets: z.array(count),
    /** Draws of the settlement circuit, for the model's life. */
    drawCount: count,
    /** Features of the settlement circuit; null where the owner signed a number that no circuit has. */
    featureCount: z.nullable(count),
    ownerParts: count,
    validatorParts: count,
    epochStart: count,
  }),
  closedEpoch: z.nullable(closedEpochSchema),
  payees: z.array(payeeSchema),
});
export type LedgerModelLeaf = z.output<typeof modelSchema>;

export const paymentSchema = z.object({
  /** Hash of the operation; 0 where L1's queue forced it, or the sequencer has it from L1 alone. */
  hash: hex,
  /** Index of the queue entry that forced it. */
  queueIndex: z.nullish(count),
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
  closingBatch: z.nullable(count),
  chain: fieldElement,
  amountWei: wei,
  paymentCount: count,
  /** Seed of the draws; absent while the epoch is open, null while L1 has not recorded it. */
  seed: z.nullish(fieldElement),
  prevRandao: z.nullish(fieldElement),
  payments: z.array(paymentSchema),
});

export const rewardsSchema = z.object({
  leafId: count,
  claimableWei: wei,
  rewards: z.array(
    z.extend(roleSchema, {
      modelId: count,
      payeeIndex: count,
      role: z.enum(["contributor", "validator"]),
      rowCount: count,
    }),
  ),
});
export type LeafRewards = z.output<typeof rewardsSchema>;

const entryFields = {
  circuit: z.string(),
  data: hex,
  publicSignals: z.tuple([fieldElement, fieldElement, fieldElement]),
  proof,
};

export const settlementSchema = z.object({
  modelId: count,
  epoch: count,
  kind: z.enum(["settle", "activation"]),
  settlementHash: fieldElement,
  status: z.string(),
  batchNumber: count,
  l1TransactionHash: z.nullable(hex),
  ...entryFields,
  /** Further entries in L1's order, for a model of several shards. */
  further: z.optional(z.array(z.object(entryFields))),
  voidCount: z.optional(count),
  ownerWei: z.optional(wei),
  treasuryWei: z.optional(wei),
  burnedWei: z.optional(wei),
  earnedSumWei: z.optional(wei),
  /** Earnings by the payee's place. */
  earnedWei: z.optional(z.array(wei)),
  closingBatch: z.optional(count),
  cap: z.optional(count),
});
export type LedgerSettlement = z.output<typeof settlementSchema>;

export const preVerifiedSchema = z.object({
  modelId: count,
  epoch: count,
  settlementHash: fieldElement,
  circuit: z.string(),
  /** "waiting" for a batch, "superseded" by another settlement, or the status of the batch that takes it. */
  status: z.string(),
  batchNumber: z.nullable(count),
  /** Error code that prevents a batch from taking it. */
  reason: z.nullable(z.string()),
});
