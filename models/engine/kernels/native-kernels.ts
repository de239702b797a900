/**
 * Kernels in C++ (AVX-512 with VNNI, AVX-512, AVX2) by the addon native/build/model-kernels.node, as create-kernels.ts binds
 * them. Offsets are indices of floats in the arena.
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { loadNativePart, type NativePart } from "@openledger/foundation/native-part";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelError } from "../../model-errors.ts";
import { arenaMoves, type KernelSetName, type Kernels, type Matrix } from "./kernels.ts";

/** Each kernel as addon.cpp has it: the set's number, the arena, then numbers. */
type NativeKernel = (set: number, arena: Float32Array, ...numbers: number[]) => void;
type NativeKernels = Record<
  | Exclude<keyof Kernels, "name" | "arena" | "write" | "blocks" | "record">
  | "quantise"
  | "multiplyBlocks"
  | "multiplyBack"
  | "unpack"
  | "useLargePages",
  NativeKernel
>;
type NativeAddon = NativePart &
  NativeKernels & {
    sets(): KernelSetName[];
    /** Names of the kernels, in the order by which `calls` name them. */
    kernels(): (keyof NativeKernels)[];
    /** Runs calls. Each has its kernel's number, the count of its arguments, and these. */
    runCalls(set: number, arena: Float32Array, calls: Float64Array): void;
  };

const addonPath = fileURLToPath(new URL("native/build/model-kernels.node", import.meta.url));

/** Number of threads that share a product if `passThreads` threads make passes: all cores together, at most eight. */
export const productThreads = (passThreads: number): number =>
  Math.min(8, Math.max(1, Math.floor(availableParallelism() / passThreads)));

/**
 * Kernel sets that the addon and this processor have, the fastest first; none if the addon was not built.
 * @throws RollupError SRV_NATIVE_STALE if it is out of date
 */
export function nativeKernelSets(path = addonPath): KernelSetName[] {
  try {
    return loadAddon(path).sets();
  } catch (error) {
    if (!isRollupError(error, "MOD_ENGINE_UNAVAILABLE")) throw error;
    return [];
  }
}

/**
 * The C++ kernels on an arena of their caller's; one that threads share may lie in a SharedArrayBuffer.
 *
 * @param threadCount that share a product of int8 weights, the caller's among them
 * @throws RollupError MOD_ENGINE_UNAVAILABLE if the addon is absent, or it or the processor lacks the set; SRV_NATIVE_STALE
 */
export function createNativeKernels(
  arena: Float32Array,
  name?: KernelSetName,
  path: string = addonPath,
  threadCount = 1,
): Kernels {
  const addon = loadAddon(path);
  const sets = addon.sets();
  const set = name === undefined ? 0 : sets.indexOf(name);
  if (sets[set] === undefined) {
    const isLeftOut = name !== undefined && addon.processorKernels().includes(name);
    const reason = isLeftOut ? `only --all builds ${name}` : `this processor has no ${name ?? "AVX2"}`;
    throw unavailable(reason, { sets });
  }
  addon.useLargePages(set, arena);
  return {
    ...bindKernels(addon, sets[set], set, arena, threadCount),
    record(make) {
      const calls: number[] = [];
      const recorders = addon.kernels().map((kernel, i): [string, NativeKernel] => {
        return [kernel, (_set, _arena, ...numbers) => void calls.push(i, numbers.length, ...numbers)];
      });
      const own = Object.fromEntries(recorders) as NativeKernels;
      make({
        ...bindKernels(own, sets[set]!, set, arena, threadCount),
        copy: (...numbers) => own.copy(set, arena, ...numbers),
        clear: (...numbers) => own.clear(set, arena, ...numbers),
        ...{ write: refuse, record: refuse },
      });
      const recorded = Float64Array.from(calls);
      return () => addon.runCalls(set, arena, recorded);
    },
  };
}

function refuse(): never {
  throw new TypeError("only kernels are recorded");
}

