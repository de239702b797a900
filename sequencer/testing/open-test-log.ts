import { readStoreRecord } from "@openledger/foundation/store/store-identity";
import { LedgerLog } from "../store/ledger-log.ts";
import { storeKindOf } from "../store/store-failure.ts";
import { TEST_ROLLUP } from "./test-rollup.ts";

/**
 * Opens the log of a directory that a test made, of any rollup and process; a new one belongs to the test rollup's
 * sequencer.
 */
export function openTestLog(
  path: string,
  onFailure?: (error: Error) => void,
  options: Parameters<typeof LedgerLog.open>[3] = {},
): Promise<LedgerLog> {
  const record = readStoreRecord(path);
  const chainId = record?.chainId ?? TEST_ROLLUP.chainId;
  const rollupAddress = record?.rollupAddress ?? TEST_ROLLUP.rollupAddress;
  const owner = record?.kind === storeKindOf("full-node") ? "full-node" : "sequencer";
  return LedgerLog.open(path, { chainId, rollupAddress }, onFailure, { owner, ...options });
}
