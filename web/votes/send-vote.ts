/** Switches the wallet to the rollup's chain before the votes page sends a transaction. */
import { ensureChain } from "@openledger/client/wallet";
import { session } from "../ledger/session.ts";
import type { Votes } from "./read-votes.ts";

/**
 * Switches the wallet to the rollup's chain before a transaction: it may be on another one by now. @throws
 * CLI_WALLET_WRONG_CHAIN, …
 */
export async function onRollupChain({ client }: Votes): Promise<void> {
  const now = session.value;
  if (now !== null) await ensureChain(now.wallet.provider, { chainId: client.chain.id, rpcUrl: null });
}
