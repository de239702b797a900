/** Pixels of a picture, as all decoders give them. */
import type { Orientation } from "./exif.ts";

export interface DecodedPicture {
  /** Size as stored, before the orientation is applied. */
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
  /** Red, green, blue and opacity of each pixel, row after row. */
  readonly pixels: Uint8Array;
}
