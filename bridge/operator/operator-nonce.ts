/**
 * Sends a transaction of the operator's account from a machine whose bridge does not run, under the account's next nonce.
 * Whatever another machine signed for that nonce, or a lower one, and L1 has not taken by then, L1 never takes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Address,
  type Hex,
  keccak256,
  type LocalAccount,
  parseGwei,
  type TransactionReceipt,
} from "viem";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { type SignedTransaction, signBlobTransaction } from "../../contracts/l1/blob-transaction.ts";
import {
  type BlobFees,
  blobReplacementFees,
  DEFAULT_MAX_BLOB_FEE_GWEI,
  type GasFees,
  initialBlobFees,
  initialFees,
  paddedGas,
  replacementFees,
  smaller,
} from "../../contracts/l1/fee-policy.ts";
import { bridgeError } from "../bridge-errors.ts";
import { type L1Client, l1Call } from "../l1/l1-client.ts";
import { EMPTY_BLOB, isOtherPool } from "../l1/other-pool.ts";
import { findReceipt } from "../l1/posted-batch.ts";

export interface OperatorCall {
  /** What it is, for whoever waits: "take the lease". */
  readonly name: string;
  readonly to: Address;
  readonly input: Hex;
}

export interface OperatorNonceOptions {
  readonly chainId: number;
  /** Blocks, its own included, before the transaction counts. */
  readonly confirmations: number;
  readonly resendAfterMs: number;
  readonly pollIntervalMs: number;
  readonly maxFeePerGasWei: bigint;
  readonly maxPriorityFeePerGasWei: bigint;
  /** Most for a unit of blob gas. */
  readonly maxFeePerBlobGasWei?: bigint;
}

// Another machine's transaction with blobs may pay up to the bridge's cap, and only twice as much replaces it.
const DEFAULT_MAX_FEE_PER_BLOB_GAS_WEI = parseGwei(`${2 * DEFAULT_MAX_BLOB_FEE_GWEI}`);

const LOOKS_FOR_RECEIPT = 3;

export interface OperatorNonceModules {
  readonly client: L1Client;
  readonly account: LocalAccount;
  readonly tell: (text: string) => void;
  /** Called with each transaction before it is sent. */
  readonly onSigned?: (transactionHash: Hex) => Promise<void> | void;
}

export class OperatorNonce {
  readonly #options: OperatorNonceOptions;
  readonly #modules: OperatorNonceModules;

