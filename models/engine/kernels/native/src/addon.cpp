// The Node-API surface: see ../../native-kernels.ts for the types. Every range is checked here, once for all sets.
#include <node_api.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "../../../../../prover/native/src/kernels/processor-export.h"
#include "helpers.h"
#include "sets.h"

namespace {

constexpr size_t MAX_NUMBERS = 20;
constexpr uintptr_t LARGE_PAGE = 1 << 21;

/** What a call brings: the arena, and numbers that are sizes, settings or places in the arena. */
struct Call {
  float* arena;
  size_t length, count;
  double numbers[MAX_NUMBERS];

  double number(size_t i) const {
    if (i >= count) throw std::out_of_range("an argument is missing");
    return numbers[i];
  }
  float real(size_t i) const { return static_cast<float>(number(i)); }
  long natural(size_t i, double max) const {
    const double value = number(i);
    if (!(value >= 0 && value <= max) || value != std::floor(value)) throw std::out_of_range("a size is no natural number, or too large");
    return static_cast<long>(value);
  }
  /** At most 10^9: the product of two sizes, and some such products, are below 2^63. */
  long size(size_t i) const { return natural(i, 1e9); }
  /** `floats` numbers from the place that argument i names. */
  float* at(size_t i, long floats) const {
    const size_t from = static_cast<size_t>(natural(i, 1e12));
    if (floats < 0 || from > length || static_cast<size_t>(floats) > length - from)
      throw std::out_of_range("a range leaves the arena");
    return arena + from;
  }
  /** The same, or none where the argument is negative. */
  float* maybeAt(size_t i, long floats) const { return number(i) < 0 ? nullptr : at(i, floats); }
};

/** Loops go by sixteen. */
long whole(long count) { return (count + 15) & ~15L; }

long width(const Call& c, size_t i) {
  const long value = c.size(i);
  if (value % 16 != 0) throw std::out_of_range("a width is no multiple of 16");
  return value;
}

/** Floats of a matrix with strides, which may overlap or lie either way round. */
long extent(long rows, long rowStride, long columns, long columnStride) {
  if (rows > 1'000'000'000 || columns > 1'000'000'000 || rowStride > 1'000'000'000 || columnStride > 1'000'000'000)
    throw std::out_of_range("a matrix is too large");
  return rows == 0 || columns == 0 ? 0 : (rows - 1) * rowStride + (columns - 1) * columnStride + 1;
}

long area(long rows, long columns) { return extent(rows, columns, columns, 1); }

void multiply(const KernelTable& k, const Call& c) {
  thread_local std::vector<float> scratch;
  if (scratch.size() < static_cast<size_t>(k.packFloats)) scratch.resize(static_cast<size_t>(k.packFloats));
  const long rows = c.size(0), columns = c.size(1), depth = c.size(2);
  const long rowA = c.size(4), columnA = c.size(5), rowB = c.size(7), columnB = c.size(8), rowC = c.size(10);
  k.multiply(rows, columns, depth, {c.at(3, extent(rows, rowA, depth, columnA)), rowA, columnA},
             {c.at(6, extent(depth, rowB, columns, columnB)), rowB, columnB}, c.at(9, extent(rows, rowC, columns, 1)), rowC,
             c.number(11) != 0, scratch.data());
}

/** (rows, columns, depth, a, rowA, b, rowB, columnB, c, rowC, accumulate); steps of A lie side by side */
void multiplyRounded(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), columns = c.size(1), depth = c.size(2), rowA = c.size(4), rowB = c.size(6), columnB = c.size(7);
  if (rowB != 1 && columnB != 1) throw std::out_of_range("neither steps nor columns lie side by side");
  k.multiplyRounded(rows, columns, depth, {c.at(3, extent(rows, rowA, depth, 1)), rowA, 1},
                    {c.at(5, extent(depth, rowB, columns, columnB)), rowB, columnB}, c.at(8, extent(rows, c.size(9), whole(columns), 1)),
                    c.size(9), c.number(10) != 0);
}

void normalise(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), w = width(c, 1), all = area(rows, w);
  k.normalise(rows, w, c.at(2, all), c.at(3, w), c.maybeAt(4, w), c.at(5, all), c.at(6, 2 * rows), c.real(7),
              c.number(8) != 0);
}

void normaliseBack(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), w = width(c, 1), all = area(rows, w);
  k.normaliseBack(rows, w, c.at(2, all), c.at(3, w), c.at(4, 2 * rows), c.at(5, all), c.at(6, all), c.maybeAt(7, w),
                  c.maybeAt(8, w), c.number(9) != 0);
}

