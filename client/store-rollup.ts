/**
 * Identity of the rollup that a client belongs to, in the form in which data directories and databases record it: servers compare it
 * at their start.
 */
import { readDeploymentBlock } from "@openledger/bridge/l1/deployment-block";
import type { DeploymentBlock, StoreRollup } from "@openledger/foundation/store/store-identity";
import type { LedgerClient } from "./ledger-client.ts";

/** Identity of a client's rollup by chain and address alone. */
export function storeRollupOf({
  chain,
  rollupAddress,
}: Pick<LedgerClient, "chain" | "rollupAddress">): StoreRollup {
  return { chainId: chain.id, rollupAddress };
}

/**
 * Identity of a client's rollup with the block of its deployment, for stores that outlive a chain.
 * @param known the block that a deployment record has; else L1 is asked
 * @throws BRG_L1_UNREACHABLE, BRG_HISTORY_UNREADABLE
 */
export async function readStoreRollup(
  client: Pick<LedgerClient, "chain" | "l1" | "rollupAddress">,
  known: DeploymentBlock | undefined,
): Promise<StoreRollup> {
  const { l1, rollupAddress: address } = client;
  const deployedIn = known ?? (await readDeploymentBlock({ address, client: l1 }));
  return { ...storeRollupOf(client), deployedIn };
}
