/** Encoding of JSON values in LevelDB with a checksum, for the stores of bridge and watcher. */
import { crc32 } from "node:zlib";
import { StoreDamage } from "./store-fault.ts";

/** First character of checked values. No JSON text begins with it. */
const CHECKED = "c";
const CHECKSUM_DIGITS = 8;

const checksum = (text: string) => crc32(text).toString(16).padStart(CHECKSUM_DIGITS, "0");

/**
 * Value encoding for `level`: JSON after its CRC-32. LevelDB does not verify its own checksums when it reads
 * and compacts.
 */
export const checkedJson = {
  name: "json-crc32",
  format: "utf8" as const,
  encode(value: unknown): string {
    const text = JSON.stringify(value);
    return `${CHECKED}${checksum(text)}${text}`;
  },
  /** @throws StoreDamage if the text is not what was written */
  decode(data: string): unknown {
    const text = data.slice(CHECKED.length + CHECKSUM_DIGITS);
    if (data.slice(0, CHECKED.length + CHECKSUM_DIGITS) !== `${CHECKED}${checksum(text)}`)
      throw new StoreDamage("a value", "has the wrong checksum");
    return JSON.parse(text);
  },
};
