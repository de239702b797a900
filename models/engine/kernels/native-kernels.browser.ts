/**
 * Version of native-kernels.ts for pages, which load no addons: there are no native kernels, so pages compute by WebAssembly.
 */
import { modelError } from "../../model-errors.ts";
import type { KernelSetName, Kernels } from "./kernels.ts";

export function nativeKernelSets(): KernelSetName[] {
  return [];
}

export const productThreads = (): number => 1;

/** @throws RollupError MOD_ENGINE_UNAVAILABLE */
export function createNativeKernels(): Kernels {
  throw modelError("MOD_ENGINE_UNAVAILABLE", "a page has no native kernels; choose wasm", {
    data: { reason: "native-unavailable" },
  });
}
