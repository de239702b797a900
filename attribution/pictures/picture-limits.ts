/** Bounds of pictures that models read, checked in a file's header before anything is decoded. */
import { PictureProblem } from "./picture-problem.ts";

/**
 * Maximum size of a picture's file, in bytes: 4 MiB in base64, as a prompt has it in a request. Photographs of twelve megapixels are below
 * it at a usual quality.
 */
export const MAX_PICTURE_BYTES = 3 * 2 ** 20;
/** Maximum pixels of a side, and of a picture: 64 MiB when decoded. */
const MAX_PICTURE_SIDE = 8_192;
const MAX_PIXELS = 2 ** 24;

/** @throws PictureProblem */
export function requireSize(width: number, height: number): void {
  if (width === 0 || height === 0) throw new PictureProblem("it has no pixels");
  if (width > MAX_PICTURE_SIDE || height > MAX_PICTURE_SIDE || width * height > MAX_PIXELS)
    throw new PictureProblem(
      `its ${width} × ${height} pixels are too many: a side has at most ${MAX_PICTURE_SIDE}, a picture ${MAX_PIXELS}`,
    );
}

/** Part of a file. @throws PictureProblem where the file ends before it */
export function partOf(content: Uint8Array, from: number, length: number): Uint8Array {
  if (from + length > content.length) throw new PictureProblem("its file is cut off");
  return content.subarray(from, from + length);
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
