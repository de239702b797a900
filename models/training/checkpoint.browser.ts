/** The twin of `checkpoint.ts` in a page: states lie in the browser's IndexedDB, one under each name. */
import { modelError } from "../model-errors.ts";
import { hashParts } from "./hash-parts.ts";
import { packState, type TuningState, unpackState } from "./tuning-state.ts";

const DATABASE = "openledger.tuning";
const STATES = "states";

interface KeptState {
  readonly identity: string;
  readonly step: number;
  readonly hash: string;
  /** The blocks, one after another. */
  readonly body: Uint8Array;
}

export async function writeCheckpoint(
  folder: string,
  identity: string,
  step: number,
  state: TuningState,
): Promise<void> {
  const body = packState(state);
  const kept: KeptState = { identity, step, hash: hashParts(String(step), body), body };
  await inStates("readwrite", (states) => states.put(kept, folder));
}

/** @throws RollupError MOD_FILE_INVALID where it is damaged, or of another tuning */
export async function readCheckpoint(folder: string, identity: string, state: TuningState): Promise<number> {
  const kept = (await inStates("readonly", (states) => states.get(folder))) as KeptState | undefined;
  if (kept === undefined) return 0;
  const { body, hash, step } = kept;
  if (hash !== hashParts(String(step), body)) throw invalid(folder, "it is damaged");
  if (kept.identity !== identity) throw invalid(folder, "it is of another base, recipe or text");
  if (!unpackState(state, body)) throw invalid(folder, "it is of another size");
  return step;
}

export async function forgetCheckpoint(folder: string): Promise<void> {
  await inStates("readwrite", (states) => states.delete(folder));
}

const invalid = (path: string, reason: string, cause?: unknown) =>
  modelError("MOD_FILE_INVALID", `the state "${path}" of this browser: ${reason}`, {
    data: { path, reason },
    cause,
  });

/** Of IndexedDB, what is used here: this folder is compiled without a browser's types. */
interface Asked<Result> {
  readonly result: Result;
  readonly error: Error | null;
  onsuccess: () => void;
  onerror: () => void;
}
interface States {
  put(value: KeptState, key: string): Asked<unknown>;
  get(key: string): Asked<unknown>;
  delete(key: string): Asked<unknown>;
}
interface Database {
  createObjectStore(name: string): void;
  transaction(
    name: string,
    mode: "readonly" | "readwrite",
  ): {
    objectStore(name: string): States;
    oncomplete: () => void;
    onabort: () => void;
    readonly error: Error;
  };
  close(): void;
}
declare const indexedDB: {
  open(name: string, version: number): Asked<Database> & { onupgradeneeded: () => void };
};

/** Settles when what was written is kept. */
async function inStates(
  mode: "readonly" | "readwrite",
  ask: (states: States) => Asked<unknown>,
): Promise<unknown> {
  const opening = indexedDB.open(DATABASE, 1);
  try {
    const database = await new Promise<Database>((settle, fail) => {
      opening.onupgradeneeded = () => opening.result.createObjectStore(STATES);
      opening.onsuccess = () => settle(opening.result);
      opening.onerror = () => fail(opening.error);
    });
    try {
      const transaction = database.transaction(STATES, mode);
      return await new Promise((settle, fail) => {
        const asked = ask(transaction.objectStore(STATES));
        transaction.oncomplete = () => settle(asked.result);
        transaction.onabort = () => fail(transaction.error);
      });
    } finally {
      database.close();
    }
  } catch (cause) {
    throw invalid(DATABASE, (cause as Error | null)?.message ?? "it cannot be opened", cause);
  }
}
