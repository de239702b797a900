/**
 * Kernels in WebAssembly with relaxed SIMD, for machines without the native addon. The module is generated here from the files
 * of wasm/; places, indices of floats, become byte addresses at this border.
 */
import { WasmModuleBuilder } from "@openledger/foundation/wasm/assembler";
import {
  enableRelaxedSimd,
  type KernelCalls,
  type WasmMemory,
  type WasmModule,
  WebAssembly,
} from "@openledger/foundation/wasm/relaxed-simd";
import { modelError } from "../../model-errors.ts";
import {
  arenaMoves,
  blocksOf,
  type Kernels,
  MAX_THREAD_COUNT,
  type Matrix,
  type Place,
  quantisedFloats,
} from "./kernels.ts";
import { addBlocks } from "./wasm/block-code.ts";
import { addElementwise } from "./wasm/elementwise-code.ts";
import { addMultiply, multiplyScratchBytes } from "./wasm/multiply-code.ts";
import { addPairs, PAIR_ROWS } from "./wasm/pair-code.ts";
import { addRowKernels } from "./wasm/row-code.ts";
import { addServing } from "./wasm/serving-code.ts";

/** Page of a WebAssembly memory. */
const PAGE_BYTES = 65_536;
/** 4 GiB, all that 32-bit addresses reach. */
const MAX_PAGES = 65_536;
const MAX_THREADS = MAX_THREAD_COUNT + 1;
/** Scratch memory of one thread, in whole cache lines of 64 bytes. */
const SCRATCH_BYTES = Math.ceil(multiplyScratchBytes / 64) * 64;
/** Address of the arena: below it lie the threads' scratch areas. Address 0 means "none". */
const ARENA_AT = Math.ceil((64 + MAX_THREADS * SCRATCH_BYTES) / PAGE_BYTES) * PAGE_BYTES;

let compiled: WasmModule | undefined;

/** Generates and compiles the module once, some 50 ms. */
function kernelModule(): WasmModule {
  if (compiled !== undefined) return compiled;
  enableRelaxedSimd();
  const builder = new WasmModuleBuilder(MAX_PAGES);
  addMultiply(builder);
  addElementwise(builder);
  addServing(builder, addRowKernels(builder));
  addBlocks(builder);
  addPairs(builder);
  compiled = new WebAssembly.Module(builder.build());
  return compiled;
}

/** @throws RollupError MOD_TOO_LARGE if the floats do not fit into WebAssembly's 4 GiB */
export function createWasmMemory(floatCount: number): WasmMemory {
  const pages = Math.ceil((ARENA_AT + 4 * floatCount) / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw modelError(
      "MOD_TOO_LARGE",
      `${floatCount} floats do not fit into this machine's WebAssembly memory`,
      {
        data: { floatCount },
        cause,
      },
    );
  }
}

/**
 * The kernels as WebAssembly with relaxed SIMD, the same bytes as the native ones.
 *
 * @param threadIndex 0 … 15, another one for each thread that works on the memory
 * @throws RollupError MOD_ENGINE_UNAVAILABLE if the machine has no fused multiply-add
 */
export function createWasmKernels(memory: WasmMemory, threadIndex = 0): Kernels {
  if (!(threadIndex >= 0 && threadIndex < MAX_THREADS))
    throw new RangeError("there is no room for this thread");
  const scratch = 64 + threadIndex * SCRATCH_BYTES;
  const calls = new WebAssembly.Instance(kernelModule(), { env: { memory, scratch } }).exports;
  const arena = new Float32Array(memory.buffer, ARENA_AT);
  checkFusing(calls, new Float32Array(memory.buffer), scratch);
  const kernels: Kernels = { ...bindKernels(calls, arena), record: (make) => () => make(kernels) };
  return kernels;
}

/**
 * Checks that the hardware has fused multiply-add. Without it the engine rounds twice, and other bytes would come out.
 */
function checkFusing(calls: KernelCalls, floats: Float32Array, scratch: number): void {
  // −(1 + 2^-22) + (1 + 2^-23)²: 2^-46, but 0 if the square is rounded first.
  const at = scratch / 4 + 16;
  const value = 1 + 2 ** -23;
  floats.set([value, 0, value], at);
  const place = 4 * at;
  floats[at + 8] = -(1 + 2 ** -22);
  calls.multiply!(1, 1, 1, place, 4, 4, place + 8, 4, 4, place + 32, 4, 1);
  if (floats[at + 8] !== 2 ** -46) {
    throw modelError(
      "MOD_ENGINE_UNAVAILABLE",
      "this machine has no fused multiply-add for WebAssembly, without which other bytes would come out",
      { data: { reason: "wasm-unavailable" } },
    );
  }
}

