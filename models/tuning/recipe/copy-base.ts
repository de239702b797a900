/**
 * Copies the files of a base into a folder `NAME.part`, so that a copy that was cut or killed continues where it ended. Files
 * of a hub are compared with its hashes.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { OnProgress } from "@openledger/attribution/progress";
import { retry } from "@openledger/foundation/retry";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ByteSource, FileSource } from "../../engine/files/byte-source.ts";
import { modelError } from "../../model-errors.ts";
import type { FileHash } from "./hub.ts";

/** Bytes that are copied at a time. */
const CHUNK_BYTES = 4 * 2 ** 20;
/** Names the files that a part is of: it is continued by the same files alone. */
const RECORD = "download.part.json";
/** Tries of a chunk after the first. */
const RETRIES = { maxRetries: 4, firstWaitMs: 500, maxWaitMs: 8_000 };

export interface CopyOrder {
  readonly source: FileSource;
  /** Names of files; those that the source does not have are left out. */
  readonly names: readonly string[];
  /** Hashes that the files must have, as far as the source's publisher names them. */
  readonly hashes: ReadonlyMap<string, FileHash>;
  readonly part: string;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Stage "copy", in bytes.
 *
 * @returns bytes of all files
 * @throws RollupError MOD_SOURCE_UNREADABLE, after which another call continues; MOD_FILE_INVALID where a file has another hash
 */
export async function copyFiles(order: CopyOrder): Promise<number> {
  const { hashes, names, onProgress, part, source } = order;
  const files: ByteSource[] = [];
  try {
    const opened = new Map<string, ByteSource>();
    for (const name of names) {
      const file = await source.open(name);
      if (file === null) continue;
      files.push(file);
      opened.set(name, file);
    }
    await preparePart(order, opened);
    const total = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
    let done = 0;
    const onBytes = (count: number) => {
      done += count;
      onProgress?.({ stage: "copy", done, total });
    };
    for (const [name, file] of opened) {
      const path = join(part, name);
      await copyFile(file, path, onBytes).catch((cause) => {
        if (!isRollupError(cause, "MOD_SOURCE_UNREADABLE")) throw cause;
        const { message } = cause as Error;
        throw modelError(
          "MOD_SOURCE_UNREADABLE",
          `${message}; ${done} of ${total} bytes are in ${part}: the same call continues there`,
          { data: { done, total }, cause },
        );
      });
      const hash = hashes.get(name);
      if (hash !== undefined) await requireHash(path, file, hash);
    }
    await rm(join(part, RECORD));
    return total;
  } finally {
    for (const file of files) await file.close();
  }
}

/** Empties the part, unless it is of the same bytes. */
async function preparePart({ hashes, part, source }: CopyOrder, opened: ReadonlyMap<string, ByteSource>) {
  const marks = [...opened].map(([name, { byteLength, etag = null }]) => {
    const hash = hashes.get(name);
    return { name, byteLength, mark: hash === undefined ? etag : `${hash.kind}:${hash.hex}` };
  });
  const record = JSON.stringify({ source: source.name, files: marks }, null, 2);
  const known = await readFile(join(part, RECORD), "utf8").catch(() => null);
  // Of bytes without a mark nobody knows whether they are still the same.
  if (known === record && marks.every(({ mark }) => mark !== null)) return;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  await writeFile(join(part, RECORD), record);
}

async function copyFile(file: ByteSource, path: string, onBytes: (count: number) => void): Promise<void> {
  const target = await open(path, "a");
  try {
    let at = (await target.stat()).size;
    onBytes(Math.min(at, file.byteLength));
    while (at < file.byteLength) {
      const size = Math.min(CHUNK_BYTES, file.byteLength - at);
      const bytes = await retry(() => file.read(at, size), {
        ...RETRIES,
        isPassing: (error) => isRollupError(error, "MOD_SOURCE_UNREADABLE"),
      });
      await target.writeFile(bytes);
      at += bytes.length;
      onBytes(bytes.length);
    }
  } finally {
    await target.close();
  }
}

/** A file of another hash goes; the others stay for the next call. @throws MOD_FILE_INVALID */
async function requireHash(path: string, { name }: ByteSource, { hex, kind }: FileHash): Promise<void> {
  const { size } = await stat(path);
  const hash = createHash(kind === "git" ? "sha1" : "sha256");
  if (kind === "git") hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(path), hash);
  const found = hash.digest("hex");
  if (found === hex) return;
  await rm(path);
  throw modelError("MOD_FILE_INVALID", `${name} has other bytes than its hub says: fetch it again`, {
    data: { reason: "bytes-differ", wanted: hex, found },
  });
}
