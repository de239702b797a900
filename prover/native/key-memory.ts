import { totalmem } from "node:os";
import type { ZkeyHeader } from "../formats/zkey-header.ts";
import type { KeyMemory } from "../proving/prover.ts";

/**
 * Points of each of the five sums that a proof of a mapped key reads at a time, 50 MB together. Fewer would
 * meet too few in a bucket, and more gain nothing.
 */
export const PIECE_POINTS = 2 ** 16;

/**
 * Bytes a wire of points in memory, which include their image under the endomorphism: G1 of A, B and C, G2 of
 * B; G1 of H.
 */
const wireBytes = 2 * (3 * 64 + 128);
const domainBytes = 2 * 64;

/** Maximum bytes of a resident key's points; points at infinity take none. */
export function residentPointBytes({
  wireCount,
  domainSize,
}: Pick<ZkeyHeader, "wireCount" | "domainSize">): number {
  return wireBytes * wireCount + domainBytes * domainSize;
}

/**
 * Bytes that this process may come to use: the machine's, or its control group's limit. Not what is free just now, since
 * cached pages of files may count as used there, and a key's own file is among them.
 * @param limit of the control group: 0, undefined or more than the machine has where there is none
 */
export function memoryBytes(limit = process.constrainedMemory(), machineBytes = totalmem()): number {
  return limit ? Math.min(limit, machineBytes) : machineBytes;
}

/** A resident key leaves three quarters of the memory to witnesses, transforms, other keys and other processes. */
export function chooseKeyMemory(
  setting: KeyMemory,
  header: Pick<ZkeyHeader, "wireCount" | "domainSize">,
  ofBytes: number,
): Exclude<KeyMemory, "auto"> {
  if (setting !== "auto") return setting;
  return 4 * residentPointBytes(header) <= ofBytes ? "resident" : "mapped";
}
