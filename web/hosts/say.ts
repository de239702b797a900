/**
 * Signs records (labels, approvals, requests for access …) for the tabs of a Datanet's page, sends them to its host, and throws
 * the first refusal.
 */
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { RollupError } from "@openledger/foundation/rollup-error";

interface Saying extends HostedDatanetLocation {
  /** The leaf that signs. */
  readonly from: number;
  readonly records: readonly UnsignedRecord[];
  /** Time of the records; default: now. */
  readonly atMs?: number;
}

/** Signs records and brings them to the host. @throws what the host refused the first one for */
export async function sayAll(client: LedgerClient, saying: Saying): Promise<void> {
  for (const { error } of await sayRecords(client, saying))
    if (error !== null) throw new RollupError(error.code, error.message);
}
