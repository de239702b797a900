/**
 * Archive of blobs (batches' data, which Ethereum's nodes delete after 18 days) in a folder, each a file of its 131,072 bytes
 * under its versioned hash. A file is whole or not there: it is written beside, made durable, and then gets its name. Whether
 * it is the right one, its reader finds out by the commitment (checked-blob.ts): a disk may lie, and anybody may copy files
 * into the folder. So the folder is of no rollup, and has no record of one. Full nodes and commands store blobs in it.
 */
import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { BLOB_BYTES } from "@openledger/circuits/blob/blob-bytes";
import { PART, writeFileWhole } from "@openledger/foundation/whole-file";
import { bridgeError } from "../bridge-errors.ts";
import { isVersionedHash, type VersionedHash } from "./blob-source.ts";

/** Age from which a half-written file belongs to nobody: no write takes an hour. */
const ABANDONED_MS = 3_600_000;

interface BlobArchiveOptions {
  readonly folder: string;
  /** Maximum blobs: beyond it the oldest are deleted. 0: no limit. */
  readonly maxCount: number;
}

export class BlobArchive {
  readonly folder: string;
  readonly #maxCount: number;
  /** Hashes in the order in which they were written. */
  readonly #hashes: Set<VersionedHash>;
  #writing: Promise<unknown> = Promise.resolve();

  /**
   * Makes the folder where there is none, and removes files that a crash left half written. Anything but a plain file
   * of a blob's length is ignored: the right bytes get its name when they are found.
   * @throws BRG_BLOBS_FAILED
   */
  static async open(options: BlobArchiveOptions): Promise<BlobArchive> {
    const { folder } = options;
    return onDisk(folder, async () => {
      await mkdir(folder, { recursive: true });
      const files: { hash: VersionedHash; writtenAtMs: number }[] = [];
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        const facts = await factsOf(path);
        if (facts === null || !facts.isFile()) continue;
        const { mtimeMs: writtenAtMs, size } = facts;
        if (isVersionedHash(name)) {
          if (size === BLOB_BYTES) files.push({ hash: name, writtenAtMs });
        }
        // A younger one may be another process's, which is writing it.
        else if (name.endsWith(PART) && Date.now() - writtenAtMs > ABANDONED_MS)
          await rm(path, { force: true });
      }
      files.sort((x, y) => x.writtenAtMs - y.writtenAtMs);
      return new BlobArchive(options, new Set(files.map(({ hash }) => hash)));
    });
  }

  private constructor({ folder, maxCount }: BlobArchiveOptions, hashes: Set<VersionedHash>) {
    this.folder = folder;
    this.#maxCount = maxCount;
    this.#hashes = hashes;
  }

  get count(): number {
    return this.#hashes.size;
  }

  has(hash: VersionedHash): boolean {
    return this.#hashes.has(hash);
  }

  /** The file's bytes, unchecked and of any length; null where there is none. @throws BRG_BLOBS_FAILED */
  async read(hash: VersionedHash): Promise<Uint8Array | null> {
    const bytes = await readBlobFile(this.folder, hash);
    if (bytes === null) this.#hashes.delete(hash);
    return bytes;
  }

  /**
   * Stores a blob, durably when it resolves; the same again changes nothing.
   * @param bytes that the caller has checked against the hash
   * @throws BRG_BLOBS_FAILED
   */
  async keep(hash: VersionedHash, bytes: Uint8Array): Promise<void> {
    if (bytes.length !== BLOB_BYTES) throw new RangeError(`${bytes.length} bytes are no blob`);
    await this.#inTurn(async () => {
      if (this.#hashes.has(hash)) return;
      const path = pathOf(this.folder, hash);
      await onDisk(path, () => writeFileWhole(path, bytes));
      this.#hashes.add(hash);
      if (this.#maxCount === 0) return;
      for (const oldest of this.#hashes) {
        if (this.#hashes.size <= this.#maxCount) break;
        await this.#remove(oldest);
      }
    });
  }

  /**
   * Deletes a file whose bytes do not match its name, so that the right ones can be stored.
   * @throws BRG_BLOBS_FAILED
   */
  async forget(hash: VersionedHash): Promise<void> {
    await this.#inTurn(() => this.#remove(hash));
  }

  async #remove(hash: VersionedHash): Promise<void> {
    const path = pathOf(this.folder, hash);
    await onDisk(path, () => rm(path, { force: true }));
    this.#hashes.delete(hash);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#writing.then(work);
    this.#writing = result.catch(() => {});
    return result;
  }
}

/** File facts; null where another process has deleted the file meanwhile, and for a link that leads nowhere. */
async function factsOf(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ELOOP") return null;
    throw error;
  });
}

/** Path of a blob. Takes versioned hashes only: no caller's text gets to the disk. */
function pathOf(folder: string, hash: VersionedHash): string {
  if (!isVersionedHash(hash)) throw new RangeError("no versioned hash");
  return join(folder, hash);
}

/** Reads a file of any archive, unchecked; null where there is none. @throws BRG_BLOBS_FAILED */
export async function readBlobFile(folder: string, hash: VersionedHash): Promise<Uint8Array | null> {
  const path = pathOf(folder, hash);
  return onDisk(path, async () => {
    const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (file === null) return null;
    try {
      // The length on the disk is not used: a file of a gigabyte is not read.
      const bytes = new Uint8Array(BLOB_BYTES + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length);
        length += bytesRead;
        if (bytesRead === 0 || length === bytes.length) break;
      }
      return bytes.subarray(0, length);
    } finally {
      await file.close();
    }
  });
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw bridgeError("BRG_BLOBS_FAILED", `the archive of blobs cannot be read or written: ${message}`, {
      data: { path, reason: code ?? null },
      cause,
    });
  }
}
