import { Level } from "level";

/** A durable map of JSON values under one prefix of the bridge's database. */
export interface JsonStore {
  get(key: string): Promise<unknown>;
  /** Entries whose key lies in the range, in key order. */
  entries(range?: { gte?: string; lt?: string }): Promise<[key: string, value: unknown][]>;
  /** Writes all or nothing, and is on disk when it resolves. */
  write(changes: readonly JsonChange[]): Promise<void>;
}

export type JsonChange = { readonly put: string; readonly value: unknown } | { readonly delete: string };

export interface BridgeStore {
  readonly queue: JsonStore;
  readonly publisher: JsonStore;
  readonly randomness: JsonStore;
  close(): Promise<void>;
}

/** Opens the bridge's LevelDB. Only one process can have it open. */
export async function openBridgeStore(path: string): Promise<BridgeStore> {
  const db = new Level<string, unknown>(path, { valueEncoding: "json" });
  await db.open();
  const part = (name: string): JsonStore => {
    const level = db.sublevel<string, unknown>(name, { valueEncoding: "json" });
    return {
      get: (key) => level.get(key),
      entries: (range = {}) => level.iterator(range).all(),
      write: (changes) =>
        db.batch(
          changes.map((change) =>
            "put" in change
              ? { type: "put" as const, sublevel: level, key: change.put, value: change.value }
              : { type: "del" as const, sublevel: level, key: change.delete },
          ),
          { sync: true },
        ),
    };
  };
  return {
    queue: part("queue"),
    publisher: part("publisher"),
    randomness: part("randomness"),
    close: () => db.close(),
  };
}

/** A key part for a number: LevelDB sorts keys as text. */
export function orderedKey(value: number): string {
  return value.toString().padStart(12, "0");
}
