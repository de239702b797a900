/**
 * The WebAssembly module of the kernels: prebuilt/kernels.wasm, which nobody needs a compiler for, compared with its recorded hash.
 * create-kernels.ts loads it; a page has it in its script (kernel-file.browser.ts).
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { enableRelaxedSimd, type WasmModule, WebAssembly } from "@openledger/foundation/wasm/relaxed-simd";
import { modelError } from "../../model-errors.ts";
import { kernelBytes } from "./kernel-file.ts";
import record from "./prebuilt/kernels.json" with { type: "json" };

let compiled: WasmModule | undefined;

/**
 * Compiles the kernels once. Other threads can be sent the module.
 * @throws RollupError MOD_KERNELS_DAMAGED
 */
export function kernelModule(): WasmModule {
  compiled ??= compileKernels(kernelBytes());
  return compiled;
}

/** @throws RollupError MOD_KERNELS_DAMAGED if the bytes are not those of the record */
export function compileKernels(bytes: Uint8Array): WasmModule {
  const found = bytesToHex(sha256(bytes));
  if (found !== record.sha256) {
    throw modelError("MOD_KERNELS_DAMAGED", "prebuilt/kernels.wasm does not match its recorded hash", {
      data: { sha256: found, expected: record.sha256 },
    });
  }
  enableRelaxedSimd();
  return new WebAssembly.Module(bytes);
}
