import { type L1Sender, openL1Sender } from "@openledger/challenger/sending/l1-sender";
import { type GlobalOptions, resolveAccount, resolveRpcUrl, spendingCapOf } from "./context.ts";

/** The account that a command signs with. @throws CMD_NO_ACCOUNT, CMD_NO_DEPLOYMENT */
export async function l1SenderOf(options: GlobalOptions): Promise<L1Sender> {
  const account = resolveAccount(options).l1;
  return openL1Sender({ account, rpcUrl: resolveRpcUrl(options), cap: spendingCapOf(options) });
}
