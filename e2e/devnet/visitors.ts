/** Gives OPEN to the test wallets of the devnet's pages, once, before the job begins. */
import { getL1Balances } from "@openledger/client/actions/l1/l1-balances";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { getStatus, listOperations } from "@openledger/client/sequencer/ledger-reads";
import { fundAddress } from "@openledger/client/tasks/deposit-open";
import { devAccount } from "./accounts.ts";
import { VISITORS_WEI } from "./config.ts";

/** The pages' test wallets and their faucet get OPEN on L1, once, before the job does anything else. */
export async function fundVisitors(options: { rpcUrl: string; rollupAddress: `0x${string}` }): Promise<void> {
  const faucet = await createLedgerClient({ ...options, wallet: devAccount("faucet") });
  for (const name of Object.keys(VISITORS_WEI) as (keyof typeof VISITORS_WEI)[]) {
    const to = devAccount(name).address;
    const nonce = await faucet.l1.getTransactionCount({ address: to });
    const { tokenWei } = await getL1Balances(faucet, to);
    // Who has sent something had OPEN, and may have none left.
    if (tokenWei === 0n && nonce === 0) await fundAddress(faucet, { to, amountWei: VISITORS_WEI[name] });
  }
}

/**
 * Fees that visitors have paid the operator while the job ran, with whatever wallet: the one thing by which they change
 * what the job's checks compare.
 * @param ownLeaves the job's
 */
export async function visitorFeesWei(client: LedgerClient, ownLeaves: ReadonlySet<number>): Promise<bigint> {
  const { head } = await getStatus(client);
  let feesWei = 0n;
  for (let id = 0; id < head.nextId; id++) {
    if (ownLeaves.has(id)) continue;
    for (const operation of await listOperations(client, id, { limit: 200 }))
      if (operation.hash !== null && operation.a === id) feesWei += operation.feeWei ?? 0n;
  }
  return feesWei;
}
