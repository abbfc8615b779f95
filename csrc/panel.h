// A matrix as panels: laid out whole, or piece by piece while a product reads it. packing.h draws
// how panels lie.
#pragma once

#include "recurrence.h"
#include "simd.h"
#include "tile.h"
#include "transpose.h"

namespace elman::ELMAN_ISA {

// The matrix of some panels, (·, depth). Lane u of slot s is row gate[s]·units + u, where the slots
// of a block are its vectors of gates, or, with one gate, of units.
template <class Weight>
struct Source {
  const Weight* matrix;
  int64_t units, depth;
  int vectors;  // of units in a block
  const int* gate;
  int panels;  // in a block
};

// The rows of a slot: of `count` units, those of the other lanes are zero.
template <class Weight>
struct SlotRows {
  const Weight* first;
  int64_t count;
};

template <class Real, class Weight, int Width>
SlotRows<Weight> rows_of(const Source<Weight>& s, int64_t panel, int64_t w) {
  constexpr int64_t lanes = kLanes<Real>;
  const int64_t slot = panel % s.panels * Width + w;
  const int64_t unit = panel / s.panels * s.vectors * lanes + (s.vectors > 1 ? slot * lanes : 0);
  const int64_t left = s.units - unit, count = left < 0 ? 0 : left < lanes ? left : lanes;
  return {s.matrix + (s.gate[slot] * s.units + (count > 0 ? unit : 0)) * s.depth, count};
}

// Columns k … of the rows of a slot, as vectors over its units.
template <class Real, class Weight>
ELMAN_INLINE void load_columns_of(const SlotRows<Weight>& rows, int64_t depth, int64_t k,
                                  Vector<Real> (&column)[kLanes<Real>]) {
  constexpr int64_t lanes = kLanes<Real>;
  constexpr int64_t ratio = static_cast<int64_t>(sizeof(Real) / sizeof(Weight));
  if (ratio == 1 && rows.count == lanes) {
    return load_transposed(reinterpret_cast<const Real*>(rows.first + k), depth, column);
  }
  // Units that are missing, and rows that are no whole number of words, have a copy.
  alignas(64) Real copy[lanes * lanes] = {};
  for (int64_t lane = 0; lane < rows.count; ++lane)
    std::memcpy(copy + lane * lanes, rows.first + lane * depth + k, sizeof(Real) * lanes);
  load_transposed<Real>(copy, lanes, column);
}

// The slots w … of a panel, k = from … from + count, block by block. bfloat16: a word of 32 bits is
// two k of one unit in the matrix, and two slots of one k in the panel.
template <class Real, class Weight, int Width>
void pack_slots(const Source<Weight>& s, int64_t panel, int64_t w, int64_t from, int64_t count,
                Weight* out) {
  constexpr int64_t lanes = kLanes<Real>, step = Width * lanes;
  constexpr bool is_half = sizeof(Weight) < sizeof(Real);
  constexpr int64_t at_once = is_half ? 2 * lanes : lanes;
  const bool is_paired = is_half && (w | 1) < Width;
  const SlotRows<Weight> rows = rows_of<Real, Weight, Width>(s, panel, w);
  const SlotRows<Weight> beside = rows_of<Real, Weight, Width>(s, panel, is_paired ? w + 1 : w);
  if (from + count < at_once) {  // a matrix of few columns
    for (int64_t k = 0; k < count; ++k) {
      for (int64_t lane = 0; lane < lanes; ++lane) {
        Weight* to = out + k * step;
        to[weight_at<Weight, Width>(w, lane, lanes)] =
            lane < rows.count ? rows.first[lane * s.depth + from + k] : Weight{};
        if (is_paired) {
          to[weight_at<Weight, Width>(w + 1, lane, lanes)] =
              lane < beside.count ? beside.first[lane * s.depth + from + k] : Weight{};
        }
      }
    }
    return;
  }
  for (int64_t next = 0; next < count; next += at_once) {
    // The last block reaches back over what has been written.
    const int64_t k = next + at_once > count ? count - at_once : next;
    const int64_t done = next - k;
    Vector<Real> column[lanes];
    load_columns_of<Real>(rows, s.depth, from + k, column);
    if constexpr (!is_half) {
      Weight* to = out + k * step + w * lanes;
      if (done == 0) {
#pragma GCC unroll 16
        for (int64_t i = 0; i < lanes; ++i) store(to + i * step, column[i]);
      } else {
        for (int64_t i = done; i < lanes; ++i) store(to + i * step, column[i]);
      }
    } else {
      typedef uint32_t Words __attribute__((vector_size(ELMAN_VECTOR_BYTES)));
      typedef uint16_t Halves __attribute__((vector_size(ELMAN_VECTOR_BYTES / 2)));
      Vector<Real> other[lanes];
      if (is_paired) load_columns_of<Real>(beside, s.depth, from + k, other);
      for (int64_t i = done; i < at_once; ++i) {
        const Words own = (Words)column[i / 2];
        Weight* to = out + (k + i) * step + w * lanes;
        if (is_paired) {
          const Words next_slot = (Words)other[i / 2];
          const Words both = i % 2 == 0 ? (own & 0xffff) | (next_slot << 16)
                                        : (own >> 16) | (next_slot & 0xffff0000);
          std::memcpy(to, &both, sizeof both);
        } else {
          const Halves half =
              __builtin_convertvector(i % 2 == 0 ? own & 0xffff : own >> 16, Halves);
          std::memcpy(to, &half, sizeof half);
        }
      }
    }
  }
}

// One panel, k = from … from + count: (count, Width · V) at `out`.
template <class Real, class Weight, int Width>
void pack_panel(const Source<Weight>& s, int64_t panel, int64_t from, int64_t count, Weight* out) {
  constexpr int64_t slots = sizeof(Weight) < sizeof(Real) ? 2 : 1;
  for (int64_t w = 0; w < Width; w += slots)
    pack_slots<Real, Weight, Width>(s, panel, w, from, count, out);
}

// Panels made as a product needs them, in a room of the nearest cache: the weights are read where
// they lie, once, and no copy of them is kept.
inline constexpr int64_t kRoomBytes = 24576;

// One row times a panel that goes from memory through the registers into the sums.
template <int Width, class Real>
[[gnu::noinline]] void tile_direct(const Product<Real, Real>& p, const Source<Real> (&source)[2],
                                   int64_t panel) {
  constexpr int64_t lanes = kLanes<Real>;
  Vector<Real> sum[Width];
  for (int w = 0; w < Width; ++w) sum[w] = load(p.init + w * lanes);
  for (int f = 0; f < p.factors; ++f) {
    const Source<Real>& s = source[f];
    SlotRows<Real> rows[Width];
    for (int w = 0; w < Width; ++w) rows[w] = rows_of<Real, Real, Width>(s, panel, w);
    const Real* a = p.factor[f].a[0];
    int64_t k = 0;
    for (; k + lanes <= s.depth; k += lanes) {
#pragma GCC unroll 16
      for (int w = 0; w < Width; ++w) {
        Vector<Real> column[lanes];
        load_columns_of<Real>(rows[w], s.depth, k, column);
#pragma GCC unroll 16
        for (int64_t i = 0; i < lanes; ++i)
          sum[w] = fma<Real>(broadcast(a[k + i]), column[i], sum[w]);
      }
    }
    for (; k < s.depth; ++k) {
      for (int w = 0; w < Width; ++w) {
        Vector<Real> column{};
        for (int64_t lane = 0; lane < rows[w].count; ++lane)
          column[lane] = rows[w].first[lane * s.depth + k];
        sum[w] = fma<Real>(broadcast(a[k]), column, sum[w]);
      }
    }
  }
  for (int w = 0; w < Width; ++w) store(p.out + w * lanes, sum[w]);
}

// multiply() of tile.h with the panels `first` … of a source for each factor.
template <int Width, class Real, class Weight>
void multiply_direct(Product<Real, Weight> p, int64_t rows, int64_t panels,
                     const Source<Weight> (&source)[2], int64_t first, Weight* room) {
  constexpr int64_t width = Width * kLanes<Real>, block = 2 * kLanes<Real>;
  using Tiles = TilesOf<Real, Weight, Width, typename CountTo<kTileRows<Width>>::type>;
  if constexpr (sizeof(Real) == sizeof(Weight)) {
    if (rows == 1 && p.a_step == 1) {
      for (int64_t panel = 0; panel < panels; ++panel) {
        tile_direct<Width, Real>(p, source, first + panel);
        p.init += p.init_panel;
        p.out += p.out_panel;
      }
      return;
    }
  }
  const bool is_few = rows <= kTileRows<Width>;
  const int64_t beside = is_few ? panels_beside(static_cast<int>(rows)) : 1;
  for (int64_t panel = 0; panel < panels;) {
    const int64_t now = panels - panel >= beside ? beside : 1;
    constexpr int64_t numbers = kRoomBytes / static_cast<int64_t>(sizeof(Weight)) / width;
    const int64_t at_once = numbers / now / block * block;
    Product<Real, Weight> q = p;
    q.factors = 1;
    q.fetches_ahead = false;  // the next panel is not there yet
    const auto run = [&] {
      if (is_few) {
        (now == beside ? Tiles::beside : Tiles::alone)[rows - 1](q);
      } else {
        multiply_panel<Width>(q, rows);
      }
      q.init = q.out, q.init_row = q.out_row, q.init_panel = q.out_panel;
    };
    bool is_begun = false;
    for (int f = 0; f < p.factors; ++f) {
      const int64_t depth = p.factor[f].depth;
      for (int64_t k = 0; k < depth; k += at_once) {
        const int64_t count = depth - k < at_once ? depth - k : at_once;
        for (int64_t n = 0; n < now; ++n)
          pack_panel<Real, Weight, Width>(source[f], first + panel + n, k, count,
                                          room + n * count * width);
        q.factor[0] = {.a = p.factor[f].a, .depth = count, .panels = room, .first = k};
        run();
        is_begun = true;
      }
    }
    if (!is_begun) {  // no inputs
      q.factor[0] = {.a = p.factor[0].a, .depth = 0, .panels = room};
      run();
    }
    panel += now;
    p.init += now * p.init_panel;
    p.out += now * p.out_panel;
  }
}

}  // namespace elman::ELMAN_ISA
