// What one instruction set offers. Pointers are to floats in the arena; callers have checked every range.
#pragma once

struct Matrix {
  const float* data;
  long rowStride, columnStride;
};

struct KernelTable {
  const char* name;
  /** C (+)= A B; A is rows × depth, B depth × columns. `scratch` holds packFloats(). */
  void (*multiply)(long rows, long columns, long depth, Matrix a, Matrix b, float* c, long rowStrideC, bool accumulate,
                   float* scratch);
  long packFloats;
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
};

const KernelTable& avx512Kernels();
const KernelTable& avx2Kernels();
