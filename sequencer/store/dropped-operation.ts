/**
 * Store records of dropped operations: acknowledged ones that could not be executed again after somebody else's batches on L1
 * (batches/from-l1/rebase.ts). The API answers with them.
 */
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { RollupError } from "@openledger/foundation/rollup-error";
import type { LedgerLog } from "./ledger-log.ts";
import type { OperationEntry } from "./log-entry.ts";
import { type KnownOperation, unexecuted } from "./operation-status.ts";
import { type StoreWrite, storeKeys } from "./store-keys.ts";

interface StoredDrop {
  readonly hash: `0x${string}`;
  readonly operation: SignedOperation;
  readonly code: string;
  readonly message: string;
  readonly data: object;
}

export function droppedWrite({ hash, operation }: OperationEntry, error: RollupError): StoreWrite {
  const { code, message, data } = error;
  const value: StoredDrop = { hash, operation, code, message, data };
  return { key: storeKeys.dropped(hash), value };
}

export async function readDropped(log: LedgerLog, hash: string): Promise<KnownOperation | undefined> {
  const record = await log.get<StoredDrop>(storeKeys.dropped(hash));
  if (record === undefined) return undefined;
  const { code, data, message } = record;
  return unexecuted(record, "dropped", new RollupError(code, message, { data }));
}
