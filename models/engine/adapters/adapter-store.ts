/**
 * Adapters (LoRA) on disk: folders of PEFT folders, and a folder of compiled ones that can be removed at any time. The
 * pool loads adapters from it, the answer server lists it.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, read, readSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { servingError } from "../../model-errors.ts";
import { adapterLayout } from "../architecture/adapter-layout.ts";
import type { ModelShape } from "../architecture/model-shape.ts";
import { readAdapter, readAdapterSettings } from "../files/adapter-files.ts";
import type { BaseWeights } from "../files/base-weights.ts";
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

/** A name is that of a folder: nothing leads out of the store. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Time from which a read is slow, in milliseconds. From memory an adapter takes some 30 µs. */
const SLOW_READ_MS = 3;
/** Time for which the disk counts as slow after a slow read, in milliseconds. */
const SLOW_FOR_MS = 2_000;
/** Bytes that are hashed before other work of this thread gets its turn: some 10 ms. */
const HASHED_AT_ONCE = 2 ** 24;
const FILES = ["adapter_config.json", "adapter_model.safetensors"] as const;

interface AdapterStoreOptions {
  readonly shape: ModelShape;
  /** Folders of adapters. Of two adapters with one name, that of the first folder is served. */
  readonly folders: readonly string[];
  /** Folder for compiled adapters. */
  readonly cacheFolder: string;
  /** The base's weights as they are computed with: adapters with DoRA are compiled for them, and refused without. */
  readonly base?: () => BaseWeights;
}

interface OpenedAdapter {
  readonly header: FlatHeader;
  readonly pageBytes: number;
  readonly byteLength: number;
  /** @throws RollupError MOD_FILE_INVALID if the bytes are not those of the header */
  read(into: Uint8Array): Promise<void>;
}

export class AdapterStore {
  readonly #options: AdapterStoreOptions;
  /** Pages of one base are none of another. */
  readonly #base: string;
  /** Headers of compiled adapters, with the bytes of their pages. */
  readonly #headers = new Map<string, Omit<OpenedAdapter, "read">>();
  /** Adapters that have been compared with their hash. */
  readonly #hashed = new Map<string, string>();
  #weightsSha256: Promise<string> | undefined;
  /** Time until which files are read on another thread, since the disk was slow. */
  #slowUntilMs = 0;

  constructor(options: AdapterStoreOptions) {
    this.#options = options;
    this.#base = sha256(Buffer.from(JSON.stringify(options.shape))).slice(0, 16);
  }

  /** Names of all adapters, sorted. @throws RollupError MOD_SOURCE_UNREADABLE */
  async names(): Promise<string[]> {
    const names = new Set<string>();
    for (const folder of this.#options.folders) {
      const entries = await readdir(folder, { withFileTypes: true }).catch((error: Error) => {
        throw unreadable(folder, error.message, error);
      });
      for (const entry of entries) if (entry.isDirectory() && NAME.test(entry.name)) names.add(entry.name);
    }
    return [...names].sort();
  }

