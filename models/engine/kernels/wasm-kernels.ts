/**
 * Kernels in WebAssembly with relaxed SIMD, for machines without the native addon: those of native/src, compiled into
 * prebuilt/kernels.wasm. Places, indices of floats, become byte addresses at this border.
 */
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
  type Kernels,
  MAX_THREAD_COUNT,
  type Matrix,
  type Place,
  quantisedFloats,
} from "./kernels.ts";

/** Page of a WebAssembly memory. */
const PAGE_BYTES = 65_536;
/** Stack of one thread, which holds its packed panels too. scripts/prebuilt/model-kernels.ts compiles no function that needs more. */
const STACK_BYTES = 8 * PAGE_BYTES;
/** Address of the arena: below it lies a page of nothing, since address 0 means "none", and the threads' stacks. */
const ARENA_AT = PAGE_BYTES + (MAX_THREAD_COUNT + 1) * STACK_BYTES;

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
 * @param module as `kernelModule` compiled it, in this thread or another one
 * @param threadIndex 0 … 15, another one for each thread that works on the memory
 * @throws RollupError MOD_ENGINE_UNAVAILABLE if the machine has no fused multiply-add
 */
export function createWasmKernels(module: WasmModule, memory: WasmMemory, threadIndex = 0): Kernels {
  if (!(threadIndex >= 0 && threadIndex <= MAX_THREAD_COUNT))
    throw new RangeError("there is no room for this thread");
  enableRelaxedSimd();
  const calls = new WebAssembly.Instance(module, { env: { memory } }).exports;
  const stack = PAGE_BYTES + threadIndex * STACK_BYTES;
  calls.useStack!(stack + STACK_BYTES);
  const arena = new Float32Array(memory.buffer, ARENA_AT);
  checkFusing(calls, new Float32Array(memory.buffer), stack);
  const kernels: Kernels = { ...bindKernels(calls, arena), record: (make) => () => make(kernels) };
  return kernels;
}

/**
 * Checks that the hardware has fused multiply-add. Without it the engine rounds twice, and other bytes would come out.
 */
function checkFusing(calls: KernelCalls, floats: Float32Array, stack: number): void {
  // −(1 + 2^-22) + (1 + 2^-23)²: 2^-46, but 0 if the square is rounded first. The far end of the stack is free.
  const at = stack / 4;
  const value = 1 + 2 ** -23;
  floats.set([value, 0, value], at);
  const offset = 4 * at;
  floats[at + 8] = -(1 + 2 ** -22);
  calls.multiply!(1, 1, 1, offset, 1, 1, offset + 8, 1, 1, offset + 32, 1, 1);
  if (floats[at + 8] !== 2 ** -46) {
    throw modelError(
      "MOD_ENGINE_UNAVAILABLE",
      "this machine has no fused multiply-add for WebAssembly, without which other bytes would come out",
      { data: { reason: "wasm-unavailable" } },
    );
  }
}

/** Panels of sixteen outputs. */
const panelsOf = (outputs: number): number => Math.ceil(outputs / 16);

