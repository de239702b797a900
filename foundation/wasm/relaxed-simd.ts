/**
 * WebAssembly as these kernels need it: its types, which the compiler's library lacks, and relaxed SIMD.
 * Kernels of circuits, prover and models compile through it.
 */
import { f64x2, i32, sharesMemory, v128, WasmModuleBuilder } from "./assembler.ts";

/** A compiled module; opaque, and worker threads can be sent it. */
export type WasmModule = { readonly __wasmModule: never };
export interface WasmMemory {
  /**
   * Buffer of the memory. It is an ArrayBuffer if memory is not shared (`sharesMemory`); readers and writers
   * see no difference.
   */
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}
export type KernelCalls = Record<string, (...args: number[]) => number>;

// The compiler's ES2023 library has no WebAssembly, and the DOM's would bring far more than that.
export const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
    Module: new (code: Uint8Array) => WasmModule;
    validate(code: Uint8Array): boolean;
    Instance: new (module: WasmModule, imports: object) => { exports: KernelCalls };
  };
};

/** A memory as the modules of `assembler.ts` import it; sizes in pages of 64 KiB. */
export const newMemory = (initial: number, maximum: number): WasmMemory =>
  new WebAssembly.Memory({ initial, maximum, shared: sharesMemory });

/**
 * Enables relaxed SIMD. Call it before any code with relaxed SIMD is compiled, also in a thread that only
 * instantiates it.
 */
export function enableRelaxedSimd(): void {
  const builder = new WasmModuleBuilder(1);
  const zeros = [v128.zero, v128.zero, v128.zero] as const;
  builder.function("probe", [], null, (f) => f.emit(v128.store(i32.const(0), f64x2.madd(...zeros))));
  // Later versions of V8 have it without a flag, and no longer know the flag. A page cannot switch it on.
  if (WebAssembly.validate(builder.build())) return;
  globalThis.process?.getBuiltinModule("node:v8").setFlagsFromString("--experimental-wasm-relaxed-simd");
}

/**
 * A module whose functions are all optimized before they run. V8 begins with slower code otherwise and optimizes in the
 * background, in a busy process as late as seconds. Other engines, and pages, compile as they like.
 */
export function compileOptimized(code: Uint8Array): WasmModule {
  const v8 = globalThis.process?.getBuiltinModule("node:v8");
  const flags = ["liftoff", "wasm-lazy-compilation"];
  for (const flag of flags) v8?.setFlagsFromString(`--no-${flag}`);
  try {
    return new WebAssembly.Module(code);
  } finally {
    for (const flag of flags) v8?.setFlagsFromString(`--${flag}`);
  }
}
