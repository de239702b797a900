// The kernels for WebAssembly with relaxed SIMD, by clang: scripts/prebuilt/model-kernels.ts makes ../prebuilt/kernels.wasm of
// them. wasm-kernels.ts calls what is exported here, with addresses in the thread's memory; strides are in floats. It checks no range.
#define LANES 4
#define TILE_ROWS 6
#define KERNELS_NAME "wasm"
#define FUSED(a, b, c) __builtin_wasm_relaxed_madd_f32x4(a, b, c)
// Relaxed for a right side of more than seven bits, which sizes do not have: every processor gives the same. Not the instruction that
// adds to sums at once: the first compiler of Node 20 takes the products twice there, and not the sums.
#define BYTE_PAIRS(sizes, weights) __builtin_wasm_relaxed_dot_i8x16_i7x16_s_i16x8(weights, sizes)
#define PAIRS(a, b) __builtin_wasm_dot_s_i32x4_i16x8(a, b)
#include "src/lane-kernels.h"

namespace {

/** Loops go by sixteen. */
long whole(long count) { return (count + 15) & ~15L; }

constexpr long blocksOf(long inputs) { return (inputs + BLOCK - 1) / BLOCK; }

}  // namespace

#define EXPORT(name) extern "C" __attribute__((export_name(#name))) void export_##name

__asm__(".globaltype __stack_pointer, i32");

/** Each thread has an instance of the module, and a stack, which grows down from `end`. */
EXPORT(useStack)(char* end) { __asm__ volatile("local.get %0\n global.set __stack_pointer" : : "r"(end)); }

EXPORT(multiply)(long rows, long columns, long depth, const float* a, long rowA, long columnA, const float* b, long rowB, long columnB,
                 float* c, long rowC, bool accumulate) {
  float scratch[DEPTH * (BLOCK_ROWS + TILE_COLUMNS)];
  multiply(rows, columns, depth, {a, rowA, columnA}, {b, rowB, columnB}, c, rowC, accumulate, scratch);
}

/** Steps of A lie side by side. */
EXPORT(multiplyRounded)(long rows, long columns, long depth, const float* a, long rowA, const float* b, long rowB, long columnB, float* c,
                        long rowC, bool accumulate) {
  multiplyRounded(rows, columns, depth, {a, rowA, 1}, {b, rowB, columnB}, c, rowC, accumulate);
}

EXPORT(normalise)(long rows, long width, const float* x, const float* weight, const float* bias, float* y, float* stats, float epsilon,
                  bool isCentred) {
  normalise(rows, width, x, weight, bias, y, stats, epsilon, isCentred);
}

EXPORT(normaliseBack)(long rows, long width, const float* x, const float* weight, const float* stats, const float* dy, float* dx,
                      float* dWeight, float* dBias, bool isCentred) {
  normaliseBack(rows, width, x, weight, stats, dy, dx, dWeight, dBias, isCentred);
}

EXPORT(rotate)(long rows, long heads, long headSize, float* x, long rowStride, const float* table, float sign) {
  rotate(rows, heads, headSize, x, rowStride, table, sign);
}

EXPORT(softmax)(long rows, float* x, long rowStride, long first, float factor) { softmax(rows, x, rowStride, first, factor); }

EXPORT(softmaxBack)(long rows, const float* p, float* dp, long rowStride, long first, float factor) {
  softmaxBack(rows, p, dp, rowStride, first, factor);
}

EXPORT(gate)(long count, const float* a, const float* b, float* y) { gate(whole(count), a, b, y); }

EXPORT(gateBack)(long count, const float* a, const float* b, const float* dy, float* da, float* db) {
  gateBack(whole(count), a, b, dy, da, db);
}

EXPORT(gelu)(long count, const float* a, float* y) { gelu(whole(count), a, y); }

EXPORT(geluBack)(long count, const float* a, const float* dy, float* da) { geluBack(whole(count), a, dy, da); }

EXPORT(addRow)(long rows, long width, float* y, const float* bias) { addRow(rows, width, y, bias); }

EXPORT(sumRows)(long rows, long width, const float* dy, float* dBias) { sumRows(rows, width, dy, dBias); }

EXPORT(add)(long count, float* y, const float* x) { add(whole(count), y, x); }

EXPORT(scale)(long count, float* x, float factor) { scale(whole(count), x, factor); }

EXPORT(crossEntropy)(long rows, long size, long rowStride, float* logits, const float* targets, float* losses, float weight) {
  crossEntropy(rows, size, rowStride, logits, targets, losses, weight);
}

/** Settings as the compiler can hold them in registers: no store changes them. */
struct Settings {
  float numbers[10];
  explicit Settings(const float* from) { __builtin_memcpy(numbers, from, sizeof numbers); }
};

EXPORT(adam)(long count, float* p, const float* g, float* m, float* v, const float* settings) {
  adam(whole(count), p, g, m, v, Settings(settings).numbers);
}

EXPORT(adamTangent)(long count, float* dp, const float* dg, float* dm, float* dv, const float* ds, const float* ofMean,
                    const float* ofSquare, const float* settings) {
  adamTangent(whole(count), dp, dg, dm, dv, ds, ofMean, ofSquare, Settings(settings).numbers);
}

EXPORT(applyAdapters)(long count, const AdapterEntry* entries, const float* arena, long inputs, const float* x, long strideX, long outputs,
                      float* y, long strideY, long offsetA, long offsetB) {
  applyAdapters(count, entries, arena, {inputs, outputs, x, strideX, y, strideY, offsetA, offsetB});
}

EXPORT(attendPages)(long rows, const unsigned* seats, const unsigned* pages, long maxPages, long headCount, long keyHeadCount,
                    long headSize, const float* qkv, long strideQkv, float* kv, long pageFloats, float* out, float* scores, float factor) {
  const PagedCall call{rows, seats, pages, maxPages, headCount, keyHeadCount, headSize, qkv, strideQkv, kv, pageFloats, out, factor, 1};
  keepPages(call);
  attendPages(call, 0, rows * keyHeadCount, scores);
}

EXPORT(quantise)(long rows, long width, const float* x, float* to, long stride) { quantise(rows, width, x, to, stride); }

EXPORT(unpack)(long first, long count, long inputs, long panels, const float* weights, float* to) {
  unpack(first, count, inputs, panels, weights, to);
}

EXPORT(multiplyBlocks)(long rows, long panels, long inputs, const float* x, long strideX, const float* weights, float* y, long strideY,
                       bool accumulate) {
  multiplyBlocks({rows, panels, blocksOf(inputs), x, strideX, weights, y, strideY, accumulate}, 0, panels);
}

EXPORT(multiplyBack)(long rows, long panels, long inputs, const float* dy, long strideDy, const float* weights, float* dx,
                     bool accumulate) {
  multiplyBack({rows, panels, inputs, dy, strideDy, weights, dx, accumulate});
}
