/** Type of a picture's file by its first bytes. Hosts, pages and decoders go by it. */

export type PictureType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/** PNG, JPEG, GIF or WebP; null for all else, SVG too: it is a program. */
export function pictureTypeOf(content: Uint8Array): PictureType | null {
  const begins = (at: number, ...bytes: number[]) => bytes.every((byte, i) => content[at + i] === byte);
  if (begins(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (begins(0, 0xff, 0xd8, 0xff)) return "image/jpeg";
  if (begins(0, 0x47, 0x49, 0x46, 0x38)) return "image/gif";
  return begins(0, 0x52, 0x49, 0x46, 0x46) && begins(8, 0x57, 0x45, 0x42, 0x50) ? "image/webp" : null;
}
