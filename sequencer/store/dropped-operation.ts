/** Records of acknowledged operations that could not be executed again on top of others' batches on L1. Durable. */
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
