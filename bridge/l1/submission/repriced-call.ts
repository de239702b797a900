/** One call under one nonce of an account, sent with rising fees until L1 has mined a transaction there. */
import { setTimeout as sleep } from "node:timers/promises";
import { type SignedTransaction, signBlobTransaction } from "@openledger/contracts/l1/blob-transaction";
import {
  type BlobFees,
  blobReplacementFees,
  DEFAULT_MAX_BLOB_FEE_GWEI,
  type FeeMarket,
  type GasFees,
  initialBlobFees,
  initialFees,
  larger,
  replacementFees,
  smaller,
} from "@openledger/contracts/l1/fee-policy";
import { isRollupError } from "@openledger/foundation/rollup-error";
import {
  type Address,
  type Hex,
  keccak256,
  type LocalAccount,
  parseGwei,
  type TransactionReceipt,
} from "viem";
import { type L1Client, l1Call } from "../l1-client.ts";
import { EMPTY_BLOB } from "./other-pool.ts";
import { findReceipt } from "./posted-batch.ts";
import { type SendAnswer, sendSigned } from "./send-signed.ts";

export interface OperatorCall {
  /** Name in messages: "deploy Rollup". */
  readonly name: string;
  readonly to: Address;
  readonly input: Hex;
  /** Ether that it carries; default: none. */
  readonly valueWei?: bigint;
}

/** A call that has its place among the account's transactions. */
interface NumberedCall extends OperatorCall {
  readonly nonce: number;
  readonly gas: bigint;
  /** Fees of the first attempt; default: present fees. */
  readonly fees?: GasFees;
}

export interface RepricingOptions {
  readonly chainId: number;
  /** Milliseconds without being mined after which a transaction is replaced by one that pays more. */
  readonly resendAfterMs: number;
  readonly pollIntervalMs: number;
  readonly maxFeePerGasWei: bigint;
  /** Maximum tip: a higher suggestion of the node is ignored. */
  readonly maxPriorityFeePerGasWei: bigint;
  /** Maximum price of a unit of blob gas. */
  readonly maxFeePerBlobGasWei?: bigint;
}

export interface RepricingModules {
  readonly client: L1Client;
  readonly account: LocalAccount;
  readonly tell: (text: string) => void;
  /** Called with each transaction before it is sent. */
  readonly onSigned?: ((transactionHash: Hex) => Promise<void> | void) | undefined;
}

/** Outcome of a call. taken: L1 has mined another transaction under the nonce. */
type RepricedOutcome =
  | { readonly kind: "mined"; readonly receipt: TransactionReceipt }
  | { readonly kind: "taken" }
  | { readonly kind: "waits"; readonly isAtCap: boolean };

// Another machine's transaction with blobs may pay up to the bridge's cap, and only twice as much replaces it.
const DEFAULT_MAX_FEE_PER_BLOB_GAS_WEI = parseGwei(`${2 * DEFAULT_MAX_BLOB_FEE_GWEI}`);

const LOOKS_FOR_RECEIPT = 3;

export class RepricedCall {
  readonly #options: RepricingOptions;
  readonly #modules: RepricingModules;
  readonly #call: NumberedCall;
  readonly #hashes: Hex[] = [];
  #fees: GasFees | BlobFees | null = null;
  #answer: SendAnswer = "taken";
  #sentAtMs = 0;

  constructor(options: RepricingOptions, modules: RepricingModules, call: NumberedCall) {
    this.#options = options;
    this.#modules = modules;
    this.#call = call;
  }

  get nonce(): number {
    return this.#call.nonce;
  }

  /** Hashes of all signed attempts; at most one of them can be mined. */
  get hashes(): readonly Hex[] {
    return this.#hashes;
  }

  /** Fees of the last attempt that the node has not refused; null before the first. */
  get fees(): GasFees | null {
    return this.#fees;
  }

  /** Returns true if L1 has mined a transaction under the nonce. @throws BRG_L1_* */
  async isOver(): Promise<boolean> {
    const { account, client } = this.#modules;
    const count = await l1Call("read the account's nonce", () =>
      client.getTransactionCount({ address: account.address, blockTag: "latest" }),
    );
    return count > this.nonce;
  }

