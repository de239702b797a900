// Kernels of a server that answers many requests at once, each with its own adapter and its own pages of keys and values.
// Included by lane-kernels.h, whose rules hold here too. A row's results do not depend on the other rows.

constexpr long RANK_PAGE = 8, POSITION_PAGE = 16;

/** Eight numbers of a page from element i on: floats, or halves, which are exact as floats. */
template <bool isHalf>
inline Oct pageOct(const float* page, long i) {
  if constexpr (!isHalf) return loadOct(page + i);
  HalfOct halves;
  __builtin_memcpy(&halves, reinterpret_cast<const char*>(page) + 2 * i, sizeof halves);
  return widenOct(halves);
}

template <bool isHalf>
inline const float* pageAt(const AdapterEntry& entry, const float* arena, long offset) {
  return arena + static_cast<long>(entry.base) * 16 + (isHalf ? offset / 2 : offset);
}

/**
 * x A of up to four entries side by side: each is one chain, and four of them hide its latency. Pages come from far away:
 * meanwhile their B, and the A of the four entries after them, are fetched.
 */
template <int G, bool isHalf>
INNER void shrink(const AdapterEntry* entries, const AdapterEntry* next, const float* arena, const AdapterCall& call,
                   float (*low)[RANK_PAGE]) {
  Oct sums[G];
  const float *from[G], *pages[G], *ahead[2 * G];
  for (int g = 0; g < G; g++) {
    sums[g] = Oct{};
    from[g] = call.x + entries[g].row * call.strideX;
    pages[g] = pageAt<isHalf>(entries[g], arena, call.offsetA);
    ahead[g] = pageAt<isHalf>(entries[g], arena, call.offsetB);
    ahead[G + g] = pageAt<isHalf>(next[g], arena, call.offsetA);
  }
  constexpr long LINE = isHalf ? 4 : 2;
  for (long k = 0; k < call.inputs; k += LINE) {
#pragma GCC unroll 8
    for (int g = 0; g < 2 * G; g++) PREFETCH(ahead[g] + k / LINE * 16);
#pragma GCC unroll 4
    for (long i = 0; i < LINE; i++)
#pragma GCC unroll 4
      for (int g = 0; g < G; g++)
        sums[g] = fusedOct(spreadOct(from[g][k + i]), pageOct<isHalf>(pages[g], (k + i) * RANK_PAGE), sums[g]);
  }
  for (int g = 0; g < G; g++) storeOct(low[g], sums[g] * entries[g].factor);
}

/** y += low B, each output one chain over the page's ranks. */
template <bool isHalf>
INNER void expand(const AdapterEntry& entry, const float* arena, const float* low, long outputs, float* y, long offset) {
  const float* page = pageAt<isHalf>(entry, arena, offset);
  const long rank = entry.kind & 15;
  for (long n = 0; n < outputs; n += 16) {
    Oct a = loadOct(y + n), b = loadOct(y + n + 8);
    for (long j = 0; j < rank; j++) {
      const Oct left = spreadOct(low[j]);
      a = fusedOct(left, pageOct<isHalf>(page, j * outputs + n), a);
      b = fusedOct(left, pageOct<isHalf>(page, j * outputs + n + 8), b);
    }
    storeOct(y + n, a);
    storeOct(y + n + 8, b);
  }
}

template <bool isHalf>
inline void applyRun(long count, const AdapterEntry* entries, const float* arena, const AdapterCall& call) {
  for (long i = 0; i < count; i += 4) {
    float low[4][RANK_PAGE];
    const long held = count - i < 4 ? count - i : 4;
    if (held == 4)
      shrink<4, isHalf>(entries + i, entries + (i + 8 <= count ? i + 4 : i), arena, call, low);
    else
      for (long g = 0; g < held; g++) shrink<1, isHalf>(entries + i + g, entries + i + g, arena, call, low + g);
    for (long g = 0; g < held; g++)
      expand<isHalf>(entries[i + g], arena, low[g], call.outputs, call.y + entries[i + g].row * call.strideY, call.offsetB);
  }
}

void applyAdapters(long count, const AdapterEntry* entries, const float* arena, const AdapterCall& call) {
  for (long i = 0; i < count;) {
    const bool isHalf = entries[i].kind & 16;
    long end = i + 1;
    while (end < count && ((entries[end].kind & 16) != 0) == isHalf) end++;
    if (isHalf)
      applyRun<true>(end - i, entries + i, arena, call);
    else
      applyRun<false>(end - i, entries + i, arena, call);
    i = end;
  }
}

