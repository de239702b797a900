// Registers of floats and integers, and what each instruction set does with them in its own way. Included by lane-kernels.h, with
// LANES 16 (AVX-512), 8 (AVX2) or 4 (WebAssembly). Kernels name no instruction: where sets differ, they call what is here.

#ifdef __wasm__
// By clang, whose shuffles have constant lanes. There are no prefetches; the compiler would leave the empty loops around them.
#define SHUFFLE(Indexes, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define PREFETCH(address, ...) ((void)sizeof(address))
// It unrolls loops of a constant length only, and keeps arrays in registers only then.
#define FOR_UP_TO(i, count, max) for (int i = 0; i < max; i++) if (i < (count))
// Engines optimise function by function: the sooner, the smaller it is and the more often it is called.
#define INNER __attribute__((noinline))
#else
/** Before a function of inner loops. */
#define INNER inline
/** Lanes of a and, after those, of b, by constant numbers in a vector of `Indexes`. */
#define SHUFFLE(Indexes, a, b, ...) __builtin_shuffle(a, b, Indexes{__VA_ARGS__})
#define PREFETCH(...) __builtin_prefetch(__VA_ARGS__)
/** i = 0 … count, at most `max`, a constant. */
#define FOR_UP_TO(i, count, max) for (int i = 0; i < (count); i++)
#endif

typedef float Vector __attribute__((vector_size(LANES * 4)));
/** Unsigned, since the exponent of what is no number wraps. */
typedef unsigned Words __attribute__((vector_size(LANES * 4)));
typedef char Bytes __attribute__((vector_size(LANES * 4)));
typedef short Shorts __attribute__((vector_size(LANES * 4)));
typedef unsigned Sums __attribute__((vector_size(LANES * 4)));
typedef int SignedSums __attribute__((vector_size(LANES * 4)));
typedef int Indexes __attribute__((vector_size(LANES * 4)));
typedef float Quad __attribute__((vector_size(16)));
typedef int QuadIndexes __attribute__((vector_size(16)));
typedef float Oct __attribute__((vector_size(32)));
typedef int SignedOct __attribute__((vector_size(32)));
typedef unsigned SumOct __attribute__((vector_size(32)));
typedef short HalfOct __attribute__((vector_size(16)));
typedef signed char EightBytes __attribute__((vector_size(8)));
typedef signed char SixteenBytes __attribute__((vector_size(16)));
typedef char PlainBytes __attribute__((vector_size(16)));
typedef short SixteenShorts __attribute__((vector_size(32)));

