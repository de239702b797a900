import { crc32 } from "node:zlib";
import { Level } from "level";
import { bridgeError } from "./bridge-errors.ts";

/** A durable map of JSON values under one prefix of the bridge's database. */
export interface JsonStore {
  /** @throws BRG_STORE_FAILED, as the others do */
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
  readonly parked: JsonStore;
  close(): Promise<void>;
}

/** No JSON text begins with it: so a value without a checksum, of an older version, is known. */
const CHECKED = "c";
const CHECKSUM_DIGITS = 8;

const checksum = (text: string) => crc32(text).toString(16).padStart(CHECKSUM_DIGITS, "0");

/** JSON behind its CRC-32: LevelDB does not look at its own checksums when it reads. */
const encoding = {
  name: "json-crc32",
  format: "utf8" as const,
  encode(value: unknown): string {
    const text = JSON.stringify(value);
    return `${CHECKED}${checksum(text)}${text}`;
  },
  decode(data: string): unknown {
    if (!data.startsWith(CHECKED)) return JSON.parse(data);
    const text = data.slice(CHECKED.length + CHECKSUM_DIGITS);
    if (data.slice(CHECKED.length, CHECKED.length + CHECKSUM_DIGITS) !== checksum(text))
      throw new Error("the value's checksum is wrong");
    return JSON.parse(text);
  },
};

/**
 * Opens the bridge's LevelDB. Only one process can have it open.
 * @param onFailure called with BRG_STORE_FAILED when a read or a write failed: LevelDB takes nothing more then
 * @throws BRG_STORE_FAILED
 */
export async function openBridgeStore(
  path: string,
  onFailure: (error: Error) => void = () => {},
): Promise<BridgeStore> {
  const db = new Level<string, unknown>(path, { valueEncoding: encoding as never });
  const failed = (doing: string, cause: unknown) =>
    bridgeError("BRG_STORE_FAILED", `cannot ${doing} the database ${path}: ${reasonOf(cause)}`, {
      data: { path },
      cause,
    });
  const guarded = async <T>(doing: string, act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (cause) {
      const error = failed(doing, cause);
      onFailure(error);
      throw error;
    }
  };
  try {
    await db.open();
    // It is small: what is damaged is found now, not in the middle of something.
    for await (const _ of db.iterator());
  } catch (cause) {
    await db.close();
    throw failed("open", cause);
  }
  const part = (name: string): JsonStore => {
    const level = db.sublevel<string, unknown>(name, { valueEncoding: encoding as never });
    return {
      get: (key) => guarded("read", () => level.get(key)),
      entries: (range = {}) => guarded("read", () => level.iterator(range).all()),
      write: (changes) =>
        guarded("write", () =>
          db.batch(
            changes.map((change) =>
              "put" in change
                ? { type: "put" as const, sublevel: level, key: change.put, value: change.value }
                : { type: "del" as const, sublevel: level, key: change.delete },
            ),
            { sync: true },
          ),
        ),
    };
  };
  return {
    queue: part("queue"),
    publisher: part("publisher"),
    randomness: part("randomness"),
    parked: part("parked"),
    close: () => db.close(),
  };
}

/** What is at the bottom of LevelDB's errors, which wrap each other. */
function reasonOf(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return at instanceof Error ? at.message : String(at);
}

/** A key part for a number: LevelDB sorts keys as text. */
export function orderedKey(value: number): string {
  return value.toString().padStart(12, "0");
}
