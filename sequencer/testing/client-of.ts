import { signMessage } from "@openledger/circuits/field/eddsa";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { DEFAULT_SPENDING_CAP } from "@openledger/contracts/l1/capped-transaction";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { Secret } from "@openledger/foundation/secret";
import { createPublicClient, custom, toHex } from "viem";
import { foundry } from "viem/chains";
import { TEST_DOMAIN, type TestUser, testDeployment } from "./test-rollup.ts";

/** Of an account of a test's rollup, which no chain knows. */
export async function clientOf(sequencerUrl: string, { id, keyX, secret }: TestUser): Promise<LedgerClient> {
  const { rollupAddress, tokenAddress } = await testDeployment();
  const noL1 = custom({ request: async () => Promise.reject(new Error("this test has no L1")) });
  return {
    ...{ sequencerUrl, chain: foundry, wallet: null, leafId: id, requestTimeoutMs: 5_000 },
    ...{ rollupAddress, tokenAddress, domain: TEST_DOMAIN },
    l1: createPublicClient({ chain: foundry, transport: noL1 }),
    spendingCap: DEFAULT_SPENDING_CAP,
    sequencerAddress: anvilAccount(0).address,
    l2Key: {
      keyX,
      secret: new Secret(toHex(secret, { size: 32 })),
      sign: (message) => signMessage(secret, message),
    },
  } as LedgerClient;
}