template <class Register>
inline Register loadAs(const void* p) {
  Register r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
inline Vector loadVector(const float* p) {
  Vector r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
inline Quad loadQuad(const float* p) {
  Quad r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
inline Oct loadOct(const float* p) {
  Oct r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
inline void storeVector(float* p, Vector v) { __builtin_memcpy(p, &v, sizeof v); }
inline void storeOct(float* p, Oct v) { __builtin_memcpy(p, &v, sizeof v); }
inline Oct spreadOct(float x) { return Oct{x, x, x, x, x, x, x, x}; }

/** Not `Vector{} + x`: that addition is carried out, and halves the speed. */
inline Vector spread(float x) {
#if LANES == 16
  return Vector{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif LANES == 8
  return Vector{x, x, x, x, x, x, x, x};
#else
  return Vector{x, x, x, x};
#endif
}

#if LANES == 16
const Indexes COUNTING = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif LANES == 8
const Indexes COUNTING = {0, 1, 2, 3, 4, 5, 6, 7};
#else
const Indexes COUNTING = {0, 1, 2, 3};
#endif

// Sixteen lanes.
#if LANES == 16
typedef Vector Lanes;
inline Lanes load(const float* p) { return loadVector(p); }
inline void store(float* p, Lanes v) { storeVector(p, v); }
#else
/** Two registers, or two pairs. Not a vector of 64 bytes, which the compiler keeps in memory without AVX-512. */
template <class Half>
struct Pair {
  Half low, high;
};
template <class Half> inline Pair<Half> operator+(Pair<Half> a, Pair<Half> b) { return {a.low + b.low, a.high + b.high}; }
template <class Half> inline Pair<Half> operator-(Pair<Half> a, Pair<Half> b) { return {a.low - b.low, a.high - b.high}; }
template <class Half> inline Pair<Half> operator*(Pair<Half> a, Pair<Half> b) { return {a.low * b.low, a.high * b.high}; }
template <class Half> inline Pair<Half> operator/(Pair<Half> a, Pair<Half> b) { return {a.low / b.low, a.high / b.high}; }
template <class Half> inline Pair<Half> operator+(Pair<Half> a, float b) { return {a.low + b, a.high + b}; }
template <class Half> inline Pair<Half> operator-(Pair<Half> a, float b) { return {a.low - b, a.high - b}; }
template <class Half> inline Pair<Half> operator*(Pair<Half> a, float b) { return {a.low * b, a.high * b}; }
template <class Half> inline Pair<Half>& operator+=(Pair<Half>& a, Pair<Half> b) { return a = a + b; }
#if LANES == 8
typedef Pair<Vector> Lanes;
inline Lanes load(const float* p) { return {loadVector(p), loadVector(p + LANES)}; }
inline void store(float* p, Lanes v) {
  storeVector(p, v.low);
  storeVector(p + LANES, v.high);
}
#else
typedef Pair<Pair<Vector>> Lanes;
inline Lanes load(const float* p) { return {{loadVector(p), loadVector(p + 4)}, {loadVector(p + 8), loadVector(p + 12)}}; }
inline void store(float* p, Lanes v) {
  storeVector(p, v.low.low);
  storeVector(p + 4, v.low.high);
  storeVector(p + 8, v.high.low);
  storeVector(p + 12, v.high.high);
}
#endif
#endif

// Numbers that kernels take at once which treat each by itself: a register, where sixteen lanes are too many for those there are.
#if LANES == 4
typedef Vector Numbers;
inline Numbers loadNumbers(const float* p) { return loadVector(p); }
inline void storeNumbers(float* p, Numbers v) { storeVector(p, v); }
inline Numbers rootsOf(Numbers v) { return __builtin_wasm_sqrt_f32x4(v); }
#else
typedef Lanes Numbers;
inline Numbers loadNumbers(const float* p) { return load(p); }
inline void storeNumbers(float* p, Numbers v) { store(p, v); }
inline Numbers rootsOf(Numbers v) {
  float roots[16];
  store(roots, v);
  for (int j = 0; j < 16; j++) roots[j] = __builtin_sqrtf(roots[j]);
  return load(roots);
}
#endif
constexpr long NUMBERS = LANES == 4 ? 4 : 16;

/** The sum of sixteen lanes, as a tree: 8 + 8, 4 + 4, 2 + 2, 1 + 1. */
inline float total(Lanes v) {
#if LANES == 4
  const Pair<Vector> eight = v.low + v.high;
  const Vector four = eight.low + eight.high;
  return (four[0] + four[2]) + (four[1] + four[3]);
#else
  float t[16];
  store(t, v);
  for (int width = 8; width > 0; width >>= 1)
    for (int i = 0; i < width; i++) t[i] += t[i + width];
  return t[0];
#endif
}

/** a where it is larger than b, else b. */
inline Vector largerOf(Vector a, Vector b) {
#ifdef __wasm__
  return __builtin_wasm_pmax_f32x4(b, a);
#else
  return a > b ? a : b;
#endif
}

/** Sizes of numbers, for largerOf: the sign of a 0 stays on x86. */
inline Vector sizeOf(Vector x) {
#ifdef __wasm__
  return __builtin_wasm_abs_f32x4(x);
#else
  return x < 0.f ? -x : x;
#endif
}

/** Numbers held within `from` … `to`; what is no number stays. */
inline Vector within(Vector x, float from, float to) {
#ifdef __wasm__
  return __builtin_wasm_pmin_f32x4(__builtin_wasm_pmax_f32x4(x, spread(from)), spread(to));
#else
  const Vector zero = {};
  x = x < from ? zero + from : x;
  return x > to ? zero + to : x;
#endif
}

/** The largest number of v. */
inline float largest(Vector v) {
#if LANES == 4
  v = largerOf(SHUFFLE(Indexes, v, v, 2, 3, 0, 1), v);
  return largerOf(SHUFFLE(Indexes, v, v, 1, 0, 3, 2), v)[0];
#else
  for (int width = LANES / 2; width > 0; width >>= 1) {
    const Vector turned = __builtin_shuffle(v, (COUNTING + width) & (LANES - 1));
    v = turned > v ? turned : v;
  }
  return v[0];
#endif
}

/** Loads once what several products take: the compiler would load it for each. */
inline void stayLoaded(Vector& v) {
#ifdef __wasm__
  (void)v;
#else
  __asm__("" : "+v"(v));
#endif
}

#ifdef __wasm__
// Eight lanes as two registers.
typedef short FourShorts __attribute__((vector_size(8)));
inline Quad lowQuad(Oct a) { return __builtin_shufflevector(a, a, 0, 1, 2, 3); }
inline Quad highQuad(Oct a) { return __builtin_shufflevector(a, a, 4, 5, 6, 7); }
inline Oct joinQuads(Quad low, Quad high) { return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7); }
inline QuadIndexes lowWords(HalfOct a) { return __builtin_convertvector(__builtin_shufflevector(a, a, 0, 1, 2, 3), QuadIndexes); }
inline QuadIndexes highWords(HalfOct a) { return __builtin_convertvector(__builtin_shufflevector(a, a, 4, 5, 6, 7), QuadIndexes); }
inline HalfOct lowShorts(SixteenBytes a) { return __builtin_convertvector(__builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7), HalfOct); }
inline HalfOct highShorts(SixteenBytes a) { return __builtin_convertvector(__builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15), HalfOct); }

/** Halves, sign-extended, as floats: exponent and fraction are moved behind the sign and scaled by 2^112. */
inline Quad floatsOf(QuadIndexes halves) { return (Quad)(halves << 13 & (int)0x8fffffff) * 0x1p112f; }
#endif

/** a · b + c, rounded once. */
inline Oct fusedOct(Oct a, Oct b, Oct c) {
#ifdef __wasm__
  return joinQuads(FUSED(lowQuad(a), lowQuad(b), lowQuad(c)), FUSED(highQuad(a), highQuad(b), highQuad(c)));
#else
  return __builtin_ia32_vfmaddps256(a, b, c);
#endif
}

/** Sizes of a where they are larger than b, else b. */
inline Oct largerSize(Oct a, Oct b) {
#ifdef __wasm__
  return joinQuads(largerOf(sizeOf(lowQuad(a)), lowQuad(b)), largerOf(sizeOf(highQuad(a)), highQuad(b)));
#else
  return __builtin_ia32_maxps256(a < 0.f ? -a : a, b);
#endif
}

/** The largest of numbers of which none is below 0. */
inline float largestOct(Oct v) {
#ifdef __wasm__
  return largest(largerOf(lowQuad(v), highQuad(v)));
#else
  v = __builtin_ia32_maxps256(SHUFFLE(SignedOct, v, v, 4, 5, 6, 7, 0, 1, 2, 3), v);
  v = __builtin_ia32_maxps256(SHUFFLE(SignedOct, v, v, 2, 3, 0, 1, 6, 7, 4, 5), v);
  return __builtin_ia32_maxps256(SHUFFLE(SignedOct, v, v, 1, 0, 3, 2, 5, 4, 7, 6), v)[0];
#endif
}

/** Halves as floats, which is exact. */
inline Oct widenOct(HalfOct halves) {
#ifdef __wasm__
  return joinQuads(floatsOf(lowWords(halves)), floatsOf(highWords(halves)));
#else
  return __builtin_ia32_vcvtph2ps256(halves);
#endif
}

/** LANES halves as floats. With AVX-512 not by two registers of eight, which would go through memory. */
inline Vector widen(const char* halves) {
#if LANES == 16
  typedef short Halves __attribute__((vector_size(32)));
  return __builtin_ia32_vcvtph2ps512_mask(loadAs<Halves>(halves), Vector{}, -1, 4);
#elif LANES == 8
  return widenOct(loadAs<HalfOct>(halves));
#else
  return floatsOf(__builtin_convertvector(loadAs<FourShorts>(halves), QuadIndexes));
#endif
}

#if LANES == 4
/** Thirty-two numbers · factor as integers of a byte: their sizes, and all bits set for those below 0. @returns the sum of sizes below 0 */
inline unsigned storeSizes(const Oct (&numbers)[4], float factor, float* sizesTo, float* signsTo) {
  typedef unsigned short Bits __attribute__((vector_size(16)));
  Bits sums = {};
#pragma GCC unroll 2
  for (int i = 0; i < 4; i += 2) {
    HalfOct shorts[2];
    for (int j = 0; j < 2; j++) {
      // Adding 1.5 · 2^23 rounds to the nearest integer, of two equally near the even one, in the lowest bits.
      const Oct rounded = numbers[i + j] * factor + 12582912.f;
      shorts[j] = __builtin_shufflevector((HalfOct)lowQuad(rounded), (HalfOct)highQuad(rounded), 0, 2, 4, 6, 8, 10, 12, 14);
    }
    const SixteenBytes bytes = __builtin_wasm_narrow_s_i8x16_i16x8(shorts[0], shorts[1]);
    const SixteenBytes sizes = __builtin_wasm_abs_i8x16(bytes), signs = bytes < 0;
    sums += (Bits)__builtin_wasm_extadd_pairwise_i8x16_u_i16x8(sizes & signs);
    __builtin_memcpy(sizesTo + 2 * i, &sizes, sizeof sizes);
    __builtin_memcpy(signsTo + 2 * i, &signs, sizeof signs);
  }
  const Words four = (Words)__builtin_wasm_extadd_pairwise_i16x8_u_i32x4(sums);
  return (four[0] + four[1]) + (four[2] + four[3]);
}
#else
/** The lowest byte of each integer. */
inline EightBytes lowBytes(SumOct v) { return __builtin_convertvector(__builtin_convertvector(v, HalfOct), EightBytes); }
/** Bytes as integers. */
inline SumOct widenEight(EightBytes bytes) { return __builtin_convertvector(bytes, SumOct); }

inline unsigned totalOct(SumOct v) {
  unsigned sum = 0;
  for (int i = 0; i < 8; i++) sum += v[i];
  return sum;
}
#endif

/** Sums of two integers of 16 bits each. */
inline Sums addNeighbours(Shorts a) {
#ifdef __wasm__
  return (Sums)__builtin_wasm_extadd_pairwise_i16x8_s_i32x4(a);
#else
  return (Sums)PAIRS(a, Shorts{} + 1);
#endif
}

/** Bytes as integers of 16 bits. */
inline SixteenShorts widenBytes(PlainBytes bytes) {
#ifdef __wasm__
  const HalfOct low = lowShorts((SixteenBytes)bytes), high = highShorts((SixteenBytes)bytes);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
  return __builtin_ia32_pmovsxbw256(bytes);
#endif
}

/** Sixteen integers · scale, which is exact. On x86 not by __builtin_convertvector, which takes bytes one by one there. */
inline void storeScaled(float* to, SixteenBytes bytes, float scale) {
#if LANES == 16
  const SignedSums words = (SignedSums)__builtin_ia32_pmovsxbd512_mask((PlainBytes)bytes, SignedSums{}, -1);
  storeVector(to, __builtin_convertvector(words, Vector) * scale);
#elif LANES == 8
  const SixteenBytes upper = __builtin_shuffle(bytes, SixteenBytes{8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15});
  storeVector(to, __builtin_convertvector((SignedSums)__builtin_ia32_pmovsxbd256((PlainBytes)bytes), Vector) * scale);
  storeVector(to + LANES, __builtin_convertvector((SignedSums)__builtin_ia32_pmovsxbd256((PlainBytes)upper), Vector) * scale);
#else
  const HalfOct low = lowShorts(bytes), high = highShorts(bytes);
  storeVector(to, __builtin_convertvector(lowWords(low), Vector) * scale);
  storeVector(to + 4, __builtin_convertvector(highWords(low), Vector) * scale);
  storeVector(to + 8, __builtin_convertvector(lowWords(high), Vector) * scale);
  storeVector(to + 12, __builtin_convertvector(highWords(high), Vector) * scale);
#endif
}
