/**
 * Operator's routes of the sequencer, for both ends: the bridge's requests and the answers
 * (docs/reference/api.md). Readers parse by these schemas; the compiler holds writers to their `z.input`.
 * operator-client.ts calls them, operator-routes.ts serves them.
 */
import { z } from "zod";
import { DATA_MODES, KIND, KIND_RULES, SHARD_COUNT_MAX } from "../protocol.ts";
import { operatorNotice } from "./sequencer-answers.ts";
import {
  address,
  count,
  counter,
  element,
  elementOrDecimal,
  hash,
  hexBytes,
  leafId,
  proof,
  wei,
} from "./wire-fields.ts";

export const l1HeadBody = z.object({
  blockNumber: count,
  timestamp: counter,
  /** Base fee of a unit of gas, in wei; absent from older bridges. */
  baseFeePerGasWei: wei.nullish(),
  /**
   * Prices of gas with its tip, and of blob gas, in wei. null or absent if L1 names none; absent from older
   * bridges.
   */
  dataPrices: z.object({ gasPriceWei: wei, blobGasPriceWei: wei }).nullish(),
  isFrozen: z.boolean().default(false),
  /**
   * Position of the ledger on L1 at this block. Absent from older bridges: the sequencer then stays closed.
   */
  place: z.object({ batchNumber: count, root: elementOrDecimal, opIndex: count, queueHead: count }).nullish(),
  /** Blocks after which the bridge regards a batch as final. */
  finalityDepthBlocks: count.optional(),
  /** Codes of the alarms at the bridge that need a human. */
  alarms: z
    .array(z.string().regex(/^[A-Z0-9_]{1,64}$/))
    .max(64)
    .default([]),
});

const QUEUE_KINDS = KIND_RULES.filter((rule) => rule.isQueue).map((rule) => rule.kind);
export const queueEntriesBody = z.object({
  entries: z
    .array(
      z.object({
        queueIndex: counter,
        kind: z
          .int()
          .refine(
            (kind) => QUEUE_KINDS.includes(kind),
            `is none of ${KIND.depositNew} to ${KIND.forcedPublishVersion}`,
          ),
        a: leafId,
        b: leafId,
        amountWei: wei,
        word1: elementOrDecimal,
        word2: elementOrDecimal,
        word3: elementOrDecimal,
        word4: elementOrDecimal,
        sender: address,
        l1BlockNumber: count,
        l1TransactionHash: hash,
      }),
    )
    .max(1_000),
});

export const queueReplacementBody = queueEntriesBody.extend({ fromIndex: counter });

/**
 * Bytes of the first entry of an activation with 512 payees in its shard, the longest (docs/reference/settlement.md).
 */
export const MAX_SETTLEMENT_BYTES = 55 + 12 + 30 * 171;
/** Maximum entries after a settlement's first one: by draws one for each shard. */
export const MAX_FURTHER_ENTRIES = SHARD_COUNT_MAX;

/** Maximum bytes of one transaction (EIP-7825's gas limit allows less). */
const MAX_WIRE_BYTES = 128 * 1024;
export const foreignBatchesBody = z.strictObject({
  batches: z
    .array(
      z.strictObject({
        batchNumber: z.int().positive(),
        circuitIndex: z.int().nonnegative(),
        commitment: elementOrDecimal.nullable().meta({
          description: "C of the call; null where the batch came in through another contract",
        }),
        data: hexBytes(MAX_WIRE_BYTES),
        settlements: z
          .array(
            z
              .array(hexBytes(MAX_SETTLEMENT_BYTES))
              .min(1)
              .max(1 + MAX_FURTHER_ENTRIES),
          )
          .meta({ description: "what the records take, posted data of each entry" }),
        transactionHash: hash,
        blockNumber: count,
      }),
    )
    // Empty: L1 has reverted the batches that others had posted.
    .max(64),
});

