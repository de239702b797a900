/** Models whose files are in memory, as `FileSource`; checked-source.ts and tunings use it. */
import type { ByteSource, FileSource } from "./byte-source.ts";

/** Files that are in memory already, by their names. */
export function memorySource(name: string, files: ReadonlyMap<string, Uint8Array>): FileSource {
  return {
    name,
    open: async (file) => {
      const bytes = files.get(file);
      return bytes === undefined ? null : memoryFile(`${name}/${file}`, bytes);
    },
  };
}

/** A file that is in memory. */
export function memoryFile(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    byteLength: bytes.length,
    read: async (at, length) => bytes.slice(at, at + length),
    close: async () => undefined,
  };
}
