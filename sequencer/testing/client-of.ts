import { toHex } from "viem";
import { signMessage } from "../../circuits/field/eddsa.ts";
import type { L2Key } from "../../client/l2-key.ts";
import type { LedgerClient } from "../../client/ledger-client.ts";
import { clientWithoutL1 } from "../../client/testing/client-without-l1.ts";
import { anvilAccount } from "../../contracts/testing/anvil-account.ts";
import { Secret } from "../../foundation/secret.ts";
import { TEST_DOMAIN, type TestUser, testDeployment } from "./test-rollup.ts";

/** Of an account of a test's rollup, which no chain knows. */
export async function clientOf(sequencerUrl: string, { id, keyX, secret }: TestUser): Promise<LedgerClient> {
  const { rollupAddress, tokenAddress } = await testDeployment();
  const sign = (message: bigint) => signMessage(secret, message);
  return clientWithoutL1({
    ...{ sequencerUrl, rollupAddress, tokenAddress, leafId: id, domain: TEST_DOMAIN },
    sequencerAddress: anvilAccount(0).address,
    l2Key: { keyX, secret: new Secret(toHex(secret, { size: 32 })), sign } as L2Key,
  });
}
