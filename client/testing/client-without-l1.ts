/** A client of a rollup that no chain knows: every question to L1 is refused. */

import { DEFAULT_SPENDING_CAP } from "@openledger/contracts/l1/capped-transaction";
import { createPublicClient, custom, defineChain } from "viem";
import type { LedgerClient } from "../ledger-client.ts";

const chain = defineChain({
  id: 31337,
  name: "test",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: ["http://127.0.0.1:1"] } },
});
const noL1 = custom({ request: async () => Promise.reject(new Error("this test has no L1")) });

export const clientWithoutL1 = (
  known: Pick<
    LedgerClient,
    "domain" | "l2Key" | "leafId" | "rollupAddress" | "sequencerAddress" | "sequencerUrl" | "tokenAddress"
  >,
): LedgerClient => ({
  chain,
  wallet: null,
  spendingCap: DEFAULT_SPENDING_CAP,
  requestTimeoutMs: 20_000,
  l1: createPublicClient({ chain, transport: noL1 }),
  ...known,
});
