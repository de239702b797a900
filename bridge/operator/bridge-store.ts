/**
 * LevelDB of the bridge process: its cursors, intents and records as JSON, in one sublevel for each loop.
 * Everything else is read from L1 or the sequencer again.
 */
import { checkedJson } from "@openledger/foundation/store/checked-json";
import { CheckedLevel } from "@openledger/foundation/store/checked-level";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";

/** A durable map of JSON values under one prefix of the bridge's database. */
export interface JsonStore {
  /** @throws SRV_STORE_FAILED, SRV_STORE_CORRUPT, as the others do */
  get(key: string): Promise<unknown>;
  /** Entries whose key is in the range, in key order. */
  entries(range?: { gte?: string; lt?: string }): Promise<[key: string, value: unknown][]>;
  /** Writes all or nothing, and is on disk when it resolves. */
  write(changes: readonly JsonChange[]): Promise<void>;
}

export type JsonChange = { readonly put: string; readonly value: unknown } | { readonly delete: string };

/** Sublevels, named by the part of the bridge that writes them. */
export interface BridgeStore {
  readonly queue: JsonStore;
  readonly publisher: JsonStore;
  readonly randomness: JsonStore;
  readonly preVerified: JsonStore;
  close(): Promise<void>;
}

const REMEDIES = {
  locked: "Stop the other bridge first: two would send the same batches.",
  corrupt:
    "Move the folder away and start with an empty one: the bridge reads L1 again and does nothing twice.",
  failed:
    "Make room on the disk, give the process its rights to the folder, or mend the disk; then start again: nothing is lost.",
};

/**
 * Opens the bridge's LevelDB. Only one process can have it open.
 * @param rollup whose cursors and intents are in it: with another one's the bridge would pass over deposits
 * @param onFailure called once, with that error, when a read or a write failed: nothing more is taken then
 * @throws SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, SRV_STORE_FAILED
 */
export async function openBridgeStore(
  path: string,
  { chainId, deployedIn, rollupAddress }: StoreRollup,
  onFailure: (error: Error) => void = () => {},
): Promise<BridgeStore> {
  const level = await CheckedLevel.open(path, {
    identity: { kind: "bridge", rollup: { chainId, rollupAddress, deployedIn } },
    valueEncoding: checkedJson,
    remedies: REMEDIES,
    onFailure,
  });
  try {
    // The store is small: damage is found now, not in the middle of something.
    for await (const _ of level.readEach(level.db.iterator()));
  } catch (error) {
    await level.close().catch(() => {});
    throw error;
  }
  const part = (name: string): JsonStore => {
    const sublevel = level.db.sublevel<string, unknown>(name, { valueEncoding: checkedJson as never });
    return {
      get: (key) => level.read(sublevel.get(key)),
      entries: (range = {}) => level.read(sublevel.iterator(range).all()),
      write: (changes) =>
        level.write(
          changes.map((change) =>
            "put" in change
              ? { type: "put" as const, sublevel, key: change.put, value: change.value }
              : { type: "del" as const, sublevel, key: change.delete },
          ),
        ),
    };
  };
  return {
    queue: part("queue"),
    publisher: part("publisher"),
    randomness: part("randomness"),
    preVerified: part("pre-verified"),
    close: () => level.close(),
  };
}

/** A key part for a number, twelve digits wide: LevelDB sorts keys as text. */
export function orderedKey(value: number): string {
  return value.toString().padStart(12, "0");
}
