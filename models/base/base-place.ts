import type { FileSource } from "../files/byte-source.ts";
import { folderSource } from "../files/folder-source.ts";
import { urlSource } from "../files/url-source.ts";
import { defaultBase } from "./default-base.ts";

/** The base that comes with this software. */
export const OWN_BASE_NAME = "openledger-base";
/** As a place: that base, whose files are checked against its hashes. */
export const OWN_BASE = "default";

export const isAddress = (place: string): boolean => /^https?:\/\//.test(place);

/** A folder, what lies below an address, or the base that comes with this software. */
export function baseSourceAt(place: string): FileSource {
  if (place === OWN_BASE) return defaultBase();
  return isAddress(place) ? urlSource(place) : folderSource(place);
}

/** What people call a base: the last part of its place. */
export function baseNameAt(place: string): string {
  return place === OWN_BASE ? OWN_BASE_NAME : (place.split("/").filter(Boolean).at(-1) ?? place);
}