void rotate(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), heads = c.size(1), headSize = width(c, 2), stride = c.size(4);
  k.rotate(rows, heads, headSize, c.at(3, extent(rows, stride, heads * headSize, 1)), stride, c.at(5, area(rows, headSize)),
           c.real(6));
}

/** Rows as long as their stride, a multiple of 16, which the last row's numbers must fit. */
long causalRows(const Call& c, size_t stride, size_t first) {
  const long rows = c.size(0), rowStride = width(c, stride);
  if (c.size(first) + rows > rowStride) throw std::out_of_range("a row is shorter than its numbers");
  return area(rows, rowStride);
}

void softmax(const KernelTable& k, const Call& c) {
  const long all = causalRows(c, 2, 3);
  k.softmax(c.size(0), c.at(1, all), c.size(2), c.size(3), c.real(4));
}

void softmaxBack(const KernelTable& k, const Call& c) {
  const long all = causalRows(c, 3, 4);
  k.softmaxBack(c.size(0), c.at(1, all), c.at(2, all), c.size(3), c.size(4), c.real(5));
}


void gateBack(const KernelTable& k, const Call& c) {
  const long n = c.size(0), all = whole(n);
  k.gateBack(all, c.at(1, all), c.at(2, all), c.at(3, all), c.at(4, all), c.at(5, all));
}

void gelu(const KernelTable& k, const Call& c) {
  const long n = c.size(0), all = whole(n);
  k.gelu(all, c.at(1, all), c.at(2, all));
}

void geluBack(const KernelTable& k, const Call& c) {
  const long n = c.size(0), all = whole(n);
  k.geluBack(all, c.at(1, all), c.at(2, all), c.at(3, all));
}

void addRow(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), w = width(c, 1);
  k.addRow(rows, w, c.at(2, area(rows, w)), c.at(3, w));
}

void sumRows(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), w = width(c, 1);
  k.sumRows(rows, w, c.at(2, area(rows, w)), c.at(3, w));
}

void add(const KernelTable& k, const Call& c) {
  const long n = c.size(0), all = whole(n);
  k.add(n, c.at(1, all), c.at(2, all));
}

void scale(const KernelTable& k, const Call& c) {
  const long n = c.size(0);
  k.scale(n, c.at(1, whole(n)), c.real(2));
}

void crossEntropy(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), size = c.size(1), stride = width(c, 2);
  if (size > stride) throw std::out_of_range("a row is shorter than its numbers");
  k.crossEntropy(rows, size, stride, c.at(3, area(rows, stride)), c.at(4, rows), c.at(5, rows), c.real(6));
}

void adam(const KernelTable& k, const Call& c) {
  const long n = c.size(0), all = whole(n);
  k.adam(n, c.at(1, all), c.at(2, all), c.at(3, all), c.at(4, all), c.at(5, 10));
}

void adamTangent(const KernelTable& k, const Call& c) {
  const long n = c.size(0), all = whole(n);
  k.adamTangent(n, c.at(1, all), c.at(2, all), c.at(3, all), c.at(4, all), c.at(5, all), c.at(6, all), c.at(7, all), c.at(8, 10));
}

/** (count, entries, rows, inputs, x, strideX, outputs, y, strideY, offsetA, offsetB); the entries name places themselves. */
void applyAdapters(const KernelTable& k, const Call& c) {
  const long count = c.size(0), rows = c.size(2), inputs = c.size(3), outputs = width(c, 6);
  const long offsetA = width(c, 9), offsetB = width(c, 10);
  const AdapterEntry* entries = reinterpret_cast<const AdapterEntry*>(c.at(1, extent(count, 4, 4, 1)));
  const long end = std::max(offsetA + 8 * inputs, offsetB + 8 * outputs);
  for (long i = 0; i < count; i++) {
    const auto [row, base, kind, factor] = entries[i];
    const size_t numbers = static_cast<size_t>(kind & 16 ? (end + 1) / 2 : end);
    if (row >= static_cast<unsigned long>(rows) || (kind & 15) < 1 || (kind & 15) > 8 || kind > 31)
      throw std::out_of_range("an adapter's entry is none");
    if (static_cast<size_t>(base) * 16 > c.length || numbers > c.length - static_cast<size_t>(base) * 16)
      throw std::out_of_range("an adapter's page leaves the arena");
  }
  k.applyAdapters(count, entries, c.arena,
                  {inputs, outputs, c.at(4, extent(rows, c.size(5), inputs, 1)), c.size(5),
                   c.at(7, extent(rows, c.size(8), outputs, 1)), c.size(8), offsetA, offsetB});
}

