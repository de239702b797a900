/**
 * Identity of the rollup that a client belongs to, in the form in which data directories record it: servers compare it at their
 * start.
 */
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import type { LedgerClient } from "./ledger-client.ts";

/** Identity of a client's rollup, as data directories record it. */
export function storeRollupOf({
  chain,
  rollupAddress,
}: Pick<LedgerClient, "chain" | "rollupAddress">): StoreRollup {
  return { chainId: chain.id, rollupAddress };
}
