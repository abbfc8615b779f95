// Gradients that sum over all row-steps, as large matrix products, a window of steps at a time:
//
//   δW = Σ δsums(n)ᵀ x(n)        δR = Σ δsums(n)ᵀ h(n−1)        δx(n) = Wᵀ δsums(n)
//
// The units of δsums are dealt out over the members, and every sum runs over the row-steps in one
// order: the result does not depend on the number of threads.
#pragma once

#include "backward.h"

namespace elman::ELMAN_ISA {

inline constexpr int64_t kChunk = 512;  // row-steps packed at once
inline constexpr int64_t kTiles = 24;   // tiles packed at once
// Where Wᵀ has more bytes, more rows pass a panel of it, though δsums leave the nearest cache.
inline constexpr int64_t kFarCache = int64_t{1} << 23, kFarRows = 144;

template <class Real>
struct GradientScratch {
  int64_t *step, *place;  // of the chunk's row-steps
  const Real **x, **hidden;
  Real *inputs, *outputs, *reset;  // the chunk's x, h and r ⊙ h (or o ⊙ tanh c) as panels
  Real* sums;                      // tiles of δsums
  Real* tile;
  Real* partial;  // of a bias

  GradientScratch(const Cell& cell, Allotment& all)
      : step(all.take<int64_t>(kChunk)),
        place(all.take<int64_t>(kChunk)),
        x(all.take<const Real*>(kChunk)),
        hidden(all.take<const Real*>(kChunk)),
        inputs(all.take<Real>(kChunk * wide(cell.inputs))),
        outputs(all.take<Real>(kChunk * wide(cell.outputs))),
        reset(all.take<Real>(kChunk * wide(cell.units))),
        sums(all.take<Real>(kChunk * kColumns * kTiles)),
        tile(all.take<Real>(kFarRows * kPair<Real>)),
        partial(all.take<Real>(kColumns * kTiles + kColumnsBeside)) {}

  static int64_t wide(int64_t size) { return ceil_div(size, kPair<Real>) * kPair<Real>; }
};

// The columns of one tile of δsums.
struct TileColumns {
  int64_t first, count;
};

// One matrix product: out(column, ·) += Σ_n sums(n, column) · panels(n, ·).
template <class Real>
struct Outer {
  Real* out;  // (columns, width), at the first of the columns
  int64_t width;
  const Real* panels;
};

template <class Real, class Kind>
class WeightGradients {
 public:
  WeightGradients(const Cell& cell, const Packed<Real, Real>& weights, const Forward<Real>& run,
                  const Backward<Real>& grads, const Share& share, const Window& window,
                  const BackwardMemory<Real, Kind>& memory, const GradientScratch<Real>& scratch)
      : cell_(cell),
        weights_(weights),
        run_(run),
        grads_(grads),
        share_(share),
        window_(window),
        memory_(memory),
        scratch_(scratch),
        timeline_{run, share_.rows, cell.units, cell.outputs, memory.zeros},
        next_step_(window.first) {}

  // `is_gathered`: the scratch holds what the last share of this window and run left there.
  void run(bool is_gathered) {
    if (grads_.grad_x != nullptr) input_gradients();
    const Range own = part_of(share_, cell_.units);
    const Range own_outputs = part_of(share_, cell_.outputs);
    if (window_.is_latest) zero_all(own, own_outputs);
    const int64_t chunks = ceil_div(window_.total, kChunk);
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      const int64_t first = window_.total * chunk / chunks;
      const int64_t count = window_.total * (chunk + 1) / chunks - first;
      if (!is_gathered || chunks > 1) gather(count);
      for (int64_t column = 0; column < kWide; ++column) gate(column, own, first, count);
      if (cell_.projected && grads_.grad_projection != nullptr) {
        const Outer<Real> to{grads_.grad_projection, cell_.units, scratch_.reset};
        outer(memory_.grad_out + first * cell_.outputs, cell_.outputs, own_outputs, count, &to, 1,
              nullptr, nullptr);
      }
      if (grads_.grad_peephole != nullptr) peepholes(own, first, count);
    }
  }

 private:
  static constexpr int64_t kLane = kLanes<Real>;
  static constexpr int64_t kWide = Kind::columns;

  static void zero(Real* to, int64_t count) { std::memset(to, 0, sizeof(Real) * count); }

  void zero_all(Range own, Range own_outputs) {
    const int64_t H = cell_.units;
    for (int64_t column = 0; column < kWide; ++column) zero_gate(column, own);
    if (cell_.projected && grads_.grad_projection != nullptr)
      zero(grads_.grad_projection + own_outputs.first * H,
           (own_outputs.last - own_outputs.first) * H);
    for (int64_t p = 0; grads_.grad_peephole != nullptr && p < Kind::gates - 1; ++p)
      zero(grads_.grad_peephole + p * H + own.first, own.last - own.first);
  }

