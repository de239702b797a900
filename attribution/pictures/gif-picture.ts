/** GIF files as pixels of four bytes: the first picture of an animation, on its canvas. */
import { GifReader } from "omggif";
import type { DecodedPicture } from "./decoded-picture.ts";
import { partOf, requireSize, viewOf } from "./picture-limits.ts";
import { PictureProblem } from "./picture-problem.ts";

/** @throws PictureProblem */
export function readGif(content: Uint8Array): DecodedPicture {
  const view = viewOf(partOf(content, 0, 13));
  const [width, height] = [view.getUint16(6, true), view.getUint16(8, true)];
  requireSize(width, height);
  const pixels = new Uint8Array(4 * width * height);
  try {
    const reader = new GifReader(content as Buffer);
    if (reader.numFrames() === 0) throw new PictureProblem("its file has no pixels");
    const frame = reader.frameInfo(0);
    requireSize(frame.width, frame.height);
    if (frame.x + frame.width > width || frame.y + frame.height > height)
      throw new PictureProblem("its first picture is larger than its canvas");
    reader.decodeAndBlitFrameRGBA(0, pixels);
  } catch (cause) {
    if (cause instanceof PictureProblem) throw cause;
    throw new PictureProblem("its file is damaged", { cause });
  }
  return { width, height, orientation: 1, pixels };
}
