/** Reads the health of the server, its processes and Ethereum from the public API and an Ethereum node. */

import { preconfirmation } from "@openledger/circuits/wire/sequencer-answers";
import { requestSequencer, type SequencerAccess } from "@openledger/client/sequencer/sequencer-request";
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import { boundedJson } from "@openledger/foundation/wire/bounded-body";
import type { PublicClient } from "viem";
import { z } from "zod";

/** Maximum bytes of a server's health. */
const MAX_HEALTH_BYTES = 2 ** 22;

const text = z.string().max(2_000);
const alarmSchema = z.object({
  kind: text,
  /** Reason why it lasts; a stored equivocation has none. */
  why: text.optional(),
  opIndex: z.int().optional(),
});
const healthSchema = z.object({
  status: text,
  isL1HeadKnown: z.boolean(),
  /** A full node's alone. */
  fullNode: z
    .object({
      l1BlockNumber: z.int().nullable(),
      finalBatch: z.int(),
      postedBatch: z.int(),
      closedBatch: z.int(),
      feedUrl: text.nullable(),
      isFeedFollowed: z.boolean().nullable(),
      malformedBatch: z.int().nullish(),
    })
    .optional(),
  alarms: z.array(alarmSchema).default([]),
});
export type ServerHealth = z.output<typeof healthSchema>;

const hex = z.string().regex(/^0x[0-9a-fA-F]*$/);
const evidenceSchema = z.object({ preconfirmation });
const equivocationSchema = z.object({
  reason: text,
  preconfirmation: evidenceSchema,
  other: evidenceSchema.nullable(),
  posted: z
    .object({
      opIndex: z.int(),
      batchNumber: z.int(),
      kind: text,
      a: z.int(),
      b: z.int(),
      nonce: z.int(),
      transactionHash: hex,
      blockNumber: z.int(),
    })
    .nullable(),
  l1BlockNumber: z.int(),
  noticedAtMs: z.number(),
});
export type Equivocation = z.output<typeof equivocationSchema>;

/** An unhealthy server answers 503 with the same facts. @throws CLI_SEQUENCER_… if it answers nothing */
export async function readServerHealth({
  requestTimeoutMs,
  sequencerUrl,
}: SequencerAccess): Promise<ServerHealth> {
  const response = await fetch(`${sequencerUrl}/health`, { signal: AbortSignal.timeout(requestTimeoutMs) });
  return healthSchema.parse(await boundedJson(response, MAX_HEALTH_BYTES));
}

/** Equivocations that a full node has stored. The sequencer, which does not watch itself, has no such route. */
export function readEquivocations(access: SequencerAccess): Promise<Equivocation[]> {
  return requestSequencer(access, "/v1/alarms", equivocationSchema.array());
}

export interface L1Health {
  readonly blockNumber: number;
  readonly baseFeeWei: bigint | null;
  /** Gas prices that the last batches on Ethereum paid, newest first. */
  readonly paid: readonly {
    readonly batchNumber: number;
    readonly gasPriceWei: bigint;
    readonly costWei: bigint;
  }[];
}

/** Posted batches whose gas prices are shown. */
const PAID_SHOWN = 3;
/** Prices of the batches shown, and no others, since a page may stay open for weeks. */
let paidBefore: ReadonlyMap<string, L1Health["paid"][number]> = new Map();

/** Reads the health of Ethereum from the node itself. @throws what viem throws */
export async function readL1Health(node: PublicClient, batches: readonly LedgerBatch[]): Promise<L1Health> {
  const block = await node.getBlock();
  const posted = batches.filter(({ l1BlockNumber }) => l1BlockNumber != null).slice(0, PAID_SHOWN);
  const paid = await Promise.all(
    posted.map(async ({ l1TransactionHash, number: batchNumber }) => {
      const hash = l1TransactionHash!;
      const key = `${batchNumber} ${hash}`;
      const known = paidBefore.get(key);
      if (known !== undefined) return [key, known] as const;
      const { effectiveGasPrice: gasPriceWei, gasUsed } = await node.getTransactionReceipt({ hash });
      return [key, { batchNumber, gasPriceWei, costWei: gasUsed * gasPriceWei }] as const;
    }),
  );
  paidBefore = new Map(paid);
  return {
    blockNumber: Number(block.number),
    baseFeeWei: block.baseFeePerGas,
    paid: paid.map(([, one]) => one),
  };
}
