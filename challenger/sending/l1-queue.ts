/**
 * A sender that services share. One transaction is on its way at a time, so what was looked up on L1 before is still so, and
 * nothing is done twice. One that L1 does not mine is replaced by a dearer one under its nonce: of both L1 takes one at most.
 */

import { type L1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import { RepricedCall } from "@openledger/bridge/l1/submission/repriced-call";
import { cappedTransaction } from "@openledger/contracts/l1/capped-transaction";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { formatGwei, type TransactionReceipt } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { type L1Call, type L1Sender, resultOf } from "./l1-sender.ts";

interface QueueTimes {
  /** So long without being mined, and a transaction of its own is replaced. */
  readonly resendAfterMs: number;
  /** So long, and one that it does not know is replaced: by one that does nothing. */
  readonly fillAfterMs: number;
  /** Longest wait within one `send`. */
  readonly patienceMs: number;
  readonly pollIntervalMs: number;
}

const TIMES: QueueTimes = {
  resendAfterMs: 60_000,
  // The account's owner may have sent it by hand a moment ago. Players have days.
  fillAfterMs: 300_000,
  patienceMs: 180_000,
  pollIntervalMs: 1_000,
};

/** @param onProgress told what is replaced */
export function inOrder(
  sender: L1Sender,
  onProgress: (line: string) => void,
  times: Partial<QueueTimes> = {},
): L1Sender {
  const queue = new L1Queue(sender, onProgress, { ...TIMES, ...times });
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...sender,
    /** @throws CMD_L1_PENDING, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, BRG_L1_* */
    send(call) {
      const sent = last.then(() => queue.send(call));
      last = sent.catch(() => {});
      return sent;
    },
  };
}

/** null for one that only uses up its nonce. */
interface OnItsWay {
  readonly call: L1Call | null;
  readonly repriced: RepricedCall;
}

class L1Queue {
  readonly #sender: L1Sender;
  readonly #onProgress: (line: string) => void;
  readonly #times: QueueTimes;
  #own: OnItsWay | null = null;
  /** The first nonce of what another process has sent, and since when it is seen. */
  #foreign: { readonly nonce: number; readonly sinceMs: number } | null = null;

  constructor(sender: L1Sender, onProgress: (line: string) => void, times: QueueTimes) {
    this.#sender = sender;
    this.#onProgress = onProgress;
    this.#times = times;
  }

