/** Kernels for tests whose subject they are not: all sets give the same bytes, and those in C++ are faster where there are any. */
import type { KernelChoice } from "../engine/kernels/create-kernels.ts";
import { nativeKernelSets } from "../engine/kernels/native-kernels.ts";

export const testKernels: KernelChoice = nativeKernelSets().length > 0 ? "native" : "wasm";
