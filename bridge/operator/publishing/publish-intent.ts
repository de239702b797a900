/**
 * Stored records of the L1 transactions that the bridge's publisher (batch-publisher.ts) is about to send, so that a restart
 * finds them. All transactions that it may have sent for one nonce are one record: at most one of its attempts can ever take
 * effect, wherever a kill interrupts.
 */
import type { Address, Hex } from "viem";
import { z } from "zod";
import { type JsonChange, type JsonStore, orderedKey } from "../bridge-store.ts";

const hex = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]*$/i.test(value));
const wei = z.string().regex(/^\d+$/);

const batchSchema = z.object({ batchNumber: z.int(), batchHash: z.string(), newRoot: hex });

const attemptSchema = z.object({
  transactionHash: hex,
  /** The signed transaction, ready to be sent again. */
  raw: hex,
  gasLimit: wei,
  maxFeePerGasWei: wei,
  maxPriorityFeePerGasWei: wei,
  /** Present only where the transaction has blobs, which are in `raw`. */
  maxFeePerBlobGasWei: wei.optional(),
  signedAtMs: z.number(),
  /** Empty where it is an errand. */
  batches: z.array(batchSchema),
});

const intentSchema = z.object({
  nonce: z.int(),
  attempts: z.array(attemptSchema).min(1),
  /** True where its last attempt is known to fail if mined: the next submission takes over the nonce. */
  isGivenUp: z.boolean(),
});

const postedSchema = z.object({
  nonce: z.int().nullable(),
  transactionHash: hex,
  blockNumber: z.int(),
  blockHash: hex,
  batches: z.array(batchSchema),
  /** Empty where the transaction was not found through an intent of ours. */
  attempts: z.array(attemptSchema),
});

export type IntendedBatch = z.infer<typeof batchSchema>;
export type Attempt = z.infer<typeof attemptSchema>;
/** A nonce and all transactions that were signed for it, oldest first. */
export type PublishIntent = z.infer<typeof intentSchema>;
/** A mined transaction that is not final. */
export type PostedRecord = z.infer<typeof postedSchema>;

/** A call that the publisher makes between batches, so that its key has one user: "record randomness", say. */
export interface Errand {
  readonly name: string;
  /** Target, if it is another contract than the rollup. */
  readonly to?: Address;
  readonly input: Hex;
}

/** The new root is the first word of the wire form (docs/reference/ledger.md, "Batch data"). */
export function intendedBatch(batch: { batchNumber: number; batchHash: string; data: Hex }): IntendedBatch {
  const { batchHash, batchNumber, data } = batch;
  return { batchNumber, batchHash, newRoot: data.slice(0, 66) as Hex };
}

const intentKey = (nonce: number) => `intent/${orderedKey(nonce)}`;
const postedKey = (record: Pick<PostedRecord, "batches">) =>
  `posted/${orderedKey(record.batches[0]!.batchNumber)}`;

export class IntentStore {
  readonly #store: JsonStore;

  constructor(store: JsonStore) {
    this.#store = store;
  }

  /** All intents, lowest nonce first. */
  async intents(): Promise<PublishIntent[]> {
    const entries = await this.#store.entries({ gte: "intent/", lt: "intent0" });
    return entries.map(([, value]) => intentSchema.parse(value));
  }

  /** All posted records, lowest batch first. */
  async posted(): Promise<PostedRecord[]> {
    const entries = await this.#store.entries({ gte: "posted/", lt: "posted0" });
    return entries.map(([, value]) => postedSchema.parse(value));
  }

  async saveIntent(intent: PublishIntent): Promise<void> {
    await this.#store.write([put(intent)]);
  }

  async removeIntent(intent: PublishIntent): Promise<void> {
    await this.#store.write([{ delete: intentKey(intent.nonce) }]);
  }

  async savePosted(record: PostedRecord): Promise<void> {
    await this.#store.write([{ put: postedKey(record), value: record }]);
  }

  async removePosted(record: PostedRecord): Promise<void> {
    await this.#store.write([{ delete: postedKey(record) }]);
  }

  /** The intent's transaction was mined. */
  async turnIntoPosted(intent: PublishIntent, record: PostedRecord): Promise<void> {
    await this.#store.write([{ delete: intentKey(intent.nonce) }, { put: postedKey(record), value: record }]);
  }

  /** L1 forgot the transaction: it waits to be mined again. */
  async turnIntoIntent(record: PostedRecord, intent: PublishIntent): Promise<void> {
    await this.#store.write([{ delete: postedKey(record) }, put(intent)]);
  }
}

const put = (intent: PublishIntent): JsonChange => ({ put: intentKey(intent.nonce), value: intent });
