/** Header of a JPEG file: what has to be known before it is decoded. */
import { type Orientation, orientationOf } from "./exif.ts";
import { partOf, requireSize, viewOf } from "./picture-limits.ts";
import { PictureProblem } from "./picture-problem.ts";

const START_OF_SCAN = 0xda;
const END = 0xd9;
const EXIF = 0xe1;
/** Start of frame: C0 … CF without tables (C4), extensions (C8) and arithmetic coding's conditions (CC). */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
/** Grey levels, or YCbCr; decoders disagree about four (CMYK). */
const COMPONENTS = [1, 3];
/** Progressive files have about ten scans, each of which goes over all pixels. */
const MAX_SCANS = 100;

export interface PictureHeader {
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
}

/** @throws PictureProblem */
export function readJpegHeader(content: Uint8Array): PictureHeader {
  let size: { width: number; height: number } | undefined;
  let orientation: Orientation | undefined;
  let scanCount = 0;
  for (let at = 2; ; ) {
    const marker = nextMarker(content, at);
    at = marker.end;
    if (marker.code === END) break;
    const length = viewOf(partOf(content, at, 2)).getUint16(0);
    if (length < 2) throw new PictureProblem("its file is damaged");
    const segment = partOf(content, at + 2, length - 2);
    at += length;
    if (isFrame(marker.code)) {
      if (size !== undefined) throw new PictureProblem("it has two headers");
      size = frameSize(segment);
    }
    if (marker.code === EXIF) orientation ??= exifOrientation(segment);
    if (marker.code !== START_OF_SCAN) continue;
    scanCount += 1;
    if (scanCount > MAX_SCANS)
      throw new PictureProblem(`it has more than ${MAX_SCANS} scans, save it without progressive steps`);
    at = endOfScan(content, at);
  }
  if (size === undefined || scanCount === 0) throw new PictureProblem("its file has no pixels");
  return { ...size, orientation: orientation ?? 1 };
}

/** Marker at a position: 0xff, as often as one likes, and its code. */
function nextMarker(content: Uint8Array, from: number): { code: number; end: number } {
  let at = from;
  if (content[at] !== 0xff)
    throw new PictureProblem(at >= content.length ? "its file is cut off" : "its file is damaged");
  while (content[at] === 0xff) at++;
  if (at >= content.length) throw new PictureProblem("its file is cut off");
  return { code: content[at]!, end: at + 1 };
}

function frameSize(segment: Uint8Array): { width: number; height: number } {
  const view = viewOf(partOf(segment, 0, 6));
  const [height, width, components] = [view.getUint16(1), view.getUint16(3), view.getUint8(5)];
  requireSize(width, height);
  if (view.getUint8(0) !== 8) throw new PictureProblem("its colours have more than 8 bits");
  if (!COMPONENTS.includes(components))
    throw new PictureProblem(
      `it has ${components} colour channels, CMYK perhaps: save it as RGB or grey levels`,
    );
  return { width, height };
}

/** Position of the marker behind a scan: a 0xff that neither a zero nor a restart's mark follows. */
function endOfScan(content: Uint8Array, from: number): number {
  for (let at = content.indexOf(0xff, from); at >= 0; at = content.indexOf(0xff, at + 1)) {
    const next = content[at + 1];
    if (next !== undefined && next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  throw new PictureProblem("its file is cut off");
}

function exifOrientation(segment: Uint8Array): Orientation | undefined {
  const isExif = [0x45, 0x78, 0x69, 0x66, 0, 0].every((byte, i) => segment[i] === byte);
  return isExif ? orientationOf(segment.subarray(6)) : undefined;
}
