// Square blocks of a matrix, transposed on their way from memory into registers.
//
//   rows in memory          vectors
//   a0 a1 a2 a3 …           a0 b0 c0 d0 …
//   b0 b1 b2 b3 …     ─►    a1 b1 c1 d1 …
//   c0 c1 c2 c3 …           a2 b2 c2 d2 …
//   d0 d1 d2 d3 …           a3 b3 c3 d3 …
//
// Pieces of 16 bytes go to their place as they are loaded; what is left to do lies within the 16
// bytes, where shuffles are cheapest: two a vector of float, one a vector of double.
#pragma once

#include "simd.h"
#include "tile.h"

namespace elman::ELMAN_ISA {

template <class Real>
inline constexpr int kQuad = 16 / static_cast<int>(sizeof(Real));  // numbers of 16 bytes

// Within each 16 bytes, the numbers First … of a and b side by side: those of b count on from a's.
template <class Real, int... Pattern, int... Lane>
ELMAN_INLINE Vector<Real> mix(Vector<Real> a, Vector<Real> b, Counted<Lane...>) {
  constexpr int lanes = static_cast<int>(kLanes<Real>), quad = kQuad<Real>;
  constexpr int pattern[] = {Pattern...};
  constexpr auto from = [pattern](int lane) {
    const int base = lane / quad * quad, which = pattern[lane % quad];
    return which < quad ? base + which : lanes + base + which - quad;
  };
#if defined(__clang__)
  return __builtin_shufflevector(a, b, from(Lane)...);
#else
  constexpr Bits<Real> places = {from(Lane)...};
  return __builtin_shuffle(a, b, places);
#endif
}
template <class Real, int... Pattern>
ELMAN_INLINE Vector<Real> mix(Vector<Real> a, Vector<Real> b) {
  return mix<Real, Pattern...>(a, b, typename CountTo<kLanes<Real>>::type{});
}

// 16 bytes of every kQuad-th row, beginning with the first; rows are `stride` apart.
template <class Real>
ELMAN_INLINE Vector<Real> load_pieces(const Real* from, int64_t stride) {
  const auto piece = [&](int p) {
    return reinterpret_cast<const float*>(from + p * kQuad<Real> * stride);
  };
#if ELMAN_VECTOR_BYTES >= 32 && defined(__AVX2__)
  const auto two = [&](int p) {
    const __m256 low = _mm256_castps128_ps256(_mm_loadu_ps(piece(p)));
    return _mm256_insertf128_ps(low, _mm_loadu_ps(piece(p + 1)), 1);
  };
#if ELMAN_VECTOR_BYTES == 64 && defined(__AVX512DQ__)
  return (Vector<Real>)_mm512_insertf32x8(_mm512_castps256_ps512(two(0)), two(2), 1);
#else
  return (Vector<Real>)two(0);
#endif
#else
  Vector<Real> v;
  for (int p = 0; p < ELMAN_VECTOR_BYTES / 16; ++p)
    std::memcpy(reinterpret_cast<char*>(&v) + 16 * p, piece(p), 16);
  return v;
#endif
}

// As many columns as a vector has lanes: column[k] = from[k], from[stride + k], …
//
// The lines of a few rows are read to their ends before those of the next: rows a power of two
// apart share their places in the nearest cache, and push each other out of it.
template <class Real>
ELMAN_INLINE void load_transposed(const Real* from, int64_t stride,
                                  Vector<Real> (&column)[kLanes<Real>]) {
  constexpr int64_t quad = kQuad<Real>, lanes = kLanes<Real>;
#pragma GCC unroll 16
  for (int64_t r = 0; r < quad; ++r) {
#pragma GCC unroll 16
    for (int64_t c = 0; c < lanes; c += quad)
      column[c + r] = load_pieces(from + r * stride + c, stride);
  }
#pragma GCC unroll 16
  for (int64_t k = 0; k < lanes; k += quad) {
    const Vector<Real> a = column[k], b = column[k + 1];
    if constexpr (quad == 4) {
      const Vector<Real> c = column[k + 2], d = column[k + 3];
      const Vector<Real> ab_low = mix<Real, 0, 4, 1, 5>(a, b), cd_low = mix<Real, 0, 4, 1, 5>(c, d);
      const Vector<Real> ab_high = mix<Real, 2, 6, 3, 7>(a, b);
      const Vector<Real> cd_high = mix<Real, 2, 6, 3, 7>(c, d);
      column[k] = mix<Real, 0, 1, 4, 5>(ab_low, cd_low);
      column[k + 1] = mix<Real, 2, 3, 6, 7>(ab_low, cd_low);
      column[k + 2] = mix<Real, 0, 1, 4, 5>(ab_high, cd_high);
      column[k + 3] = mix<Real, 2, 3, 6, 7>(ab_high, cd_high);
    } else {
      column[k] = mix<Real, 0, 2>(a, b);
      column[k + 1] = mix<Real, 1, 3>(a, b);
    }
  }
}

}  // namespace elman::ELMAN_ISA
