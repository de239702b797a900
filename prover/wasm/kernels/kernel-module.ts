/**
 * WebAssembly module of all prover kernels, its constants, memory and instances. Each thread of the wasm back
 * end, the development setup and pages instantiate it.
 */
import { bn254 } from "@noble/curves/bn254.js";
import {
  baseField,
  ConstantPool,
  elementBytes,
  encodeElement,
  scalarField,
} from "@openledger/circuits/wasm/field-limbs";
import { WasmModuleBuilder } from "@openledger/foundation/wasm/assembler";
import {
  compileOptimized,
  enableRelaxedSimd,
  type KernelCalls,
  newMemory,
  type WasmMemory,
  type WasmModule,
  WebAssembly,
} from "@openledger/foundation/wasm/relaxed-simd";
import { endomorphismBetas } from "../../formats/endomorphism.ts";
import { proverError } from "../../prover-errors.ts";
import { operandsAt, scratchBytes } from "./coordinates.ts";
import { addCurveFunctions, g1Shape, g2Shape } from "./curve-kernel.ts";
import { addDigitSort, addListCopy, addListPairs } from "./digit-sort.ts";
import { addSplitDigits } from "./endomorphism.ts";
import { inverseScratchBytes } from "./field-division.ts";
import { addInverse } from "./field-inverse.ts";
import { addPointImports } from "./key-kernel.ts";
import { addPointExports } from "./point-export.ts";
import { addScalarFunctions } from "./scalar-kernel.ts";

export { enableRelaxedSimd, type KernelCalls, type WasmMemory, type WasmModule };

/** Bytes of a page of WebAssembly's memory. */
export const pageBytes = 65536;
const maxPages = 65536;
/** The memory begins with the kernels' constants; address 0 stays free and means "no point". */
const constantsAt = 1024;
const fillPairsAt = 64;
const fillPointsAt = 16 * 1024;
/** Bytes of memory that the kernels use; the allocator begins after them. */
export const kernelBytes = 32 * 1024;

/** Compiled kernels, for instances on any thread. */
export interface KernelImage {
  module: WasmModule;
  /** The first kernelBytes of the memory. */
  start: Uint8Array;
}

/**
 * Generates and compiles the kernels, about 0.2 s. They need WebAssembly's relaxed SIMD, which V8 has had
 * since version 11.3 (node 20), there still behind a flag that this sets.
 *
 * @throws RollupError PRV_PROVE_FAILED if the machine has no fused multiply-add
 */
export function buildKernelImage(): KernelImage {
  enableRelaxedSimd();
  const builder = new WasmModuleBuilder(maxPages);
  const constants = new ConstantPool(constantsAt);
  const inverse = addInverse(builder, constants);
  for (const [i, shape] of [g1Shape, g2Shape].entries()) {
    const { copy } = addCurveFunctions(builder, constants, shape, inverse, fillPairsAt + 8 * i);
    addListCopy(builder, shape, copy);
  }
  addPointImports(builder, constants, endomorphismBetas());
  addPointExports(builder, constants);
  addScalarFunctions(builder, constants);
  addSplitDigits(builder);
  addDigitSort(builder);
  addListPairs(builder);
  if (inverseScratchBytes > operandsAt) throw new RangeError("the kernels' scratch is too small");
  const module = compileOptimized(builder.build());
  const image = { module, start: makeStart(constants) };
  checkFusing(image);
  return image;
}

/** Allocates a memory that threads share and that grows up to 4 GiB. */
export function createKernelMemory(initialBytes: number): WasmMemory {
  const initial = Math.ceil(initialBytes / pageBytes);
  return newMemory(initial, maxPages);
}

/** Instantiates the kernels on a memory. `scratch`: address of scratchBytes that no other instance uses. */
export function instantiateKernels(module: WasmModule, memory: WasmMemory, scratch: number): KernelCalls {
  return new WebAssembly.Instance(module, { env: { memory, scratch } }).exports;
}

/**
 * Planner of a memory for one thread: `take` plans places in it, and `make` instantiates the kernels in one
 * that holds them all.
 */
export function planKernelMemory() {
  let next = kernelBytes + scratchBytes;
  return {
    /** @returns the address of `byteCount` bytes */
    take(byteCount: number): number {
      const address = Math.ceil(next / 128) * 128;
      next = address + byteCount;
      return address;
    },
    make(image: KernelImage) {
      const memory = createKernelMemory(next);
      const bytes = new Uint8Array(memory.buffer);
      bytes.set(image.start);
      const words = new Uint32Array(memory.buffer);
      return { memory, bytes, words, kernels: instantiateKernels(image.module, memory, kernelBytes) };
    },
  };
}

function makeStart(constants: ConstantPool): Uint8Array {
  const start = new Uint8Array(kernelBytes);
  const doubles = new Float64Array(start.buffer);
  const words = new Uint32Array(start.buffer);
  if (constantsAt + constants.image.byteLength > fillPointsAt) throw new RangeError("too many constants");
  doubles.set(constants.image, constantsAt / 8);
  // The pairs that fill up an odd batch: the generator and its double.
  let at = fillPointsAt;
  for (const [group, degree] of [
    [0, 1],
    [1, 2],
  ] as const) {
    const { BASE } = group === 0 ? bn254.G1.Point : bn254.G2.Point;
    for (const [side, point] of [BASE, BASE.double()].entries()) {
      words[fillPairsAt / 4 + 2 * group + side] = at;
      const { x, y } = point.toAffine();
      for (const coordinate of [x, y]) {
        const parts = typeof coordinate === "bigint" ? [coordinate] : [coordinate.c0, coordinate.c1];
        for (const part of parts) {
          doubles.set(encodeElement(part, baseField), at / 8);
          at += elementBytes;
        }
      }
      at += degree * 16;
    }
  }
  return start;
}

/**
 * Checks for a fused multiply-add in hardware. Without one V8 rounds twice, and every product would be wrong.
 */
function checkFusing({ module, start }: KernelImage): void {
  const memory = createKernelMemory(kernelBytes + pageBytes);
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(start);
  const kernels = instantiateKernels(module, memory, kernelBytes);
  const doubles = new Float64Array(memory.buffer);
  const [a, out] = [kernelBytes + scratchBytes, kernelBytes + scratchBytes + 80];
  const limbs = encodeElement(-3n, scalarField);
  for (const [i, limb] of limbs.entries()) doubles.fill(limb, a / 8 + 2 * i, a / 8 + 2 * i + 2);
  kernels.frProducts!(a, a, out, 1);
  const expected = encodeElement(9n, scalarField);
  if (expected.some((limb, i) => doubles[out / 8 + 2 * i] !== limb)) {
    throw proverError("PRV_PROVE_FAILED", "this machine has no fused multiply-add for WebAssembly", {
      data: { reason: "no fused multiply-add" },
    });
  }
}
