/** Addresses of pictures whose bytes are in the page: raster images alone, since whatever else calls itself a picture is a program. */
import { pictureTypeOf } from "@openledger/attribution/pictures/picture-type";
import { base64Of } from "@openledger/attribution/rows/row-content";

import { contentOfRow } from "@openledger/attribution/rows/salted-rows";

/** Maximum bytes of a picture that a list shows: a list has many, and each is in the page three times over. */
export const MAX_THUMBNAIL_BYTES = 1_000_000;

/** Returns a data URL; null if the bytes are no PNG, JPEG, GIF or WebP. */
export function pictureAddress(row: Uint8Array): string | null {
  const content = contentOfRow(row);
  const type = pictureTypeOf(content);
  return type === null ? null : `data:${type};base64,${base64Of(content)}`;
}
