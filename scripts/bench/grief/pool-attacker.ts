/** Somebody who watches the node's pool, and sends their own transactions before each of the bridge's. */
import { setTimeout as sleep } from "node:timers/promises";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { revertName } from "@openledger/contracts/testing/rollup-fixture";
import { drillAccount } from "@openledger/e2e/world/accounts";
import type { World } from "@openledger/e2e/world/world";
import { type Address, decodeFunctionData, type Hex, parseGwei, toHex } from "viem";

const LOOK_MS = 50;
// More than anybody else pays: these go first.
const FEE_WEI = parseGwei("150");

interface PoolTransaction {
  readonly hash: Hex;
  readonly from: Address;
  readonly input: Hex;
}

/** A call of the rollup's contract. */
export interface AttackersCall {
  readonly data: Hex;
  readonly gasLimit: number;
}

/** What came of their transactions. */
interface Spent {
  readonly gas: number;
  readonly minedCount: number;
  /** As the contract names it, and how often. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** @param before what they send before a transaction of the bridge's with this input */
export function createPoolAttacker({ l1 }: World, before: (input: Hex) => Promise<readonly AttackersCall[]>) {
  const { client, deployment } = l1;
  // The account is one of anvil's own: the node signs for it.
  const from = drillAccount("treasury").address;
  const operator = drillAccount("operator").address.toLowerCase();
  const seen = new Set<Hex>();
  let sent: { readonly hash: Hex; readonly call: AttackersCall }[] = [];
  let isStopped = true;
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    let nonce = await client.getTransactionCount({ address: from, blockTag: "pending" });
    while (!isStopped) {
      await sleep(LOOK_MS);
      const { pending } = (await client.request({ method: "txpool_content" } as never)) as {
        pending: Record<string, Record<string, PoolTransaction>>;
      };
      const waiting = Object.values(pending).flatMap((byNonce) => Object.values(byNonce));
      for (const transaction of waiting) {
        if (transaction.from.toLowerCase() !== operator || seen.has(transaction.hash)) continue;
        seen.add(transaction.hash);
        for (const call of await before(transaction.input))
          sent.push({ call, hash: await send(call, nonce++) });
      }
    }
  }

  /** Sent and not waited for. */
  function send({ data, gasLimit }: AttackersCall, nonce: number): Promise<Hex> {
    const transaction = {
      from,
      to: deployment.rollupAddress,
      data,
      gas: toHex(gasLimit),
      nonce: toHex(nonce),
      maxFeePerGas: toHex(FEE_WEI),
      maxPriorityFeePerGas: toHex(FEE_WEI),
    };
    return client.request({ method: "eth_sendTransaction", params: [transaction] } as never);
  }

  /** What the contract says to it behind the block that held it. */
  function refusalOf({ data, gasLimit }: AttackersCall, blockNumber: bigint): Promise<string> {
    const { args, functionName } = decodeFunctionData({ abi: rollupAbi, data });
    const call = { address: deployment.rollupAddress, abi: rollupAbi, functionName, args } as const;
    return revertName(
      client.simulateContract({ ...call, account: from, gas: BigInt(gasLimit), blockNumber } as never),
    );
  }

  return {
    start(): void {
      sent = [];
      isStopped = false;
      running = run();
      // The one who stops it hears of a failure.
      running.catch(() => {});
    },

    async stop(): Promise<Spent> {
      isStopped = true;
      await running;
      const refusals = new Map<string, number>();
      let gas = 0;
      for (const { call, hash } of sent) {
        const { blockNumber, gasUsed, status } = await client.waitForTransactionReceipt({ hash });
        gas += Number(gasUsed);
        if (status === "success") continue;
        const name = await refusalOf(call, blockNumber);
        refusals.set(name, (refusals.get(name) ?? 0) + 1);
      }
      return { gas, minedCount: sent.length, refusals };
    },
  };
}