function bindKernels(
  addon: NativeKernels,
  name: KernelSetName,
  set: number,
  arena: Float32Array,
  threadCount: number,
): Omit<Kernels, "record"> {
  const bind =
    (kernel: NativeKernel) =>
    (...numbers: (number | boolean)[]) =>
      kernel(set, arena, ...numbers.map(Number));
  return {
    name,
    arena,
    ...arenaMoves(arena),
    multiply(rows, columns, depth, a: Matrix, b: Matrix, c, rowStride, accumulate) {
      addon.multiply(
        set,
        arena,
        rows,
        columns,
        depth,
        a.at,
        a.rowStride,
        a.columnStride,
        b.at,
        b.rowStride,
        b.columnStride,
        c,
        rowStride,
        accumulate ? 1 : 0,
      );
    },
    multiplyRounded(rows, columns, depth, a: Matrix, b: Matrix, c, rowStride, accumulate) {
      const offsets = [a.at, a.rowStride, b.at, b.rowStride, b.columnStride, c, rowStride] as const;
      addon.multiplyRounded(set, arena, rows, columns, depth, ...offsets, Number(accumulate));
    },
    normalise: bind(addon.normalise),
    normaliseBack: bind(addon.normaliseBack),
    rotate: bind(addon.rotate),
    softmax: bind(addon.softmax),
    softmaxBack: bind(addon.softmaxBack),
    gate: (...numbers) => addon.gate(set, arena, ...numbers, threadCount),
    gateBack: bind(addon.gateBack),
    gelu: bind(addon.gelu),
    geluBack: bind(addon.geluBack),
    addRow: bind(addon.addRow),
    sumRows: bind(addon.sumRows),
    add: bind(addon.add),
    scale: bind(addon.scale),
    crossEntropy: bind(addon.crossEntropy),
    adam: bind(addon.adam),
    adamTangent: bind(addon.adamTangent),
    applyAdapters({ count, entries, rows, inputs, x, xStride, outputs, y, yStride, a, b }) {
      addon.applyAdapters(set, arena, count, entries, rows, inputs, x, xStride, outputs, y, yStride, a, b);
    },
    attendPages(call) {
      const { headCount, headSize, keyHeadCount, kv, maxPages, out, pageCount, pageFloats } = call;
      const { pages, qkv, qkvStride, rows, scale, scores, seats, slotCount } = call;
      const heads = [headCount, keyHeadCount, headSize] as const;
      const seating = [rows, seats, pages, slotCount, maxPages] as const;
      const offsets = [qkv, qkvStride, kv, pageCount, pageFloats, out, scores] as const;
      addon.attendPages(set, arena, ...seating, ...heads, ...offsets, scale, threadCount);
    },
    blocks: {
      quantise: (...numbers) => addon.quantise(set, arena, ...numbers, threadCount),
      multiply({ accumulate, inputs, outputs, rows, weights, x, y, yStride }) {
        const offsets = [x, weights, y, yStride, Number(accumulate)] as const;
        addon.multiplyBlocks(set, arena, rows, outputs, inputs, ...offsets, threadCount);
      },
      multiplyBack({ accumulate, dx, dy, dyStride, inputs, outputs, rows, weights }) {
        addon.multiplyBack(set, arena, rows, outputs, inputs, dy, dyStride, weights, dx, Number(accumulate));
      },
      unpack({ inputs, outputs, weights }, first, count, to) {
        addon.unpack(set, arena, outputs, inputs, weights, first, count, to);
      },
    },
  };
}

function loadAddon(path: string): NativeAddon {
  try {
    return loadNativePart<NativeAddon>(path);
  } catch (cause) {
    if (isRollupError(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw unavailable(reason!, { path }, cause);
  }
}

function unavailable(reason: string, data: object, cause?: unknown) {
  return modelError(
    "MOD_ENGINE_UNAVAILABLE",
    `the native kernels do not run (${reason}); install g++ and run \`node prover/native/build.js\`, or choose wasm`,
    { data: { ...data, reason }, cause },
  );
}
