/** The parts of the sequencer's answers (docs/reference/api.md) that the client reads, checked where they enter. */

import { TREE_ARITY, TREE_DEPTH } from "@openledger/circuits/protocol";
import { type Address, getAddress, type Hex, isAddress } from "viem";
import { z } from "zod";

const hex = z
  .string()
  .regex(/^0x[0-9a-fA-F]*$/)
  .transform((text) => text as Hex);
const fieldElement = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform((text) => BigInt(text));
const wei = z
  .string()
  .regex(/^\d{1,78}$/)
  .transform(BigInt);
const counter = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number),
]);
const address = z
  .string()
  .refine((text) => isAddress(text, { strict: false }))
  .transform((text): Address => getAddress(text));

export const infoSchema = z.object({
  chainId: z.int(),
  rollupAddress: address,
  tokenAddress: address,
  domain: fieldElement,
  preconfirmationSigner: address,
  feePerUnitWei: wei,
  idFeeWei: wei,
  feeAccountId: z.int(),
  weights: z.record(z.string(), z.int()),
  circuits: z.array(
    z.object({
      name: z.string(),
      /** 0 a batch, 1 a sampled settlement, 2 a payee table. */
      sort: z.int(),
      /** Narrow slots; payments; 0. */
      size0: z.int(),
      /** Wide slots; payees; payees. */
      size1: z.int(),
      circuitId: hex,
      isDevelopment: z.boolean(),
    }),
  ),
  l1Confirmations: z.int(),
});
export type SequencerInfo = z.infer<typeof infoSchema>;

const operationFees = z.object({ weight: z.int(), feeWei: wei, nextFeeWei: wei });
export const feesSchema = z.object({
  mode: z.enum(["constant", "follow"]),
  /** Of the open batch. */
  feePerUnitWei: wei,
  /** Of the batch after it; it does not change any more. */
  nextFeePerUnitWei: wei,
  suggestedMaxFeePerUnitWei: wei,
  minFeePerUnitWei: wei.nullable(),
  maxFeePerUnitWei: wei.nullable(),
  /** Thousandths by which it moves from a batch to the next, at most. */
  stepPerMille: z.int().nonnegative(),
  /** How many batches wait for L1, of those that may: 0 to 1. */
  load: z.number(),
  /** What the fee follows; null where it is constant, or L1's price is not known now. */
  basis: z
    .object({ aimWei: wei, gasPriceWei: wei, openPerEtherWei: wei, reportedAtMs: z.number() })
    .nullable(),
  /** By the names of all signed kinds. */
  operations: z.object({ transfer: operationFees, withdraw: operationFees }).catchall(operationFees),
});
export type FeeEstimates = z.infer<typeof feesSchema>;

const signedWei = z
  .string()
  .regex(/^-?\d{1,78}$/)
  .transform(BigInt);
export const operatorResultSchema = z.object({
  batchCount: z.int(),
  firstBatch: counter,
  lastBatch: counter,
  sinceMs: z.number().nullable(),
  /** Fees, in OPEN. */
  incomeWei: wei,
  gasUsed: z.number(),
  /** What L1 took, in ether. */
  l1CostEtherWei: wei,
  /** Transactions with an unknown price: then there is no result. */
  unpricedCount: z.int(),
  /** In OPEN. */
  proofCostWei: wei,
  openPerEtherWei: wei.nullable(),
  /** In OPEN; null where a price is unknown. */
  resultWei: signedWei.nullable(),
});
export type OperatorResult = z.infer<typeof operatorResultSchema>;