export const l1ReportBody = z.object({
  batchHash: hash,
  status: z.enum(["submitted", "posted", "final", "dropped"]),
  transactionHash: hash,
  blockNumber: count.nullish(),
  gasUsed: z
    .union([
      count,
      z
        .string()
        .regex(/^[0-9]{1,15}$/)
        .transform(Number),
    ])
    .nullish(),
  gasPriceWei: wei.nullish().meta({ description: "wei that the transaction paid for a unit of gas" }),
  reason: z.string().max(200).nullish().meta({
    description:
      "dropped: stale-timestamp closes the batch again, queue-overdue with the queue's entries first",
  }),
});

const preVerifiedEntry = {
  circuitIndex: z.int().nonnegative(),
  commitment: elementOrDecimal,
  data: hexBytes(MAX_SETTLEMENT_BYTES),
  proof: proof.meta({ description: "the real part of G2's coordinates first" }),
};
export const preVerifiedSettlementsBody = z.strictObject({
  settlements: z
    .array(
      z.strictObject({
        modelId: leafId,
        word: elementOrDecimal.meta({ description: "J" }),
        ...preVerifiedEntry,
        further: z.array(z.strictObject(preVerifiedEntry)).max(MAX_FURTHER_ENTRIES).optional(),
      }),
    )
    .max(100),
});

export const closeReportBody = z.object({
  batchNumber: z.int().positive(),
  blockNumber: z.int().nonnegative(),
  timestamp: z.int().nonnegative(),
  prevRandao: element.nullable(),
  isMissed: z.boolean(),
});

// Answers.

export const awaitedClosesAnswer = z.object({
  batchNumbers: z.array(z.int().positive()),
  /** Batches whose closed epochs wait for their settlement. */
  unsettled: z.array(z.int().positive()),
});

const hexText = z
  .string()
  .regex(/^0x[0-9a-fA-F]*$/, "is not 0x-hex")
  .transform((text) => text as `0x${string}`);
const posted = { circuit: z.string(), commitment: elementOrDecimal, data: hexText, proof };

export const readyBatchesAnswer = z.array(
  z.object({
    batchNumber: z.int().positive(),
    batchHash: z.string().min(1),
    ...posted,
    /**
     * Coefficients of the batch's blob up to the last one that is not 0, 32 bytes each; absent without a
     * blob.
     */
    blobElements: hexText.optional(),
    /**
     * Settlements in the order of the records that take them. `settles` is that record's model and J, null
     * for an Activation. `further` are the other entries, in L1's order; absent for a model of one shard.
     */
    settlements: z.array(
      z.object({
        ...posted,
        further: z.array(z.object(posted)).optional(),
        settles: z.object({ modelId: z.int(), word: elementOrDecimal }).nullable(),
      }),
    ),
    // For a human's eye.
    status: z.string().optional(),
    timestamp: z.int().optional(),
  }),
);

export const chainAnswer = z.object({
  finalNumber: z.int().nonnegative(),
  finalBlockNumber: z.int().nonnegative().optional(),
  malformedBatch: z.int().positive().optional(),
  positions: z
    .array(
      z.object({
        batchNumber: z.int(),
        root: elementOrDecimal,
        opIndex: z.int(),
        queueHead: z.int(),
        batchHash: z.string().optional(),
        status: z.string().optional(),
      }),
    )
    .min(1),
});

export const nextIndexAnswer = z.object({
  nextIndex: z.int().nonnegative(),
  /**
   * False if the sequencer has started since the last head and waits for the next one. Older sequencers do
   * not report it.
   */
  isPlaceKnown: z.boolean().default(true),
});
export const preVerifiedSettlementsAnswer = z.object({ isOver: z.array(z.boolean()) });

/** Close of the open batch; no body: as the sequencer's setting has it. */
export const closeBody = z
  .strictObject({
    place: z.enum(DATA_MODES).optional().meta({
      description: "place of this batch's data, whatever the setting; auto: the cheaper one by L1's prices",
    }),
  })
  .nullish();
export const closeAnswer = z.object({
  /** null where the open batch holds nothing. */
  batchNumber: z.int().positive().nullable(),
});

export const noticeBody = z.object({ notice: operatorNotice });
