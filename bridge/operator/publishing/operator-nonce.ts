/**
 * Sends a transaction of the operator's account from a machine whose bridge does not run, under the account's next nonce.
 * Whatever another machine signed for that nonce, or a lower one, and L1 has not taken by then, L1 never takes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { paddedGas } from "@openledger/contracts/l1/fee-policy";
import type { TransactionReceipt } from "viem";
import { bridgeError } from "../../bridge-errors.ts";
import { StalledHead } from "../../l1/confirmations.ts";
import { l1Call } from "../../l1/l1-client.ts";
import { findReceipt } from "../../l1/submission/posted-batch.ts";
import {
  type OperatorCall,
  RepricedCall,
  type RepricingModules,
  type RepricingOptions,
} from "../../l1/submission/repriced-call.ts";

interface OperatorNonceOptions extends RepricingOptions {
  /** Blocks, its own included, before the transaction counts. */
  readonly confirmations: number;
}

export class OperatorNonce {
  readonly #options: OperatorNonceOptions;
  readonly #modules: RepricingModules;

  constructor(options: OperatorNonceOptions, modules: RepricingModules) {
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

  /** @returns null where another transaction was mined under the nonce */
  async #mine(nonce: number, call: OperatorCall, gas: bigint): Promise<TransactionReceipt | null> {
    const outcome = await new RepricedCall(this.#options, this.#modules, { ...call, nonce, gas }).mine();
    return outcome.kind === "mined" ? outcome.receipt : null;
  }

  /** Waits until it is as deep as wanted. @returns false where a reorganisation took it back, or put it elsewhere */
  async isDeep({ blockHash, transactionHash }: TransactionReceipt): Promise<boolean> {
    const { client, tell } = this.#modules;
    const { confirmations, pollIntervalMs } = this.#options;
    const newest = new StalledHead(tell);
    for (let told = -1; ; ) {
      const receipt = await findReceipt(client, [transactionHash]);
      if (receipt === null || receipt.blockHash !== blockHash) return false;
      const head = await l1Call("read the newest block's number", () => client.getBlockNumber());
      const depth = Number(head - receipt.blockNumber) + 1;
      if (depth >= confirmations) return true;
      if (depth !== told) tell(`${depth} of ${confirmations} blocks deep`);
      told = depth;
      newest.look(head);
      await sleep(pollIntervalMs);
    }
  }
}