  void zero_gate(int64_t column, Range own) {
    const int64_t H = cell_.units, size = own.last - own.first;
    if (const int g = Kind::grad_input_gate[column]; g != kNone) {
      const int64_t at = g * H + own.first;
      if (grads_.grad_input != nullptr)
        zero(grads_.grad_input + at * cell_.inputs, size * cell_.inputs);
      if (grads_.grad_input_bias != nullptr) zero(grads_.grad_input_bias + at, size);
    }
    if (const int g = Kind::grad_hidden_gate[column]; g != kNone) {
      const int64_t at = g * H + own.first;
      if (grads_.grad_hidden != nullptr)
        zero(grads_.grad_hidden + at * cell_.outputs, size * cell_.outputs);
      if (grads_.grad_hidden_bias != nullptr) zero(grads_.grad_hidden_bias + at, size);
    }
  }

  // The next `count` row-steps, their x and h(n−1) as panels.
  void gather(int64_t count) {
    const int64_t P = cell_.outputs;
    for (int64_t n = 0; n < count; ++n) {
      while (next_place_ >= timeline_.alive(next_step_, 0, share_.rows.rows)) {
        ++next_step_;
        next_place_ = 0;
      }
      scratch_.step[n] = next_step_;
      scratch_.place[n] = next_place_;
      scratch_.x[n] = timeline_.x(next_step_, next_place_);
      scratch_.hidden[n] = timeline_.h_old(next_step_, next_place_);
      ++next_place_;
    }
    if (grads_.grad_input != nullptr)
      pack(scratch_.x, count, cell_.inputs, scratch_.inputs,
           [](int64_t, int64_t) { return Real{1}; });
    if (grads_.grad_hidden != nullptr) {
      const auto mask = [&](int64_t n, int64_t i) {
        return run_.mask == nullptr ? Real{1} : run_.mask[timeline_.row(scratch_.place[n]) * P + i];
      };
      pack(scratch_.hidden, count, P, scratch_.outputs, mask);
      if constexpr (Kind::second_gate) {
        pack(scratch_.hidden, count, P, scratch_.reset,
             [&](int64_t n, int64_t i) { return mask(n, i) * gates(n)[i]; });
      }
    }
    if constexpr (Kind::has_cell) {
      if (cell_.projected && grads_.grad_projection != nullptr) pack_middle(count);
    }
  }

  const Real* gates(int64_t n) const {
    return run_.gates +
           (timeline_.offset(scratch_.step[n]) + scratch_.place[n]) * kWide * cell_.units;
  }

  // rows (count, size) times a factor → (group of 2V columns, count, 2V)
  template <class Factor>
  static void pack(const Real* const* rows, int64_t count, int64_t size, Real* to,
                   const Factor& factor) {
    for (int64_t column = 0; column < size; column += kPair<Real>) {
      const int64_t width = size - column < kPair<Real> ? size - column : kPair<Real>;
      for (int64_t n = 0; n < count; ++n, to += kPair<Real>) {
        const Real* from = rows[n] + column;
        if (width == kPair<Real>) {
          for (int64_t i = 0; i < kPair<Real>; ++i) to[i] = factor(n, column + i) * from[i];
        } else {
          for (int64_t i = 0; i < width; ++i) to[i] = factor(n, column + i) * from[i];
          for (int64_t i = width; i < kPair<Real>; ++i) to[i] = 0;
        }
      }
    }
  }

  // o ⊙ tanh c, which the projection read.
  void pack_middle(int64_t count) {
    const int64_t H = cell_.units;
    for (int64_t first = 0; first < H; first += kPair<Real>) {
      for (int64_t n = 0; n < count; ++n) {
        Real* to = scratch_.reset + (first / kPair<Real> * count + n) * kPair<Real>;
        for (int64_t v = 0; v < kPair<Real>; v += kLane) {
          const int64_t unit = first + v, left = H - unit;
          const int64_t here = left < 0 ? 0 : left < kLane ? left : kLane;
          Kind::template middle<1>(gates(n), H, c_old(n), unit, here).store(to + v, kLane);
        }
      }
    }
  }

  const Real* c_old(int64_t n) const {
    return timeline_.c_old(scratch_.step[n], scratch_.place[n]);
  }

