/**
 * Reader of LevelDB's log files (write-ahead logs and MANIFESTs) for the check of a store (level-files.ts): blocks of 32 KiB,
 * records of a CRC-32C, a length and a type. LevelDB itself drops what does not fit and goes on behind it; here that is damage,
 * except at the end, where a crash may have torn the last write.
 */
import { maskedCrc32c } from "./crc32c.ts";
import { StoreDamage } from "./store-fault.ts";

const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
const [FULL, MIDDLE, LAST] = [1, 3, 4] as const;

interface LevelLog {
  readonly records: readonly Buffer[];
  /** Bytes after the last whole record; 0 if none was torn. */
  readonly tornBytes: number;
}

/** @throws StoreDamage if something whole follows what is not, or parts of records do not fit each other */
export function readLevelLog(bytes: Buffer, file: string): LevelLog {
  const records: Buffer[] = [];
  let parts: Buffer[] | null = null;
  let endOfWhole = 0;
  let tornAt: number | null = null;
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const blockEnd = at - (at % BLOCK_BYTES) + BLOCK_BYTES;
    if (blockEnd - at < HEADER_BYTES) {
      if (tornAt === null && bytes.subarray(at, blockEnd).some((byte) => byte !== 0)) tornAt = at;
      at = blockEnd;
      continue;
    }
    const end = at + HEADER_BYTES + bytes.readUInt16LE(at + 4);
    const type = bytes[at + 6]!;
    const isWhole =
      end <= Math.min(blockEnd, bytes.length) &&
      type >= FULL &&
      type <= LAST &&
      maskedCrc32c(bytes, at + 6, end) === bytes.readUInt32LE(at);
    if (!isWhole) {
      tornAt ??= at;
      // The length may be what is wrong: the next block begins with a record in any case.
      at = end < blockEnd && end > at + HEADER_BYTES ? end : blockEnd;
      continue;
    }
    if (tornAt !== null) throw new StoreDamage(file, `is damaged at byte ${tornAt}`);
    const isContinued = type === MIDDLE || type === LAST;
    if (isContinued !== (parts !== null))
      throw new StoreDamage(file, `lacks a part of a record at byte ${at}`);
    parts ??= [];
    parts.push(bytes.subarray(at + HEADER_BYTES, end));
    if (type === FULL || type === LAST) {
      records.push(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
      parts = null;
      endOfWhole = end;
    }
    at = end;
  }
  return { records, tornBytes: bytes.length - endOfWhole };
}