  async send(call: L1Call): ReturnType<L1Sender["send"]> {
    if (this.#own !== null) return this.#goOn(this.#own, call);
    const nonce = await this.#freeNonce();
    return resultOf(await this.#mine(await this.#sign(call, call, nonce), this.#times.patienceMs, true));
  }

  /** The same call again waits for what is on its way. Any other one was chosen before L1 had that. */
  async #goOn(own: OnItsWay, call: L1Call): ReturnType<L1Sender["send"]> {
    if (await own.repriced.isOver()) {
      this.#own = null;
      throw this.#pending("was mined meanwhile", own);
    }
    const isSame =
      own.call?.to === call.to && own.call.data === call.data && own.call.valueWei === call.valueWei;
    // What is known of it from the first time is not said again.
    const receipt = await this.#mine(own, isSame ? this.#times.patienceMs : 0);
    if (isSame) return resultOf(receipt);
    throw this.#pending("was mined just now", own);
  }

  /** @throws CMD_L1_PENDING where it was not mined, or something else was; BRG_L1_* */
  async #mine(own: OnItsWay, patienceMs: number, isSent = false): Promise<TransactionReceipt> {
    this.#own = own;
    const { repriced } = own;
    const before = repriced.hashes.length;
    const outcome = await repriced.mine(patienceMs).catch((error: unknown) => {
      // Nothing is on its way where the node took none of it.
      if (before === 0 && isRollupError(error, "BRG_L1_REFUSED") && repriced.hashes.length === 1)
        this.#own = null;
      throw error;
    });
    if (outcome.kind === "waits") {
      if (!outcome.isAtCap) throw this.#pending("is not mined yet", own, isSent);
      const { maxFeePerGasWei, maxPriorityFeePerGasWei } = repriced.fees!;
      const { cap } = this.#sender;
      throw challengerError(
        "CMD_L1_PENDING",
        `L1 does not mine transaction ${repriced.nonce} of ${this.#sender.address}, which offers ${formatGwei(maxFeePerGasWei)} gwei a unit of gas and a tip of ${formatGwei(maxPriorityFeePerGasWei)}: a dearer one would pay more than ${formatGwei(cap.maxFeePerGasWei)} (--max-fee-gwei) or ${formatGwei(cap.maxPriorityFeePerGasWei)} (--max-priority-fee-gwei)`,
        {
          data: {
            ...{ account: this.#sender.address, nonce: repriced.nonce, hashes: repriced.hashes },
            ...{ maxFeePerGasWei, maxPriorityFeePerGasWei, cap, isSent },
          },
        },
      );
    }
    this.#own = null;
    if (outcome.kind === "mined") return outcome.receipt;
    throw this.#pending("made way for another one under its nonce", own, isSent);
  }

  /** The account's next nonce. @throws CMD_L1_PENDING where the node holds what another process has sent */
  async #freeNonce(): Promise<number> {
    const { address, publicClient } = this.#sender;
    const [mined, known] = (await l1Call("count the account's transactions", () =>
      Promise.all(
        (["latest", "pending"] as const).map((blockTag) =>
          publicClient.getTransactionCount({ address, blockTag }),
        ),
      ),
    )) as [number, number];
    if (known <= mined) {
      this.#foreign = null;
      return mined;
    }
    if (this.#foreign?.nonce !== mined) this.#foreign = { nonce: mined, sinceMs: Date.now() };
    const pending = () =>
      challengerError(
        "CMD_L1_PENDING",
        `L1 has not mined ${known - mined} transactions of ${address}: nothing more is sent until it has, or they are replaced`,
        { data: { account: address, nonce: mined, count: known - mined, isSent: false } },
      );
    if (Date.now() - this.#foreign.sinceMs < this.#times.fillAfterMs) throw pending();
    this.#onProgress(`transaction ${mined} of ${address} is stuck: one that does nothing takes its place`);
    const filler = { to: address, data: "0x", valueWei: 0n } as const;
    await this.#mine(await this.#sign(filler, null, mined), this.#times.patienceMs);
    throw pending();
  }

  /** @param kept what it is known by. @throws CON_L1_COST_ABOVE_CAP; viem's errors where the node refuses it */
  async #sign({ data, to, valueWei }: L1Call, kept: L1Call | null, nonce: number): Promise<OnItsWay> {
    const { account, address, cap, publicClient } = this.#sender;
    const value = valueWei === 0n ? {} : { valueWei };
    // The rule of `RepricedCall`: a deadline does not wait for the node to ask for less.
    const call = { from: address, to, data, nonce, ...value, isTipLowered: true };
    const first = await cappedTransaction(publicClient, call, cap);
    const { pollIntervalMs, resendAfterMs } = this.#times;
    const options = {
      ...{ chainId: first.chainId, resendAfterMs, pollIntervalMs, ...cap },
      mostPriorityFeePerGasWei: cap.maxPriorityFeePerGasWei,
    };
    const modules = { client: publicClient as L1Client, account, tell: this.#onProgress };
    const fees = {
      maxFeePerGasWei: first.maxFeePerGas,
      maxPriorityFeePerGasWei: first.maxPriorityFeePerGas,
    };
    const numbered = { name: `transaction ${nonce} of ${address}`, to, input: data, valueWei, nonce, fees };
    const repriced = new RepricedCall(options, modules, { ...numbered, gas: first.gas });
    return { call: kept, repriced };
  }

  /** @param isSent whether the call that was asked for is on its way since then */
  #pending(why: string, { repriced: { hashes, nonce } }: OnItsWay, isSent = false): RollupError {
    const { address } = this.#sender;
    return challengerError(
      "CMD_L1_PENDING",
      `transaction ${nonce} of ${address} ${why}: L1 is looked at again before more is sent`,
      { data: { account: address, nonce, hashes, isSent } },
    );
  }
}