  /**
   * Sends the call until it is mined. It may be called again while the call waits, and after a failure: it goes on from
   * its state.
   * @param patienceMs after which it returns without a receipt, at once where its fees are at a cap; default: never
   * @throws BRG_L1_*
   */
  async mine(patienceMs = Number.POSITIVE_INFINITY): Promise<RepricedOutcome> {
    const { pollIntervalMs, resendAfterMs } = this.#options;
    const untilMs = Date.now() + patienceMs;
    if (this.#fees === null)
      await this.#send(this.#call.fees ? await this.#lasting(this.#call.fees) : await this.#plainFees());
    for (;;) {
      while (this.#answer === "taken" && Date.now() - this.#sentAtMs < resendAfterMs) {
        const receipt = await findReceipt(this.#modules.client, this.#hashes);
        if (receipt !== null) return { kind: "mined", receipt };
        if (await this.isOver()) return this.#lookAgain();
        if (Date.now() >= untilMs) return { kind: "waits", isAtCap: false };
        await sleep(pollIntervalMs);
      }
      if (await this.isOver()) return this.#lookAgain();
      const before = this.#answer;
      const isAtCap = !(await this.#sendMore());
      // The attempt was refused before and is taken unchanged: gas has become cheaper.
      const isTakenNow = before !== "taken" && this.#answer === "taken";
      if (isAtCap && !isTakenNow && patienceMs < Number.POSITIVE_INFINITY) return { kind: "waits", isAtCap };
      await sleep(pollIntervalMs);
    }
  }

  /** @returns false where its fees are at a cap: it is sent as it was, since nodes forget */
  async #sendMore(): Promise<boolean> {
    const { tell } = this.#modules;
    const { name } = this.#call;
    const last = this.#fees!;
    if (this.#answer === "other pool") {
      const hadBlobs = isBlobFees(last);
      tell(`${name}: the node's pool for ${hadBlobs ? "plain transactions" : "blobs"} has the account`);
      await this.#send(hadBlobs ? await this.#plainFees() : await this.#blobFees(null));
      return true;
    }
    const more: GasFees | BlobFees | null = isBlobFees(last)
      ? await this.#blobFees(last)
      : await this.#raised(last);
    if (more === null) tell(`${name}: not mined yet, and fees are at their cap`);
    await this.#send(more ?? last);
    return more !== null;
  }

  /** Nodes may count a transaction before they show its receipt. */
  async #lookAgain(): Promise<RepricedOutcome> {
    for (let look = 0; look < LOOKS_FOR_RECEIPT; look++) {
      if (look > 0) await sleep(this.#options.pollIntervalMs);
      const receipt = await findReceipt(this.#modules.client, this.#hashes);
      if (receipt !== null) return { kind: "mined", receipt };
    }
    return { kind: "taken" };
  }

  async #send(fees: GasFees | BlobFees): Promise<void> {
    const { raw, transactionHash } = await this.#sign(fees);
    if (!this.#hashes.includes(transactionHash)) this.#hashes.push(transactionHash);
    await this.#modules.onSigned?.(transactionHash);
    try {
      const { client, account } = this.#modules;
      const signed = { raw, transactionHash, account: account.address, nonce: this.nonce };
      ({ answer: this.#answer } = await sendSigned(client, signed));
    } catch (error) {
      // The node may have it all the same, unless it refuses: for example, the account cannot pay so much.
      if (!isRollupError(error, "BRG_L1_REFUSED")) this.#fees = fees;
      throw error;
    }
    this.#fees = fees;
    this.#sentAtMs = Date.now();
  }

  async #plainFees(): Promise<GasFees> {
    return this.#lasting(initialFees(await this.#market(), this.#options.maxFeePerGasWei));
  }

  async #raised(last: GasFees): Promise<GasFees | null> {
    const more = this.#moreThan(last, await this.#market());
    return more && this.#lasting(more);
  }

  #moreThan(last: GasFees, market: FeeMarket): GasFees | null {
    const { maxFeePerGasWei } = this.#options;
    const more = replacementFees(last, market, maxFeePerGasWei);
    return more === null || more.maxPriorityFeePerGasWei > maxFeePerGasWei ? null : more;
  }

  /**
   * Fees that need no replacement. Where the caps leave no room to raise them, they offer at once the maximum that caps
   * and balance allow; only the base fee of it is paid. Attack: a tip near its cap, and a base fee that doubles before a
   * deadline.
   */
  async #lasting(fees: GasFees): Promise<GasFees> {
    if (this.#moreThan(fees, { baseFeePerGasWei: 0n, priorityFeePerGasWei: 0n }) !== null) return fees;
    const { account, client } = this.#modules;
    const { gas, valueWei = 0n } = this.#call;
    const balanceWei = await l1Call("read the balance", () =>
      client.getBalance({ address: account.address }),
    );
    const maxWei = smaller(this.#options.maxFeePerGasWei, (balanceWei - valueWei) / gas);
    return { ...fees, maxFeePerGasWei: larger(fees.maxFeePerGasWei, maxWei) };
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
  async #sign(fees: GasFees | BlobFees): Promise<SignedTransaction> {
    const { gas, input: data, nonce, to, valueWei = 0n } = this.#call;
    const { chainId } = this.#options;
    const { account } = this.#modules;
    const { maxFeePerGasWei: maxFeePerGas, maxPriorityFeePerGasWei: maxPriorityFeePerGas } = fees;
    const value = valueWei === 0n ? {} : { value: valueWei };
    const transaction = { chainId, nonce, to, data, ...value, gas, maxFeePerGas, maxPriorityFeePerGas };
    if (isBlobFees(fees)) {
      const maxFeePerBlobGas = fees.maxFeePerBlobGasWei;
      return signBlobTransaction(account, { ...transaction, maxFeePerBlobGas }, [EMPTY_BLOB]);
    }
    const raw = await account.signTransaction({ ...transaction, type: "eip1559" });
    return { raw, transactionHash: keccak256(raw) };
  }

  async #market(): Promise<FeeMarket> {
    const { client } = this.#modules;
    const block = await l1Call("read the newest block", () => client.getBlock());
    const tip = await l1Call("read the suggested tip", () => client.estimateMaxPriorityFeePerGas());
    const priorityFeePerGasWei = smaller(tip, this.#options.maxPriorityFeePerGasWei);
    return { baseFeePerGasWei: block.baseFeePerGas ?? 0n, priorityFeePerGasWei };
  }
}

const isBlobFees = (fees: GasFees | BlobFees): fees is BlobFees => "maxFeePerBlobGasWei" in fees;
