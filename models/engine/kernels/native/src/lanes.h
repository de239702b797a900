// Registers of floats and integers, and what each instruction set does with them in its own way. Included by lane-kernels.h, with
// LANES 16 (AVX-512), 8 (AVX2) or 4 (WebAssembly). Kernels name no instruction: where sets differ, they call what is here.

#ifdef __wasm__
// By clang: shuffles have constant lanes, and there are no prefetches, around which empty loops would stay.
#define SHUFFLE(Indexes, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define PREFETCH(...) ((void)0)
#else
/** Lanes of a and, after those, of b, by constant numbers in a vector of `Indexes`. */
#define SHUFFLE(Indexes, a, b, ...) __builtin_shuffle(a, b, Indexes{__VA_ARGS__})
#define PREFETCH(...) __builtin_prefetch(__VA_ARGS__)
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

/** The largest number of v. */
inline float largest(Vector v) {
#if LANES == 4
  const Vector far = SHUFFLE(Indexes, v, v, 2, 3, 0, 1), two = far > v ? far : v;
  const Vector near = SHUFFLE(Indexes, two, two, 1, 0, 3, 2), one = near > two ? near : two;
  return one[0];
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

/** a · b + c, rounded once. */
inline Oct fusedOct(Oct a, Oct b, Oct c) {
#ifdef __wasm__
  const Quad low = FUSED(SHUFFLE(QuadIndexes, a, a, 0, 1, 2, 3), SHUFFLE(QuadIndexes, b, b, 0, 1, 2, 3), SHUFFLE(QuadIndexes, c, c, 0, 1, 2, 3));
  const Quad high = FUSED(SHUFFLE(QuadIndexes, a, a, 4, 5, 6, 7), SHUFFLE(QuadIndexes, b, b, 4, 5, 6, 7), SHUFFLE(QuadIndexes, c, c, 4, 5, 6, 7));
  return SHUFFLE(SignedOct, low, high, 0, 1, 2, 3, 4, 5, 6, 7);
#else
  return __builtin_ia32_vfmaddps256(a, b, c);
#endif
}

/** a where it is larger than b, else b. */
inline Oct largerOct(Oct a, Oct b) {
#ifdef __wasm__
  return a > b ? a : b;
#else
  return __builtin_ia32_maxps256(a, b);
#endif
}

/** Halves as floats, which is exact. */
inline Oct widenOct(HalfOct halves) {
#ifdef __wasm__
  // Exponent and fraction are moved and scaled by 2^112, the sign is put back.
  typedef unsigned short Bits __attribute__((vector_size(16)));
  const SumOct bits = __builtin_convertvector((Bits)halves, SumOct);
  return (Oct)((SumOct)((Oct)((bits & 0x7fff) << 13) * 0x1p112f) | (bits & 0x8000) << 16);
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
  typedef unsigned short Bits __attribute__((vector_size(8)));
  const Words bits = __builtin_convertvector(loadAs<Bits>(halves), Words);
  return (Vector)((Words)((Vector)((bits & 0x7fff) << 13) * 0x1p112f) | (bits & 0x8000) << 16);
#endif
}

/** Bytes as integers of 16 bits. */
inline SixteenShorts widenBytes(PlainBytes bytes) {
#ifdef __wasm__
  return __builtin_convertvector((SixteenBytes)bytes, SixteenShorts);
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
  typedef int SixteenWords __attribute__((vector_size(64)));
  typedef float SixteenFloats __attribute__((vector_size(64)));
  const SixteenFloats out = __builtin_convertvector(__builtin_convertvector(bytes, SixteenWords), SixteenFloats) * scale;
  __builtin_memcpy(to, &out, sizeof out);
#endif
}
