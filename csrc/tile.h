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

// The vectors of one k of a panel.
template <int Width, class Real>
ELMAN_INLINE void load_columns(const Real* from, Vector<Real> (&column)[Width]) {
#pragma GCC unroll 16
  for (int w = 0; w < Width; ++w) column[w] = load(from + w * kLanes<Real>);
}

// bfloat16: two vectors lie lane by lane in the halves of 32-bit words, so that a shift and a mask
// make two vectors of floats of one load.
template <int Width>
ELMAN_INLINE void load_columns(const BFloat16* from, Vector<float> (&column)[Width]) {
  constexpr int64_t lanes = kLanes<float>;
#pragma GCC unroll 16
  for (int w = 0; w + 1 < Width; w += 2) {
    Bits<float> both;
    std::memcpy(&both, from + w * lanes, sizeof both);
    column[w] = (Vector<float>)(both << 16);
    column[w + 1] = (Vector<float>)(both & ~0xffff);
  }
  if constexpr (Width % 2 == 1) {
    typedef uint16_t Half __attribute__((vector_size(ELMAN_VECTOR_BYTES / 2)));
    Half last;
    std::memcpy(&last, from + (Width - 1) * lanes, sizeof last);
    column[Width - 1] = (Vector<float>)(__builtin_convertvector(last, Bits<float>) << 16);
  }
}

// Where the weight of vector `w` and a lane lies within one k of a panel.
template <class Weight, int Width>
ELMAN_INLINE int64_t weight_at(int64_t w, int64_t lane, int64_t lanes) {
  const bool is_paired = sizeof(Weight) == sizeof(BFloat16) && (w | 1) < Width;
  return is_paired ? (w & ~int64_t{1}) * lanes + 2 * lane + (w & 1) : w * lanes + lane;
}

// The most rows of a tile. A panel is `Width` vectors wide; rows × Width sums fit the registers
// beside one row of the panel and one broadcast number.
template <int Width>
inline constexpr int kTileRows =
#if ELMAN_VECTOR_BYTES == 64 || defined(__aarch64__)
    8;
#else
    12 / Width;
#endif

// The numbers 0 … Count − 1, for a list of one tile each.
template <int... Numbers>
struct Counted {};
template <int Count, int... Numbers>
struct CountTo : CountTo<Count - 1, Count - 1, Numbers...> {};
template <int... Numbers>
struct CountTo<0, Numbers...> {
  using type = Counted<Numbers...>;
};

// Rows times panels. Panels follow each other; panel p adds to init(row, p, ·), which begins at
// init + row·init_row + p·init_panel; steps of zero share one init. A second factor goes on where
// the first ends: (x; h) times the stacked matrix (W | R).
template <class Real, class Weight>
struct Factor {
  const Real* const* a;           // one pointer a row
  int64_t depth;                  // number of k
  const Weight* panels;           // (panel, k, Width · kLanes)
  int64_t first = 0;              // k to begin at, in a; `panels` begins there already
  const Weight* ahead = nullptr;  // what is read next; may lie past the last panel
};

template <class Real, class Weight>
struct Product {
  Factor<Real, Weight> factor[2];
  int factors;
  int64_t a_step;  // from a(row, k) to a(row, k+1)
  const Real* init;
  int64_t init_row, init_panel;
  Real* out;  // likewise; may be init
  int64_t out_row, out_panel;
  bool fetches_ahead = false;  // where the weights are too many for a near cache
  int64_t ahead_step = 0;      // bytes of `ahead` that a tile fetches in two k; 0 fetches none
};

// Bytes of two k of a panel.
template <int Width, class Real, class Weight>
inline constexpr int64_t kTwoRows = 2 * Width * kLanes<Real> * static_cast<int64_t>(sizeof(Weight));

// Into the second cache: what is being read has the nearest one.
template <int64_t Bytes>
ELMAN_INLINE void fetch(const char* from) {
  constexpr int64_t line = 64;
#pragma GCC unroll 16
  for (int64_t at = 0; at < Bytes; at += line) __builtin_prefetch(from + at, 0, 2);
}

template <class Real, class Weight, int Width, int Rows, int Panels>
[[gnu::noinline]] void tile(const Product<Real, Weight>& p) {
  constexpr int64_t lanes = kLanes<Real>;
  Vector<Real> sum[Panels][Rows][Width];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int n = 0; n < Panels; ++n) {
#pragma GCC unroll 16
      for (int w = 0; w < Width; ++w)
        sum[n][r][w] = load(p.init + r * p.init_row + n * p.init_panel + w * lanes);
    }
  }
  const int64_t a_step = p.a_step;
  for (int f = 0; f < p.factors; ++f) {
    const Factor<Real, Weight>& factor = p.factor[f];
    const Real* a[Rows];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) a[r] = factor.a[r] + factor.first * a_step;
    const Weight* panel = factor.panels;
    const int64_t depth = factor.depth, panel_size = depth * Width * lanes;
    int64_t at = 0, k = 0;
    const auto add_next = [&]() ELMAN_INLINE_LAMBDA {
#pragma GCC unroll 16
      for (int n = 0; n < Panels; ++n) {
        Vector<Real> column[Width];
        load_columns<Width>(panel + n * panel_size, column);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
          const Vector<Real> scale = broadcast(a[r][at]);
#pragma GCC unroll 16
          for (int w = 0; w < Width; ++w) sum[n][r][w] = fma<Real>(scale, column[w], sum[n][r][w]);
        }
      }
      panel += Width * lanes;
      at += a_step;
    };
    if constexpr (Panels == 1 && Rows > 2) {
      const auto* ahead = reinterpret_cast<const char*>(factor.ahead);
      const int64_t pairs = p.ahead_step > 0 ? depth / 2 : 0;
      for (; k < 2 * pairs; k += 2) {
        fetch<kTwoRows<Width, Real, Weight> / 2>(ahead);
        ahead += p.ahead_step;
        add_next();
        add_next();
      }
    }
