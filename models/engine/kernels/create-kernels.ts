/**
 * Choice of kernels for an arena: C++ sets of this processor, or WebAssembly anywhere. Loading, batches and training call it,
 * once for an arena; further threads join. Sizes are counts of 32-bit floats.
 */
import type { WasmMemory, WasmModule } from "@openledger/foundation/wasm/relaxed-simd";
import { modelError } from "../../model-errors.ts";
import { kernelModule } from "./kernel-module.ts";
import type { KernelSetName, Kernels } from "./kernels.ts";
import { createNativeKernels, productThreads } from "./native-kernels.ts";
import { createWasmKernels, createWasmMemory } from "./wasm-kernels.ts";

/** "native" is the fastest set of this processor. All give the same bytes. */
export const KERNEL_CHOICES = ["native", "avx512-vnni", "avx512", "avx2", "wasm"] as const;
export type KernelChoice = (typeof KERNEL_CHOICES)[number];

/** 16 GiB. */
const MAX_ARENA_FLOATS = 2 ** 32;

/** An arena that other threads can work on: it goes through postMessage. */
export type SharedArena =
  | { readonly name: "wasm"; readonly memory: WasmMemory; readonly module: WasmModule }
  | {
      readonly name: Exclude<KernelSetName, "wasm">;
      readonly arena: Float32Array;
      readonly threadCount: number;
    };

/**
 * Kernels with an arena of zeros, and what another thread needs to have kernels on the same one.
 *
 * @param passThreads threads that make passes: each of their products of int8 weights is shared by its part of the cores
 * @throws RollupError MOD_TOO_LARGE, MOD_ENGINE_UNAVAILABLE, MOD_KERNELS_DAMAGED
 */
export function createKernels(
  choice: KernelChoice,
  floatCount: number,
  passThreads = 1,
): { kernels: Kernels; shared: SharedArena } {
  requireArena(floatCount);
  if (choice === "wasm") {
    const module = kernelModule();
    const memory = createWasmMemory(floatCount);
    return { kernels: createWasmKernels(module, memory), shared: { name: "wasm", memory, module } };
  }
  let arena: Float32Array;
  try {
    arena = new Float32Array(new SharedArrayBuffer(4 * floatCount));
  } catch (cause) {
    throw tooLarge(floatCount, cause);
  }
  const threadCount = productThreads(passThreads);
  const kernels = createNativeKernels(
    arena,
    choice === "native" ? undefined : choice,
    undefined,
    threadCount,
  );
  return { kernels, shared: { name: kernels.name as Exclude<KernelSetName, "wasm">, arena, threadCount } };
}

/** @throws RollupError MOD_TOO_LARGE for more numbers than any arena has */
function requireArena(floatCount: number): void {
  if (floatCount > MAX_ARENA_FLOATS) throw tooLarge(floatCount);
}

/** @param threadIndex 1 … 15, another one for each thread; 0 is the thread that made the arena */
export function joinKernels(shared: SharedArena, threadIndex: number): Kernels {
  if (shared.name === "wasm") return createWasmKernels(shared.module, shared.memory, threadIndex);
  return createNativeKernels(shared.arena, shared.name, undefined, shared.threadCount);
}

function tooLarge(floatCount: number, cause?: unknown) {
  return modelError("MOD_TOO_LARGE", `the model and its buffers need ${floatCount} numbers`, {
    data: { floatCount, maxFloatCount: MAX_ARENA_FLOATS },
    cause,
  });
}