export const statusSchema = z.object({
  head: z.object({
    root: fieldElement,
    nextId: z.int(),
    opIndex: counter,
    batchNumber: counter,
    operationCount: z.int(),
  }),
  batches: z.object({
    closed: counter,
    proven: counter,
    submitted: counter,
    posted: counter,
    final: counter,
  }),
  mempool: z.object({ pending: z.int() }),
  /** What the sequencer takes: everything, only what leads out, or nothing. */
  mode: z.enum(["open", "sunset", "frozen", "malformed", "behind"]).optional(),
  queue: z.object({ seenIndex: counter, consumedIndex: counter }),
  l1: z.object({ blockNumber: counter, timestamp: counter }),
  /** Medians of the last batches; finalMs is absent in older sequencers. */
  estimates: z.object({
    closeMs: z.number(),
    proveMs: z.number(),
    postMs: z.number(),
    finalMs: z.number().optional(),
  }),
  /** When the operator's own processes were heard last; absent where a full node answers. */
  operator: z
    .object({
      bridge: z.object({ heardAtMs: z.number(), alarms: z.array(z.string()) }).nullable(),
      prover: z.object({ heardAtMs: z.number(), name: z.string() }).nullable(),
      /** What the operator tells every reader of the pages. */
      notice: z.object({ title: z.string(), text: z.string(), untilMs: z.number() }).nullable().default(null),
    })
    .optional(),
});
export type SequencerStatus = z.infer<typeof statusSchema>;

const LEAF_KINDS = ["account", "datanet", "model"] as const;

export const leafSchema = z.object({
  id: z.int(),
  kind: z.enum(LEAF_KINDS),
  nonce: counter,
  nextNonce: counter,
  l1Owner: address,
  keyX: fieldElement,
  balanceWei: wei,
  chain: fieldElement,
  openAmountWei: wei,
  postedBalanceWei: wei.nullish(),
  datanet: z
    .object({
      version: counter,
      rowCount: counter,
      publishedAt: counter,
      /** The hash of its card (docs/explanation/datanets.md); 0 = none. */
      policy: fieldElement,
      rowsRoot: fieldElement,
      ownersCommitment: fieldElement,
      payeeRoot: fieldElement,
    })
    .nullish(),
  counters: z.unknown(),
});
export type LedgerLeaf = z.infer<typeof leafSchema>;
export const leavesSchema = z.union([
  z.array(leafSchema),
  z.object({ leaves: z.array(leafSchema) }).transform((answer) => answer.leaves),
]);

const TREE_ROW = z.array(fieldElement).length(TREE_ARITY);
export const postedLeafSchema = z.object({
  id: z.int(),
  batchNumber: counter,
  leaf: z.object({
    kind: z.int(),
    nonce: fieldElement,
    l1Owner: fieldElement,
    keyX: fieldElement,
    balance: fieldElement,
    chain: fieldElement,
    openAmount: fieldElement,
    counters: fieldElement,
    body: fieldElement,
  }),
  rows: z.array(TREE_ROW).length(TREE_DEPTH),
});

const preconfirmationSchema = z.object({
  operationHash: hex,
  opIndex: counter,
  deadlineSeconds: counter,
  signature: hex,
});
export type Preconfirmation = z.infer<typeof preconfirmationSchema>;

const OPERATION_STATUSES = [
  "pending",
  "acknowledged",
  "closed",
  "proven",
  "posted",
  "final",
  "dropped",
] as const;
export type OperationStatus = (typeof OPERATION_STATUSES)[number];

export const submissionSchema = z.object({
  hash: hex,
  status: z.enum(OPERATION_STATUSES),
  preconfirmation: preconfirmationSchema.nullish(),
  /** Where the operator has a standby machine: how long this one may still promise anything. */
  lease: z.object({ epoch: counter, remainingMs: z.number().nonnegative() }).nullish(),
});
export type Submission = z.infer<typeof submissionSchema>;

export const operationSchema = z.object({
  hash: hex,
  kind: z.string(),
  a: z.int(),
  b: z.int(),
  amountCode: z.union([z.int(), z.string()]).transform(BigInt),
  words: z.array(fieldElement),
  nonce: counter,
  /** The leaf that a Create has opened. */
  createdId: z.int().nullish(),
  /** What it paid, once executed. */
  feeWei: wei.nullish(),
  status: z.enum(OPERATION_STATUSES),
  opIndex: counter.nullish(),
  batchNumber: counter.nullish(),
  acknowledgedAtMs: z.number().nullish(),
  l1TransactionHash: hex.nullish(),
  preconfirmation: preconfirmationSchema.nullish(),
  reason: z.string().nullish(),
  estimatedReadyAtMs: z.record(z.string(), z.number().nullish()).nullish(),
});
export type LedgerOperation = z.infer<typeof operationSchema>;
export const operationsSchema = z.union([
  z.array(operationSchema),
  z.object({ operations: z.array(operationSchema) }).transform((answer) => answer.operations),
]);

