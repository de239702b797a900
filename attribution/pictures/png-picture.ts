/**
 * PNG files as pixels of four bytes: all depths, palettes, interlaced files and transparency. By hand behind the inflating, since no decoder
 * does for both Node and pages: fast-png 8.0.0 refuses interlaced files of less than 8 bits, pngjs needs Node's zlib, and the program of
 * @jsquash/png cannot be begun anew once a broken file has ended it.
 */
import { Unzlib } from "fflate";
import type { DecodedPicture } from "./decoded-picture.ts";
import { type Orientation, orientationOf } from "./exif.ts";
import { partOf, requireSize, viewOf } from "./picture-limits.ts";
import { PictureProblem } from "./picture-problem.ts";

const SIGNATURE_BYTES = 8;
/** Length, type and checksum of a chunk. */
const CHUNK_FRAME_BYTES = 12;
/** Channels and bits by a header's colour type. */
const COLOUR_TYPES: Readonly<Record<number, { channels: number; depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};
const PALETTE = 3;
/** Chunks that pixels depend on: their checksums are checked. */
const CRITICAL = ["IHDR", "PLTE", "IDAT", "IEND"];
/** Passes of an interlaced file: first column and row, and steps. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
/** Compressed bytes that are inflated at once: they become a mebibyte at most before the sum is looked at. */
const PIECE_BYTES = 1_024;

interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  readonly channels: number;
  readonly isInterlaced: boolean;
  readonly palette: Uint8Array;
  readonly transparency: Uint8Array;
  readonly orientation: Orientation;
  readonly compressed: readonly Uint8Array[];
}

/** Reads a PNG file. Sizes are checked before anything is decompressed. @throws PictureProblem */
export function readPng(content: Uint8Array): DecodedPicture {
  const parts = partsOf(content);
  const { height, orientation, width } = parts;
  return { width, height, orientation, pixels: pixelsOf(parts, inflated(parts)) };
}

function partsOf(content: Uint8Array): PngParts {
  const header = viewOf(partOf(content, SIGNATURE_BYTES, CHUNK_FRAME_BYTES + 13));
  const compressed: Uint8Array[] = [];
  const found: Record<string, Uint8Array> = {};
  for (let at: number = SIGNATURE_BYTES; ; ) {
    const length = viewOf(partOf(content, at, 8)).getUint32(0);
    const chunk = partOf(content, at, CHUNK_FRAME_BYTES + length);
    const type = String.fromCharCode(...chunk.subarray(4, 8));
    const body = chunk.subarray(8, 8 + length);
    if ((type === "IHDR") !== (at === SIGNATURE_BYTES))
      throw new PictureProblem("its header is not its first chunk");
    if (type === "IDAT") compressed.push(body);
    else found[type] ??= body;
    if (
      CRITICAL.includes(type) &&
      crc32(chunk.subarray(4, 8 + length)) !== viewOf(chunk).getUint32(8 + length)
    )
      throw new PictureProblem("its file is damaged");
    at += chunk.length;
    if (type !== "IEND") continue;
    if (at !== content.length) throw new PictureProblem("its file goes on after its end");
    break;
  }
  const [width, height] = [header.getUint32(8), header.getUint32(12)];
  requireSize(width, height);
  const [depth, colourType, interlace] = [header.getUint8(16), header.getUint8(17), header.getUint8(20)];
  const known = COLOUR_TYPES[colourType];
  if (header.getUint32(0) !== 13 || known === undefined || !known.depths.includes(depth) || interlace > 1)
    throw new PictureProblem("its header is damaged");
  if (colourType === PALETTE && found["PLTE"] === undefined) throw new PictureProblem("it has no palette");
  return {
    width,
    height,
    depth,
    colourType,
    channels: known.channels,
    isInterlaced: interlace === 1,
    palette: found["PLTE"] ?? new Uint8Array(),
    transparency: found["tRNS"] ?? new Uint8Array(),
    orientation: found["eXIf"] === undefined ? 1 : orientationOf(found["eXIf"]),
    compressed,
  };
}

/** Pictures that a file has one after another: itself, or the seven of an interlaced one. */
interface Pass {
  readonly columns: number;
  readonly rows: number;
  readonly rowBytes: number;
  /** Position in the picture of a pixel of the pass. */
  readonly placeOf: (column: number, row: number) => number;
}

function passesOf({ channels, depth, height, isInterlaced, width }: PngParts): Pass[] {
  const steps = isInterlaced ? PASSES : ([[0, 0, 1, 1]] as const);
  return steps
    .map(([x, y, stepX, stepY]): Pass => {
      const columns = Math.ceil((width - x) / stepX);
      const placeOf = (column: number, row: number) => (y + row * stepY) * width + x + column * stepX;
      const rowBytes = Math.ceil((columns * channels * depth) / 8);
      return { columns, rows: Math.ceil((height - y) / stepY), rowBytes, placeOf };
    })
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
}

