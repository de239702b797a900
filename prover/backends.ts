/** Table of the prover's back ends: each is loaded by its name, and only when chosen. */
import type { KeyMemory, Prover } from "./proving/prover.ts";

/** Names of the back ends. None is chosen silently, and none takes the place of another. */
export const BACKEND_NAMES = ["wasm", "native", "webgpu", "snarkjs"] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

interface ProverOptions {
  /** Location of a key's points in the native back end; ignored by the others. */
  keyMemory?: KeyMemory;
}

/** Creates a prover. Loads only the requested back end: snarkjs alone takes a second. */
export async function createProver(backend: BackendName, options: ProverOptions = {}): Promise<Prover> {
  switch (backend) {
    case "wasm":
      return (await import("./wasm/wasm-backend.ts")).createWasmProver();
    case "native":
      // PRV_NATIVE_UNAVAILABLE where the addon could not be built.
      return (await import("./native/native-backend.ts")).createNativeProver(options);
    case "webgpu":
      // PRV_GPU_UNAVAILABLE where there is no graphics card, or no Vulkan driver for it.
      return (await import("./webgpu/webgpu-backend.ts")).createWebgpuProver();
    case "snarkjs":
      return (await import("./snarkjs/snarkjs-backend.ts")).createSnarkjsProver();
    default: {
      const unknown: never = backend;
      throw new TypeError(`no back end ${String(unknown)}`);
    }
  }
}
