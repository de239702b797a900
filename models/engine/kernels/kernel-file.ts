/** The prebuilt WebAssembly kernels as a file. Pages have kernel-file.browser.ts in its place. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { modelError } from "../../model-errors.ts";

const PATH = fileURLToPath(new URL("prebuilt/kernels.wasm", import.meta.url));

/** @throws RollupError MOD_KERNELS_DAMAGED if the file is gone */
export function kernelBytes(): Uint8Array {
  try {
    return readFileSync(PATH);
  } catch (cause) {
    throw modelError("MOD_KERNELS_DAMAGED", `${PATH} cannot be read`, { data: { path: PATH }, cause });
  }
}