/** Inflates the rows, each behind a byte for its filter: just as many bytes as the header says, since a kilobyte may become a megabyte. */
function inflated(parts: PngParts): Uint8Array {
  const raw = new Uint8Array(
    passesOf(parts).reduce((sum, { rowBytes, rows }) => sum + rows * (1 + rowBytes), 0),
  );
  let length = 0;
  const inflator = new Unzlib((piece) => {
    if (length + piece.length <= raw.length) raw.set(piece, length);
    length += piece.length;
  });
  try {
    for (const chunk of parts.compressed) {
      for (let at = 0; at < chunk.length && length <= raw.length; at += PIECE_BYTES)
        inflator.push(chunk.subarray(at, at + PIECE_BYTES));
    }
    if (length <= raw.length) inflator.push(new Uint8Array(), true);
  } catch (cause) {
    throw new PictureProblem("its pixels cannot be read", { cause });
  }
  if (length !== raw.length) throw new PictureProblem("its pixels are not as many as its header says");
  return raw;
}

function pixelsOf(parts: PngParts, raw: Uint8Array): Uint8Array {
  const { channels, depth, height, width } = parts;
  const pixels = new Uint8Array(4 * width * height);
  const pixelBytes = Math.max(1, (channels * depth) >> 3);
  const write = pixelWriter(parts, pixels);
  let at = 0;
  for (const { columns, placeOf, rowBytes, rows } of passesOf(parts)) {
    let above: Uint8Array = new Uint8Array(rowBytes);
    for (let row = 0; row < rows; row++) {
      const line = raw.subarray(at + 1, at + 1 + rowBytes);
      unfilter(raw[at]!, line, above, pixelBytes);
      const sampleAt = samplesOf(line, depth);
      for (let column = 0; column < columns; column++)
        write(4 * placeOf(column, row), column * channels, sampleAt);
      above = line;
      at += 1 + rowBytes;
    }
  }
  return pixels;
}

/** Undoes a row's filter in place (PNG, section 9). */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, pixelBytes: number): void {
  if (filter > 4) throw new PictureProblem("its pixels cannot be read");
  if (filter === 0) return;
  for (let k = 0; k < line.length; k++) {
    const left = k < pixelBytes ? 0 : line[k - pixelBytes]!;
    const up = above[k]!;
    const corner = k < pixelBytes ? 0 : above[k - pixelBytes]!;
    const guess =
      filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
    line[k] = line[k]! + guess;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const [byLeft, byUp, byCorner] = [
    Math.abs(up - corner),
    Math.abs(left - corner),
    Math.abs(left + up - 2 * corner),
  ];
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

type SampleAt = (k: number) => number;

/** Samples of a row. Those of less than a byte begin at the highest bits. */
function samplesOf(line: Uint8Array, depth: number): SampleAt {
  if (depth === 8) return (k) => line[k]!;
  if (depth === 16) return (k) => (line[2 * k]! << 8) | line[2 * k + 1]!;
  const last = (1 << depth) - 1;
  return (k) => {
    const bit = k * depth;
    return (line[bit >> 3]! >> (8 - depth - (bit & 7))) & last;
  };
}

/** Writes a pixel at a position, from its first sample on. */
function pixelWriter(
  { channels, colourType, depth, palette, transparency }: PngParts,
  pixels: Uint8Array,
): (at: number, first: number, sampleAt: SampleAt) => void {
  if (colourType === PALETTE)
    return (at, first, sampleAt) => {
      const position = sampleAt(first);
      if (3 * position + 2 >= palette.length) throw new PictureProblem("a colour is not in its palette");
      for (let c = 0; c < 3; c++) pixels[at + c] = palette[3 * position + c]!;
      pixels[at + 3] = transparency[position] ?? 255;
    };
  const white = 2 ** depth - 1;
  const byteOf = (sample: number) =>
    depth === 8 ? sample : Math.floor((510 * sample + white) / (2 * white));
  const clear = channels % 2 === 1 ? clearColour(transparency, channels) : null;
  return (at, first, sampleAt) => {
    for (let c = 0; c < 3; c++) pixels[at + c] = byteOf(sampleAt(channels < 3 ? first : first + c));
    const isClear = clear?.every((sample, c) => sampleAt(first + c) === sample);
    pixels[at + 3] = channels % 2 === 0 ? byteOf(sampleAt(first + channels - 1)) : isClear === true ? 0 : 255;
  };
}

/** The one colour that is transparent, a sample a channel; null where there is none. */
function clearColour(transparency: Uint8Array, channels: number): number[] | null {
  if (transparency.length < 2 * channels) return null;
  const view = viewOf(transparency);
  return Array.from({ length: channels }, (_, c) => view.getUint16(2 * c));
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of a chunk's type and body. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
