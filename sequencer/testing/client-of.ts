import { type Message, signMessage } from "@openledger/circuits/field/curve/eddsa";
import type { L2Key } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { clientWithoutL1 } from "@openledger/client/testing/client-without-l1";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { Secret } from "@openledger/foundation/secret";
import { toHex } from "viem";
import { TEST_DOMAIN, type TestUser, testDeployment } from "./test-rollup.ts";

/** Of an account of a test's rollup, which no chain knows. */
export async function clientOf(sequencerUrl: string, { id, keyX, secret }: TestUser): Promise<LedgerClient> {
  const { rollupAddress, tokenAddress } = await testDeployment();
  const sign = (message: Message) => signMessage(secret, message);
  return clientWithoutL1({
    ...{ sequencerUrl, rollupAddress, tokenAddress, leafId: id, domain: TEST_DOMAIN },
    sequencerAddress: anvilAccount(0).address,
    l2Key: { keyX, secret: new Secret(toHex(secret, { size: 32 })), sign } as L2Key,
  });
}
