import type { HostedDatanetPlace } from "../../client/datanets/host-request.ts";
import { sayRecords, type UnsignedRecord } from "../../client/datanets/signed-records.ts";
import type { LedgerClient } from "../../client/ledger-client.ts";
import { RollupError } from "../../foundation/rollup-error.ts";

interface Saying extends HostedDatanetPlace {
  /** The leaf that signs. */
  readonly from: number;
  readonly records: readonly UnsignedRecord[];
  /** When it was said; default: now. */
  readonly atMs?: number;
}

/** Signs records and brings them to the host. @throws what the host refused the first one for */
export async function sayAll(client: LedgerClient, saying: Saying): Promise<void> {
  for (const { error } of await sayRecords(client, saying))
    if (error !== null) throw new RollupError(error.code, error.message);
}
