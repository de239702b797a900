/** SHA-256 of large blocks, by Node's own code. tune-adapter.ts names a tuning by the hash of all that decides its bytes. */
import { createHash } from "node:crypto";

/** @returns hexadecimal digits */
export function hashParts(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
