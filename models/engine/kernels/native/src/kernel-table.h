// What one instruction set offers. Pointers are to floats in the arena; callers have checked every range.
#pragma once

struct Matrix {
  const float* data;
  long rowStride, columnStride;
};

/** A page of up to eight ranks of the adapter of one row, in the arena from float 16 · base on. */
struct AdapterEntry {
  unsigned row, base;
  /** Ranks of the page, 1 … 8; + 16 where its numbers are halves. */
  unsigned kind;
  float factor;
};

/** Offsets are numbers from the start of a page: A is inputs × 8, B is 8 × outputs. */
struct AdapterCall {
  long inputs, outputs;
  const float* x;
  long strideX;
  float* y;
  long strideY, offsetA, offsetB;
};

/** Attention over pages of sixteen positions: of each page keys as keyWidth × 16, then values as 16 × keyWidth. */
struct PagedCall {
  long rows;
  /** Of each row its slot and its position. */
  const unsigned* seats;
  /** Of each slot `maxPages` numbers of pages. */
  const unsigned* pages;
  long maxPages, headCount, keyHeadCount, headSize;
  const float* qkv;
  long strideQkv;
  float* kv;
  long pageFloats;
  float* out;
  float scale;
  /** Consecutive rows that one task takes: those of a prompt share what they read. */
  long rowsPerTask;
};

/** x: rows as `quantise` leaves them; weights: of each panel of 16 outputs and each block of 32 inputs eight times 16 fours, then all scales as halves. */
struct BlockCall {
  long rows, panels, blocks;
  const float* x;
  long strideX;
  const float* weights;
  float* y;
  long strideY;
  bool accumulate;
};

/** dx (+)= dy Wᵀ by weights as in BlockCall; inputs are a multiple of 16. */
struct BackCall {
  long rows, panels, inputs;
  const float* dy;
  long strideDy;
  const float* weights;
  float* dx;
  bool accumulate;
};

struct KernelTable {
  const char* name;
  /** C (+)= A B; A is rows × depth, B depth × columns. `scratch` holds packFloats(). */
  void (*multiply)(long rows, long columns, long depth, Matrix a, Matrix b, float* c, long rowStrideC, bool accumulate,
                   float* scratch);
  long packFloats;
  /** The same by integers, with steps of A side by side, and room in C for columns up to a multiple of 16. */
  void (*multiplyRounded)(long rows, long columns, long depth, Matrix a, Matrix b, float* c, long rowStrideC, bool accumulate);
  void (*normalise)(long rows, long width, const float* x, const float* weight, const float* bias, float* y, float* stats,
                    float epsilon, bool isCentred);
  void (*normaliseBack)(long rows, long width, const float* x, const float* weight, const float* stats, const float* dy,
                        float* dx, float* dWeight, float* dBias, bool isCentred);
  void (*rotate)(long rows, long heads, long headSize, float* x, long rowStride, const float* table, float sign);
  void (*softmax)(long rows, float* x, long rowStride, long first, float scale);
  void (*softmaxBack)(long rows, const float* p, float* dp, long rowStride, long first, float scale);
  void (*gate)(long count, const float* a, const float* b, float* y);
  void (*gateBack)(long count, const float* a, const float* b, const float* dy, float* da, float* db);
  void (*gelu)(long count, const float* a, float* y);
  void (*geluBack)(long count, const float* a, const float* dy, float* da);
  void (*addRow)(long rows, long width, float* y, const float* bias);
  void (*sumRows)(long rows, long width, const float* dy, float* dBias);
  void (*add)(long count, float* y, const float* x);
  void (*scale)(long count, float* x, float factor);
  void (*crossEntropy)(long rows, long size, long rowStride, float* logits, const float* targets, float* losses,
                       float weight);
  void (*adam)(long count, float* p, const float* g, float* m, float* v, const float* settings);
  void (*adamTangent)(long count, float* dp, const float* dg, float* dm, float* dv, const float* ds, const float* ofMean,
                      const float* ofSquare, const float* settings);
  /** y += factor · (x A) B for each entry, in their order. */
  void (*applyAdapters)(long count, const AdapterEntry* entries, const float* arena, const AdapterCall& call);
  void (*keepPages)(const PagedCall& call);
  void (*attendPages)(const PagedCall& call, long firstTask, long endTask, float* scores);
  void (*quantise)(long rows, long width, const float* x, float* to, long stride);
  void (*unpack)(long first, long count, long inputs, long panels, const float* weights, float* to);
  void (*multiplyBlocks)(const BlockCall& call, long firstPanel, long endPanel);
  void (*multiplyBack)(const BackCall& call);
};

const KernelTable& avx512VnniKernels();
const KernelTable& avx512Kernels();
const KernelTable& avx2Kernels();
