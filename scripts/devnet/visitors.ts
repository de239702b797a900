import { getL1Balances } from "@openledger/client/actions/l1/l1-balances";
import { sendToken } from "@openledger/client/actions/l1/send-token";
import { createLedgerClient } from "@openledger/client/ledger-client";
import { devAccount } from "./accounts.ts";
import { VISITOR_WEI, VISITORS } from "./config.ts";

/**
 * The pages' test wallets get OPEN on L1, once. After the job: what a visitor does meanwhile would change the ids of its
 * leaves.
 */
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
