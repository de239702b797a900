/** WebAssembly kernels with a memory, for tests that call them directly. */
import { elementBytes } from "@openledger/circuits/wasm/field-limbs";
import { expect } from "vitest";
import { baseModulus, montgomeryR, toBytesLe } from "../formats/bn254-numbers.ts";
import { scratchBytes } from "../wasm/kernels/coordinates.ts";
import {
  buildKernelImage,
  createKernelMemory,
  instantiateKernels,
  type KernelCalls,
  kernelBytes,
  type WasmMemory,
} from "../wasm/kernels/kernel-module.ts";

/** The kernels with a memory for a test to fill. */
export interface KernelBench {
  memory: WasmMemory;
  kernels: KernelCalls;
  doubles: Float64Array;
  bytes: Uint8Array;
  /** Zeroed bytes at an address that is a multiple of 128. */
  take(byteCount: number): number;
  /** Addresses of integers of 32 bytes. */
  putIntegers(values: readonly bigint[]): number;
}

const image = buildKernelImage();

export function makeKernelBench(byteCount: number): KernelBench {
  const memory = createKernelMemory(byteCount);
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(image.start);
  let next = kernelBytes + scratchBytes;
  const take = (count: number) => {
    const address = Math.ceil(next / 128) * 128;
    next = address + count;
    if (next > byteCount) throw new RangeError("the test's memory is too small");
    return address;
  };
  return {
    memory,
    kernels: instantiateKernels(image.module, memory, kernelBytes),
    doubles: new Float64Array(memory.buffer),
    bytes,
    take,
    putIntegers(values) {
      const address = take(32 * values.length);
      for (const [i, value] of values.entries()) bytes.set(toBytesLe(value), address + 32 * i);
      return address;
    },
  };
}

/** Patterns around areas of a memory, so that a test notices writes outside of the areas. */
export class Fences {
  static readonly byteCount = 4096;
  readonly #bytes: Uint8Array;
  readonly #places: number[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  build(at: number): void {
    this.#bytes.fill(0xa5, at, at + Fences.byteCount);
    this.#places.push(at);
  }

  /** @returns the address of so many bytes from `take`, with a fence before and one right behind them */
  around(take: KernelBench["take"], byteCount: number): number {
    const before = take(2 * Fences.byteCount + byteCount);
    const address = before + Fences.byteCount;
    for (const at of [before, address + byteCount]) this.build(at);
    return address;
  }

  expectIntact(): void {
    const isIntact = (at: number) =>
      this.#bytes.subarray(at, at + Fences.byteCount).every((byte) => byte === 0xa5);
    expect(this.#places.filter((at) => !isIntact(at))).toEqual([]);
  }
}

/** Bytes of a coordinate in a zkey. */
export function zkeyCoordinate(value: bigint): Uint8Array {
  return toBytesLe((value * montgomeryR) % baseModulus);
}

/** Limbs of one element of a vector of pairs. */
export function vectorElement({ doubles }: KernelBench, vector: number, index: number): number[] {
  const at = vector / 8 + (index >>> 1) * ((2 * elementBytes) / 8) + (index & 1);
  return [0, 1, 2, 3, 4].map((i) => doubles[at + 2 * i]!);
}
