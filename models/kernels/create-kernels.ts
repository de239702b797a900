import { modelError } from "../model-errors.ts";
import type { Kernels } from "./kernels.ts";
import { createNativeKernels } from "./native-kernels.ts";
import { createWasmKernels, createWasmMemory } from "./wasm-kernels.ts";

/** "native" is the fastest set of this processor. All give the same bytes. */
export const KERNEL_CHOICES = ["native", "avx512", "avx2", "wasm"] as const;
export type KernelChoice = (typeof KERNEL_CHOICES)[number];

/** 16 GiB. */
export const MAX_ARENA_FLOATS = 2 ** 32;

/**
 * Kernels with an arena of zeros.
 *
 * @throws RollupError MOD_TOO_LARGE, MOD_NATIVE_UNAVAILABLE, MOD_WASM_UNAVAILABLE
 */
export function createKernels(choice: KernelChoice, floatCount: number): Kernels {
  if (floatCount > MAX_ARENA_FLOATS) throw tooLarge(floatCount);
  if (choice === "wasm") return createWasmKernels(createWasmMemory(floatCount));
  let arena: Float32Array;
  try {
    // Shared, so that threads can work on it.
    arena = new Float32Array(new SharedArrayBuffer(4 * floatCount));
  } catch (cause) {
    throw tooLarge(floatCount, cause);
  }
  return createNativeKernels(arena, choice === "native" ? undefined : choice);
}

function tooLarge(floatCount: number, cause?: unknown) {
  return modelError("MOD_TOO_LARGE", `the model and its buffers need ${floatCount} numbers`, {
    data: { floatCount, maxFloatCount: MAX_ARENA_FLOATS },
    cause,
  });
}
