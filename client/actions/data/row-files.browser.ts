/**
 * Version of `row-files.ts` for pages: a row store is a database of the browser, a file one of its entries. The browser may
 * delete it when its disk is full; then rows are fetched or chosen again.
 */
const ENTRIES = "entries";

/** The part of IndexedDB that is used here: this folder is compiled without a browser's types. */
interface PendingRequest<T> {
  readonly result: T;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
  onupgradeneeded?: (() => void) | null;
}
interface Entries {
  get(name: string): PendingRequest<unknown>;
  put(content: Uint8Array, name: string): PendingRequest<unknown>;
}
interface Transaction {
  readonly error: unknown;
  oncomplete: (() => void) | null;
  onerror: (() => void) | null;
  onabort: (() => void) | null;
  objectStore(name: string): Entries;
}
interface Database {
  close(): void;
  createObjectStore(name: string): unknown;
  transaction(name: string, mode?: "readwrite", options?: object): Transaction;
}
const { indexedDB } = globalThis as unknown as {
  indexedDB: {
    open(name: string, version: number): PendingRequest<Database>;
    deleteDatabase(name: string): PendingRequest<unknown>;
  };
};

const opened = new Map<string, Promise<Database>>();

function databaseOf(folder: string): Promise<Database> {
  const known = opened.get(folder);
  if (known !== undefined) return known;
  const request = indexedDB.open(folder, 1);
  request.onupgradeneeded = () => void request.result.createObjectStore(ENTRIES);
  const database = settled(request);
  opened.set(folder, database);
  database.catch(() => opened.delete(folder));
  return database;
}

function settled<T>(request: PendingRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Makes the place where it is not there yet.
 * @internal
 */
export async function openRowFiles(folder: string): Promise<void> {
  await databaseOf(folder);
}

/**
 * Reads a file. Rejects where there is none.
 * @internal
 */
export async function readRowFile(folder: string, name: string): Promise<Uint8Array> {
  const database = await databaseOf(folder);
  const found: unknown = await settled(database.transaction(ENTRIES).objectStore(ENTRIES).get(name));
  if (found instanceof Uint8Array) return found;
  throw new Error(`there is no ${name}`);
}

/**
 * Writes a file whole, or not at all.
 * @internal
 */
export async function writeRowFile(folder: string, name: string, content: Uint8Array): Promise<void> {
  const transaction = (await databaseOf(folder)).transaction(ENTRIES, "readwrite", { durability: "relaxed" });
  transaction.objectStore(ENTRIES).put(content, name);
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

/**
 * Removes all files, and the place itself.
 * @internal
 */
export async function removeRowFiles(folder: string): Promise<void> {
  (await databaseOf(folder)).close();
  opened.delete(folder);
  await settled(indexedDB.deleteDatabase(folder));
}
