/** Header of a WebP file: what has to be known before it is decoded. */
import { type Orientation, orientationOf } from "./exif.ts";
import type { PictureHeader } from "./jpeg-header.ts";
import { partOf, requireSize, viewOf } from "./picture-limits.ts";
import { PictureProblem } from "./picture-problem.ts";

const ANIMATED = 0x02;

/** @throws PictureProblem */
export function readWebpHeader(content: Uint8Array): PictureHeader {
  const end = 8 + viewOf(partOf(content, 0, 12)).getUint32(4, true);
  partOf(content, 0, end);
  const sizes: { width: number; height: number }[] = [];
  let orientation: Orientation = 1;
  let hasPixels = false;
  for (let at = 12; at + 8 <= end; ) {
    const type = String.fromCharCode(...content.subarray(at, at + 4));
    const length = viewOf(content).getUint32(at + 4, true);
    const chunk = partOf(content, at + 8, length);
    at += 8 + length + (length & 1);
    if (type === "VP8X") sizes.push(canvasSize(chunk));
    if (type === "VP8 " || type === "VP8L") {
      if (hasPixels) throw new PictureProblem("it has two pictures");
      hasPixels = true;
      sizes.push(type === "VP8 " ? lossySize(chunk) : losslessSize(chunk));
    }
    if (type === "EXIF") orientation = orientationOf(withoutName(chunk));
  }
  const [size] = sizes;
  if (size === undefined || !hasPixels) throw new PictureProblem("its file has no pixels");
  for (const one of sizes) {
    requireSize(one.width, one.height);
    if (one.width !== size.width || one.height !== size.height)
      throw new PictureProblem("its headers have different sizes");
  }
  return { ...size, orientation };
}

function canvasSize(chunk: Uint8Array) {
  const view = viewOf(partOf(chunk, 0, 10));
  if ((view.getUint8(0) & ANIMATED) !== 0)
    throw new PictureProblem("it is an animation: save one of its pictures");
  const side = (at: number) => 1 + view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  return { width: side(4), height: side(7) };
}

/** RFC 6386, section 9.1: three bytes of a frame's tag, three of a start code, two sides of 14 bits. */
function lossySize(chunk: Uint8Array) {
  const view = viewOf(partOf(chunk, 0, 10));
  return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
}

/** A byte 0x2f, then each side less one in 14 bits. */
function losslessSize(chunk: Uint8Array) {
  const bits = viewOf(partOf(chunk, 0, 5)).getUint32(1, true);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
}

/** Some programs put the name that JPEG files have before the data. */
function withoutName(chunk: Uint8Array): Uint8Array {
  return [0x45, 0x78, 0x69, 0x66, 0, 0].every((byte, i) => chunk[i] === byte) ? chunk.subarray(6) : chunk;
}
