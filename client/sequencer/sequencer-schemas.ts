/**
 * Schemas of the sequencer's answers (docs/reference/api.md), as far as the client reads them. Field elements and wei become
 * bigint; times are in Unix milliseconds where the name ends in Ms.
 */

import { TREE_ARITY, TREE_DEPTH } from "@openledger/circuits/protocol";
import { OPERATION_STATUSES } from "@openledger/circuits/wire/operation-status";
import { operationsPage, operatorNotice, preconfirmation } from "@openledger/circuits/wire/sequencer-answers";
import { type Address, getAddress, type Hex, isAddress } from "viem";
import * as z from "zod/mini";

/** Text of a form, converted to its value. */
export const textOf = <Value>(form: RegExp, read: (text: string) => Value) =>
  z.pipe(z.string().check(z.regex(form)), z.transform(read));
export const hex = textOf(/^0x[0-9a-fA-F]*$/, (text) => text as Hex);
export const fieldElement = textOf(/^0x[0-9a-fA-F]{1,64}$/, BigInt);
export const wei = textOf(/^\d{1,78}$/, BigInt);
export const counter = z.union([z.int().check(z.nonnegative()), textOf(/^\d{1,16}$/, Number)]);
const amountCode = z.pipe(
  z.union([z.int(), z.string()]),
  z.transform((code) => BigInt(code)),
);
const address = z.pipe(
  z.string().check(z.refine((text) => isAddress(text, { strict: false }))),
  z.transform((text): Address => getAddress(text)),
);

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
      /** Sort: 0 a batch, 1 a sampled settlement, 2 a payee table. */
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
  /** Fee per unit of the open batch, in wei. */
  feePerUnitWei: wei,
  /** Fee per unit of the batch after it, in wei; it does not change any more. */
  nextFeePerUnitWei: wei,
  suggestedMaxFeePerUnitWei: wei,
  minFeePerUnitWei: z.nullable(wei),
  maxFeePerUnitWei: z.nullable(wei),
  /** Maximum move from a batch to the next, in thousandths of the fee. */
  stepPerMille: z.int().check(z.nonnegative()),
  /** Share of the batches that may wait for L1 and do: 0 to 1. */
  load: z.number(),
  /** Inputs of the fee; null where it is constant, or L1's price is not known now. */
  basis: z.nullable(
    z.object({ aimWei: wei, gasPriceWei: wei, openPerEtherWei: wei, reportedAtMs: z.number() }),
  ),
  /** Costs by the names of all signed kinds. */
  operations: z.catchall(
    z.object({ createDatanet: operationFees, transfer: operationFees, withdraw: operationFees }),
    operationFees,
  ),
});
export type FeeEstimates = z.infer<typeof feesSchema>;

const signedWei = textOf(/^-?\d{1,78}$/, BigInt);
export const operatorResultSchema = z.object({
  batchCount: z.int(),
  firstBatch: counter,
  lastBatch: counter,
  sinceMs: z.nullable(z.number()),
  /** Fees earned, in wei of OPEN. */
  incomeWei: wei,
  gasUsed: z.number(),
  /** Cost of L1, in wei of ether. */
  l1CostEtherWei: wei,
  /** Transactions with an unknown price: then there is no result. */
  unpricedCount: z.int(),
  /** Cost of proofs, in wei of OPEN. */
  proofCostWei: wei,
  openPerEtherWei: z.nullable(wei),
  /** Result in wei of OPEN; null where a price is unknown. */
  resultWei: z.nullable(signedWei),
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
  /** Mode of the sequencer: it takes every operation, only those that lead out, or none. */
  mode: z.optional(z.enum(["open", "sunset", "frozen", "malformed", "behind"])),
  queue: z.object({ seenIndex: counter, consumedIndex: counter }),
  l1: z.object({ blockNumber: counter, timestamp: counter }),
  /** Medians of the last batches; finalMs is absent in older sequencers. */
  estimates: z.object({
    closeMs: z.number(),
    proveMs: z.number(),
    postMs: z.number(),
    finalMs: z.optional(z.number()),
  }),
  /** Place of the batches' data; last is null until a batch was closed since the start. Absent at a full node. */
  data: z.optional(
    z.object({
      mode: z.string(),
      last: z.nullable(z.object({ place: z.enum(["blob", "calldata"]), reason: z.string() })),
    }),
  ),
  /** Last contact of the operator's own processes; absent at a full node. */
  operator: z.optional(
    z.object({
      bridge: z.nullable(z.object({ heardAtMs: z.number(), alarms: z.array(z.string()) })),
      prover: z.nullable(z.object({ heardAtMs: z.number(), name: z.string() })),
      /** Notice of the operator to every reader of the pages. */
      notice: z._default(operatorNotice, null),
    }),
  ),
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
  postedBalanceWei: z.nullish(wei),
  datanet: z.nullish(
    z.object({
      version: counter,
      rowCount: counter,
      publishedAt: counter,
      /** Hash of its card (docs/explanation/datanets.md); 0 = none. */
      policy: fieldElement,
      rowsRoot: fieldElement,
      ownersCommitment: fieldElement,
      payeeRoot: fieldElement,
    }),
  ),
  counters: z.unknown(),
});
export type LedgerLeaf = z.infer<typeof leafSchema>;
export const leavesSchema = z.union([
  z.array(leafSchema),
  z.pipe(
    z.object({ leaves: z.array(leafSchema) }),
    z.transform((answer) => answer.leaves),
  ),
]);

