/**
 * Sender of the publisher's L1 transactions, plain and with blobs: signs, stores the intent, sends, replaces by
 * higher fees under the same nonce. batch-publisher.ts and posted-watcher.ts call it; amounts are wei, gas is
 * in units.
 */
import {
  type BlobSidecar,
  hasCells,
  isBlobTransaction,
  signBlobTransaction,
  unwrapBlobTransaction,
  wrapBlobTransaction,
} from "@openledger/contracts/l1/blob-transaction";
import {
  type BlobFees,
  blobReplacementFees,
  type FeeMarket,
  type GasFees,
  initialBlobFees,
  initialFees,
  replacementFees,
  smaller,
} from "@openledger/contracts/l1/fee-policy";
import { isRollupError } from "@openledger/foundation/rollup-error";
import {
  type Address,
  type Hex,
  keccak256,
  type LocalAccount,
  type TransactionSerializableEIP1559,
} from "viem";
import type { BlobWork } from "../../blobs/blob-thread.ts";
import { type L1Client, l1Call } from "../../l1/l1-client.ts";
import { EMPTY_BLOB } from "../../l1/submission/empty-blob.ts";
import { type SentTransaction, sendSigned } from "../../l1/submission/send-signed.ts";
import type { Attempt, IntendedBatch, IntentStore, PublishIntent } from "./publish-intent.ts";

/** Moments of a publication at which a kill must not do harm. Tests kill the process there. */
export type PublishStep = "before-write" | "after-write" | "after-send" | "after-mine" | "after-report";

interface TransactionSenderModules {
  readonly client: L1Client;
  readonly to: Address;
  readonly chainId: number;
  /** Maximum tip: a higher suggestion of the node is ignored. */
  readonly maxPriorityFeePerGasWei: bigint;
  /** Cap of the price of a unit of blob gas. */
  readonly maxFeePerBlobGasWei: bigint;
  readonly account: LocalAccount;
  readonly store: IntentStore;
  readonly nowMs: () => number;
  readonly onStep: (step: PublishStep) => void | Promise<void>;
  readonly blobs: Pick<BlobWork, "cells">;
}

interface TransactionPlan {
  readonly batches: readonly IntendedBatch[];
  readonly to: Address;
  readonly input: Hex;
  readonly gasLimit: bigint;
  readonly nonce: number;
  readonly fees: GasFees | BlobFees;
  /** Sidecars, empty for most transactions; with any, the fees are those of a transaction with blobs. */
  readonly sidecars: readonly BlobSidecar[];
  /** Maximum price of a unit of gas, where a filler has to go first. */
  readonly maxFeePerGasWei: bigint;
}

/** Content of a new transaction; `batches` is empty for an errand. */
export interface TransactionDraft {
  /** Target, if it is another contract than the rollup. */
  readonly to?: Address | undefined;
  readonly batches: readonly IntendedBatch[];
  readonly input: Hex;
  readonly gasLimit: bigint;
  readonly sidecars?: readonly BlobSidecar[];
}

/** Gas of a transfer without data: G_transaction of the Ethereum Yellow Paper, appendix G. */
const PLAIN_TRANSFER_GAS = 21_000n;

/** Signs, writes down, sends: in this order. */
export class TransactionSender {
  readonly #modules: TransactionSenderModules;
  /** True once the node has refused a blob for want of cell proofs. */
  #asksCells = false;

  constructor(modules: TransactionSenderModules) {
    this.#modules = modules;
  }

  /**
   * Signs, stores and sends a transaction.
   * @param earlier attempts that were signed for this nonce before. Where the node's other pool has the account, by a
   * transaction that is not known here, the last attempt is a filler of that kind: the nonce has to be used up first.
   */
  async signAndSend(plan: TransactionPlan, earlier: readonly Attempt[]): Promise<PublishIntent> {
    const intent = await this.#sign(plan, earlier);
    const { answer, refusal } = await this.#post(intent.attempts.at(-1)!, plan.nonce);
    if (answer === "other pool") {
      const filler = await this.#fillerOf(plan, plan.sidecars.length === 0, intent.attempts);
      if (filler === null) throw refusal;
      await this.send(filler.attempts.at(-1)!, plan.nonce);
      return filler;
    }
    if (answer === "underpriced") throw refusal;
    await this.#modules.onStep("after-send");
    return intent;
  }

