/**
 * LevelDB of a gateway: its account and its questions with their payments, as JSON with a checksum. Every write is on disk when
 * it resolves, and only one process can have the store open.
 */
import { dirname, join } from "node:path";
import { checkedJson } from "@openledger/foundation/store/checked-json";
import { CheckedLevel } from "@openledger/foundation/store/checked-level";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";

/** A durable map of JSON values. */
export interface DurableMap {
  get(key: string): Promise<unknown>;
  /** Entries in the order of their keys. */
  entries(): Promise<[key: string, value: unknown][]>;
  put(key: string, value: unknown): Promise<void>;
  delete(keys: readonly string[]): Promise<void>;
}

export interface GatewayStore {
  readonly account: DurableMap;
  readonly questions: DurableMap;
  /** Receipts of payments whose questions are gone. */
  readonly receipts: DurableMap;
  close(): Promise<void>;
}

/** @param leaf number of the account's leaf, as it is given to a command */
const remediesOf = (leaf: string) => ({
  locked: "Stop the other gateway first, or give this one another --name.",
  corrupt:
    "Keep the folder: its file key signs for the account. Move the folder store away. The wallet that paid the budget owns the account on " +
    `Ethereum, and takes the money back: openledger transfer NAME OPEN --from ${leaf} --account NAME --forced`,
  failed:
    "Make room on the disk, give the process its rights to the folder, or mend the disk; then start again: nothing is lost.",
});

/** File beside the store with the account's leaf: the store may be what is damaged. */
const leafPath = (storePath: string) => join(dirname(storePath), "leaf");

/** Notes the account's leaf beside the store. */
export async function writeLeaf(storePath: string, leafId: number): Promise<void> {
  await writeFileWhole(leafPath(storePath), `${leafId}\n`, { mode: 0o600 });
}

function knownLeaf(storePath: string): string {
  const text = readIfPresent(leafPath(storePath))?.toString().trim() ?? "";
  return /^\d{1,8}$/.test(text) ? text : "LEAF";
}

/**
 * Opens the store, and makes it where there is none.
 * @throws SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, SRV_STORE_FAILED
 */
export async function openGatewayStore(path: string, rollup: StoreRollup): Promise<GatewayStore> {
  const level = await CheckedLevel.open(path, {
    identity: { kind: "gateway", rollup },
    valueEncoding: checkedJson,
    remedies: remediesOf(knownLeaf(path)),
  });
  const part = (name: string): DurableMap => {
    const sublevel = level.db.sublevel<string, unknown>(name, { valueEncoding: checkedJson as never });
    return {
      get: (key) => level.read(sublevel.get(key)),
      entries: () => level.read(sublevel.iterator().all()),
      put: (key, value) => level.write([{ type: "put", sublevel, key, value }]),
      delete: (keys) => level.write(keys.map((key) => ({ type: "del" as const, sublevel, key }))),
    };
  };
  return {
    account: part("account"),
    questions: part("questions"),
    receipts: part("receipts"),
    close: () => level.close(),
  };
}