const TREE_ROW = z.array(fieldElement).check(z.length(TREE_ARITY));
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
  rows: z.array(TREE_ROW).check(z.length(TREE_DEPTH)),
});

export type Preconfirmation = z.infer<typeof preconfirmation>;

export const submissionSchema = z.object({
  hash: hex,
  status: z.enum(OPERATION_STATUSES),
  preconfirmation: z.nullish(preconfirmation),
});
export type Submission = z.infer<typeof submissionSchema>;

export const operationSchema = z.object({
  hash: hex,
  kind: z.string(),
  a: z.int(),
  b: z.int(),
  amountCode,
  words: z.array(fieldElement),
  nonce: counter,
  /** Leaf that a Create has opened. */
  createdId: z.nullish(z.int()),
  /** Fee paid, in wei, once executed. */
  feeWei: z.nullish(wei),
  status: z.enum(OPERATION_STATUSES),
  opIndex: z.nullish(counter),
  batchNumber: z.nullish(counter),
  acknowledgedAtMs: z.nullish(z.number()),
  l1TransactionHash: z.nullish(hex),
  preconfirmation: z.nullish(preconfirmation),
  reason: z.nullish(z.string()),
  estimatedReadyAtMs: z.nullish(z.record(z.string(), z.nullish(z.number()))),
});
export type LedgerOperation = z.infer<typeof operationSchema>;

const forcedOperationSchema = z.object({
  hash: z.null(),
  queueIndex: counter,
  kind: z.string(),
  a: z.int(),
  b: z.int(),
  sender: address,
  amountWei: wei,
  word1: fieldElement,
  word2: fieldElement,
  word3: fieldElement,
  word4: fieldElement,
  createdId: z.nullish(z.int()),
  status: z.enum(OPERATION_STATUSES),
  opIndex: counter,
  batchNumber: counter,
  acknowledgedAtMs: z.nullish(z.number()),
});
/** An executed entry of L1's queue, which its index names. */
export type ForcedOperation = z.infer<typeof forcedOperationSchema>;
export type LeafOperation = LedgerOperation | ForcedOperation;

export const leafOperationsSchema = operationsPage(z.union([operationSchema, forcedOperationSchema]));
export type LeafOperations = z.infer<typeof leafOperationsSchema>;

const recordSchema = z.object({
  slot: z.int(),
  kind: z.string(),
  a: z.int(),
  b: z.int(),
  amountCode,
  isValid: z.boolean(),
  words: z.array(fieldElement),
});
export type LedgerRecord = z.infer<typeof recordSchema>;

const latestRecordSchema = z.object({
  /** Place in the sequencer's log. */
  sequence: counter,
  kind: z.string(),
  a: z.int(),
  b: z.int(),
  createdId: z.nullable(z.int()),
  /** Amount moved, in wei; null where the record names none. */
  amountWei: z.nullable(wei),
  isValid: z.boolean(),
  /** Hash of a signed operation, else null. */
  hash: z.nullable(hex),
  /** Index of an entry of L1's queue, else null. */
  queueIndex: z.nullable(counter),
  /** Epoch of a settlement, else null; 0 is the activation. */
  epoch: z.nullable(counter),
  batchNumber: counter,
  status: z.enum(OPERATION_STATUSES),
  atMs: z.nullable(z.number()),
});
export type LatestRecord = z.infer<typeof latestRecordSchema>;
export const latestRecordsSchema = z.object({
  records: z.array(latestRecordSchema),
  nextBefore: z.nullable(counter),
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
  timestamp: z.nullish(counter),
  circuit: z.nullish(z.string()),
  counts: z.nullish(z.object({ operations: z.int() })),
  oldRoot: z.nullish(fieldElement),
  newRoot: z.nullish(fieldElement),
  /** C. */
  commitment: z.nullish(fieldElement),
  firstOpIndex: z.nullish(counter),
  feePerUnitWei: z.nullish(wei),
  dataBytes: z.nullish(z.int()),
  /** Executed records, in their order. */
  records: z.nullish(z.array(recordSchema)),
  openedAtMs: z.nullish(z.number()),
  closedAtMs: z.nullish(z.number()),
  provenAtMs: z.nullish(z.number()),
  postedAtMs: z.nullish(z.number()),
  proveMs: z.nullish(z.number()),
  backend: z.nullish(z.string()),
  isForeign: z.nullish(z.boolean()),
  l1TransactionHash: z.nullish(hex),
  l1BlockNumber: z.nullish(z.int()),
  gasUsed: z.pipe(
    z.nullish(z.union([z.int(), z.string()])),
    z.transform((gas) => (gas == null ? null : Number(gas))),
  ),
});
export type LedgerBatch = z.infer<typeof batchSchema>;
export const batchesSchema = z.union([
  z.array(batchSchema),
  z.pipe(
    z.object({ batches: z.array(batchSchema) }),
    z.transform((answer) => answer.batches),
  ),
]);

export const queueEntrySchema = z.object({
  status: z.enum(["queued", "executed", "invalid"]),
  batchNumber: z.nullish(counter),
  kind: z.nullish(z.string()),
  a: z.nullish(z.int()),
  b: z.nullish(z.int()),
  amountWei: z.nullish(wei),
  sender: z.nullish(address),
  l1BlockNumber: z.nullish(z.int()),
  l1TransactionHash: z.nullish(hex),
});
export type QueueEntryView = z.infer<typeof queueEntrySchema>;
