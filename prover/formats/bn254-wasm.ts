/**
 * bn254 (circom: bn128, Ethereum: alt_bn128) arithmetic in WebAssembly, from wasmcurves: the development setup's.
 *
 * Encodings: field elements are 32 bytes, little-endian. Points are affine x || y in Montgomery form with
 * R = 2^256, as zkey files have them; (0, 0) is the point at infinity. An element of the quadratic field
 * is c0 || c1 with value c0 + c1 u, so the real part comes first; the EVM wants c1 first.
 */

import { ModuleBuilder } from "wasmbuilder";
import { buildBn128 } from "wasmcurves";
import { fieldBytes, montgomeryR, scalarModulus, toBytesLe } from "./bn254-numbers.ts";
import { addQapAccumulate } from "./setup-kernels.ts";

/** Bytes of a page of WebAssembly's memory. */
const pageBytes = 65536;

/** A compiled module; opaque, and worker threads can be sent it. */
type WasmModule = { readonly __wasmModule: never };

// The compiler's ES2023 library has no WebAssembly, and the DOM's would bring far more than that.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    compile(code: Uint8Array): Promise<WasmModule>;
    Memory: new (limits: { initial: number }) => { buffer: ArrayBuffer };
    Instance: new (
      module: WasmModule,
      imports: object,
    ) => { exports: Record<string, (...args: number[]) => number> };
  };
};

/** The compiled module, for instances on any thread. */
export interface Bn254Image {
  module: WasmModule;
}

let image: Promise<Bn254Image> | undefined;

/** Builds and compiles the module, once a thread; about 0.2 s. The image may be posted to worker threads. */
export const buildBn254Image = (): Promise<Bn254Image> => (image ??= buildImage());

async function buildImage(): Promise<Bn254Image> {
  const builder = new ModuleBuilder();
  builder.setMemory(25);
  buildBn128(builder);
  addQapAccumulate(builder);
  return { module: await WebAssembly.compile(builder.build()) };
}

/** Instance with its own memory, which is allocated and never freed. */
export class Bn254Instance {
  readonly image: Bn254Image;
  readonly bytes: Uint8Array;
  readonly call: Record<string, (...args: number[]) => number>;
  readonly #memory: { buffer: ArrayBuffer };

  /**
   * @param heapBytes bytes that the caller will allocate, plus the scratch of the batch functions it calls
   */
  constructor(image: Bn254Image, heapBytes: number) {
    this.image = image;
    this.#memory = new WebAssembly.Memory({ initial: 26 + Math.ceil(heapBytes / pageBytes) });
    const instance = new WebAssembly.Instance(image.module, { env: { memory: this.#memory } });
    this.call = instance.exports;
    this.bytes = new Uint8Array(this.#memory.buffer);
  }

  /** Zeroed bytes at an address that is a multiple of 8. */
  allocate(byteCount: number): number {
    // wasmcurves keeps the address of its free space in the first word, and its scratch begins there.
    const free = new Uint32Array(this.#memory.buffer, 0, 1);
    const address = Math.ceil(free[0]! / 8) * 8;
    if (address + byteCount > this.bytes.length) throw new RangeError("the instance's heap is used up");
    free[0] = address + byteCount;
    return address;
  }

  /** Allocates a copy of a scalar, unchanged, and returns its address. */
  allocateScalar(value: bigint): number {
    const address = this.allocate(fieldBytes);
    this.bytes.set(toBytesLe(value), address);
    return address;
  }

  /** Address of a new copy of a scalar, in Montgomery form. */
  allocateMontgomery(value: bigint): number {
    return this.allocateScalar((value * montgomeryR) % scalarModulus);
  }
}
