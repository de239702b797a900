/**
 * State of a training run as bytes: 32-bit floats of the arena's blocks, one after another. checkpoint.ts writes and reads it.
 */
import type { Place } from "../../engine/kernels/kernels.ts";

/** State from which a tuning goes on: blocks of an arena, and numbers beside them. */
export interface TuningState {
  readonly arena: Float32Array;
  readonly floatCount: number;
  readonly blocks: Readonly<Record<"weights" | "first" | "second", Place>> & { readonly best?: Place };
  readonly numbers?: Float32Array;
}

const partsOf = ({ arena, blocks, floatCount, numbers = new Float32Array(0) }: TuningState) => [
  ...Object.values(blocks).map((at) => arena.subarray(at, at + floatCount)),
  numbers,
];

/** Copies blocks and numbers into one array of bytes. */
export function packState(state: TuningState): Uint8Array<ArrayBuffer> {
  const parts = partsOf(state);
  const floats = new Float32Array(parts.reduce((count, part) => count + part.length, 0));
  let at = 0;
  for (const part of parts) {
    floats.set(part, at);
    at += part.length;
  }
  return new Uint8Array(floats.buffer);
}

/** Fills the state from bytes. @returns false, with nothing changed, if they have another length */
export function unpackState(state: TuningState, bytes: Uint8Array): boolean {
  const parts = partsOf(state);
  const floats = new Float32Array(Uint8Array.from(bytes).buffer, 0, Math.floor(bytes.length / 4));
  if (bytes.length !== 4 * parts.reduce((count, part) => count + part.length, 0)) return false;
  let at = 0;
  for (const part of parts) {
    part.set(floats.subarray(at, at + part.length));
    at += part.length;
  }
  return true;
}
