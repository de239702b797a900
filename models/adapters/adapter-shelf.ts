/** Adapters on disk: a folder of PEFT folders, and a folder of compiled ones that can be removed at any time. */
import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, openSync, read, statSync } from "node:fs";
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { adapterLayout } from "../architecture/adapter-layout.ts";
import type { ModelShape } from "../architecture/model-shape.ts";
import { readAdapter, readAdapterSettings } from "../files/adapter-files.ts";
import { unreadable } from "../files/byte-source.ts";
import { folderSource } from "../files/folder-source.ts";
import {
  damaged,
  decodeFlatHeader,
  encodeFlat,
  type FlatHeader,
  HEADER_BYTES,
  payloadBytes,
  sha256,
} from "./flat-adapter.ts";
import { servingError } from "./serving-errors.ts";

/** A name is that of a folder: nothing leads out of the shelf. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const FILES = ["adapter_config.json", "adapter_model.safetensors"] as const;

export interface ShelfOptions {
  readonly shape: ModelShape;
  readonly folder: string;
  /** For compiled adapters. */
  readonly cacheFolder: string;
}

export interface OpenedAdapter {
  readonly header: FlatHeader;
  readonly byteLength: number;
  /** @throws RollupError MOD_ADAPTER_INVALID where the bytes are not those of the header */
  read(into: Uint8Array): Promise<void>;
}

export class AdapterShelf {
  readonly #options: ShelfOptions;
  /** Pages of one base are none of another. */
  readonly #base: string;
  /** Of compiled adapters. */
  readonly #headers = new Map<string, FlatHeader>();
  /** Which of them have been compared with their hash. */
  readonly #hashed = new Map<string, string>();

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#base = sha256(Buffer.from(JSON.stringify(options.shape))).slice(0, 16);
  }

  /** Names of all adapters, sorted. @throws RollupError MOD_SOURCE_UNREADABLE */
  async names(): Promise<string[]> {
    const { folder } = this.#options;
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: Error) => {
      throw unreadable(folder, error.message, error);
    });
    return entries
      .filter((entry) => entry.isDirectory() && NAME.test(entry.name))
      .map(({ name }) => name)
      .sort();
  }

  /**
   * Changes with the adapter's files. Asked for with every request: a thread of its own would cost more than the two calls.
   *
   * @throws RollupError MOD_SERVE_MODEL_UNKNOWN
   */
  stamp(name: string): string {
    try {
      if (!NAME.test(name)) throw new RangeError("no name of an adapter");
      const files = FILES.map((file) => statSync(join(this.#options.folder, name, file)));
      return [this.#base, ...files.map(({ ino, mtimeMs, size }) => `${ino}-${size}-${mtimeMs}`)].join("/");
    } catch (cause) {
      const shown = name.slice(0, 128);
      throw servingError("MOD_SERVE_MODEL_UNKNOWN", `there is no model ${JSON.stringify(shown)}`, {
        data: { param: "model" },
        cause,
      });
    }
  }

  /** Compiles the adapter if it is not, or was another. @throws RollupError MOD_SERVE_ADAPTER_UNUSABLE */
  async open(name: string, stamp: string): Promise<OpenedAdapter> {
    try {
      const compiled = await this.#openCompiled(name, stamp);
      if (compiled !== null) return compiled;
      await this.#compile(name, stamp);
      const opened = await this.#openCompiled(name, stamp);
      if (opened === null) throw damaged(name, "it changes while it is read");
      return opened;
    } catch (cause) {
      throw unusable(name, cause);
    }
  }

  async #openCompiled(name: string, stamp: string): Promise<OpenedAdapter | null> {
    const path = this.#path(name);
    let header = this.#headers.get(name);
    if (header?.stamp !== stamp) {
      const read = await readHeader(path);
      if (read === null || read.stamp !== stamp) return null;
      header = read;
      this.#headers.set(name, header);
    }
    const { sha256: wanted } = header;
    const byteLength = payloadBytes(this.#options.shape, header);
    return {
      header,
      byteLength,
      read: async (into) => {
        const { bytesRead, identity } = await readAt(path, into, HEADER_BYTES);
        if (bytesRead === byteLength) {
          // Hashing costs as much as all the rest: a file is hashed once, and again when it is another or was changed.
          if (this.#hashed.get(name) === identity) return;
          if (sha256(into) === wanted) {
            this.#hashed.set(name, identity);
            return;
          }
        }
        // The next request compiles it anew.
        this.#headers.delete(name);
        await writeFile(path, "");
        throw unusable(name, damaged(name, "its bytes are not those that were written"));
      },
    };
  }

  async #compile(name: string, stamp: string): Promise<void> {
    const { cacheFolder, folder, shape } = this.#options;
    const source = folderSource(join(folder, name));
    const settings = await readAdapterSettings(source);
    const layout = adapterLayout(shape, settings);
    const numbers = new Float32Array(layout.floatCount);
    await readAdapter(source, shape, layout, numbers, 0);
    await mkdir(cacheFolder, { recursive: true });
    const path = this.#path(name);
    // A name of its own: another server may compile the same adapter.
    const work = `${path}.${randomUUID()}`;
    await writeFile(work, encodeFlat(shape, settings, numbers, stamp));
    await rename(work, path);
  }

  #path(name: string): string {
    return join(this.#options.cacheFolder, `${name}.adapter`);
  }
}

async function readHeader(path: string): Promise<FlatHeader | null> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const { bytesRead } = await readAt(path, bytes, 0);
  return bytesRead === HEADER_BYTES ? decodeFlatHeader(bytes) : null;
}

/** How many bytes there were, at most as many as fit; what only reads metadata is not worth a thread. */
function readAt(
  path: string,
  into: Uint8Array,
  at: number,
): Promise<{ bytesRead: number; identity: string }> {
  return new Promise((settle, fail) => {
    let file: number;
    try {
      file = openSync(path, "r");
    } catch {
      settle({ bytesRead: 0, identity: "" });
      return;
    }
    const { ino, mtimeMs, size } = fstatSync(file);
    read(file, into, 0, into.length, at, (error, bytesRead) => {
      closeSync(file);
      if (error === null) settle({ bytesRead, identity: `${ino}-${size}-${mtimeMs}` });
      else fail(error);
    });
  });
}

function unusable(name: string, cause: unknown) {
  if (isRollupError(cause, "MOD_SERVE_ADAPTER_UNUSABLE")) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const data = { param: "model", name, reason: isRollupError(cause) ? cause.code : reason };
  return servingError("MOD_SERVE_ADAPTER_UNUSABLE", `the adapter ${name} cannot be used: ${reason}`, {
    data,
    cause,
  });
}
