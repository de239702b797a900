import { encodeVersion } from "@openledger/datanets/rows/row-wire";
import { z } from "zod";
import { readVersion } from "../actions/data/published-version.ts";
import type { RowStore } from "../actions/data/row-store.ts";
import { toHex32 } from "../hex.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { askHost, type HostErrorCode, type HostedDatanetPlace } from "./host-request.ts";

export interface BringVersionParameters extends HostedDatanetPlace {
  store: RowStore;
  rowsRoot: bigint;
  /** The account that signs the request; default: the client's. */
  from?: number;
}
export type BringVersionErrorCode =
  | "CLI_ROWS_MISSING"
  | "DNT_LIST_MISMATCH"
  | "DNT_NOT_HOSTED"
  | HostErrorCode;

/**
 * Brings the list of a published version to a host, which holds it against the ledger. Anybody may.
 * @throws CLI_ROWS_MISSING, DNT_LIST_MISMATCH, DNT_NOT_HOSTED
 * @example
 * ```ts
 * await bringVersion(client, { hostUrl, datanetId: 10, store, rowsRoot });
 * ```
 */
export async function bringVersion(
  client: LedgerClient,
  { datanetId, from, hostUrl, rowsRoot, store }: BringVersionParameters,
): Promise<void> {
  const { rows } = await readVersion(store, rowsRoot);
  const path = `/v1/datanets/${datanetId}/versions/${toHex32(rowsRoot)}`;
  const body = encodeVersion(rows);
  await askHost(
    client,
    hostUrl,
    { method: "PUT", path, body, isSigned: true, from },
    z.object({ version: z.int() }),
  );
}
