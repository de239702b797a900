/**
 * File of all leaves as a final batch left them, beside LevelDB's, chunk by chunk in their layout in memory (flat-ledger.ts),
 * with all hashes: LevelDB would take twenty times as long at a start.
 *
 * Each chunk has its SHA-256, and LevelDB's record of the file has one of them all. Like a single leaf's record, the file
 * holds the hashes that were written beside the leaves; the levels above chunks are hashed at every start.
 */
import { createHash, hash as digestOf } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { deserialize, serialize } from "node:v8";
import type { LeafState } from "@openledger/circuits/ledger/leaf";
import { FlatLedger } from "@openledger/circuits/ledger/ledger";
import { StoreDamage } from "@openledger/foundation/store/store-fault";
import { syncFolder } from "@openledger/foundation/whole-file";

/** LevelDB's record of the valid file. */
export interface LeafFile {
  readonly number: number;
  readonly byteCount: number;
  /** SHA-256 over the chunks' SHA-256s. */
  readonly digest: string;
  readonly depth: number;
}

/** Bytes of the index, and of the length of what is not in the chunk's records. */
const HEAD_BYTES = 8;
const DIGEST_BYTES = 32;
/** Chunks per sync: one sync of two gigabytes would hold up LevelDB's. */
const CHUNKS_PER_SYNC = 64;

export const LEAF_FILE_NAME = /^LEAVES-\d+$/;
export const leafFileName = (number: number) => `LEAVES-${number.toString().padStart(6, "0")}`;

const sha256 = (bytes: Uint8Array): Buffer => digestOf("sha256", bytes, "buffer");

/**
 * Writes the file and makes it durable; LevelDB's record then makes it valid. Leaves may be folded meanwhile: each chunk
 * is as it was at some moment since the call.
 * @param options.pauseMs after every chunk, which takes a millisecond of this thread
 * @returns null where it was cancelled
 */
export async function writeLeafFile(
  folder: string,
  number: number,
  flat: FlatLedger,
  { isCancelled, pauseMs = 0 }: { pauseMs?: number; isCancelled?: () => boolean } = {},
): Promise<LeafFile | null> {
  const file = await open(join(folder, leafFileName(number)), "w");
  const digests = createHash("sha256");
  let byteCount = 0;
  try {
    for (let index = 0; index < flat.chunkCount; index++) {
      if (isCancelled?.()) return null;
      const chunk = flat.chunk(index);
      if (chunk === null) continue;
      const more = serialize(chunk.more);
      const section = Buffer.allocUnsafe(HEAD_BYTES + flat.chunkBytes + more.length + DIGEST_BYTES);
      section.writeUInt32LE(index, 0);
      section.writeUInt32LE(more.length, 4);
      section.set(chunk.bytes, HEAD_BYTES);
      section.set(more, HEAD_BYTES + flat.chunkBytes);
      const digest = sha256(section.subarray(0, -DIGEST_BYTES));
      section.set(digest, section.length - DIGEST_BYTES);
      digests.update(digest);
      await file.writeFile(section);
      byteCount += section.length;
      if (index % CHUNKS_PER_SYNC === 0) await file.datasync();
      if (pauseMs > 0) await pause(pauseMs);
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  await syncFolder(folder);
  return { number, byteCount, digest: digests.digest("hex"), depth: flat.depth };
}

/** Reads a file of leaves. @throws StoreDamage with the file's name; errors of Node's file calls */
export async function readLeafFile(folder: string, known: LeafFile): Promise<FlatLedger> {
  const name = leafFileName(known.number);
  const file = await open(join(folder, name), "r").catch((cause: unknown) => {
    throw (cause as { code?: unknown }).code === "ENOENT"
      ? new StoreDamage(name, "is missing", cause)
      : cause;
  });
  try {
    const { size } = await file.stat();
    if (size !== known.byteCount)
      throw new StoreDamage(name, `has ${size} bytes, and ${known.byteCount} were written`);
    const flat = new FlatLedger(known.depth);
    const digests = createHash("sha256");
    const reader = new SectionReader(file, name, { size, chunkBytes: flat.chunkBytes });
    for (let next = reader.next(); ; ) {
      const section = await next;
      if (section === null) break;
      // The next one is on its way while this one is hashed.
      next = reader.next();
      next.catch(() => {});
      const { chunk, digest, head, more } = section;
      const index = head.readUInt32LE(0);
      const actual = createHash("sha256").update(head).update(chunk).update(more).digest();
      if (!actual.equals(digest)) throw new StoreDamage(name, `is damaged in chunk ${index}`);
      digests.update(digest);
      flat.adopt(index, chunk.buffer, deserialize(more) as [number, LeafState][]);
    }
    if (digests.digest("hex") !== known.digest)
      throw new StoreDamage(name, "is not the one that was written");
    return flat;
  } finally {
    await file.close();
  }
}

class SectionReader {
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #sizes: { readonly size: number; readonly chunkBytes: number };
  #at = 0;

  constructor(file: FileHandle, name: string, sizes: { readonly size: number; readonly chunkBytes: number }) {
    this.#file = file;
    this.#name = name;
    this.#sizes = sizes;
  }

  /** null behind the last one. */
  async next() {
    const { chunkBytes, size } = this.#sizes;
    if (this.#at === size) return null;
    const head = Buffer.alloc(HEAD_BYTES);
    await this.#read([head]);
    const moreBytes = head.readUInt32LE(4);
    if (this.#at + chunkBytes + moreBytes + DIGEST_BYTES > size) throw this.#cut();
    // The chunk's bytes stay where they are read to.
    const chunk = new Uint8Array(new ArrayBuffer(chunkBytes));
    const [more, digest] = [Buffer.alloc(moreBytes), Buffer.alloc(DIGEST_BYTES)];
    await this.#read([chunk, more, digest]);
    return { head, chunk, more, digest };
  }

  async #read(parts: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const { bytesRead } = await this.#file.readv(parts, this.#at);
    if (bytesRead !== length) throw this.#cut();
    this.#at += length;
  }

  #cut() {
    return new StoreDamage(this.#name, "ends within a chunk");
  }
}