/** Never destroyed: its threads wait until the process ends. */
Helpers& helpers = *new Helpers;

constexpr long BLOCK_INPUTS = 32, PANEL_OUTPUTS = 16, BLOCK_FLOATS = 136;

/** Floats of a quantised row. */
long quantisedRow(long width) { return whole((width + BLOCK_INPUTS - 1) / BLOCK_INPUTS * 18); }

/** (count, a, b, y, threads) */
void gate(const KernelTable& k, const Call& c) {
  const long n = c.size(0), all = whole(n);
  const float *a = c.at(1, all), *b = c.at(2, all);
  float* y = c.at(3, all);
  helpers.share(c.size(4), all, 4'096, [&](long from, long to) { k.gate(to - from, a + from, b + from, y + from); });
}

/** (rows, width, x, to, threads) */
void quantise(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), w = width(c, 1), stride = quantisedRow(w);
  const float* x = c.at(2, area(rows, w));
  float* y = c.at(3, area(rows, stride));
  helpers.share(c.size(4), rows, 8, [&](long from, long to) { k.quantise(to - from, w, x + from * w, y + from * stride, stride); });
}

/**
 * () Pages of 2 MB for an arena that nothing has touched yet: weights come in faster by half than by pages of 4 KB. A wish only.
 */
void useLargePages(const KernelTable&, const Call& c) {
#ifdef MADV_HUGEPAGE
  const uintptr_t from = (reinterpret_cast<uintptr_t>(c.arena) + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
  const uintptr_t end = reinterpret_cast<uintptr_t>(c.arena + c.length) & ~(LARGE_PAGE - 1);
  if (from < end) madvise(reinterpret_cast<void*>(from), end - from, MADV_HUGEPAGE);
#else
  (void)c;
#endif
}

/** (outputs, inputs, weights, first, count, to) */
void unpack(const KernelTable& k, const Call& c) {
  const long outputs = c.size(0), inputs = width(c, 1), first = c.size(3), count = c.size(4);
  const long panels = whole(outputs) / PANEL_OUTPUTS, blocks = (inputs + BLOCK_INPUTS - 1) / BLOCK_INPUTS;
  if (first > outputs || count > outputs - first) throw std::out_of_range("there is no such output");
  k.unpack(first, count, inputs, panels, c.at(2, area(panels, BLOCK_FLOATS * blocks)), c.at(5, area(count, inputs)));
}

/** (rows, outputs, inputs, x, weights, y, strideY, accumulate, threads) */
void multiplyBlocks(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), outputs = whole(c.size(1)), inputs = width(c, 2), stride = quantisedRow(inputs);
  const long panels = outputs / PANEL_OUTPUTS, blocks = (inputs + BLOCK_INPUTS - 1) / BLOCK_INPUTS;
  const BlockCall call{rows, panels, blocks, c.at(3, area(rows, stride)), stride, c.at(4, area(panels, BLOCK_FLOATS * blocks)),
                       c.at(5, extent(rows, c.size(6), outputs, 1)), c.size(6), c.number(7) != 0};
  // By two panels, which a tile takes at once.
  const long pairs = (panels + 1) / 2;
  helpers.share(c.size(8), pairs, std::max(1L, pairs / 64), [&](long from, long to) { k.multiplyBlocks(call, 2 * from, std::min(2 * to, panels)); });
}

/** (rows, outputs, inputs, dy, strideDy, weights, dx, accumulate) */
void multiplyBack(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), outputs = whole(c.size(1)), inputs = width(c, 2);
  const long panels = outputs / PANEL_OUTPUTS, blocks = (inputs + BLOCK_INPUTS - 1) / BLOCK_INPUTS;
  k.multiplyBack({rows, panels, inputs, c.at(3, extent(rows, c.size(4), outputs, 1)), c.size(4),
                  c.at(5, area(panels, BLOCK_FLOATS * blocks)), c.at(6, area(rows, inputs)), c.number(7) != 0});
}

/** Scores of a few rows whose attention threads share by positions and columns. Otherwise each thread has rows and heads of its own. */
constexpr long MAX_SHARED_SCORES = 1 << 16;