  /**
   * Changes with the adapter's files. Asked for with every request: a thread of its own would cost more than the calls.
   *
   * @throws RollupError MOD_SERVE_MODEL_UNKNOWN
   */
  stamp(name: string): string {
    try {
      if (!NAME.test(name)) throw new RangeError("no name of an adapter");
      const files = FILES.map((file) => statSync(join(this.#folderOf(name), file)));
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
    let known = this.#headers.get(name);
    if (known?.header.stamp !== stamp) {
      const header = await readHeader(path);
      if (header === null || header.stamp !== stamp) return null;
      const { baseSha256 } = header;
      if (baseSha256 !== undefined && baseSha256 !== (await this.#hashBase())) return null;
      known = { header, ...payloadBytes(this.#options.shape, header) };
      this.#headers.set(name, known);
    }
    const { byteLength, header } = known;
    return {
      ...known,
      read: async (into) => {
        const { bytesRead, identity } = await this.#readPages(path, into);
        if (bytesRead === byteLength) {
          // Hashing costs as much as all the rest: a file is hashed once, and again when it is another or was changed.
          if (this.#hashed.get(name) === identity) return;
          if (sha256(into) === header.sha256) {
            this.#hashed.set(name, identity);
            return;
          }
        }
        // The next request compiles it again.
        this.#headers.delete(name);
        await writeFileWhole(path, "", { isDurable: false });
        throw unusable(name, damaged(name, "its bytes are not those that were written"));
      },
    };
  }

  /**
   * Mostly the system has the file in memory. Then to read it here takes a tenth of the time that waking another thread
   * takes; a disk that is slow stops this thread once, and is left to others for a while.
   */
  #readPages(path: string, into: Uint8Array): Promise<FileRead> | FileRead {
    const startedAtMs = performance.now();
    if (startedAtMs < this.#slowUntilMs) return readAt(path, into, HEADER_BYTES);
    const read = readHere(path, into, HEADER_BYTES);
    const endedAtMs = performance.now();
    if (endedAtMs - startedAtMs > SLOW_READ_MS) this.#slowUntilMs = endedAtMs + SLOW_FOR_MS;
    return read;
  }

  async #compile(name: string, stamp: string): Promise<void> {
    const { shape } = this.#options;
    const source = folderSource(this.#folderOf(name));
    const settings = await readAdapterSettings(source);
    const layout = adapterLayout(shape, settings);
    const numbers = new Float32Array(layout.floatCount);
    await readAdapter(source, shape, layout, numbers, 0, this.#options.base?.());
    const baseSha256 = settings.isDora === true ? await this.#hashBase() : undefined;
    const flat = encodeFlat(shape, layout, numbers, {
      stamp,
      ...(baseSha256 === undefined ? {} : { baseSha256 }),
    });
    await writeFileWhole(this.#path(name), flat, { isDurable: false });
  }

  /** SHA-256 of the base's weights, once for all adapters; undefined without a base. */
  #hashBase(): Promise<string> | undefined {
    const { base } = this.#options;
    if (base === undefined) return undefined;
    this.#weightsSha256 ??= hashWeights(base());
    return this.#weightsSha256;
  }

  /** The adapter's own folder. @throws RangeError if none has it */
  #folderOf(name: string): string {
    const found = this.#options.folders
      .map((folder) => join(folder, name))
      .find((folder) => statSync(folder, { throwIfNoEntry: false }) !== undefined);
    if (found === undefined) throw new RangeError("no folder has an adapter of this name");
    return found;
  }

  #path(name: string): string {
    return join(this.#options.cacheFolder, `${name}.adapter`);
  }
}

async function hashWeights({ arena, layout, parameters }: BaseWeights): Promise<string> {
  const hash = createHash("sha256");
  const bytes = new Uint8Array(arena.buffer, arena.byteOffset + 4 * parameters, 4 * layout.floatCount);
  for (let at = 0; at < bytes.length; at += HASHED_AT_ONCE) {
    hash.update(bytes.subarray(at, at + HASHED_AT_ONCE));
    await new Promise((go) => setImmediate(go));
  }
  return hash.digest("hex");
}

async function readHeader(path: string): Promise<FlatHeader | null> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const { bytesRead } = await readAt(path, bytes, 0);
  return bytesRead === HEADER_BYTES ? decodeFlatHeader(bytes) : null;
}

interface FileRead {
  /** Bytes read: at most as many as fit. */
  readonly bytesRead: number;
  /** Identity of the file's content: another file, or one that was changed, has another. */
  readonly identity: string;
}

const NO_FILE: FileRead = { bytesRead: 0, identity: "" };

/** Reads a file's bytes. Opens it on this thread: reads of metadata alone are not worth another one. */
function readAt(path: string, into: Uint8Array, at: number): Promise<FileRead> {
  return new Promise((settle, fail) => {
    const file = openIfThere(path);
    if (file === null) {
      settle(NO_FILE);
      return;
    }
    const identity = identityOf(file);
    read(file, into, 0, into.length, at, (error, bytesRead) => {
      closeSync(file);
      if (error === null) settle({ bytesRead, identity });
      else fail(error);
    });
  });
}

function readHere(path: string, into: Uint8Array, at: number): FileRead {
  const file = openIfThere(path);
  if (file === null) return NO_FILE;
  try {
    const identity = identityOf(file);
    return { bytesRead: readSync(file, into, 0, into.length, at), identity };
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch {
    return null;
  }
}

function identityOf(file: number): string {
  const { ino, mtimeMs, size } = fstatSync(file);
  return `${ino}-${size}-${mtimeMs}`;
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
