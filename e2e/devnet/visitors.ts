import { getL1Balances } from "@openledger/client/actions/l1/l1-balances";
import { sendToken } from "@openledger/client/internal/actions/l1/send-token";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves, listOperations } from "@openledger/client/sequencer/ledger-reads";
import { devAccount } from "./accounts.ts";
import { VISITOR_WEI, VISITORS } from "./config.ts";

/** The pages' test wallets get OPEN on L1, once, before the job does anything else. */
export async function fundVisitors(options: { rpcUrl: string; rollupAddress: `0x${string}` }): Promise<void> {
  const faucet = await createLedgerClient({ ...options, wallet: devAccount("faucet") });
  for (const name of VISITORS) {
    const to = devAccount(name).address;
    const nonce = await faucet.l1.getTransactionCount({ address: to });
    const { tokenWei } = await getL1Balances(faucet, to);
    // Who has sent something had OPEN, and may have none left.
    if (tokenWei === 0n && nonce === 0) await sendToken(faucet, { to, amountWei: VISITOR_WEI });
  }
}

/** What visitors have paid the operator while the job ran: all that they change of what its checks compare. */
export async function visitorFeesWei(client: LedgerClient): Promise<bigint> {
  let feesWei = 0n;
  for (const name of VISITORS)
    for (const { id } of await findLeaves(client, { owner: devAccount(name).address }))
      for (const { a, feeWei } of await listOperations(client, id, { limit: 200 }))
        if (a === id) feesWei += feeWei ?? 0n;
  return feesWei;
}
