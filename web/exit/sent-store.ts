/**
 * Memory of the exit pages for the last transaction that was sent for an address. A page that was closed before it was mined
 * waits for it when it opens again: only then does Ethereum say whether there is anything left to send. It is in the browser's
 * storage, by rollup and address.
 */

import { type L1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import { type Address, type Hex, isHash, TransactionNotFoundError } from "viem";
import { type RollupIdentity, rollupKey } from "../ledger/rollup-storage.ts";

const keyOf = (rollup: RollupIdentity, owner: Address) => `${rollupKey("sent", rollup)}.${owner}`;

/** Stores the hash of a transaction that was sent for an address. */
export function storeSentExit(rollup: RollupIdentity, owner: Address, hash: Hex): void {
  localStorage.setItem(keyOf(rollup, owner), hash);
}

/** Returns once nothing that was sent from here still waits to be mined. @throws BRG_L1_* */
export async function awaitSentExit(client: L1Client, rollup: RollupIdentity, owner: Address): Promise<void> {
  const hash = localStorage.getItem(keyOf(rollup, owner));
  if (hash === null) return;
  if (isHash(hash) && (await isWaiting(client, hash)))
    await l1Call(`wait for ${hash}`, () => client.waitForTransactionReceipt({ hash, timeout: 0 }));
  localStorage.removeItem(keyOf(rollup, owner));
}

/** A transaction that the node does not know was dropped, and another may take its place. */
function isWaiting(client: L1Client, hash: Hex): Promise<boolean> {
  return l1Call(`look for ${hash}`, async () => {
    try {
      return (await client.getTransaction({ hash })).blockNumber === null;
    } catch (error) {
      if (error instanceof TransactionNotFoundError) return false;
      throw error;
    }
  });
}
