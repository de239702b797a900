/** Version of kernel-file.ts for pages: the kernels lie in the script as text, so that a page computes without a further request. */
import kernels from "./prebuilt/kernels.wasm?url&inline";

/** Beginning of the address. */
const HEAD = "data:application/wasm;base64,";

export function kernelBytes(): Uint8Array {
  return Uint8Array.from(atob(kernels.slice(HEAD.length)), (byte) => byte.charCodeAt(0));
}
