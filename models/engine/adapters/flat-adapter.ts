/**
 * A compiled adapter (LoRA): one block with a header, then its pages and DoRA's changes as they lie in memory; adapter-store.ts
 * writes and reads it. A page's numbers are halves where that is exact for all of them, so compiling never changes an answer.
 */
import { createHash } from "node:crypto";
import { concatBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { modelError } from "../../model-errors.ts";
import type { AdapterLayout, AdapterTarget } from "../architecture/adapter-layout.ts";
import type { ModelShape } from "../architecture/model-shape.ts";
import { pageLayout, pagesOfRank, toChanges, toPages } from "./adapter-pages.ts";
import { exactHalves } from "./exact-halves.ts";

/** Length of the header, JSON padded with blanks. */
export const HEADER_BYTES = 4_096;
const FORMAT = "openledger-adapter-3";

const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** Stamp of the published files that it was made of. */
  stamp: z.string(),
  rank: z.number().int().min(1).max(1_024),
  factor: z.number().positive(),
  /** DoRA: SHA-256 of the base's weights that it was compiled for. Absent: an adapter of any base of the shape. */
  baseSha256: z.string().length(64).optional(),
  targets: z.array(z.string()).min(1),
  isHalf: z.boolean(),
  sha256: z.string().length(64),
});
export type FlatHeader = Readonly<z.infer<typeof headerSchema>>;

export function encodeFlat(
  shape: ModelShape,
  layout: AdapterLayout,
  numbers: Float32Array,
  { baseSha256, stamp }: Pick<FlatHeader, "baseSha256" | "stamp">,
): Uint8Array {
  const pages = toPages(shape, layout, numbers);
  const halves = exactHalves(pages);
  const changes = baseSha256 === undefined ? new Float32Array(0) : toChanges(shape, layout, numbers);
  const payload = concatBytes(bytesOf(halves ?? pages), bytesOf(changes));
  const header: FlatHeader = {
    format: FORMAT,
    stamp,
    rank: layout.rank,
    factor: layout.factor,
    ...(baseSha256 === undefined ? {} : { baseSha256 }),
    targets: [...layout.settings.targets],
    isHalf: halves !== null,
    sha256: sha256(payload),
  };
  const flat = new Uint8Array(HEADER_BYTES + payload.length);
  flat.set(new TextEncoder().encode(JSON.stringify(header).padEnd(HEADER_BYTES)));
  flat.set(payload, HEADER_BYTES);
  return flat;
}

const bytesOf = ({ buffer, byteLength, byteOffset }: Float32Array | Uint16Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** null for what is no header of a compiled adapter. */
export function decodeFlatHeader(bytes: Uint8Array): FlatHeader | null {
  try {
    return headerSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    return null;
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Bytes of an adapter's pages, and of all its numbers. @throws RollupError MOD_FILE_INVALID */
export function payloadBytes(
  shape: ModelShape,
  { baseSha256, isHalf, rank, targets }: FlatHeader,
): { pageBytes: number; byteLength: number } {
  const { changeCount, pageNumbers } = pageLayout(shape, targets as AdapterTarget[]);
  const pageBytes = pageNumbers * (isHalf ? 2 : 4);
  return {
    pageBytes,
    byteLength: pagesOfRank(rank) * pageBytes + (baseSha256 === undefined ? 0 : 4 * changeCount),
  };
}

export function damaged(name: string, reason: string) {
  return modelError("MOD_FILE_INVALID", `the compiled adapter ${name}: ${reason}`, {
    data: { reason: "adapter-invalid", field: "", name },
  });
}
