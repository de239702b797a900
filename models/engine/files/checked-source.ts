/** Reader of model files that checks each against a pinned SHA-256: the base model that ships is read through it. */
import { createHash } from "node:crypto";
import { type FileSource, readWhole } from "./byte-source.ts";
import { memoryFile } from "./memory-source.ts";

/**
 * Files of another source, of known hashes. Each is read whole and checked before a byte of it is given out; others
 * count as absent.
 *
 * @param sha256 hexadecimal, by the file's name
 * @param refuse makes the error for a file of another hash, or none
 */
export function checkedSource(
  inner: FileSource,
  sha256: Readonly<Record<string, string>>,
  maxBytes: number,
  refuse: (file: string, expected: string, found: string | null) => Error,
): FileSource {
  return {
    name: inner.name,
    async open(file) {
      const expectedSha256 = Object.hasOwn(sha256, file) ? sha256[file] : undefined;
      if (expectedSha256 === undefined) return null;
      const bytes = await readWhole(inner, file, maxBytes);
      const found = bytes === null ? null : createHash("sha256").update(bytes).digest("hex");
      if (bytes === null || found !== expectedSha256) throw refuse(file, expectedSha256, found);
      return memoryFile(`${inner.name}/${file}`, bytes);
    },
  };
}
