/** What the watcher has staked at once, and the dearest transaction, read from every block of L1; its process's memory. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { type Address, formatEther, isAddressEqual } from "viem";
import { drillAccount } from "../../world/accounts.ts";
import type { DisputeWorld } from "./world.ts";

const POLL_MS = 250;

/** Reads block after block until it is stopped. */
export class Measures {
  readonly #f: DisputeWorld;
  readonly #watcher = drillAccount("watcher").address;
  /** Whose transactions are measured: the watcher's and the liar's. */
  readonly #measured: readonly Address[] = [this.#watcher, drillAccount("hostile").address];
  #next: bigint;
  #startWei = 0n;
  #feesWei = 0n;
  #rewardsWei = 0n;
  #isStopped = false;
  #reading: Promise<void> = Promise.resolve();
  /** Stakes, bonds and fees of the watcher that L1 holds: now, and at most. */
  stakedWei = 0n;
  mostStakedWei = 0n;
  largestGas = { gas: 0, hash: "" };

  private constructor(f: DisputeWorld, next: bigint) {
    this.#f = f;
    this.#next = next;
  }

  static async start(f: DisputeWorld): Promise<Measures> {
    const head = await f.l1.getBlockNumber();
    const measures = new Measures(f, head + 1n);
    measures.#startWei = await f.l1.getBalance({ address: measures.#watcher, blockNumber: head });
    measures.#reading = measures.#read();
    // Heard of at the end, by `stop`.
    measures.#reading.catch(() => {});
    return measures;
  }

  /** Once all blocks that there are have been read. @throws what reading them did */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reading;
  }

  async #read(): Promise<void> {
    for (;;) {
      const isLast = this.#isStopped;
      const head = await this.#f.l1.getBlockNumber({ cacheTime: 0 });
      for (; this.#next <= head; this.#next++) await this.#readBlock(this.#next);
      if (isLast) return;
      await sleep(POLL_MS);
    }
  }

  async #readBlock(blockNumber: bigint): Promise<void> {
    const { l1 } = this.#f;
    const { transactions } = await l1.getBlock({ blockNumber, includeTransactions: true });
    const measured = transactions.filter(({ from }) =>
      this.#measured.some((one) => isAddressEqual(one, from)),
    );
    // Nothing else changes what the watcher has staked, and L1 keeps few old states.
    if (measured.length === 0) return;
    for (const { from, hash } of measured) {
      const { effectiveGasPrice, gasUsed } = await l1.getTransactionReceipt({ hash });
      if (Number(gasUsed) > this.largestGas.gas) this.largestGas = { gas: Number(gasUsed), hash };
      if (isAddressEqual(from, this.#watcher)) this.#feesWei += gasUsed * effectiveGasPrice;
    }
    const { game, gate } = this.#f;
    const at = {
      ...({ eventName: "Refuted", strict: true } as const),
      ...{ args: { challenger: this.#watcher }, fromBlock: blockNumber, toBlock: blockNumber },
    };
    const [ofRows, ofQueries] = await Promise.all([
      l1.getContractEvents({ ...at, address: gate, abi: disputesAbi }),
      l1.getContractEvents({ ...at, address: game, abi: traceGameAbi }),
    ]);
    for (const { args } of [...ofRows, ...ofQueries]) this.#rewardsWei += args.rewardWei;
    const [balanceWei, ...owedWei] = await Promise.all([
      l1.getBalance({ address: this.#watcher, blockNumber }),
      ...[game, gate].map((address) =>
        l1.readContract({
          ...{ address, abi: traceGameAbi, functionName: "owedWei", args: [this.#watcher], blockNumber },
        }),
      ),
    ]);
    // What it has sent with calls and not got back, in its account or as what it is owed. Rewards were never its own.
    const backWei = owedWei.reduce((sum, wei) => sum + wei, balanceWei + this.#feesWei);
    this.stakedWei = this.#startWei + this.#rewardsWei - backWei;
    if (this.stakedWei > this.mostStakedWei) this.mostStakedWei = this.stakedWei;
  }

  get stakedEth(): number {
    return Number(formatEther(this.mostStakedWei));
  }
}

/** The most memory that a process ever had: its heap, and all else. */
export function mostMemoryMb(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.ceil(Number(line![1]) / 1_024);
}