/** (rows, seats, pages, slots, maxPages, headCount, keyHeadCount, headSize, qkv, strideQkv, kv, pageCount, pageFloats, out, scores, scale, threads) */
void attendPages(const KernelTable& k, const Call& c) {
  const long rows = c.size(0), slots = c.size(3), maxPages = c.size(4), heads = c.size(5), keyHeads = c.size(6);
  const long headSize = width(c, 7), pageCount = c.size(11), pageFloats = c.size(12), keyWidth = keyHeads * headSize;
  const unsigned* seats = reinterpret_cast<const unsigned*>(c.at(1, area(rows, 2)));
  const unsigned* pages = reinterpret_cast<const unsigned*>(c.at(2, area(slots, maxPages)));
  if (keyHeads == 0 || heads % keyHeads != 0) throw std::out_of_range("heads do not divide");
  long room = 0;
  for (long t = 0; t < rows; t++) {
    const long slot = seats[2 * t], last = seats[2 * t + 1] / 16;
    room = std::max(room, 16 * (last + 1));
    if (slot >= slots || last >= maxPages) throw std::out_of_range("a row has no seat");
    for (long j = 0; j <= last; j++)
      if (pages[slot * maxPages + j] >= pageCount) throw std::out_of_range("there is no such page");
  }
  const PagedCall call{rows, seats, pages, maxPages, heads, keyHeads, headSize,
                 c.at(8, extent(rows, c.size(9), (heads + 2 * keyHeads) * headSize, 1)), c.size(9),
                 c.at(10, extent(pageCount, pageFloats, 32 * keyWidth, 1)), pageFloats, c.at(13, area(rows, heads * headSize)),
                 c.real(15), rows < 32 ? 1L : 4L};
  c.at(14, 32 * maxPages);
  k.keepPages(call);
  if (call.rowsPerTask == 1 && rows * heads * room <= MAX_SHARED_SCORES) {
    thread_local std::vector<float> shared;
    if (shared.size() < static_cast<size_t>(rows * heads * room)) shared.resize(static_cast<size_t>(rows * heads * room));
    float* scores = shared.data();
    // A range for each thread, of which others take halves.
    const auto share = [&](long count, auto part) {
      helpers.share(c.size(16), count, std::max(1L, count / 2 / std::max(1L, c.size(16))), [&](long from, long to) { part(call, from, to, scores, room); });
    };
    share(rows * room / 16, k.scoreParts);
    share(rows * heads, k.softmaxParts);
    share(rows * keyWidth / 16, k.weighParts);
    return;
  }
  const long count = (rows + call.rowsPerTask - 1) / call.rowsPerTask * keyHeads;
  helpers.share(c.size(16), count, std::max(1L, count / 32), [&](long from, long to) {
    thread_local std::vector<float> scores;
    const size_t room = static_cast<size_t>(64 * maxPages * call.rowsPerTask);
    if (scores.size() < room) scores.resize(room);
    k.attendPages(call, from, to, scores.data());
  });
}

/** (count, to, from), which do not overlap */
void copy(const KernelTable&, const Call& c) {
  const long n = c.size(0);
  float* to = c.at(1, n);
  std::copy_n(c.at(2, n), n, to);
}

/** (count, at) */
void clear(const KernelTable&, const Call& c) {
  const long n = c.size(0);
  std::fill_n(c.at(1, n), n, 0.f);
}

using Body = void (*)(const KernelTable&, const Call&);

/** Every kernel by its name; a list of calls names it by its place here. */
constexpr std::pair<const char*, Body> KERNELS[] = {
    {"copy", copy},
    {"clear", clear},
    {"multiply", multiply},
    {"multiplyRounded", multiplyRounded},
    {"normalise", normalise},
    {"normaliseBack", normaliseBack},
    {"rotate", rotate},
    {"softmax", softmax},
    {"softmaxBack", softmaxBack},
    {"gate", gate},
    {"gateBack", gateBack},
    {"gelu", gelu},
    {"geluBack", geluBack},
    {"addRow", addRow},
    {"sumRows", sumRows},
    {"add", add},
    {"scale", scale},
    {"crossEntropy", crossEntropy},
    {"adam", adam},
    {"adamTangent", adamTangent},
    {"applyAdapters", applyAdapters},
    {"attendPages", attendPages},
    {"quantise", quantise},
    {"multiplyBlocks", multiplyBlocks},
    {"unpack", unpack},
    {"multiplyBack", multiplyBack},
    {"useLargePages", useLargePages},
};

