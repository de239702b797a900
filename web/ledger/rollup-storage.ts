/** Names of a rollup's entries in the browser's storage. One address of a page may serve another rollup later. */
import type { LedgerClient } from "@openledger/client/ledger-client";

/** Identity that tells rollups apart; a server's info has both. */
export interface RollupIdentity {
  readonly chainId: number;
  readonly rollupAddress: string;
}

/** Name of an entry that belongs to one rollup. @param name what the entry holds, without the prefix of all pages */
export const rollupKey = (name: string, { chainId, rollupAddress }: RollupIdentity): string =>
  `openledger.${name}.${chainId}.${rollupAddress.toLowerCase()}`;

export const rollupOf = ({ chain, rollupAddress }: LedgerClient): RollupIdentity => ({
  chainId: chain.id,
  rollupAddress,
});
