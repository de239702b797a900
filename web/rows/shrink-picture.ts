/**
 * Scales pictures' files down that are larger than a Datanet or a model takes, as a phone's photographs are. The browser decodes them,
 * and turns them as their EXIF data says; the smaller picture is a JPEG without such data.
 */
import { readJpegHeader } from "@openledger/attribution/pictures/jpeg-header";
import { MAX_PICTURE_BYTES } from "@openledger/attribution/pictures/picture-limits";
import { PictureProblem } from "@openledger/attribution/pictures/picture-problem";
import { pictureTypeOf } from "@openledger/attribution/pictures/picture-type";
import { readWebpHeader } from "@openledger/attribution/pictures/webp-header";

/** Pixels of the longer side, tried from the first on: models read grids of 28 × 28, and people have to see what is shown. */
const SIDES = [2_048, 1_448, 1_024, 724, 512, 256, 128, 64] as const;
export const MAX_SHRUNK_SIDE = SIDES[0];
const QUALITY = 0.9;

/** Change of a picture's file: fewer pixels, or the same ones in a form that models read; null for none. */
export type PictureChange = "scaled" | "converted" | null;

/**
 * The picture in a file that is small enough and of a form that models read, and how it was changed.
 * @param maxBytes of the file, at most as many as any model reads
 */
export async function shrinkPicture(
  content: Uint8Array,
  maxBytes: number = MAX_PICTURE_BYTES,
): Promise<{ readonly content: Uint8Array; readonly change: PictureChange }> {
  const max = Math.min(maxBytes, MAX_PICTURE_BYTES);
  if (pictureTypeOf(content) === null || (content.length <= max && isReadable(content)))
    return { content, change: null };
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(new Blob([Uint8Array.from(content)]), {
      imageOrientation: "from-image",
    });
  } catch {
    // A damaged file is refused with its reason by who reads it.
    return { content, change: null };
  }
  try {
    for (const side of SIDES) {
      const file = await drawn(picture, side);
      const isSmaller = side < Math.max(picture.width, picture.height);
      if (file.length <= max) return { content: file, change: isSmaller ? "scaled" : "converted" };
    }
    return { content, change: null };
  } finally {
    picture.close();
  }
}

/** Says by the picture's header alone whether models read it: neither too many pixels nor colours of print, for example. */
function isReadable(content: Uint8Array): boolean {
  const type = pictureTypeOf(content);
  try {
    if (type === "image/jpeg") readJpegHeader(content);
    if (type === "image/webp") readWebpHeader(content);
    return true;
  } catch (error) {
    if (error instanceof PictureProblem) return false;
    throw error;
  }
}

async function drawn(picture: ImageBitmap, side: number): Promise<Uint8Array> {
  const ratio = Math.min(1, side / Math.max(picture.width, picture.height));
  const pixels = (length: number) => Math.max(1, Math.round(ratio * length));
  const canvas = new OffscreenCanvas(pixels(picture.width), pixels(picture.height));
  const context = canvas.getContext("2d")!;
  // JPEG has no transparency.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const file = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  return new Uint8Array(await file.arrayBuffer());
}
