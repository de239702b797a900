/**
 * Interface through which models' files are read, from a folder, an address or memory. Offsets and lengths are in bytes; large
 * files are read in parts, small ones whole up to a limit.
 */
import { modelError } from "../../model-errors.ts";

/** A file whose parts can be read. */
export interface ByteSource {
  readonly name: string;
  readonly byteLength: number;
  /** Strong entity tag of a file at an address: equal tags mean equal bytes. */
  readonly etag?: string | null;
  /** @throws RollupError MOD_SOURCE_UNREADABLE, also if the file ends before */
  read(at: number, byteLength: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The files of a model: a local folder, or addresses below one. */
export interface FileSource {
  readonly name: string;
  /** null if there is no such file. @throws RollupError MOD_SOURCE_UNREADABLE */
  open(file: string): Promise<ByteSource | null>;
}

export function unreadable(name: string, reason: string, cause?: unknown) {
  return modelError("MOD_SOURCE_UNREADABLE", `${name} cannot be read: ${reason}`, {
    data: { name, reason },
    cause,
  });
}

/** A whole file of at most `maxBytes`. @throws RollupError MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE */
export async function readWhole(
  source: FileSource,
  file: string,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const opened = await source.open(file);
  if (opened === null) return null;
  try {
    const { byteLength } = opened;
    if (byteLength > maxBytes) {
      throw modelError("MOD_TOO_LARGE", `${opened.name} has ${byteLength} bytes, the limit is ${maxBytes}`, {
        data: { file, byteLength, maxBytes },
      });
    }
    return await opened.read(0, byteLength);
  } finally {
    await opened.close();
  }
}
