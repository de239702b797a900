/**
 * Decides how the native back end holds a proving key: all its points in memory, or read from the file in pieces. Sizes are
 * bytes.
 */
import { totalmem } from "node:os";
import type { ZkeyHeader } from "../formats/zkey-header.ts";
import type { KeyMemory } from "../proving/prover.ts";

/**
 * Points of each section that a proof with a mapped key reads at a time, 50 MB together. With fewer too few
 * would meet in a bucket, and more gain nothing.
 */
export const PIECE_POINTS = 2 ** 16;

/** Bytes of a wire's points in memory, each with its image under the endomorphism: A and C in G1, B in G2. */
const wireBytes = 2 * (2 * 64 + 128);
/** Bytes of a wire's B in G1, with its image. No proof reads it if all witnesses blind A. */
const secondWireBytes = 2 * 64;
/** Bytes of a domain point's H in G1, with its image. */
const domainBytes = 2 * 64;

/** Size of a key, and whether its proofs need B in G1. */
type KeySize = Pick<ZkeyHeader, "wireCount" | "domainSize"> & { readonly hasB1: boolean };

/** Maximum bytes of a resident key's points; points at infinity take none. */
export function residentPointBytes({ wireCount, domainSize, hasB1 }: KeySize): number {
  return (wireBytes + (hasB1 ? secondWireBytes : 0)) * wireCount + domainBytes * domainSize;
}

/**
 * Bytes that this process may come to use: the machine's, or its control group's limit. Not what is free just now,
 * since cached pages of files may count as used there, and a key's own file is among them.
 * @param limit of the control group: 0, undefined or more than the machine has where there is none
 */
export function memoryBytes(limit = process.constrainedMemory(), machineBytes = totalmem()): number {
  return limit ? Math.min(limit, machineBytes) : machineBytes;
}

/**
 * Chooses by the key's size: a resident key leaves three quarters of the memory to witnesses, transforms, other keys
 * and other processes. @param ofBytes memory of this process
 */
export function chooseKeyMemory(
  setting: KeyMemory,
  size: KeySize,
  ofBytes: number,
): Exclude<KeyMemory, "auto"> {
  if (setting !== "auto") return setting;
  return 4 * residentPointBytes(size) <= ofBytes ? "resident" : "mapped";
}