  // One gate's share of δW, δR and δb, for own units.
  void gate(int64_t column, Range own, int64_t first, int64_t count) {
    const int64_t H = cell_.units;
    Outer<Real> to[2];
    int targets = 0;
    const int from_input = Kind::grad_input_gate[column];
    const int from_hidden = Kind::grad_hidden_gate[column];
    Real *input_bias = nullptr, *hidden_bias = nullptr;
    if (from_input != kNone) {
      if (grads_.grad_input != nullptr)
        to[targets++] = {grads_.grad_input + from_input * H * cell_.inputs, cell_.inputs,
                         scratch_.inputs};
      if (grads_.grad_input_bias != nullptr) input_bias = grads_.grad_input_bias + from_input * H;
    }
    if (from_hidden != kNone) {
      const bool is_reset = Kind::second_gate && column == 0;
      if (grads_.grad_hidden != nullptr)
        to[targets++] = {grads_.grad_hidden + from_hidden * H * cell_.outputs, cell_.outputs,
                         is_reset ? scratch_.reset : scratch_.outputs};
      if (grads_.grad_hidden_bias != nullptr)
        hidden_bias = grads_.grad_hidden_bias + from_hidden * H;
    }
    outer(memory_.grad_sums + first * kWide * H + column * H, kWide * H, own, count, to, targets,
          input_bias, hidden_bias);
  }

  // The own columns of `sums` (count, ·), `step` apart, with every target's panels.
  void outer(const Real* sums, int64_t step, Range own, int64_t count, const Outer<Real>* to,
             int targets, Real* bias, Real* other_bias) {
    for (int64_t first = own.first; first < own.last; first += kColumns * kTiles) {
      const int64_t left = own.last - first;
      const int64_t columns = left < kColumns * kTiles ? left : kColumns * kTiles;
      const int64_t tiles = ceil_div(columns, kColumns);
      // Dealt out evenly, since a tile of few columns leaves multipliers idle.
      const auto tile = [&](int64_t t) -> TileColumns {
        const int64_t begin = columns * t / tiles;
        return {begin, columns * (t + 1) / tiles - begin};
      };
      for (int64_t t = 0; t < tiles; t += kTilesBeside) {
        const int64_t end = tiles < t + kTilesBeside ? tiles : t + kTilesBeside;
        const int64_t wide = tile(end - 1).first + tile(end - 1).count - tile(t).first;
        if (wide <= kPair<Real>) {
          pack_sums<2>(sums + first, step, t, end, tile, count);
        } else {
          pack_sums<kColumnsBeside / kLane>(sums + first, step, t, end, tile, count);
        }
      }
      for (int64_t i = 0; i < columns; ++i) {
        if (bias != nullptr) bias[first + i] += scratch_.partial[i];
        if (other_bias != nullptr) other_bias[first + i] += scratch_.partial[i];
      }
      for (int target = 0; target < targets; ++target) {
        for (int64_t c = 0; c < to[target].width; c += kPair<Real>) {
          for (int64_t t = 0; t < tiles; ++t) {
            if (t + 1 < tiles) fetch(to[target], first + tile(t + 1).first, c, tile(t + 1).count);
            add_tile(to[target], first + tile(t).first, c, tile(t).count,
                     scratch_.sums + t * count * kColumns, count);
          }
        }
      }
    }
  }

  // Some tiles of (count, columns) → (tile, count, kColumns), and the columns' sums over the
  // row-steps. Rows of δsums lie so far apart that their lines push each other out of a cache: a
  // line is read for all its tiles at once. What lies behind the last column is read along.
  template <int Vectors, class TileOf>
  void pack_sums(const Real* sums, int64_t step, int64_t first, int64_t last, const TileOf& tile,
                 int64_t count) {
    const int64_t begin = tile(first).first;
    int64_t at[kTilesBeside];
    for (int64_t t = first; t < last; ++t) at[t - first] = tile(t).first - begin;
    Real* const to = scratch_.sums + first * count * kColumns;
    Vector<Real> total[Vectors] = {};
    for (int64_t n = 0; n < count; ++n) {
      const Real* from = sums + n * step + begin;
#pragma GCC unroll 16
      for (int v = 0; v < Vectors; ++v) total[v] += load(from + v * kLane);
      for (int64_t t = 0; t < last - first; ++t)
        std::memcpy(to + (t * count + n) * kColumns, from + at[t], sizeof(Real) * kColumns);
    }
    for (int v = 0; v < Vectors; ++v) store(scratch_.partial + begin + v * kLane, total[v]);
  }

  // Sums that a tile will begin with, on their way into a near cache.
  static void fetch(const Outer<Real>& to, int64_t row, int64_t column, int64_t rows) {
    const Real* out = to.out + row * to.width + column;
    for (int64_t r = 0; r < rows; ++r) __builtin_prefetch(out + r * to.width, 1);
  }

