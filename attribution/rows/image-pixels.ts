/**
 * Pixels of pictures that direct models read (28 × 28 PNG files of 8 bits): grey levels, and their means over squares as inputs
 * in [0, 1]. One decoder in JavaScript, so that pages and Node get the same bytes.
 */
import { decode, encode } from "fast-png";

/** Pixels of a picture's side. */
export const IMAGE_SIDE = 28;
/** Bytes of a picture's grey levels, row after row. */
export const PIXEL_COUNT = IMAGE_SIDE * IMAGE_SIDE;

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;
/** Length, type and checksum of a chunk. */
const CHUNK_FRAME_BYTES = 12;
/** Channels by a header's colour type; a palette has none. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 };
/** Maximum compressed bytes: more than four channels need without compression. They inflate to 8 MiB at most. */
const MAX_COMPRESSED_BYTES = 8_192;
/** Fixed, since the level decides the file's bytes. */
const ZLIB_LEVEL = 9;

/** A picture that no direct model reads; `message` says why. */
export class ImageProblem extends Error {}

/**
 * Reads the grey levels of a PNG file of 28 × 28 pixels, 0 = black. Colours become (299 R + 587 G + 114 B + 500) / 1,000,
 * transparent pixels are shown on black. Size and depth are checked before anything is decompressed.
 * @throws ImageProblem
 */
export function readPng(content: Uint8Array): Uint8Array {
  const { channels, file } = checkedPng(content);
  const data = decodedPng(file);
  if (data.length !== PIXEL_COUNT * channels) throw new ImageProblem("its pixels are not complete");
  return Uint8Array.from({ length: PIXEL_COUNT }, (_, p) => {
    const at = p * channels;
    const level = channels < 3 ? data[at]! : lumaOf(data[at]!, data[at + 1]!, data[at + 2]!);
    const alpha = channels % 2 === 0 ? data[at + channels - 1]! : 255;
    return Math.floor((level * alpha + 127) / 255);
  });
}

const lumaOf = (red: number, green: number, blue: number): number =>
  Math.floor((299 * red + 587 * green + 114 * blue + 500) / 1_000);

/** Writes grey levels, row after row, as a PNG file. The same levels give the same bytes on every machine. */
export function writePng(levels: Uint8Array): Uint8Array {
  const picture = { width: IMAGE_SIDE, height: IMAGE_SIDE, channels: 1, data: levels } as const;
  return encode({ ...picture, depth: 8 }, { zlib: { level: ZLIB_LEVEL } });
}

/** The file with its header and pixels alone: text, profiles and animations are nothing that a model reads. */
function checkedPng(content: Uint8Array): { channels: number; file: Uint8Array } {
  if (SIGNATURE.some((byte, i) => content[i] !== byte)) throw new ImageProblem("it is no PNG file");
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const parts = [content.subarray(0, SIGNATURE.length)];
  let compressedBytes = 0;
  for (let at: number = SIGNATURE.length; ; ) {
    if (at + CHUNK_FRAME_BYTES > content.length) throw new ImageProblem("its file is cut off");
    const length = view.getUint32(at);
    const end = at + CHUNK_FRAME_BYTES + length;
    if (end > content.length) throw new ImageProblem("its file is cut off");
    const type = String.fromCharCode(...content.subarray(at + 4, at + 8));
    if ((type === "IHDR") !== (parts.length === 1))
      throw new ImageProblem("its header is not its first chunk");
    if (type === "IDAT") compressedBytes += length;
    if (type === "IHDR" || type === "IDAT" || type === "IEND") parts.push(content.subarray(at, end));
    at = end;
    if (type !== "IEND") continue;
    if (at !== content.length) throw new ImageProblem("its file goes on after its end");
    break;
  }
  const header = new DataView(content.buffer, content.byteOffset + SIGNATURE.length + 8);
  const [width, height] = [header.getUint32(0), header.getUint32(4)];
  if (width !== IMAGE_SIDE || height !== IMAGE_SIDE)
    throw new ImageProblem(`it has ${width} × ${height} pixels, not ${IMAGE_SIDE} × ${IMAGE_SIDE}`);
  const channels = CHANNELS[header.getUint8(9)];
  if (header.getUint8(8) !== 8 || channels === undefined)
    throw new ImageProblem("it is no PNG of 8 bits with grey levels or colours: save it without a palette");
  if (compressedBytes > MAX_COMPRESSED_BYTES)
    throw new ImageProblem(
      `its pixels have ${compressedBytes} bytes, at most ${MAX_COMPRESSED_BYTES} are read`,
    );
  return { channels, file: joined(parts) };
}

function decodedPng(file: Uint8Array): ArrayLike<number> {
  try {
    return decode(file, { checkCrc: true }).data;
  } catch (cause) {
    throw new ImageProblem("its pixels cannot be read", { cause });
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Pictures of 28 × 28 grey levels as side × side numbers in [0, 1]: means of squares of pixels. */
export function poolPixels(pixels: Uint8Array, side: 28 | 14 | 7): Float64Array {
  const count = pixels.length / PIXEL_COUNT;
  const factor = IMAGE_SIDE / side;
  const values = new Float64Array(count * side * side);
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < PIXEL_COUNT; p++) {
      const y = Math.floor(Math.floor(p / IMAGE_SIDE) / factor);
      const x = Math.floor((p % IMAGE_SIDE) / factor);
      const at = (i * side + y) * side + x;
      values[at] = values[at]! + pixels[i * PIXEL_COUNT + p]!;
    }
  }
  for (let k = 0; k < values.length; k++) values[k] = values[k]! / (255 * factor * factor);
  return values;
}