/** Keys and values of all rows go to their pages first, so that rows of one prompt see each other. */
void keepPages(const PagedCall& c) {
  const long keyWidth = c.keyHeadCount * c.headSize;
  for (long t = 0; t < c.rows; t++) {
    const unsigned position = c.seats[2 * t + 1];
    const unsigned* pages = c.pages + c.seats[2 * t] * c.maxPages;
    float* page = c.kv + static_cast<long>(pages[position / POSITION_PAGE]) * c.pageFloats;
    const long lane = position % POSITION_PAGE;
    const float* key = c.qkv + t * c.strideQkv + c.headCount * c.headSize;
    for (long i = 0; i < keyWidth; i++) page[i * POSITION_PAGE + lane] = key[i];
    __builtin_memcpy(page + (POSITION_PAGE + lane) * keyWidth, key + keyWidth, static_cast<unsigned long>(keyWidth) * 4);
  }
}

constexpr int PAGE_PARTS = POSITION_PAGE / LANES;
/** Chains side by side that hide the latency of one: registers for twelve, with AVX-512 for sixteen. */
constexpr int chainsFor(int heads) { return LANES != 8 || heads < 4 ? 4 : 2; }

/**
 * Products of H queries with the keys of P pages from position j on. What lies `gap` behind a page's keys is fetched meanwhile, into the
 * second cache: the nearest one awaits fewer lines at a time.
 */
template <int H, int P>
INNER void scorePages(const PagedCall& c, const unsigned* pages, long first, const float* query, long j, float* scores, long end, long gap = 0) {
  const float* keys[P];
  for (int p = 0; p < P; p++) keys[p] = c.kv + static_cast<long>(pages[j / POSITION_PAGE + p]) * c.pageFloats + first * POSITION_PAGE;
  Vector sums[H][P * PAGE_PARTS] = {};
  for (long d = 0; d < c.headSize; d++) {
    Vector left[H];
    for (int h = 0; h < H; h++) left[h] = spread(query[h * c.headSize + d]);
    if (gap != 0) PREFETCH(keys[0] + d * POSITION_PAGE + gap, 0, 2);
#pragma GCC unroll 4
    for (int n = 0; n < P * PAGE_PARTS; n++) {
      Vector key = loadVector(keys[n / PAGE_PARTS] + d * POSITION_PAGE + n % PAGE_PARTS * LANES);
      stayLoaded(key);
#pragma GCC unroll 4
      for (int h = 0; h < H; h++) sums[h][n] = FUSED(left[h], key, sums[h][n]);
    }
  }
  for (int h = 0; h < H; h++)
    for (int n = 0; n < P * PAGE_PARTS; n++) storeVector(scores + h * end + j + n * LANES, sums[h][n]);
}

/** Adds values, weighed by the scores of positions `from` … `to`, to V registers of the outputs of H heads. What lies `gap` behind is fetched meanwhile. */
template <int H, int V>
INNER void weighValues(const PagedCall& c, const unsigned* pages, long offset, const float* scores, long room, long from, long to, float* out, long gap = 0) {
  const long keyWidth = c.keyHeadCount * c.headSize;
  Vector sums[H][V] = {};
  if (from > 0)
    for (int h = 0; h < H; h++)
      for (int n = 0; n < V; n++) sums[h][n] = loadVector(out + h * c.headSize + n * LANES);
  for (long page = from; page < to; page += POSITION_PAGE) {
    const float* values = c.kv + static_cast<long>(pages[page / POSITION_PAGE]) * c.pageFloats + POSITION_PAGE * keyWidth + offset;
    const long held = to - page < POSITION_PAGE ? to - page : POSITION_PAGE;
    for (long j = 0; j < held; j++) {
      Vector left[H];
      for (int h = 0; h < H; h++) left[h] = spread(scores[h * room + page + j]);
      if (gap != 0)
        for (int n = 0; n < V; n += 16 / LANES) PREFETCH(values + j * keyWidth + n * LANES + gap, 0, 2);
#pragma GCC unroll 4
      for (int n = 0; n < V; n++) {
        Vector value = loadVector(values + j * keyWidth + n * LANES);
        stayLoaded(value);
#pragma GCC unroll 4
        for (int h = 0; h < H; h++) sums[h][n] = FUSED(left[h], value, sums[h][n]);
      }
    }
  }
  for (int h = 0; h < H; h++)
    for (int n = 0; n < V; n++) storeVector(out + h * c.headSize + n * LANES, sums[h][n]);
}

