// One vector of numbers, as wide as the instruction set this file is compiled for.
//
// Every file that includes this header is compiled once for each instruction set, with
// ELMAN_ISA naming it (generic, avx2, avx512, neon). All that a kernel uses lives in the namespace
// of that name and is inlined or static: were two copies of one function to share a name, the
// linker would keep either, and a processor without AVX-512 could meet AVX-512 instructions.
//
// Arithmetic on vectors is C++ operators (GCC's and Clang's vector extensions). What rounds once
// where operators would round twice is `fma`; kernels are compiled with -ffp-contract=off, so that
// nothing else fuses and every instruction set gives the same bits.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef ELMAN_ISA
#error "Say which instruction set this file is compiled for: -DELMAN_ISA=generic"
#endif

#if defined(ELMAN_VECTOR_BYTES)  // a test may ask for the width of another processor
#elif defined(__AVX512F__)
#define ELMAN_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define ELMAN_VECTOR_BYTES 32
#else
#define ELMAN_VECTOR_BYTES 16
#endif

#define ELMAN_INLINE [[gnu::always_inline]] inline
#define ELMAN_INLINE_LAMBDA __attribute__((always_inline))  // behind a lambda's parameters

namespace elman::ELMAN_ISA {

template <class Real>
struct VectorOf;

template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(ELMAN_VECTOR_BYTES)));
  typedef int32_t bits __attribute__((vector_size(ELMAN_VECTOR_BYTES)));
};

template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(ELMAN_VECTOR_BYTES)));
  typedef int64_t bits __attribute__((vector_size(ELMAN_VECTOR_BYTES)));
};

template <class Real>
using Vector = typename VectorOf<Real>::type;
template <class Real>  // integers of the same width: comparisons give them, casts reinterpret
using Bits = typename VectorOf<Real>::bits;

template <class Real>
inline constexpr int64_t kLanes = ELMAN_VECTOR_BYTES / static_cast<int64_t>(sizeof(Real));

template <class Real>
ELMAN_INLINE Vector<Real> broadcast(Real value) {
  return value - Vector<Real>{};
}

template <class Real>
ELMAN_INLINE Vector<Real> load(const Real* from) {
  Vector<Real> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class Real>
ELMAN_INLINE void store(Real* to, Vector<Real> v) {
  std::memcpy(to, &v, sizeof v);
}

// The first `count` lanes, 0 … kLanes; the others are zero, and nothing is read there.
template <class Real>
ELMAN_INLINE Vector<Real> load_first(const Real* from, int64_t count) {
  if (count == kLanes<Real>) return load(from);
  Vector<Real> v{};
  for (int64_t lane = 0; lane < count; ++lane) v[lane] = from[lane];
  return v;
}

// The first `count` lanes; nothing is written beyond them.
template <class Real>
ELMAN_INLINE void store_first(Real* to, Vector<Real> v, int64_t count) {
  if (count == kLanes<Real>) return store(to, v);
  for (int64_t lane = 0; lane < count; ++lane) to[lane] = v[lane];
}

// a·b + c, rounded once.
template <class Real>
ELMAN_INLINE Vector<Real> fma(Vector<Real> a, Vector<Real> b, Vector<Real> c);

#if ELMAN_VECTOR_BYTES == 64 && defined(__AVX512F__)
template <>
ELMAN_INLINE Vector<float> fma<float>(Vector<float> a, Vector<float> b, Vector<float> c) {
  return _mm512_fmadd_ps(a, b, c);
}
template <>
ELMAN_INLINE Vector<double> fma<double>(Vector<double> a, Vector<double> b, Vector<double> c) {
  return _mm512_fmadd_pd(a, b, c);
}
#elif ELMAN_VECTOR_BYTES == 32 && defined(__FMA__)
template <>
ELMAN_INLINE Vector<float> fma<float>(Vector<float> a, Vector<float> b, Vector<float> c) {
  return _mm256_fmadd_ps(a, b, c);
}
template <>
ELMAN_INLINE Vector<double> fma<double>(Vector<double> a, Vector<double> b, Vector<double> c) {
  return _mm256_fmadd_pd(a, b, c);
}
#elif ELMAN_VECTOR_BYTES == 16 && defined(__aarch64__)
template <>
ELMAN_INLINE Vector<float> fma<float>(Vector<float> a, Vector<float> b, Vector<float> c) {
  return vfmaq_f32(c, a, b);
}
template <>
ELMAN_INLINE Vector<double> fma<double>(Vector<double> a, Vector<double> b, Vector<double> c) {
  return vfmaq_f64(c, a, b);
}
#else
template <>
ELMAN_INLINE Vector<float> fma<float>(Vector<float> a, Vector<float> b, Vector<float> c) {
  Vector<float> v;
  for (int64_t i = 0; i < kLanes<float>; ++i) v[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return v;
}
template <>
ELMAN_INLINE Vector<double> fma<double>(Vector<double> a, Vector<double> b, Vector<double> c) {
  Vector<double> v;
  for (int64_t i = 0; i < kLanes<double>; ++i) v[i] = __builtin_fma(a[i], b[i], c[i]);
  return v;
}
#endif

}  // namespace elman::ELMAN_ISA
