/** A page's script for a test: runs kernels of models, whose results Node compares. */
import { createKernels } from "@openledger/models/engine/kernels/create-kernels";
import { quantisedFloats } from "@openledger/models/engine/kernels/kernels";

/** Runs kernels of each kind over made-up numbers. @returns the arena's bytes as base64 */
export function runKernels(): string {
  const { kernels } = createKernels("wasm", 1 << 16);
  const { arena } = kernels;
  let state = 7;
  for (let i = 0; i < arena.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    arena[i] = state / 2 ** 31 - 1;
  }
  const rows = (at: number) => ({ at, rowStride: 64, columnStride: 1 });
  kernels.multiply(30, 40, 64, rows(0), rows(4_096), 20_000, 48, false);
  kernels.multiplyRounded(30, 40, 64, rows(0), rows(4_096), 24_000, 48, false);
  kernels.normalise(4, 64, 0, 30_000, 30_100, 31_000, 31_900, 1e-5, true);
  kernels.gelu(100, 500, 32_000);
  const map = { inputs: 64, outputs: 48, weights: 40_000 };
  const words = new Uint32Array(arena.buffer, arena.byteOffset + 4 * map.weights, 768 + 48);
  for (let i = 0; i < words.length; i++) words[i] = i < 768 ? Math.imul(i + 1, 2_654_435_761) : 0x20002000;
  kernels.blocks.quantise(5, 64, 0, 50_000);
  kernels.blocks.multiply({ ...map, rows: 5, x: 50_000, y: 52_000, yStride: 48, accumulate: false });
  kernels.clear(5 * quantisedFloats(64), 50_000);
  kernels.blocks.multiplyBack({ ...map, rows: 5, dy: 52_000, dyStride: 48, dx: 54_000, accumulate: false });
  const bytes = new Uint8Array(arena.buffer, arena.byteOffset, 4 * 60_000);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

Object.assign(globalThis, { runKernels });
