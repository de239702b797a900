/** Signed withdrawals of a wei, one after the other, to addresses that get more and more of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { signMessage } from "@openledger/circuits/field/curve/eddsa";
import { operationMessage } from "@openledger/circuits/ledger/operation";
import { KIND } from "@openledger/circuits/protocol";
import { encodeOperation } from "@openledger/client/sequencer/operation-body";
import type { DrillUser } from "@openledger/e2e/world/accounts";
import { type Address, toHex } from "viem";

const MAX_FEE_PER_UNIT_WEI = 1_000_000n;
const PACE_MS = 20;
const RETRY_MS = 100;
const REQUEST_TIMEOUT_MS = 10_000;

interface WithdrawalsOptions {
  readonly sequencerUrl: string;
  readonly domain: bigint;
  readonly user: DrillUser;
  /** Addresses that are withdrawn to. */
  readonly ownerCount: number;
}

export class Withdrawals {
  /** In turn. */
  readonly owners: readonly Address[];
  readonly #options: WithdrawalsOptions;
  #isStopped = false;
  /** How many were acknowledged, and what was said to the last one that was not. */
  acknowledgedCount = 0;
  lastRefusal = "none";

  constructor(options: WithdrawalsOptions) {
    this.#options = options;
    this.owners = Array.from({ length: options.ownerCount }, (_, i) => toHex(0xbad0000 + i, { size: 20 }));
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(): Promise<void> {
    for (let nonce = 0; !this.#isStopped; ) {
      if (await this.#send(nonce)) {
        nonce += 1;
        this.acknowledgedCount = nonce;
      } else await sleep(RETRY_MS);
      await sleep(PACE_MS);
    }
  }

  async #send(nonce: number): Promise<boolean> {
    const { domain, sequencerUrl, user } = this.#options;
    const operation = {
      kind: KIND.withdraw,
      a: user.leafId,
      b: 0,
      amountCode: 0n,
      words: [BigInt(this.owners[nonce % this.owners.length]!), 1n],
      nonce: BigInt(nonce),
      maxFeePerUnitWei: MAX_FEE_PER_UNIT_WEI,
    };
    const signature = signMessage(user.secret, operationMessage(operation, { domain, bRef: 0n }));
    try {
      const response = await fetch(`${sequencerUrl}/v1/operations`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(encodeOperation({ ...operation, signature })),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      if (!response.ok) this.lastRefusal = (await response.text()).slice(0, 200);
      return response.ok;
    } catch (error) {
      this.lastRefusal = String(error);
      return false; // It is known by its nonce, and comes again.
    }
  }
}
