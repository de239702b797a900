/** The twin of `native-kernels.ts` in a page, which loads no addons. */
import { modelError } from "../model-errors.ts";
import type { KernelSetName, Kernels } from "./kernels.ts";

export function nativeKernelSets(): KernelSetName[] {
  return [];
}

/** @throws RollupError MOD_NATIVE_UNAVAILABLE */
export function createNativeKernels(): Kernels {
  throw modelError("MOD_NATIVE_UNAVAILABLE", "a page has no native kernels; choose wasm");
}
