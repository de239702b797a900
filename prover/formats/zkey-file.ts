/**
 * Proving keys on disk (snarkjs' .zkey): header and hash of a file. proving-key.ts and ceremonies check keys by
 * them.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { parseZkeyHeader, unreadableKey, type ZkeyHeader } from "./zkey-header.ts";

/**
 * Reads a proving key's header and verification key, and checks that every section is there whole. The
 * points themselves are not checked; `checkVerificationKey` is the caller's.
 *
 * @throws RollupError PRV_KEY_INVALID
 */
export async function readZkeyHeader(path: string): Promise<ZkeyHeader> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw unreadableKey(path, "it cannot be opened", cause);
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw unreadableKey(path, "it is no file");
    return await parseZkeyHeader({
      name: path,
      fileBytes: facts.size,
      async read(position, byteCount) {
        const bytes = Buffer.alloc(byteCount);
        const { bytesRead } = await file.read(bytes, 0, byteCount, position);
        return bytes.subarray(0, bytesRead);
      },
    });
  } finally {
    await file.close();
  }
}

/** sha256 of a file's bytes, hex. @throws RollupError PRV_KEY_INVALID */
export async function hashKeyFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 4 << 20 }))
      hash.update(chunk as Buffer);
  } catch (cause) {
    throw unreadableKey(path, "it cannot be read", cause);
  }
  return hash.digest("hex");
}
