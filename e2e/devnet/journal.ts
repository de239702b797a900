/** Journal of the devnet's job on disk, so that a killed `npm start` goes on where it was. */
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { devnetError } from "./devnet-errors.ts";

/**
 * Record of what the job has done, on disk before it takes effect: signed transactions and operations are written here
 * first and sent afterwards. So after a kill at any moment they are sent again, not made again.
 */
export class Journal {
  readonly #path: string;
  readonly #entries: Record<string, unknown>;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
    this.#entries = readEntries(path);
  }

  get<T>(key: string): T | undefined {
    return this.#entries[key] as T | undefined;
  }

  keys(): string[] {
    return Object.keys(this.#entries);
  }

  /** Resolves once the entry is on disk. Parallel calls are written one after another. */
  set(key: string, value: unknown): Promise<void> {
    this.#entries[key] = value;
    const text = `${JSON.stringify(this.#entries, null, 1)}\n`;
    this.#writing = this.#writing.then(() => writeFileWhole(this.#path, text));
    return this.#writing;
  }
}

function readEntries(path: string): Record<string, unknown> {
  const text = readIfPresent(path);
  if (text === null) return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw devnetError("DEV_STATE_LOST", `the journal ${path} is not JSON`, { data: { path }, cause });
  }
}