function bindKernels(calls: KernelCalls, arena: Float32Array): Omit<Kernels, "record"> {
  const to = (place: Place): number => (place < 0 ? 0 : ARENA_AT + 4 * place);
  const strides = ({ at, rowStride, columnStride }: Matrix): [number, number, number] => [
    to(at),
    4 * rowStride,
    4 * columnStride,
  ];
  const { multiply, multiplyRounded, normalise, normaliseBack, rotate, softmax, softmaxBack } = calls;
  const { gate, gateBack, gelu, geluBack, addRow, sumRows, add, scale, crossEntropy, adam, adamTangent } =
    calls;
  const { applyAdapters, attendPages, multiplyBack, multiplyBlocks, quantise, unpack } = calls;
  return {
    name: "wasm",
    arena,
    ...arenaMoves(arena),
    multiply(rows, columns, depth, a, b, c, rowStride, accumulate) {
      multiply!(rows, columns, depth, ...strides(a), ...strides(b), to(c), 4 * rowStride, accumulate ? 1 : 0);
    },
    multiplyRounded(rows, columns, depth, a, b, c, rowStride, accumulate) {
      for (let row = 0; row < rows; row += PAIR_ROWS) {
        const count = Math.min(PAIR_ROWS, rows - row);
        const left = [to(a.at + row * a.rowStride), 4 * a.rowStride] as const;
        const out = [to(c + row * rowStride), 4 * rowStride, Number(accumulate)] as const;
        multiplyRounded!(count, columns, depth, ...left, ...strides(b), ...out);
      }
    },
    normalise(rows, width, x, weight, bias, y, stats, epsilon, isCentred) {
      normalise!(rows, width, to(x), to(weight), to(bias), to(y), to(stats), epsilon, isCentred ? 1 : 0);
    },
    normaliseBack(rows, width, x, weight, stats, dy, dx, dWeight, dBias, isCentred) {
      const places = [x, weight, stats, dy, dx, dWeight, dBias].map(to);
      normaliseBack!(rows, width, ...places, isCentred ? 1 : 0);
    },
    rotate(rows, heads, headSize, x, rowStride, table, sign) {
      rotate!(rows, heads, 4 * headSize, to(x), 4 * rowStride, to(table), sign);
    },
    softmax(rows, x, rowStride, first, factor) {
      softmax!(rows, to(x), 4 * rowStride, first, factor);
    },
    softmaxBack(rows, p, dp, rowStride, first, factor) {
      softmaxBack!(rows, to(p), to(dp), 4 * rowStride, first, factor);
    },
    gate: (count, ...places) => void gate!(count, ...places.map(to)),
    gateBack: (count, ...places) => void gateBack!(count, ...places.map(to)),
    gelu: (count, ...places) => void gelu!(count, ...places.map(to)),
    geluBack: (count, ...places) => void geluBack!(count, ...places.map(to)),
    addRow: (rows, width, ...places) => void addRow!(rows, width, ...places.map(to)),
    sumRows: (rows, width, ...places) => void sumRows!(rows, width, ...places.map(to)),
    add: (count, ...places) => void add!(count, ...places.map(to)),
    scale: (count, x, factor) => void scale!(count, to(x), factor),
    crossEntropy(rows, size, rowStride, logits, targets, losses, weight) {
      crossEntropy!(rows, size, 4 * rowStride, to(logits), to(targets), to(losses), weight);
    },
    adam: (count, ...places) => void adam!(count, ...places.map(to)),
    adamTangent: (count, ...places) => void adamTangent!(count, ...places.map(to)),
    applyAdapters({ count, entries, inputs, x, xStride, outputs, y, yStride, a, b }) {
      const rows = [to(x), 4 * xStride, outputs, to(y), 4 * yStride] as const;
      applyAdapters!(count, to(entries), ARENA_AT, inputs, ...rows, a, b);
    },
    attendPages(call) {
      const { headCount, headSize, keyHeadCount, kv, maxPages, out, pageFloats, pages } = call;
      const { qkv, qkvStride, rows, scale: factor, scores, seats } = call;
      const seating = [rows, to(seats), to(pages), maxPages] as const;
      const places = [to(qkv), 4 * qkvStride, to(kv), 4 * pageFloats, to(out), to(scores)] as const;
      attendPages!(...seating, headCount, keyHeadCount, headSize, ...places, factor);
    },
    blocks: {
      quantise(rows, width, x, y) {
        quantise!(rows, width, to(x), to(y), 4 * quantisedFloats(width), blocksOf(width));
      },
      multiply({ accumulate, inputs, outputs, rows, weights, x, y, yStride }) {
        const panels = Math.ceil(outputs / 16);
        const sizes = [rows, panels, blocksOf(inputs), to(x), 4 * quantisedFloats(inputs)] as const;
        multiplyBlocks!(...sizes, to(weights), to(y), 4 * yStride, Number(accumulate));
      },
      multiplyBack({ accumulate, dx, dy, dyStride, inputs, outputs, rows, weights }) {
        const [panels, stride] = [Math.ceil(outputs / 16), 4 * dyStride];
        for (let row = 0; row < rows; row += PAIR_ROWS) {
          const places = [to(dy + row * dyStride), stride, to(weights), to(dx + row * inputs)] as const;
          multiplyBack!(Math.min(PAIR_ROWS, rows - row), panels, inputs, ...places, Number(accumulate));
        }
      },
      unpack({ inputs, outputs, weights }, first, count, y) {
        const sizes = [Math.ceil(outputs / 16), blocksOf(inputs), inputs / 4] as const;
        unpack!(first, first + count, ...sizes, to(weights), to(y));
      },
    },
  };
}