const recordSchema = z.object({
  slot: z.int(),
  kind: z.string(),
  a: z.int(),
  b: z.int(),
  amountCode: z.union([z.int(), z.string()]).transform(BigInt),
  isValid: z.boolean(),
  words: z.array(fieldElement),
});
export type LedgerRecord = z.infer<typeof recordSchema>;

const latestRecordSchema = z.object({
  /** Its place in the sequencer's log. */
  sequence: counter,
  kind: z.string(),
  a: z.int(),
  b: z.int(),
  createdId: z.int().nullable(),
  /** What it moves; null where it names no amount. */
  amountWei: wei.nullable(),
  isValid: z.boolean(),
  /** Of a signed operation. */
  hash: hex.nullable(),
  /** Of an entry of L1's queue. */
  queueIndex: counter.nullable(),
  /** Of a settlement; 0 is the activation. */
  epoch: counter.nullable(),
  batchNumber: counter,
  status: z.enum(OPERATION_STATUSES),
  atMs: z.number().nullable(),
});
export type LatestRecord = z.infer<typeof latestRecordSchema>;
export const latestRecordsSchema = z.object({
  records: z.array(latestRecordSchema),
  nextBefore: counter.nullable(),
});

export const foundHashesSchema = z.array(
  z.discriminatedUnion("what", [
    z.object({ what: z.literal("operation"), hash: hex }),
    z.object({ what: z.literal("batch"), hash: hex, batchNumber: counter }),
    z.object({ what: z.literal("queueEntry"), hash: hex, queueIndex: counter }),
    z.object({ what: z.literal("settlement"), hash: hex, modelId: z.int(), epoch: counter }),
  ]),
);
export type FoundHash = z.infer<typeof foundHashesSchema>[number];

export const batchSchema = z.object({
  number: counter,
  status: z.string(),
  timestamp: counter.nullish(),
  circuit: z.string().nullish(),
  counts: z.object({ operations: z.int() }).nullish(),
  oldRoot: fieldElement.nullish(),
  newRoot: fieldElement.nullish(),
  /** C. */
  commitment: fieldElement.nullish(),
  firstOpIndex: counter.nullish(),
  feePerUnitWei: wei.nullish(),
  dataBytes: z.int().nullish(),
  /** What was executed, in its order. */
  records: z.array(recordSchema).nullish(),
  openedAtMs: z.number().nullish(),
  closedAtMs: z.number().nullish(),
  provenAtMs: z.number().nullish(),
  postedAtMs: z.number().nullish(),
  proveMs: z.number().nullish(),
  backend: z.string().nullish(),
  isForeign: z.boolean().nullish(),
  l1TransactionHash: hex.nullish(),
  l1BlockNumber: z.int().nullish(),
  gasUsed: z
    .union([z.int(), z.string()])
    .nullish()
    .transform((gas) => (gas == null ? null : Number(gas))),
});
export type LedgerBatch = z.infer<typeof batchSchema>;
export const batchesSchema = z.union([
  z.array(batchSchema),
  z.object({ batches: z.array(batchSchema) }).transform((answer) => answer.batches),
]);

export const queueEntrySchema = z.object({
  status: z.enum(["queued", "executed", "invalid"]),
  batchNumber: counter.nullish(),
  kind: z.string().nullish(),
  a: z.int().nullish(),
  b: z.int().nullish(),
  amountWei: wei.nullish(),
  sender: address.nullish(),
  l1BlockNumber: z.int().nullish(),
  l1TransactionHash: hex.nullish(),
});
export type QueueEntryView = z.infer<typeof queueEntrySchema>;
