/** Runs of this browser in its IndexedDB, so that a reload finds them. They are on this machine alone, until deleted. */
import type { TextRow } from "@openledger/attribution/rows/text-rows";
import type { Problem } from "../words/problem.tsx";
import type { TuneEvent, TuneSettings } from "./tune-messages.ts";

export interface LocalRun {
  readonly id: string;
  readonly name: string;
  readonly rows: readonly TextRow[];
  readonly settings: TuneSettings;
  readonly createdAtMs: number;
  /** running also where the page was closed meanwhile. */
  readonly state: "running" | "paused" | "done" | "failed";
  readonly events: readonly TuneEvent[];
  readonly problem: Problem | null;
  /** Of the adapter, by name; null before it is done. */
  readonly files: readonly (readonly [name: string, bytes: Uint8Array])[] | null;
}

const DATABASE = "openledger.runs";
const RUNS = "runs";

function open(): Promise<IDBDatabase> {
  return new Promise((settle, fail) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(RUNS, { keyPath: "id" });
    asked.onsuccess = () => settle(asked.result);
    asked.onerror = () => fail(asked.error);
  });
}

async function inRuns<Result>(
  mode: IDBTransactionMode,
  ask: (runs: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result> {
  const database = await open();
  try {
    return await new Promise((settle, fail) => {
      const transaction = database.transaction(RUNS, mode);
      const asked = ask(transaction.objectStore(RUNS));
      transaction.oncomplete = () => settle(asked.result);
      transaction.onabort = () => fail(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const keepRun = (run: LocalRun) => inRuns("readwrite", (runs) => runs.put(run));
export const keptRun = (id: string) =>
  inRuns("readonly", (runs) => runs.get(id)) as Promise<LocalRun | undefined>;
export const keptRuns = () => inRuns("readonly", (runs) => runs.getAll()) as Promise<LocalRun[]>;
export const forgetRun = (id: string) => inRuns("readwrite", (runs) => runs.delete(id));
