import { type Address, isAddressEqual } from "viem";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";

/**
 * What is credited to the rollup's own contract stays there for good.
 * @throws CLI_RECIPIENT_IS_ROLLUP
 * @internal
 */
export function refuseRollup({ rollupAddress }: LedgerClient, recipient: Address): void {
  if (!isAddressEqual(recipient, rollupAddress)) return;
  throw clientError("CLI_RECIPIENT_IS_ROLLUP", `${recipient} is the rollup itself`, { data: { recipient } });
}
