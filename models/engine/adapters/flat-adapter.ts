/**
 * A compiled adapter (LoRA): one block with a header, then its pages as they lie in memory; adapter-store.ts writes
 * and reads it. Numbers are halves where that is exact for all of them, so compiling never changes an answer.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { modelError } from "../../model-errors.ts";
import type { AdapterSettings, AdapterTarget } from "../architecture/adapter-layout.ts";
import type { ModelShape } from "../architecture/model-shape.ts";
import { pageLayout, pagesOfRank, toPages } from "./adapter-pages.ts";
import { exactHalves } from "./exact-halves.ts";

/** Length of the header, JSON padded with blanks. */
export const HEADER_BYTES = 4_096;
const FORMAT = "openledger-adapter-2";

const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** Stamp of the published files that it was made of. */
  stamp: z.string(),
  rank: z.number().int().min(1).max(1_024),
  alpha: z.number().positive(),
  isRankStabilized: z.literal(true).optional(),
  targets: z.array(z.string()).min(1),
  isHalf: z.boolean(),
  sha256: z.string().length(64),
});
export type FlatHeader = Readonly<z.infer<typeof headerSchema>>;

export function encodeFlat(
  shape: ModelShape,
  settings: AdapterSettings,
  numbers: Float32Array,
  stamp: string,
): Uint8Array {
  const pages = toPages(shape, settings, numbers);
  const halves = exactHalves(pages);
  const { buffer, byteLength } = halves ?? pages;
  const payload = new Uint8Array(buffer, 0, byteLength);
  const { alpha, isRankStabilized, rank, targets } = settings;
  const header: FlatHeader = {
    format: FORMAT,
    stamp,
    rank,
    alpha,
    ...(isRankStabilized === true ? { isRankStabilized } : {}),
    targets: [...targets],
    isHalf: halves !== null,
    sha256: sha256(payload),
  };
  const flat = new Uint8Array(HEADER_BYTES + byteLength);
  flat.set(new TextEncoder().encode(JSON.stringify(header).padEnd(HEADER_BYTES)));
  flat.set(payload, HEADER_BYTES);
  return flat;
}

/** null for what is no header of a compiled adapter. */
export function decodeFlatHeader(bytes: Uint8Array): FlatHeader | null {
  try {
    return headerSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    return null;
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Bytes of an adapter's pages. @throws RollupError MOD_FILE_INVALID */
export function payloadBytes(shape: ModelShape, { isHalf, rank, targets }: FlatHeader): number {
  const { pageNumbers } = pageLayout(shape, targets as AdapterTarget[]);
  return pagesOfRank(rank) * pageNumbers * (isHalf ? 2 : 4);
}

export function damaged(name: string, reason: string) {
  return modelError("MOD_FILE_INVALID", `the compiled adapter ${name}: ${reason}`, {
    data: { reason: "adapter-invalid", field: "", name },
  });
}
