// The product of a few rows with panels of a packed matrix: all the arithmetic that counts.
//
//   out(row, ·) = init(row, ·) + Σ_k a(row, k) · panel(k, ·)          k = 0, 1, 2 … in this order
//
// A tile keeps rows × vectors running sums in registers, one sum a lane. The order of k is that of
// the index, each term is added by one fused multiply-add, and no sum is ever split: so an output
// has the same bits whatever tile, thread, batch or vector width computed it.
#pragma once

#include "recurrence.h"
#include "simd.h"

namespace elman::ELMAN_ISA {

template <class Real>
ELMAN_INLINE Vector<Real> load_weights(const Real* from) {
  return load(from);
}

ELMAN_INLINE Vector<float> load_weights(const BFloat16* from) {
#if ELMAN_VECTOR_BYTES == 64 && defined(__AVX512F__)
  __m256i half;
  std::memcpy(&half, from, sizeof half);
  return (Vector<float>)_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16);
#elif ELMAN_VECTOR_BYTES == 32 && defined(__AVX2__)
  __m128i half;
  std::memcpy(&half, from, sizeof half);
  return (Vector<float>)_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16);
#else
  Bits<float> v{};
  for (int64_t i = 0; i < kLanes<float>; ++i) v[i] = static_cast<int32_t>(from[i].bits) << 16;
  return (Vector<float>)v;
#endif
}

// The most rows of a tile. A panel is `Width` vectors wide; rows × Width sums fit the registers
// beside one row of the panel and one broadcast number.
template <int Width>
inline constexpr int kTileRows =
#if defined(__AVX512F__) || defined(__aarch64__)
    8;
#else
    12 / Width;
#endif

// Rows times panels. Panels follow each other; panel p adds to init(row, p, ·), which begins at
// init + row·init_row + p·init_panel; steps of zero share one init.
template <class Real, class Weight>
struct Product {
  const Real* const* a;  // one pointer a row
  int64_t a_step;        // from a(row, k) to a(row, k+1)
  int64_t depth;         // number of k
  const Weight* panels;  // (panel, k, Width · kLanes)
  const Real* init;
  int64_t init_row, init_panel;
  Real* out;  // likewise; may be init
  int64_t out_row, out_panel;
};

template <class Real, class Weight, int Width, int Rows, int Panels>
[[gnu::noinline]] void tile(const Product<Real, Weight>& p) {
  constexpr int64_t lanes = kLanes<Real>;
  Vector<Real> sum[Panels][Rows][Width];
  const Real* a[Rows];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
    a[r] = p.a[r];
#pragma GCC unroll 16
    for (int n = 0; n < Panels; ++n) {
#pragma GCC unroll 16
      for (int w = 0; w < Width; ++w)
        sum[n][r][w] = load(p.init + r * p.init_row + n * p.init_panel + w * lanes);
    }
  }
  const int64_t depth = p.depth, a_step = p.a_step, panel_size = depth * Width * lanes;
  const Weight* panel = p.panels;
  int64_t at = 0;
#pragma GCC unroll 2
  for (int64_t k = 0; k < depth; ++k) {
#pragma GCC unroll 16
    for (int n = 0; n < Panels; ++n) {
      Vector<Real> column[Width];
#pragma GCC unroll 16
      for (int w = 0; w < Width; ++w) column[w] = load_weights(panel + n * panel_size + w * lanes);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const Vector<Real> scale = broadcast(a[r][at]);
#pragma GCC unroll 16
        for (int w = 0; w < Width; ++w) sum[n][r][w] = fma<Real>(scale, column[w], sum[n][r][w]);
      }
    }
    panel += Width * lanes;
    at += a_step;
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int n = 0; n < Panels; ++n) {
#pragma GCC unroll 16
      for (int w = 0; w < Width; ++w)
        store(p.out + r * p.out_row + n * p.out_panel + w * lanes, sum[n][r][w]);
    }
  }
}

// `Rows` rows with `panels` panels, `Panels` at a time: few rows need several panels side by side
// to keep the multipliers busy.
template <class Real, class Weight, int Width, int Rows, int Panels>
void tiles(Product<Real, Weight> p, int64_t panels) {
  const int64_t panel_size = p.depth * Width * kLanes<Real>;
  for (; panels >= Panels; panels -= Panels) {
    tile<Real, Weight, Width, Rows, Panels>(p);
    p.panels += Panels * panel_size;
    p.init += Panels * p.init_panel;
    p.out += Panels * p.out_panel;
  }
  if constexpr (Panels > 1) tiles<Real, Weight, Width, Rows, 1>(p, panels);
}

template <class Real, class Weight, int Width, int Rows>
void rows_times_panels(const Product<Real, Weight>& p, int64_t panels, int64_t rows) {
  constexpr int at_once = Rows == 1 ? (Width == 3 ? 3 : 4) : Rows == 2 ? 2 : 1;
  if (rows == Rows) return tiles<Real, Weight, Width, Rows, at_once>(p, panels);
  if constexpr (Rows > 1) rows_times_panels<Real, Weight, Width, Rows - 1>(p, panels, rows);
}

// Any number of rows with any number of panels. A panel stays in the nearest cache while all rows
// pass it. Rows are dealt out evenly over the tiles, since a tile of few rows leaves multipliers
// idle.
template <int Width, class Real, class Weight>
void multiply(const Product<Real, Weight>& p, int64_t rows, int64_t panels) {
  constexpr int64_t most = kTileRows<Width>;
  if (rows <= most) return rows_times_panels<Real, Weight, Width, most>(p, panels, rows);
  const int64_t panel_size = p.depth * Width * kLanes<Real>;
  const int64_t tiles = (rows + most - 1) / most;
  for (int64_t panel = 0; panel < panels; ++panel) {
    Product<Real, Weight> q = p;
    q.panels += panel * panel_size;
    q.init += panel * p.init_panel;
    q.out += panel * p.out_panel;
    for (int64_t left = rows, tile = tiles; tile > 0; --tile) {
      const int64_t now = (left + tile - 1) / tile;
      rows_times_panels<Real, Weight, Width, most>(q, 1, now);
      q.a += now;
      q.init += now * p.init_row;
      q.out += now * p.out_row;
      left -= now;
    }
  }
}

}  // namespace elman::ELMAN_ISA
