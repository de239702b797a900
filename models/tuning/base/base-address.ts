/**
 * The base model that this repository trains and ships, and its address. The devnet tunes adapters for it, the factory and
 * commands take it where no other is named.
 */
import { fileURLToPath } from "node:url";
import type { FileSource } from "../../engine/files/byte-source.ts";
import { checkedSource } from "../../engine/files/checked-source.ts";
import { folderSource } from "../../engine/files/folder-source.ts";
import { urlSource } from "../../engine/files/url-source.ts";
import { modelError } from "../../model-errors.ts";

/** SHA-256 of the checkpoint's files, which `openledger models base --derive FOLDER` makes again. */
export const BASE_HASHES = {
  "config.json": "b43a5e7c6f408fa3d31df2b0c53a703ec83f0303ab39342d25b0c88accc561b5",
  "model.safetensors": "a600f32554445ee1fb5f18649863fb4c28d4b0ef6a32f5b1ac25554e98b46747",
  "tokenizer.json": "24a081cbe5144c97dfc1bd0a79e25067d48f601e0aa7a6be5f3fe29563cdcc20",
  "tokenizer_config.json": "fa3eda88ae8dc4c3090531761bb1e33943969f205cb7a8fbddf57bac606737ee",
} as const;

/** Names the base in recipes: the hash of its weights. */
export const BASE_SHA256 = BASE_HASHES["model.safetensors"];

export const BASE_FOLDER = fileURLToPath(new URL("checkpoint", import.meta.url));

/** Limit of one file of the default base. */
const MAX_FILE_BYTES = 10 * 2 ** 20;

/**
 * The base's files; each is checked against its hash when it is opened.
 *
 * @param folder another copy of it
 * @throws from its `open`: RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export function defaultBase(folder: string = BASE_FOLDER): FileSource {
  return checkedSource(folderSource(folder), BASE_HASHES, MAX_FILE_BYTES, (file, wanted, found) =>
    modelError("MOD_FILE_INVALID", `${folder}/${file} is not the file of the default base`, {
      data: { reason: "base-changed", file, wanted, found },
    }),
  );
}

/** The base that comes with this software. */
export const OWN_BASE_NAME = "openledger-base";
/** Folder into which `openledger models base --add` puts other bases, and from which a factory lists them. */
export const ADDED_BASES = ".openledger/bases";
/** Address of that base, whose files are checked against its hashes. */
export const OWN_BASE = "default";

export const isAddress = (address: string): boolean => /^https?:\/\//.test(address);

/** Source of a folder, of an address, or of the base that comes with this software. */
export function baseSourceAt(address: string): FileSource {
  if (address === OWN_BASE) return defaultBase();
  return isAddress(address) ? urlSource(address) : folderSource(address);
}

/** Name of a base: the last part of its address. */
export function baseNameAt(address: string): string {
  return address === OWN_BASE ? OWN_BASE_NAME : (address.split("/").filter(Boolean).at(-1) ?? address);
}