/** The set and the arena that a call begins with. */
const KernelTable& openCall(napi_env env, const napi_value* args, Call& c) {
  static const std::vector<const KernelTable*> sets = availableSets();
  uint32_t set = 0;
  if (napi_get_value_uint32(env, args[0], &set) != napi_ok || set >= sets.size()) throw std::out_of_range("there is no such set");
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, args[1], &type, &c.length, &data, nullptr, nullptr) != napi_ok || type != napi_float32_array)
    throw std::out_of_range("the arena is no Float32Array");
  c.arena = static_cast<float*>(data);
  return *sets[set];
}

/** kernel(set, arena, ...numbers); `set` is an index into sets(). */
napi_value call(napi_env env, napi_callback_info info) {
  napi_value args[2 + MAX_NUMBERS];
  size_t count = 2 + MAX_NUMBERS;
  void* body = nullptr;
  napi_get_cb_info(env, info, &count, args, nullptr, &body);
  try {
    if (count < 2 || count > 2 + MAX_NUMBERS) throw std::out_of_range("too few or too many arguments");
    Call c;
    const KernelTable& k = openCall(env, args, c);
    c.count = count - 2;
    for (size_t i = 0; i < c.count; i++)
      if (napi_get_value_double(env, args[2 + i], &c.numbers[i]) != napi_ok) throw std::out_of_range("an argument is no number");
    static_cast<const std::pair<const char*, Body>*>(body)->second(k, c);
  } catch (const std::exception& error) {
    napi_throw_range_error(env, "ERR_INVALID_ARG_VALUE", error.what());
  }
  return nullptr;
}

/** runCalls(set, arena, calls): calls as a Float64Array, of each its place among KERNELS, how many numbers it has, and those. */
napi_value runCalls(napi_env env, napi_callback_info info) {
  napi_value args[3];
  size_t count = 3;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  try {
    if (count != 3) throw std::out_of_range("too few or too many arguments");
    Call c;
    const KernelTable& k = openCall(env, args, c);
    napi_typedarray_type type;
    size_t length = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env, args[2], &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_float64_array)
      throw std::out_of_range("calls are no Float64Array");
    const double* next = static_cast<const double*>(data);
    for (const double* end = next + length; next < end; next += c.count) {
      if (end - next < 2 || !(next[0] >= 0 && next[0] < std::size(KERNELS)) || !(next[1] >= 0 && next[1] <= MAX_NUMBERS) || next[1] > static_cast<double>(end - next - 2))
        throw std::out_of_range("a call is none");
      const Body body = KERNELS[static_cast<size_t>(next[0])].second;
      c.count = static_cast<size_t>(next[1]);
      next += 2;
      std::copy(next, next + c.count, c.numbers);
      body(k, c);
    }
  } catch (const std::exception& error) {
    napi_throw_range_error(env, "ERR_INVALID_ARG_VALUE", error.what());
  }
  return nullptr;
}

napi_value textList(napi_env env, const std::vector<const char*>& texts) {
  napi_value list, text;
  napi_create_array(env, &list);
  uint32_t i = 0;
  for (const char* each : texts) {
    napi_create_string_utf8(env, each, NAPI_AUTO_LENGTH, &text);
    napi_set_element(env, list, i++, text);
  }
  return list;
}

/** The sets that this processor has, the fastest first. */
napi_value sets(napi_env env, napi_callback_info) {
  std::vector<const char*> names;
  for (const KernelTable* set : availableSets()) names.push_back(set->name);
  return textList(env, names);
}

/** Names of KERNELS in their order. */
napi_value kernels(napi_env env, napi_callback_info) {
  std::vector<const char*> names;
  for (const auto& kernel : KERNELS) names.push_back(kernel.first);
  return textList(env, names);
}

napi_value init(napi_env env, napi_value exports) {
  const auto add = [&](const char* name, napi_callback function, const void* data) {
    napi_value value;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, const_cast<void*>(data), &value) == napi_ok)
      napi_set_named_property(env, exports, name, value);
  };
  add("sets", sets, nullptr);
  add("kernels", kernels, nullptr);
  add("processorKernels", processorKernels, nullptr);
  add("runCalls", runCalls, nullptr);
  for (const auto& kernel : KERNELS) add(kernel.first, call, &kernel);
  return exports;
}

}  // namespace

NAPI_MODULE_INIT() { return init(env, exports); }
