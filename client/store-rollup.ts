import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import type { LedgerClient } from "./ledger-client.ts";

/** The rollup of a client, as the records of its process's stores name it. */
export function storeRollupOf({
  chain,
  rollupAddress,
}: Pick<LedgerClient, "chain" | "rollupAddress">): StoreRollup {
  return { chainId: chain.id, rollupAddress };
}