/** Positions whose keys, or values, stay in the nearest cache while the rows of a task take them. */
constexpr long NEAR_POSITIONS = 64;

/**
 * H heads of `count` rows of one prompt, which share keys and values: each output is one chain, and several hide its latency.
 * `scores`: H × the last row's positions up to a multiple of 16 for each row.
 */
template <int H>
inline void attendHeads(const PagedCall& c, long t, long count, long head, float* scores) {
  constexpr int V = chainsFor(H), P = V / PAGE_PARTS;
  const long keyWidth = c.keyHeadCount * c.headSize, position = c.seats[2 * t + 1], room = (position + count + 15) & ~15L;
  const unsigned* pages = c.pages + c.seats[2 * t] * c.maxPages;
  const long first = head / (c.headCount / c.keyHeadCount) * c.headSize;
  // Pages come from far away, but for rows of a prompt, whose last one had them.
  if (t == 0 || c.seats[2 * t - 2] != c.seats[2 * t])
    for (long j = 0; j < room; j += POSITION_PAGE) {
      const float* keys = c.kv + static_cast<long>(pages[j / POSITION_PAGE]) * c.pageFloats + first * POSITION_PAGE;
      const float* values = keys + POSITION_PAGE * (keyWidth - first) + first;
      for (long d = 0; d < c.headSize; d++) PREFETCH(keys + d * POSITION_PAGE);
      for (long i = 0; i < POSITION_PAGE; i++)
        for (long d = 0; d < c.headSize; d += 16) PREFETCH(values + i * keyWidth + d);
    }
  for (long near = 0; near < room; near += NEAR_POSITIONS)
    for (long i = 0; i < count; i++) {
      const float* query = c.qkv + (t + i) * c.strideQkv + head * c.headSize;
      const long whole = (position + i + 16) & ~15L, end = whole < near + NEAR_POSITIONS ? whole : near + NEAR_POSITIONS;
      float* own = scores + i * H * room;
      long j = near;
      for (; j + P * POSITION_PAGE <= end; j += P * POSITION_PAGE) scorePages<H, P>(c, pages, first, query, j, own, room);
      for (; j < end; j += POSITION_PAGE) scorePages<H, 1>(c, pages, first, query, j, own, room);
    }
  for (long i = 0; i < count; i++)
    for (int h = 0; h < H; h++) softmax(1, scores + (i * H + h) * room, (position + i + 16) & ~15L, position + i, c.scale);
  for (long near = 0; near < position + count; near += NEAR_POSITIONS)
    for (long i = 0; i < count; i++) {
      const long seen = position + i + 1, end = seen < near + NEAR_POSITIONS ? seen : near + NEAR_POSITIONS;
      if (near >= end) continue;
      const float* own = scores + i * H * room;
      float* out = c.out + ((t + i) * c.headCount + head) * c.headSize;
      long d = 0;
      for (; d + V * LANES <= c.headSize; d += V * LANES) weighValues<H, V>(c, pages, first + d, own, room, near, end, out + d);
      for (; d < c.headSize; d += 16) weighValues<H, PAGE_PARTS>(c, pages, first + d, own, room, near, end, out + d);
    }
}

/** Heads side by side: sums of two and of sixteen positions fill the registers that WebAssembly is given. */
constexpr int MAX_HEADS = LANES == 4 ? 2 : 4;

/** Calls Part::heads<H>(head, …) for heads `head` … `end`, by MAX_HEADS or what there is. */
template <class Part, class... Rest>
inline void byHeads(long head, long end, const Rest&... rest) {
  for (; head + MAX_HEADS <= end; head += MAX_HEADS) Part::template heads<MAX_HEADS>(head, rest...);
  if (MAX_HEADS > 2 && head + 2 < end) Part::template heads<3>(head, rest...);
  else if (MAX_HEADS > 2 && head + 1 < end) Part::template heads<2>(head, rest...);
  else if (head < end) Part::template heads<1>(head, rest...);
}

struct AttendPart {
  template <int H>
  static void heads(long head, const PagedCall& c, long t, long count, float* scores) {
    attendHeads<H>(c, t, count, head, scores);
  }
};