  constructor(options: OperatorNonceOptions, modules: OperatorNonceModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** @returns once it is as deep as wanted. @throws BRG_CONTRACT_REVERTED, BRG_L1_REFUSED */
  async send(call: OperatorCall): Promise<TransactionReceipt> {
    const { account, client } = this.#modules;
    const gas = await l1Call(call.name, () =>
      client.estimateGas({ account: account.address, to: call.to, data: call.input }),
    );
    for (;;) {
      const receipt = await this.#mine(await this.#count("latest"), call, paddedGas(gas));
      // Another machine's transaction was first under this nonce: the next one.
      if (receipt === null) continue;
      if (receipt.status === "reverted") {
        throw bridgeError("BRG_CONTRACT_REVERTED", `L1 refused to ${call.name}`, {
          data: { errorName: null, operands: [], transactionHash: receipt.transactionHash },
        });
      }
      if (await this.isDeep(receipt)) return receipt;
    }
  }

  /** Uses up every nonce for which the node's pool holds a transaction of another machine's. @returns how many */
  async fillPending(): Promise<number> {
    const { account, tell } = this.#modules;
    let count = 0;
    for (;;) {
      const [next, pending] = [await this.#count("latest"), await this.#count("pending")];
      if (pending <= next) return count;
      tell(`nonce ${next} is taken in the node's pool by another machine: filled`);
      await this.#mine(next, { name: "fill a nonce", to: account.address, input: "0x" }, 21_000n);
      count += 1;
    }
  }

  #count(blockTag: "latest" | "pending"): Promise<number> {
    const { account, client } = this.#modules;
    return l1Call("read the operator's nonce", () =>
      client.getTransactionCount({ address: account.address, blockTag }),
    );
  }

  /** Pays more and more until something is mined under the nonce. @returns null where that was not ours */
  async #mine(nonce: number, call: OperatorCall, gas: bigint): Promise<TransactionReceipt | null> {
    const { client, tell } = this.#modules;
    const { maxFeePerGasWei, pollIntervalMs, resendAfterMs } = this.#options;
    const hashes: Hex[] = [];
    let fees: GasFees | BlobFees = initialFees(await this.#market(), maxFeePerGasWei);
    for (;;) {
      const { raw, transactionHash } = await this.#sign(nonce, call, gas, fees);
      hashes.push(transactionHash);
      await this.#modules.onSigned?.(transactionHash);
      const answer = await this.#post(raw);
      const sentAtMs = Date.now();
      while (answer === "taken" && Date.now() - sentAtMs < resendAfterMs) {
        const receipt = await findReceipt(client, hashes);
        if (receipt !== null) return receipt;
        if ((await this.#count("latest")) > nonce) return this.#lookAgain(hashes);
        await sleep(pollIntervalMs);
      }
      if ((await this.#count("latest")) > nonce) return this.#lookAgain(hashes);
      if (answer === "other pool") {
        const hadBlobs = isBlobFees(fees);
        tell(
          `${call.name}: the node's pool for ${hadBlobs ? "plain transactions" : "blobs"} has the account`,
        );
        fees = hadBlobs ? initialFees(await this.#market(), maxFeePerGasWei) : await this.#blobFees(null);
        await sleep(pollIntervalMs);
        continue;
      }
      const more: GasFees | BlobFees | null = isBlobFees(fees)
        ? await this.#blobFees(fees)
        : replacementFees(fees, await this.#market(), maxFeePerGasWei);
      if (more === null) tell(`${call.name}: not mined yet, and fees are at their cap`);
      else fees = more;
      await sleep(pollIntervalMs);
    }
  }

  /** Of a nonce that is used up. Nodes may count a transaction before they show its receipt. */
  async #lookAgain(hashes: readonly Hex[]): Promise<TransactionReceipt | null> {
    for (let look = 0; look < LOOKS_FOR_RECEIPT; look++) {
      if (look > 0) await sleep(this.#options.pollIntervalMs);
      const receipt = await findReceipt(this.#modules.client, hashes);
      if (receipt !== null) return receipt;
    }
    return null;
  }

  /** Fees with blobs, at first or in the place of `last`. */
  #blobFees(last: null): Promise<BlobFees>;
  #blobFees(last: BlobFees): Promise<BlobFees | null>;
  async #blobFees(last: BlobFees | null): Promise<BlobFees | null> {
    const { maxFeePerBlobGasWei = DEFAULT_MAX_FEE_PER_BLOB_GAS_WEI, maxFeePerGasWei } = this.#options;
    const { client } = this.#modules;
    const market = await this.#market();
    const blobBaseFeeWei = await l1Call("read the price of blob gas", () => client.getBlobBaseFee());
    const caps = { maxFeePerGasWei, maxFeePerBlobGasWei };
    if (last === null) return initialBlobFees(market, blobBaseFeeWei, caps);
    return blobReplacementFees(last, market, blobBaseFeeWei, caps);
  }

  /** Fees with a price of blob gas: with a blob of zeros beside the same call. */
  async #sign(
    nonce: number,
    { input, to }: OperatorCall,
    gas: bigint,
    fees: GasFees | BlobFees,
  ): Promise<SignedTransaction> {
    const { chainId } = this.#options;
    const { account } = this.#modules;
    const { maxFeePerGasWei: maxFeePerGas, maxPriorityFeePerGasWei: maxPriorityFeePerGas } = fees;
    const transaction = { chainId, nonce, to, data: input, gas, maxFeePerGas, maxPriorityFeePerGas };
    if (isBlobFees(fees)) {
      const maxFeePerBlobGas = fees.maxFeePerBlobGasWei;
      return signBlobTransaction(account, { ...transaction, maxFeePerBlobGas }, [EMPTY_BLOB]);
    }
    const raw = await account.signTransaction({ ...transaction, type: "eip1559" });
    return { raw, transactionHash: keccak256(raw) };
  }

  async #post(serializedTransaction: Hex): Promise<"taken" | "underpriced" | "other pool"> {
    try {
      await l1Call("send a transaction", () =>
        this.#modules.client.sendRawTransaction({ serializedTransaction }),
      );
      return "taken";
    } catch (error) {
      if (!isRollupError(error, "BRG_L1_REFUSED")) throw error;
      if (isOtherPool(error)) return "other pool";
      const text = `${error.message} ${String(error.cause)}`;
      // A transaction that pays as much holds the nonce in the pool.
      if (/underpriced/i.test(text)) return "underpriced";
      if (/already known|already imported|known transaction|nonce too low/i.test(text)) return "taken";
      throw error;
    }
  }

  /** Waits until it is as deep as wanted. @returns false where a reorganisation took it back, or put it elsewhere */
  async isDeep({ blockHash, transactionHash }: TransactionReceipt): Promise<boolean> {
    const { client, tell } = this.#modules;
    const { confirmations, pollIntervalMs } = this.#options;
    for (let told = -1; ; ) {
      const receipt = await findReceipt(client, [transactionHash]);
      if (receipt === null || receipt.blockHash !== blockHash) return false;
      const head = await l1Call("read the newest block's number", () => client.getBlockNumber());
      const depth = Number(head - receipt.blockNumber) + 1;
      if (depth >= confirmations) return true;
      if (depth !== told) tell(`${depth} of ${confirmations} blocks deep`);
      told = depth;
      await sleep(pollIntervalMs);
    }
  }

  async #market() {
    const { client } = this.#modules;
    const block = await l1Call("read the newest block", () => client.getBlock());
    const tip = await l1Call("read the suggested tip", () => client.estimateMaxPriorityFeePerGas());
    const priorityFeePerGasWei = smaller(tip, this.#options.maxPriorityFeePerGasWei);
    return { baseFeePerGasWei: block.baseFeePerGas ?? 0n, priorityFeePerGasWei };
  }
}

const isBlobFees = (fees: GasFees | BlobFees): fees is BlobFees => "maxFeePerBlobGasWei" in fees;
