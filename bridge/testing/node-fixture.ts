/** Helpers for tests that decide which transactions the node mines, and in which order. */

import type { Fixture } from "@openledger/contracts/testing/rollup-fixture";
import { getAddress, type Hex, parseGwei, toHex } from "viem";

interface PoolTransaction {
  readonly hash: Hex;
  readonly gas: Hex;
}

/** The account's transactions in the node's pool, lowest nonce first. */
export async function pendingOf(l1: Fixture, account: Hex): Promise<PoolTransaction[]> {
  const { pending } = await l1.client.getTxpoolContent();
  const own = Object.entries(pending).find(([from]) => getAddress(from) === getAddress(account));
  return own === undefined ? [] : (Object.values(own[1]) as unknown as PoolTransaction[]);
}

/** Sends a call of the rollup that pays more than anybody, and does not wait for a block. The account is unlocked. */
export async function overtake(rpcUrl: string, l1: Fixture, data: Hex, nonce: number): Promise<Hex> {
  const transaction = {
    from: l1.roles.stranger,
    to: l1.deployment.rollup,
    data,
    gas: toHex(1_000_000),
    nonce: toHex(nonce),
    maxFeePerGas: toHex(parseGwei("400")),
    maxPriorityFeePerGas: toHex(parseGwei("300")),
  };
  const response = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_sendTransaction", params: [transaction] }),
  });
  const { error, result } = (await response.json()) as { error?: { message: string }; result: Hex };
  if (error !== undefined) throw new Error(error.message);
  return result;
}