/** Tasks `from` … `to`: `rowsPerTask` rows each of a head of keys. `scores`: rows × 4 × 16 numbers for each page of a slot. */
void attendPages(const PagedCall& c, long from, long to, float* scores) {
  const long perKey = c.headCount / c.keyHeadCount;
  for (long task = from; task < to; task++) {
    const long first = task % c.keyHeadCount * perKey, begin = task / c.keyHeadCount * c.rowsPerTask;
    const long end = begin + c.rowsPerTask < c.rows ? begin + c.rowsPerTask : c.rows;
    for (long t = begin, count; t < end; t += count) {
      const unsigned* seat = c.seats + 2 * t;
      for (count = 1; t + count < end && seat[2 * count] == seat[0] && seat[2 * count + 1] == seat[1] + count;) count++;
      byHeads<AttendPart>(first, first + perKey, c, t, count, scores);
    }
  }
}

struct ScorePart {
  template <int H>
  static void heads(long head, const PagedCall& c, const unsigned* pages, const float* queries, long j, float* scores, long room, long gap) {
    const long first = head / (c.headCount / c.keyHeadCount) * c.headSize;
    scorePages<H, 1>(c, pages, first, queries + head * c.headSize, j, scores + head * room, room, gap);
  }
};

/**
 * The first of three steps by which threads share the attention of few rows: scores of the pages `from` … `to`, room / 16 of them a
 * row. A page's keys of all heads lie side by side. `scores`: `room` for each row and head.
 */
void scoreParts(const PagedCall& c, long from, long to, float* scores, long room) {
  const long perRow = room / POSITION_PAGE, perKey = c.headCount / c.keyHeadCount;
  for (long part = from; part < to; part++) {
    const long t = part / perRow, page = part % perRow, last = c.seats[2 * t + 1] / POSITION_PAGE;
    if (page > last) continue;
    const unsigned* pages = c.pages + c.seats[2 * t] * c.maxPages;
    const long gap = page < last ? (static_cast<long>(pages[page + 1]) - pages[page]) * c.pageFloats : 0;
    for (long head = 0; head < c.headCount; head += perKey)
      byHeads<ScorePart>(head, head + perKey, c, pages, c.qkv + t * c.strideQkv, page * POSITION_PAGE, scores + t * c.headCount * room, room, gap);
  }
}

/** The second: softmax of rows' heads `from` … `to`. */
void softmaxParts(const PagedCall& c, long from, long to, float* scores, long room) {
  for (long part = from; part < to; part++) {
    const long position = c.seats[2 * (part / c.headCount) + 1];
    softmax(1, scores + part * room, (position + 16) & ~15L, position, c.scale);
  }
}

struct WeighPart {
  /** Columns `from` … `to` of a head of values. */
  template <int H>
  static void heads(long head, const PagedCall& c, const unsigned* pages, long from, long to, const float* scores, long room, long page, long seen, float* out, long gap) {
    constexpr int V = chainsFor(H);
    const long first = head / (c.headCount / c.keyHeadCount) * c.headSize, end = seen < page + POSITION_PAGE ? seen : page + POSITION_PAGE;
    long d = from;
    for (; d + V * LANES <= to; d += V * LANES)
      weighValues<H, V>(c, pages, first + d, scores + head * room, room, page, end, out + head * c.headSize + d, gap);
    for (; d < to; d += 16) weighValues<H, PAGE_PARTS>(c, pages, first + d, scores + head * room, room, page, end, out + head * c.headSize + d, gap);
  }
};

/** The third: values of sixteen columns each of a row, `from` … `to`. A page's values are read once for all of them. */
void weighParts(const PagedCall& c, long from, long to, const float* scores, long room) {
  const long perHead = c.headSize / 16, perRow = c.keyHeadCount * perHead, perKey = c.headCount / c.keyHeadCount;
  for (long part = from, end; part < to; part = end) {
    const long t = part / perRow, seen = c.seats[2 * t + 1] + 1L;
    end = to < (t + 1) * perRow ? to : (t + 1) * perRow;
    const unsigned* pages = c.pages + c.seats[2 * t] * c.maxPages;
    const float* own = scores + t * c.headCount * room;
    float* out = c.out + t * c.headCount * c.headSize;
    for (long page = 0; page < seen; page += POSITION_PAGE) {
      const long gap = page + POSITION_PAGE < seen ? (static_cast<long>(pages[page / POSITION_PAGE + 1]) - pages[page / POSITION_PAGE]) * c.pageFloats : 0;
      for (long i = part - t * perRow, stop; i < end - t * perRow; i = stop) {
        const long key = i / perHead;
        stop = end - t * perRow < (key + 1) * perHead ? end - t * perRow : (key + 1) * perHead;
        byHeads<WeighPart>(key * perKey, (key + 1) * perKey, c, pages, (i - key * perHead) * 16, (stop - key * perHead) * 16, own, room, page, seen, out, gap);
      }
    }
  }
}
