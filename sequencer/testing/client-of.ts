import { createPublicClient, custom, toHex } from "viem";
import { foundry } from "viem/chains";
import { signMessage } from "../../circuits/field/eddsa.ts";
import type { LedgerClient } from "../../client/ledger-client.ts";
import { DEFAULT_SPENDING_CAP } from "../../contracts/l1/capped-transaction.ts";
import { anvilAccount } from "../../contracts/testing/anvil-account.ts";
import { Secret } from "../../foundation/secret.ts";
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
