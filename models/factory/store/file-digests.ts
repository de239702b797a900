/** Sizes and SHA-256 digests of files that exports list: each file is hashed once, whoever lists it how often. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { LRUCache } from "lru-cache";

interface DescribedFile {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Files of some hundred jobs. */
const MAX_FILES = 1_024;
/** By the file's path, and by what changes with its content. */
const known = new LRUCache<string, Promise<DescribedFile>>({ max: MAX_FILES });

/** Describes a file, by its digest from an earlier call unless it was written since. */
export async function describeFile(path: string): Promise<DescribedFile> {
  const { ino, mtimeNs, size } = await stat(path, { bigint: true });
  const key = `${path} ${ino} ${size} ${mtimeNs}`;
  const described = known.get(key) ?? hashFile(path, Number(size));
  known.set(key, described);
  described.catch(() => known.delete(key));
  return described;
}

/** Streams the file in parts: a whole model may be larger than the memory for it. */
async function hashFile(path: string, sizeBytes: number): Promise<DescribedFile> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return { sizeBytes, sha256: hash.digest("hex") };
}