#pragma GCC unroll 2
    for (; k < depth; ++k) add_next();
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

// Few rows need several panels side by side to keep the multipliers busy.
inline constexpr int panels_beside(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }

template <class Real, class Weight>
using Tile = void (*)(const Product<Real, Weight>&);

// The tiles of one width: [rows − 1] with as many panels as these rows need beside each other, and
// with one.
template <class Real, class Weight, int Width, class Rows>
struct TilesOf;
template <class Real, class Weight, int Width, int... Rows>
struct TilesOf<Real, Weight, Width, Counted<Rows...>> {
  static constexpr Tile<Real, Weight> beside[] = {
      tile<Real, Weight, Width, Rows + 1, panels_beside(Rows + 1)>...};
  static constexpr Tile<Real, Weight> alone[] = {tile<Real, Weight, Width, Rows + 1, 1>...};
};

// Sums of more rows than a tile has are taken over so many k at a time: the piece of a panel stays
// in the nearest cache while all rows pass it.
template <class Weight, int Width>
inline constexpr int64_t kDepthAtOnce =
    512 / Width * 4 / static_cast<int64_t>(sizeof(Weight)) * 32 / ELMAN_VECTOR_BYTES;

// Few rows with any number of panels.
template <int Width, class Real, class Weight>
void multiply_few(Product<Real, Weight> p, int64_t rows, int64_t panels) {
  constexpr int64_t width = Width * kLanes<Real>;
  using Tiles = TilesOf<Real, Weight, Width, typename CountTo<kTileRows<Width>>::type>;
  const int64_t beside = panels_beside(static_cast<int>(rows));
  while (panels > 0) {
    const int64_t now = panels >= beside ? beside : 1;
    (now == beside ? Tiles::beside : Tiles::alone)[rows - 1](p);
    for (int f = 0; f < p.factors; ++f) p.factor[f].panels += now * p.factor[f].depth * width;
    p.init += now * p.init_panel;
    p.out += now * p.out_panel;
    panels -= now;
  }
}

// Many rows with one panel. Rows are dealt out evenly over the tiles, since a tile of few rows
// leaves multipliers idle.
template <int Width, class Real, class Weight>
void multiply_panel(Product<Real, Weight> p, int64_t rows) {
  constexpr int64_t most = kTileRows<Width>;
  using Tiles = TilesOf<Real, Weight, Width, typename CountTo<most>::type>;
  constexpr int64_t width = Width * kLanes<Real>;
  const int64_t tiles = (rows + most - 1) / most, smaller = rows / tiles, larger = rows % tiles;
  if (p.fetches_ahead) p.ahead_step = kTwoRows<Width, Real, Weight> / tiles;
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t now = smaller + (t < larger ? 1 : 0);
    Tiles::alone[now - 1](p);
    for (int f = 0; f < p.factors; ++f) {
      p.factor[f].a += now;
      if (p.fetches_ahead) p.factor[f].ahead += p.factor[f].depth * width / tiles;
    }
    p.init += now * p.init_row;
    p.out += now * p.out_row;
  }
}

// Any number of rows with any number of panels.
template <int Width, class Real, class Weight>
void multiply(const Product<Real, Weight>& p, int64_t rows, int64_t panels) {
  constexpr int64_t width = Width * kLanes<Real>, at_once = kDepthAtOnce<Weight, Width>;
  if (rows <= kTileRows<Width>) return multiply_few<Width>(p, rows, panels);
  const int64_t depth = p.factor[0].depth + (p.factors > 1 ? p.factor[1].depth : 0);
  for (int64_t panel = 0; panel < panels; ++panel) {
    Product<Real, Weight> q = p;
    q.init += panel * p.init_panel;
    q.out += panel * p.out_panel;
    for (int f = 0; f < p.factors; ++f) {
      q.factor[f].panels += panel * p.factor[f].depth * width;
      q.factor[f].ahead = q.factor[f].panels + p.factor[f].depth * width;
    }
    if (depth <= at_once) {
      multiply_panel<Width>(q, rows);
      continue;
    }
    const Factor<Real, Weight> factor[] = {q.factor[0], q.factor[1]};
    q.factors = 1;
    for (int f = 0; f < p.factors; ++f) {
      for (int64_t k = 0; k < factor[f].depth; k += at_once) {
        const int64_t left = factor[f].depth - k;
        const Weight* const piece = factor[f].panels + k * width;
        q.factor[0] = {.a = factor[f].a,
                       .depth = left < at_once ? left : at_once,
                       .panels = piece,
                       .first = k,
                       .ahead = left > at_once      ? piece + at_once * width
                                : f + 1 < p.factors ? factor[f + 1].panels
                                                    : factor[0].ahead};
        multiply_panel<Width>(q, rows);
        q.init = q.out;
        q.init_row = q.out_row;
      }
    }
    if (depth == 0) multiply_panel<Width>(q, rows);
  }
}

}  // namespace elman::ELMAN_ISA