function bindKernels(calls: KernelCalls, arena: Float32Array): Omit<Kernels, "record"> {
  const to = (offset: Place): number => (offset < 0 ? 0 : ARENA_AT + 4 * offset);
  const matrix = ({ at, rowStride, columnStride }: Matrix) => [to(at), rowStride, columnStride] as const;
  const { multiply, multiplyRounded, normalise, normaliseBack, rotate, softmax, softmaxBack } = calls;
  const { gate, gateBack, gelu, geluBack, addRow, sumRows, add, scale, crossEntropy, adam, adamTangent } =
    calls;
  const { applyAdapters, attendPages, multiplyBack, multiplyBlocks, quantise, unpack } = calls;
  return {
    name: "wasm",
    arena,
    ...arenaMoves(arena),
    multiply(rows, columns, depth, a, b, c, rowStride, accumulate) {
      multiply!(rows, columns, depth, ...matrix(a), ...matrix(b), to(c), rowStride, Number(accumulate));
    },
    multiplyRounded(rows, columns, depth, a, b, c, rowStride, accumulate) {
      const left = [to(a.at), a.rowStride] as const;
      multiplyRounded!(rows, columns, depth, ...left, ...matrix(b), to(c), rowStride, Number(accumulate));
    },
    normalise(rows, width, x, weight, bias, y, stats, epsilon, isCentred) {
      normalise!(rows, width, to(x), to(weight), to(bias), to(y), to(stats), epsilon, isCentred ? 1 : 0);
    },
    normaliseBack(rows, width, x, weight, stats, dy, dx, dWeight, dBias, isCentred) {
      const offsets = [x, weight, stats, dy, dx, dWeight, dBias].map(to);
      normaliseBack!(rows, width, ...offsets, isCentred ? 1 : 0);
    },
    rotate(rows, heads, headSize, x, rowStride, table, sign) {
      rotate!(rows, heads, headSize, to(x), rowStride, to(table), sign);
    },
    softmax(rows, x, rowStride, first, factor) {
      softmax!(rows, to(x), rowStride, first, factor);
    },
    softmaxBack(rows, p, dp, rowStride, first, factor) {
      softmaxBack!(rows, to(p), to(dp), rowStride, first, factor);
    },
    gate: (count, ...offsets) => void gate!(count, ...offsets.map(to)),
    gateBack: (count, ...offsets) => void gateBack!(count, ...offsets.map(to)),
    gelu: (count, ...offsets) => void gelu!(count, ...offsets.map(to)),
    geluBack: (count, ...offsets) => void geluBack!(count, ...offsets.map(to)),
    addRow: (rows, width, ...offsets) => void addRow!(rows, width, ...offsets.map(to)),
    sumRows: (rows, width, ...offsets) => void sumRows!(rows, width, ...offsets.map(to)),
    add: (count, ...offsets) => void add!(count, ...offsets.map(to)),
    scale: (count, x, factor) => void scale!(count, to(x), factor),
    crossEntropy(rows, size, rowStride, logits, targets, losses, weight) {
      crossEntropy!(rows, size, rowStride, to(logits), to(targets), to(losses), weight);
    },
    adam: (count, ...offsets) => void adam!(count, ...offsets.map(to)),
    adamTangent: (count, ...offsets) => void adamTangent!(count, ...offsets.map(to)),
    applyAdapters({ count, entries, inputs, x, xStride, outputs, y, yStride, a, b }) {
      const rows = [to(x), xStride, outputs, to(y), yStride] as const;
      applyAdapters!(count, to(entries), ARENA_AT, inputs, ...rows, a, b);
    },
    attendPages(call) {
      const { headCount, headSize, keyHeadCount, kv, maxPages, out, pageFloats, pages } = call;
      const { qkv, qkvStride, rows, scale: factor, scores, seats } = call;
      const seating = [rows, to(seats), to(pages), maxPages] as const;
      const offsets = [to(qkv), qkvStride, to(kv), pageFloats, to(out), to(scores)] as const;
      attendPages!(...seating, headCount, keyHeadCount, headSize, ...offsets, factor);
    },
    blocks: {
      quantise: (rows, width, x, y) => void quantise!(rows, width, to(x), to(y), quantisedFloats(width)),
      multiply({ accumulate, inputs, outputs, rows, weights, x, y, yStride }) {
        const sizes = [rows, panelsOf(outputs), inputs, to(x), quantisedFloats(inputs)] as const;
        multiplyBlocks!(...sizes, to(weights), to(y), yStride, Number(accumulate));
      },
      multiplyBack({ accumulate, dx, dy, dyStride, inputs, outputs, rows, weights }) {
        const slopes = [to(dy), dyStride] as const;
        multiplyBack!(rows, panelsOf(outputs), inputs, ...slopes, to(weights), to(dx), Number(accumulate));
      },
      unpack({ inputs, outputs, weights }, first, count, y) {
        unpack!(first, count, inputs, panelsOf(outputs), to(weights), to(y));
      },
    },
  };
}
