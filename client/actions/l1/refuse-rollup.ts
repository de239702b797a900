/** Check of a withdrawal's recipient: `withdraw` and `force` call it before anything is signed. */
import { type Address, isAddressEqual } from "viem";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";

/**
 * Requires that a recipient is not the rollup's own contract: a credit to it stays there for good.
 * @throws CLI_INPUT_INVALID
 * @internal
 */
export function refuseRollup({ rollupAddress }: LedgerClient, recipient: Address): void {
  if (!isAddressEqual(recipient, rollupAddress)) return;
  throw clientError("CLI_INPUT_INVALID", `${recipient} is the rollup itself`, {
    data: { reason: "recipient-is-rollup", recipient },
  });
}
