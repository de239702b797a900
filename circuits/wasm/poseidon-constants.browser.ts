/**
 * The twin of `poseidon-constants.ts` in a page, which has no files to read: the build packs the widths that pages use
 * (`web/build/packed-constants.ts`).
 */
import type Packed from "virtual:poseidon-constants";
import type { PoseidonConstants } from "./poseidon-constants.ts";

const BYTES = 32;
let packed: typeof Packed = {};

/** A hundred kilobytes that do not compress: fetched when the first hash is near. */
export async function loadPoseidonConstants(): Promise<void> {
  const { default: loaded } = await import("virtual:poseidon-constants");
  packed = { ...packed, ...loaded };
}

/** Another hundred kilobytes, for who hashes a whole batch, a query or the rows of a Datanet. */
export async function loadDataConstants(): Promise<void> {
  const { default: loaded } = await import("virtual:poseidon-constants/data");
  // Read behind the await: the other widths may have come meanwhile.
  packed = { ...packed, ...loaded };
}

/** All that there are, for who rebuilds the ledger. */
export async function loadReplayConstants(): Promise<void> {
  const [, { default: loaded }] = await Promise.all([
    loadDataConstants(),
    import("virtual:poseidon-constants/replay"),
  ]);
  packed = { ...packed, ...loaded };
}

function fromBytesBe(bytes: Uint8Array): bigint {
  return BigInt(`0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`);
}

/** @throws RangeError for a width that the build leaves out */
export function poseidonConstants(width: number): PoseidonConstants {
  const found = packed[width];
  if (found === undefined) throw new RangeError(`the pages' build packs no Poseidon of width ${width}`);
  const bytes = Uint8Array.from(atob(found.base64), (character) => character.charCodeAt(0));
  let at = 0;
  const take = (count: number) =>
    Array.from({ length: count }, () => {
      at += BYTES;
      return fromBytesBe(bytes.subarray(at - BYTES, at));
    });
  const matrix = () => Array.from({ length: width }, () => take(width));
  return { c: take(found.roundConstants), s: take(found.sparseEntries), m: matrix(), p: matrix() };
}
