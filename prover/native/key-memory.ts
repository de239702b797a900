import type { ZkeyHeader } from "../formats/zkey-header.ts";
import type { KeyMemory } from "../proving/prover.ts";

/**
 * Points of each of the five sums that a proof of a mapped key holds at a time, 50 MB together. Fewer would meet too few in
 * a bucket, and more gain nothing.
 */
export const PIECE_POINTS = 2 ** 16;

/** Points in memory stand beside their image under the endomorphism: G1 of A, B and C, G2 of B; G1 of H. */
const wireBytes = 2 * (3 * 64 + 128);
const domainBytes = 2 * 64;

/** Bytes that a resident key's points take at most; infinities take none. */
export function residentPointBytes({
  wireCount,
  domainSize,
}: Pick<ZkeyHeader, "wireCount" | "domainSize">): number {
  return wireBytes * wireCount + domainBytes * domainSize;
}

/** A resident key leaves three quarters of the memory to witnesses, transforms, other keys and other processes. */
export function chooseKeyMemory(
  asked: KeyMemory,
  header: Pick<ZkeyHeader, "wireCount" | "domainSize">,
  availableBytes: number,
): Exclude<KeyMemory, "auto"> {
  if (asked !== "auto") return asked;
  return 4 * residentPointBytes(header) <= availableBytes ? "resident" : "mapped";
}