  void add_tile(const Outer<Real>& to, int64_t row, int64_t column, int64_t rows, const Real* sums,
                int64_t count) {
    const Real* a[kColumns];
    for (int64_t i = 0; i < kColumns; ++i) a[i] = sums + i;
    const int64_t width = to.width - column;
    Real* out = to.out + row * to.width + column;
    const bool is_whole = width >= kPair<Real>;
    Product<Real, Real> product{
        .factor = {{.a = a, .depth = count, .panels = to.panels + column * count}},
        .factors = 1,
        .a_step = kColumns,
        .init = out,
        .init_row = to.width,
        .init_panel = 0,
        .out = out,
        .out_row = to.width,
        .out_panel = 0,
    };
    if (!is_whole) {  // the last columns pass through a tile as wide as the panels
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t i = 0; i < kPair<Real>; ++i)
          scratch_.tile[r * kPair<Real> + i] = i < width ? out[r * to.width + i] : Real{0};
      }
      product.init = product.out = scratch_.tile;
      product.init_row = product.out_row = kPair<Real>;
    }
    multiply<2>(product, rows, 1);
    if (is_whole) return;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i)
        out[r * to.width + i] = scratch_.tile[r * kPair<Real> + i];
    }
  }

  //   δp_i = Σ δi ⊙ c(n−1)      δp_f = Σ δf ⊙ c(n−1)      δp_o = Σ δo ⊙ c
  void peepholes(Range own, int64_t first, int64_t count) {
    if constexpr (Kind::has_cell) {
      const int64_t H = cell_.units;
      constexpr int64_t last = Kind::gates - 1;  // o; g has none
      for (int64_t unit = own.first; unit < own.last; unit += kLane) {
        const int64_t here = own.last - unit < kLane ? own.last - unit : kLane;
        Vector<Real> total[3] = {};
        for (int64_t n = 0; n < count; ++n) {
          const Real* sums = memory_.grad_sums + (first + n) * kWide * H + unit;
          const Real* c = c_old(n) + unit;
          for (int64_t p = 0; p < last - 1; ++p)
            total[p] = fma<Real>(load_first(sums + p * H, here), load_first(c, here), total[p]);
          const auto c_new = Kind::template cell_state<1>(gates(n), H, c_old(n), unit, here);
          total[last - 1] =
              fma<Real>(load_first(sums + last * H, here), c_new.part[0], total[last - 1]);
        }
        for (int64_t p = 0; p < last; ++p) {
          Real* to = grads_.grad_peephole + p * H + unit;
          store_first(to, load_first(to, here) + total[p], here);
        }
      }
    }
  }

  void input_gradients() {
    const int64_t H = cell_.units, I = cell_.inputs, depth = Kind::gates * H;
    const Range own = part_of(share_, window_.total);
    const bool is_far = I * depth * static_cast<int64_t>(sizeof(Real)) > kFarCache;
    const int64_t at_once = is_far ? kFarRows : kRowChunk;
    int64_t step = window_.first;
    for (int64_t n = own.first; n < own.last; n += at_once) {
      const int64_t count = own.last - n < at_once ? own.last - n : at_once;
      for (int64_t i = 0; i < count; ++i) scratch_.x[i] = memory_.grad_sums + (n + i) * kWide * H;
      Real** to = const_cast<Real**>(scratch_.hidden);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t at = window_.base + n + i;
        while (at >= timeline_.offset(step) + timeline_.alive(step, 0, share_.rows.rows)) ++step;
        const int64_t place = at - timeline_.offset(step);
        to[i] = grads_.grad_x + timeline_.time(step, place) * grads_.grad_x_step +
                timeline_.row(place) * grads_.grad_x_row;
      }
      for (int64_t column = 0; column < I; column += kPair<Real>) {
        const int64_t width = I - column < kPair<Real> ? I - column : kPair<Real>;
        const Product<Real, Real> product{
            .factor = {{.a = scratch_.x,
                        .depth = depth,
                        .panels = weights_.input_back + column * depth}},
            .factors = 1,
            .a_step = 1,
            .init = zero_pair_,
            .init_row = 0,
            .init_panel = 0,
            .out = scratch_.tile,
            .out_row = kPair<Real>,
            .out_panel = 0,
        };
        multiply<2>(product, count, 1);
        for (int64_t i = 0; i < count; ++i)
          std::memcpy(to[i] + column, scratch_.tile + i * kPair<Real>, sizeof(Real) * width);
      }
    }
  }

  const Cell& cell_;
  const Packed<Real, Real>& weights_;
  const Forward<Real>& run_;
  const Backward<Real>& grads_;
  const Share share_;
  const Window window_;
  const BackwardMemory<Real, Kind>& memory_;
  const GradientScratch<Real>& scratch_;
  const Timeline<Real> timeline_;
  int64_t next_step_, next_place_ = 0;
  alignas(64) const Real zero_pair_[kPair<Real>] = {};
};

}  // namespace elman::ELMAN_ISA
