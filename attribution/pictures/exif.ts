/** The orientation in a picture's EXIF data: cameras store pixels as the sensor lies and say here how to turn them. */

/** 1: as stored. 2 … 8: mirrored or turned (picture-grid.ts). */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const SHORT_TYPE = 3;
const ENTRY_BYTES = 12;

/** Reads the orientation; 1 where the data has none or is no EXIF. @param tiff from its byte order on */
export function orientationOf(tiff: Uint8Array): Orientation {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const order = tiff.length < 8 ? 0 : view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const isLittle = order === 0x4949;
  if (view.getUint16(2, isLittle) !== 42) return 1;
  const list = view.getUint32(4, isLittle);
  if (list + 2 > tiff.length) return 1;
  const count = view.getUint16(list, isLittle);
  for (let k = 0; k < count; k++) {
    const at = list + 2 + k * ENTRY_BYTES;
    if (at + ENTRY_BYTES > tiff.length) return 1;
    if (view.getUint16(at, isLittle) !== ORIENTATION_TAG) continue;
    const value = view.getUint16(at + 2, isLittle) === SHORT_TYPE ? view.getUint16(at + 8, isLittle) : 1;
    return value >= 1 && value <= 8 ? (value as Orientation) : 1;
  }
  return 1;
}