  /** Signs a transaction that only uses up the nonce. @returns null where fees at their cap leave no room for it */
  async #fillerOf(
    { maxFeePerGasWei, nonce }: Pick<TransactionPlan, "nonce" | "maxFeePerGasWei">,
    hasBlobs: boolean,
    earlier: readonly Attempt[],
  ): Promise<PublishIntent | null> {
    const last = earlier.findLast((attempt) => (attempt.maxFeePerBlobGasWei !== undefined) === hasBlobs);
    const fees = await this.nextFees(last, hasBlobs, maxFeePerGasWei);
    if (fees === null) return null;
    return this.#sign({ ...this.#filler(hasBlobs), maxFeePerGasWei, nonce, fees }, earlier);
  }

  #filler(hasBlobs: boolean): Omit<TransactionPlan, "nonce" | "fees" | "maxFeePerGasWei"> {
    const { address } = this.#modules.account;
    const sidecars = hasBlobs ? [EMPTY_BLOB] : [];
    return { batches: [], to: address, input: "0x", gasLimit: PLAIN_TRANSFER_GAS, sidecars };
  }

  /** Signs a transaction and stores it. */
  async #sign(plan: TransactionPlan, earlier: readonly Attempt[]): Promise<PublishIntent> {
    const { account, chainId, nowMs, onStep, store } = this.#modules;
    const { maxFeePerGasWei, maxPriorityFeePerGasWei } = plan.fees;
    const transaction = {
      chainId,
      nonce: plan.nonce,
      to: plan.to,
      data: plan.input,
      gas: plan.gasLimit,
      maxFeePerGas: maxFeePerGasWei,
      maxPriorityFeePerGas: maxPriorityFeePerGasWei,
    };
    const blobFee = "maxFeePerBlobGasWei" in plan.fees ? plan.fees.maxFeePerBlobGasWei : null;
    const sidecars = this.#asksCells ? await this.#withCells(plan.sidecars) : plan.sidecars;
    const { raw, transactionHash } =
      blobFee === null
        ? await signPlain(account, transaction)
        : await signBlobTransaction(account, { ...transaction, maxFeePerBlobGas: blobFee }, sidecars);
    const attempt: Attempt = {
      transactionHash,
      raw,
      ...(blobFee === null ? {} : { maxFeePerBlobGasWei: blobFee.toString() }),
      gasLimit: plan.gasLimit.toString(),
      maxFeePerGasWei: maxFeePerGasWei.toString(),
      maxPriorityFeePerGasWei: maxPriorityFeePerGasWei.toString(),
      signedAtMs: nowMs(),
      batches: [...plan.batches],
    };
    const intent: PublishIntent = { nonce: plan.nonce, attempts: [...earlier, attempt], isGivenUp: false };
    await onStep("before-write");
    await store.saveIntent(intent);
    await onStep("after-write");
    return intent;
  }

  /**
   * Sends a new transaction like `signAndSend`, with present fees, under the first nonce that is not mined. Where that
   * one was given up, it is taken over, at first by a filler where it has another kind of transaction.
   * @param atBlock the block that the content was chosen by: a node that lags would name a nonce that is used up
   * @returns null where fees at their cap leave no room for a replacement
   */
  async sendNew(
    { batches, gasLimit, input, sidecars = [], to = this.#modules.to }: TransactionDraft,
    maxFeePerGasWei: bigint,
    atBlock: bigint,
  ): Promise<PublishIntent | null> {
    // The mined count, not the pending one: no transaction of ours is on its way, and a stranger's leftover is replaced.
    const nonce = await this.minedCount(atBlock);
    return this.#sendUnder(nonce, { batches, to, input, gasLimit, sidecars }, maxFeePerGasWei);
  }

  /**
   * Uses up a nonce that no transaction of ours waits for, with one that does nothing. Where it was given up, it is
   * taken over.
   * @returns null where fees at their cap leave no room for a replacement
   */
  sendFiller(nonce: number, maxFeePerGasWei: bigint): Promise<PublishIntent | null> {
    return this.#sendUnder(nonce, this.#filler(false), maxFeePerGasWei);
  }

  async #sendUnder(
    nonce: number,
    content: Omit<TransactionPlan, "nonce" | "fees" | "maxFeePerGasWei">,
    maxFeePerGasWei: bigint,
  ): Promise<PublishIntent | null> {
    const intents = await this.#modules.store.intents();
    const before = intents.find((intent) => intent.nonce === nonce);
    const earlier = before?.attempts ?? [];
    const last = earlier.at(-1);
    const hasBlobs = content.sidecars.length > 0;
    const wasWithBlobs = last === undefined ? hasBlobs : last.maxFeePerBlobGasWei !== undefined;
    // A given-up transaction is not replaced by another kind (empty-blob.ts), but by a filler of its own until its nonce
    // is used up.
    const isOther = hasBlobs !== wasWithBlobs;
    if (isOther && before?.isGivenUp === false) return before;
    const sent = isOther ? this.#filler(wasWithBlobs) : content;
    const fees = await this.nextFees(last, wasWithBlobs, maxFeePerGasWei);
    if (fees !== null) return this.signAndSend({ ...sent, nonce, fees, maxFeePerGasWei }, earlier);
    // The given-up transaction pays the maximum, and uses up its nonce too, with effect or without.
    await this.send(last!, nonce);
    return null;
  }

  /** Fees of a first attempt, or of one that takes the place of `last`; null where a cap leaves no room for it. */
  async nextFees(
    last: Attempt | undefined,
    hasBlobs: boolean,
    maxFeePerGasWei: bigint,
  ): Promise<GasFees | BlobFees | null> {
    const market = await this.feeMarket();
    if (!hasBlobs) {
      if (last === undefined) return initialFees(market, maxFeePerGasWei);
      return replacementFees(feesOf(last), market, maxFeePerGasWei);
    }
    const { client, maxFeePerBlobGasWei } = this.#modules;
    const blobBaseFeeWei = await l1Call("read the price of blob gas", () => client.getBlobBaseFee());
    const caps = { maxFeePerGasWei, maxFeePerBlobGasWei };
    if (last === undefined) return initialBlobFees(market, blobBaseFeeWei, caps);
    const lastFees = { ...feesOf(last), maxFeePerBlobGasWei: BigInt(last.maxFeePerBlobGasWei ?? 0) };
    return blobReplacementFees(lastFees, market, blobBaseFeeWei, caps);
  }

  /**
   * Sends a signed transaction, again or for the first time. Where another one holds its nonce in the node's pool, a
   * replacement that pays more follows in time; where it, or one of its siblings, was mined, the next read of the
   * receipts shows which.
   */
  async send(attempt: Attempt, nonce: number): Promise<void> {
    const { answer, refusal } = await this.#post(attempt, nonce);
    if (answer === "other pool" || answer === "underpriced") throw refusal;
  }

  /** Sends the raw transaction. Blobs have one proof each until the node asks for their cells'. */
  async #post(attempt: Attempt, nonce: number): Promise<SentTransaction> {
    const { account, client } = this.#modules;
    const raw = this.#asksCells ? await this.#rawWithCells(attempt) : attempt.raw;
    const { transactionHash } = attempt;
    try {
      return await sendSigned(client, { raw, transactionHash, account: account.address, nonce });
    } catch (error) {
      // Nodes have many texts for missing cells. Another reason comes again, now with cells.
      if (!isRollupError(error, "BRG_L1_REFUSED") || this.#asksCells || !isBlobTransaction(raw)) throw error;
      this.#asksCells = true;
      return this.#post(attempt, nonce);
    }
  }

  /** The raw transaction with cell proofs, stored with its intent, so that a restart need not make them again. */
  async #rawWithCells(attempt: Attempt): Promise<Hex> {
    if (!isBlobTransaction(attempt.raw)) return attempt.raw;
    const { sidecars, signed } = unwrapBlobTransaction(attempt.raw);
    if (sidecars.every(hasCells)) return attempt.raw;
    const { store } = this.#modules;
    const raw = wrapBlobTransaction(signed, await this.#withCells(sidecars));
    const isIt = ({ transactionHash }: Attempt) => transactionHash === attempt.transactionHash;
    const intent = (await store.intents()).find(({ attempts }) => attempts.some(isIt));
    if (intent !== undefined) {
      const attempts = intent.attempts.map((one) => (isIt(one) ? { ...one, raw } : one));
      await store.saveIntent({ ...intent, attempts });
    }
    return raw;
  }

  async #withCells(sidecars: readonly BlobSidecar[]): Promise<BlobSidecar[]> {
    const all: BlobSidecar[] = [];
    for (const one of sidecars)
      all.push(hasCells(one) ? one : { ...one, proofs: await this.#modules.blobs.cells(one.blob) });
    return all;
  }

  /** Reads the number of the account's mined transactions: the nonce of the next one. */
  minedCount(atBlock?: bigint): Promise<number> {
    const { account, client } = this.#modules;
    const at = atBlock === undefined ? ({ blockTag: "latest" } as const) : { blockNumber: atBlock };
    return l1Call("read the publisher's nonce", () =>
      client.getTransactionCount({ address: account.address, ...at }),
    );
  }

  /** Reads the newest base fee and the node's suggested tip, capped. */
  async feeMarket(): Promise<FeeMarket> {
    const { client, maxPriorityFeePerGasWei } = this.#modules;
    const block = await l1Call("read the newest block", () => client.getBlock());
    const suggestedWei = await l1Call("read the suggested tip", () => client.estimateMaxPriorityFeePerGas());
    const priorityFeePerGasWei = smaller(suggestedWei, maxPriorityFeePerGasWei);
    return { baseFeePerGasWei: block.baseFeePerGas ?? 0n, priorityFeePerGasWei };
  }
}

async function signPlain(account: LocalAccount, transaction: Omit<TransactionSerializableEIP1559, "type">) {
  const raw = await account.signTransaction({ ...transaction, type: "eip1559" });
  return { raw, transactionHash: keccak256(raw) };
}

const feesOf = (attempt: Attempt): GasFees => ({
  maxFeePerGasWei: BigInt(attempt.maxFeePerGasWei),
  maxPriorityFeePerGasWei: BigInt(attempt.maxPriorityFeePerGasWei),
});
