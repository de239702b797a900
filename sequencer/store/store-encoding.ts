/**
 * How values lie in the data directory: a mark, a CRC-32, and v8's serialization. LevelDB's own checksums are not
 * looked at when it reads, and its compression has none, so a flipped bit would come back as another value.
 */
import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";

const CHECKED = 0xc5;
const HEADER_BYTES = 5;

/** For `level`: v8's format keeps bigints. */
export const storeEncoding = {
  name: "v8-crc32",
  format: "buffer" as const,
  encode(value: unknown): Buffer {
    const body = serialize(value);
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header[0] = CHECKED;
    header.writeUInt32LE(crc32(body), 1);
    return Buffer.concat([header, body]);
  },
  /** @throws where the bytes are not those that were written */
  decode(data: Uint8Array): unknown {
    return deserialize(checkedBody(data));
  },
};

/** What v8 wrote. @throws where the bytes are not those that were written */
export function checkedBody(data: Uint8Array): Uint8Array {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const body = bytes.subarray(HEADER_BYTES);
  if (bytes[0] !== CHECKED || bytes.length <= HEADER_BYTES || crc32(body) !== bytes.readUInt32LE(1))
    throw new Error("the value's checksum is wrong: corruption");
  return body;
}
