/** Tests of the prebuilt WebAssembly kernels: a damaged file is refused, and threads have stacks of their own. */
import { describe, expect, it } from "vitest";
import { kernelBytes } from "./kernel-file.ts";
import { compileKernels, kernelModule } from "./kernel-module.ts";
import { MAX_THREAD_COUNT } from "./kernels.ts";
import { createWasmKernels, createWasmMemory } from "./wasm-kernels.ts";

describe("the prebuilt kernels", () => {
  it("are refused with one bit changed, though they would run", () => {
    const bytes = Uint8Array.from(kernelBytes());
    expect(compileKernels(bytes)).toBeDefined();
    // A bit of the last function's code.
    bytes[bytes.length - 40]! ^= 1;
    expect(() => compileKernels(bytes)).toThrow(expect.objectContaining({ code: "MOD_KERNELS_DAMAGED" }));
  });

  it("keep to a thread's own stack, which holds packed panels", () => {
    const memory = createWasmMemory(1 << 18);
    const [first, last] = [0, MAX_THREAD_COUNT].map((i) => createWasmKernels(kernelModule(), memory, i));
    const { arena } = first!;
    for (let i = 0; i < 200_000; i++) arena[i] = ((i * 7919) % 1000) / 500 - 1;
    const below = new Uint8Array(memory.buffer, 0, arena.byteOffset);
    below.fill(0xab);
    const [a, b] = [
      { at: 0, rowStride: 400, columnStride: 1 },
      { at: 100_000, rowStride: 1, columnStride: 400 },
    ];
    const product = (kernels: typeof first, to: number, isRounded: boolean) =>
      kernels![isRounded ? "multiplyRounded" : "multiply"](240, 64, 400, a, b, to, 64, false);
    product(last, 200_000, false);
    product(last, 220_000, true);
    // Stacks of 512 KiB, the last thread's highest: the others' bytes, and what has no owner, are as before.
    expect(below.subarray(0, -512 * 1024).every((byte) => byte === 0xab)).toBe(true);
    const made = arena.slice(200_000, 240_000);
    arena.fill(0, 200_000, 240_000);
    product(first, 200_000, false);
    product(first, 220_000, true);
    expect(Buffer.from(arena.slice(200_000, 240_000).buffer).equals(Buffer.from(made.buffer))).toBe(true);
    expect(() => createWasmKernels(kernelModule(), memory, MAX_THREAD_COUNT + 1)).toThrow(RangeError);
  });
});
