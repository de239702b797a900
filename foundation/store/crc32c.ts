/** Checksums of LevelDB's files: level-log.ts and level-table.ts compare them. */

/** Polynomial of CRC-32C (Castagnoli), bits reversed. Node's zlib has only the other one. */
const POLYNOMIAL = 0x82f63b78;
/** Bytes of one step: eight tables, an eighth of the dependent look-ups. */
const STEP_BYTES = 8;
/** Constant of LevelDB's masked form (util/crc32c.h). */
const MASK_DELTA = 0xa282ead8;

const tables = makeTables();

function makeTables(): Int32Array[] {
  const made = Array.from({ length: STEP_BYTES }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    made[0]![byte] = crc;
  }
  for (let table = 1; table < STEP_BYTES; table++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = made[table - 1]![byte]!;
      made[table]![byte] = (before >>> 8) ^ made[0]![before & 255]!;
    }
  }
  return made;
}

/** @returns 0 … 2^32 − 1 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let crc = -1;
  let at = from;
  for (; at + STEP_BYTES <= to; at += STEP_BYTES) {
    crc =
      t7![(crc ^ bytes[at]!) & 255]! ^
      t6![((crc >>> 8) ^ bytes[at + 1]!) & 255]! ^
      t5![((crc >>> 16) ^ bytes[at + 2]!) & 255]! ^
      t4![(crc >>> 24) ^ bytes[at + 3]!]! ^
      t3![bytes[at + 4]!]! ^
      t2![bytes[at + 5]!]! ^
      t1![bytes[at + 6]!]! ^
      t0![bytes[at + 7]!]!;
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ t0![(crc ^ bytes[at]!) & 255]!;
  return ~crc >>> 0;
}

/** CRC-32C in LevelDB's masked form, for a CRC that is stored beside its bytes. */
export function maskedCrc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const crc = crc32c(bytes, from, to);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
