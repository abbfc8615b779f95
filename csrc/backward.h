// A cell over time, backward: from the last step to the first, a window of steps at a time. What a
// window leaves for the weights' gradients is taken up (gradients.h) while it is in a near cache.
//
// One step of one member, for its units:
//
//   δsums(t) = the cell's pointwise half of δh(t) + δy(t)       kept for the weights' gradients
//   barrier                                                     δsums(t) is complete
//   δh(t−1) = what the pointwise half sends straight on + Rᵀ δsums(t)
//
// The next pointwise half needs no more than this member's own units of δh(t−1), so one barrier a
// step is enough; a projection or a reset gate before the product adds one.
#pragma once

#include "cells/gru.h"
#include "cells/lstm.h"
#include "cells/simple.h"
#include "forward.h"
#include "packing.h"
#include "team.h"
#include "timeline.h"

namespace elman::ELMAN_ISA {

inline constexpr int64_t kColumns = kTileRows<2>;  // columns of δsums in a tile, at most
inline constexpr int64_t kTilesBeside = 8;         // tiles whose columns are read side by side
inline constexpr int64_t kColumnsBeside = kTilesBeside * kColumns;

// Shared by all members of all runs over time; rows by place or by row-step.
template <class Real, class Kind>
struct BackwardMemory {
  Real* zeros;
  Real* grad_h;     // (B, P)
  Real* grad_c;     // (B, H)
  Real* grad_sums;  // (row-steps of a window, columns · H), and kColumnsBeside more
  Real* grad_out;   // likewise (·, P): δh of every step, under a projection
  Real* fresh_h;    // (B, P): δ of the fresh state, where there are resets
  Real* fresh_c;    // (B, H)

  static BackwardMemory shared(const Cell& cell, bool resets, int64_t rows, int64_t window,
                               Allotment& all) {
    BackwardMemory m{};
    const int64_t H = cell.units, P = cell.outputs;
    m.zeros = all.take<Real>(H > P ? H : P);
    m.grad_h = all.take<Real>(rows * P);
    m.grad_c = all.take<Real>(Kind::has_cell ? rows * H : 0);
    m.fresh_h = all.take<Real>(resets ? rows * P : 0);
    m.fresh_c = all.take<Real>(resets && Kind::has_cell ? rows * H : 0);
    // Last: windows differ in size, and what stands before must keep its place.
    m.grad_sums = all.take<Real>(window * Kind::columns * H + kColumnsBeside);
    m.grad_out = all.take<Real>(cell.projected ? window * P + kColumnsBeside : 0);
    return m;
  }
};

// A member's own.
template <class Real>
struct BackwardScratch {
  const Real** a;
  Real* sums;

  BackwardScratch(int64_t rows, Allotment& all)
      : a(all.take<const Real*>(rows)), sums(all.take<Real>(kRowChunk * 4 * kPair<Real>)) {}
};

template <class Real, class Kind>
class BackwardPass {
 public:
  BackwardPass(const Cell& cell, const Packed<Real, Real>& weights, const Forward<Real>& run,
               const Backward<Real>& grads, const Share& share, const Window& window,
               const BackwardMemory<Real, Kind>& memory, const BackwardScratch<Real>& scratch)
      : cell_(cell),
        weights_(weights),
        run_(run),
        grads_(grads),
        share_(share),
        window_(window),
        memory_(memory),
        scratch_(scratch),
        timeline_{run, share_.rows, cell.units, cell.outputs, memory.zeros},
        units_(part_of(share, ceil_div(cell.units, kPair<Real>))),
        outputs_(part_of(share, ceil_div(cell.outputs, kPair<Real>))) {}

  void run() {
    if (window_.is_latest) begin();
    for (int64_t step = window_.last - 1; step >= window_.first; --step) {
      const int64_t rows = timeline_.alive(step, share_.first, share_.last);
      if (rows == 0) continue;
      if (cell_.projected) {
        through_projection(step, rows);
      } else {
        for (int64_t r = 0; r < rows; ++r) pointwise(row_at(step, r), columns(units_, cell_.units));
      }
      meet();
      if constexpr (Kind::second_gate) {
        through_reset(step, rows);
        meet();
      }
      through_time(step, rows);
    }
    if (window_.first == 0) finish();
  }

 private:
  static constexpr int64_t kLane = kLanes<Real>;
  static constexpr int64_t kWide = Kind::columns;

  void meet() {
    if (share_.barrier != nullptr) share_.barrier->wait();
  }

  int64_t place(int64_t r) const { return share_.first + r; }

  // Where a step's rows begin in the window.
  int64_t in_window(int64_t step) const { return timeline_.offset(step) - window_.base; }

  // The columns of some pairs of vectors, cut at `size`.
  static Range columns(Range pairs, int64_t size) {
    const int64_t first = pairs.first * kPair<Real>, last = pairs.last * kPair<Real>;
    return {first < size ? first : size, last < size ? last : size};
  }

  void begin() {
    const Range h = columns(outputs_, cell_.outputs), c = columns(units_, cell_.units);
    for (int64_t p = share_.first; p < share_.last; ++p) {
      copy(memory_.grad_h, grads_.grad_hn, p, cell_.outputs, h);
      if (Kind::has_cell) copy(memory_.grad_c, grads_.grad_cn, p, cell_.units, c);
      if (memory_.fresh_h != nullptr) copy(memory_.fresh_h, nullptr, p, cell_.outputs, h);
      if (memory_.fresh_c != nullptr) copy(memory_.fresh_c, nullptr, p, cell_.units, c);
    }
  }

  // to(place) = from(row), or zeros.
  void copy(Real* to, const Real* from, int64_t p, int64_t size, Range range) {
    const Real* source = from == nullptr ? nullptr : from + timeline_.row(p) * size;
    for (int64_t i = range.first; i < range.last; ++i)
      to[p * size + i] = source == nullptr ? Real{0} : source[i];
  }

  BackRow<Real> row_at(int64_t step, int64_t r) const {
    const int64_t p = place(r), H = cell_.units, P = cell_.outputs;
    const int64_t at = timeline_.offset(step) + p;
    BackRow<Real> row{};
    if (grads_.grad_y != nullptr) {
      row.grad_y = grads_.grad_y + timeline_.time(step, p) * grads_.grad_y_step +
                   timeline_.row(p) * grads_.grad_y_row;
    }
    row.grad_h = memory_.grad_h + p * P;
    row.grad_sums = memory_.grad_sums + (in_window(step) + p) * kWide * H;
    if (run_.gates != nullptr) row.gates = run_.gates + at * kWide * H;
    row.h_old = timeline_.h_old(step, p);
    row.h_new = timeline_.y(step, p);
    if (Kind::has_cell) {
      row.grad_c = memory_.grad_c + p * H;
      row.c_old = timeline_.c_old(step, p);
      row.keep_c = {timeline_.kept(run_.keep_c, step, p, H), run_.rate_c};
    }
    if (run_.mask != nullptr) row.mask = run_.mask + timeline_.row(p) * P;
    row.keep_h = {timeline_.kept(run_.keep_h, step, p, P), run_.rate_h};
    row.peephole = weights_.peephole;
    row.peephole_step = blocks_of<Real, Kind>(H) * Kind::vectors * kLane;
    row.units = H;
    return row;
  }

  void pointwise(const BackRow<Real>& row, Range units) {
    over_vectors<Real>(units, cell_.units, [&](auto n, int64_t unit, int64_t count) {
      constexpr int N = decltype(n)::value;
      Kind::template backward<N>(cell_, row, unit, count);
    });
  }

  // δh of the outputs, complete for all members; then δ(o ⊙ tanh c) of own units = Pᵀ δh.
  void through_projection(int64_t step, int64_t rows) {
    const int64_t P = cell_.outputs, at = in_window(step) + share_.first;
    const Range range = columns(outputs_, P);
    for (int64_t r = 0; r < rows; ++r) {
      const BackRow<Real> row = row_at(step, r);
      over_vectors<Real>(range, P, [&](auto n, int64_t i, int64_t count) {
        constexpr int N = decltype(n)::value;
        Wide<Real, N> straight;
        take_grad_h<N>(row, i, count, &straight).store(memory_.grad_out + (at + r) * P + i, count);
        straight.store(row.grad_h + i, count);
      });
    }
    meet();
    for (int64_t r = 0; r < rows; ++r) scratch_.a[r] = memory_.grad_out + (at + r) * P;
    product(rows, units_, weights_.second_back, P, [&](int64_t r, int64_t unit, const Real* sum) {
      BackRow<Real> row = row_at(step, r);
      row.grad_middle = sum - unit;
      pointwise(row, {unit, unit + kPair<Real>});
    });
  }

  // δ(r ⊙ h) = R_nᵀ δn, and from it δr.
  void through_reset(int64_t step, int64_t rows) {
    const int64_t H = cell_.units, at = in_window(step) + share_.first;
    for (int64_t r = 0; r < rows; ++r) scratch_.a[r] = memory_.grad_sums + (at + r) * kWide * H;
    product(rows, units_, weights_.second_back, H, [&](int64_t r, int64_t first, const Real* sum) {
      const BackRow<Real> row = row_at(step, r);
      over_vectors<Real>({first, first + kPair<Real>}, H, [&](auto n, int64_t unit, int64_t count) {
        constexpr int N = decltype(n)::value;
        Kind::template backward_reset<N>(row, sum + (unit - first), unit, count);
      });
    });
  }

  // δh(t−1) += mask ⊙ Rᵀ δsums(t); a cut sends it to the fresh state instead.
  void through_time(int64_t step, int64_t rows) {
    if (weights_.hidden_back == nullptr) return;  // a single step, and nothing before it asks
    const int64_t H = cell_.units, P = cell_.outputs;
    const int64_t at = in_window(step) + share_.first;
    const int64_t depth = (Kind::second_gate ? 2 : Kind::gates) * H;
    for (int64_t r = 0; r < rows; ++r)
      scratch_.a[r] = memory_.grad_sums + (at + r) * kWide * H + Kind::hidden_column * H;
    product(rows, outputs_, weights_.hidden_back, depth,
            [&](int64_t r, int64_t first, const Real* sum) {
              Real* grad_h = memory_.grad_h + place(r) * P;
              const Real* mask =
                  run_.mask == nullptr ? nullptr : run_.mask + timeline_.row(place(r)) * P;
              over_vectors<Real>({first, first + kPair<Real>}, P,
                                 [&](auto n, int64_t i, int64_t count) {
                                   using V = Wide<Real, decltype(n)::value>;
                                   V grad = V::load_every(sum + (i - first), kLane);
                                   if (mask != nullptr) grad = grad * V::load(mask + i, count);
                                   (V::load(grad_h + i, count) + grad).store(grad_h + i, count);
                                 });
            });
    if (run_.resets == nullptr) return;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t p = place(r);
      if (!timeline_.is_cut(step, p)) continue;
      move(memory_.grad_h + p * P, memory_.fresh_h + p * P, columns(outputs_, P));
      if (Kind::has_cell) move(memory_.grad_c + p * H, memory_.fresh_c + p * H, columns(units_, H));
    }
  }

  static void move(Real* from, Real* to, Range range) {
    for (int64_t i = range.first; i < range.last; ++i) {
      to[i] += from[i];
      from[i] = 0;
    }
  }

  // use(row, first column, sums of a pair of vectors) for every row and pair of A · panels.
  template <class Use>
  ELMAN_INLINE void product(int64_t rows, Range pairs, const Real* panels, int64_t depth,
                            const Use& use) {
    constexpr int64_t at_once = 4;
    for (int64_t pair = pairs.first; pair < pairs.last; pair += at_once) {
      const int64_t now = pairs.last - pair < at_once ? pairs.last - pair : at_once;
      for (int64_t r = 0; r < rows; r += kRowChunk) {
        const int64_t chunk = rows - r < kRowChunk ? rows - r : kRowChunk;
        const Product<Real, Real> product{
            .factor = {{.a = scratch_.a + r,
                        .depth = depth,
                        .panels = panels + pair * depth * kPair<Real>}},
            .factors = 1,
            .a_step = 1,
            .init = zero_pair_,
            .init_row = 0,
            .init_panel = 0,
            .out = scratch_.sums,
            .out_row = at_once * kPair<Real>,
            .out_panel = kPair<Real>,
        };
        multiply<2>(product, chunk, now);
        for (int64_t i = 0; i < chunk; ++i) {
          for (int64_t n = 0; n < now; ++n)
            use(r + i, (pair + n) * kPair<Real>, scratch_.sums + (i * at_once + n) * kPair<Real>);
        }
      }
    }
  }

  void finish() {
    const Range h = columns(outputs_, cell_.outputs), c = columns(units_, cell_.units);
    for (int64_t p = share_.first; p < share_.last; ++p) {
      give(grads_.grad_h0, memory_.grad_h, p, cell_.outputs, h);
      give(grads_.grad_c0, memory_.grad_c, p, cell_.units, c);
      give(grads_.grad_fresh_h, memory_.fresh_h, p, cell_.outputs, h);
      give(grads_.grad_fresh_c, memory_.fresh_c, p, cell_.units, c);
    }
  }

  // to(row) = from(place), or zeros.
  void give(Real* to, const Real* from, int64_t p, int64_t size, Range range) {
    if (to == nullptr) return;
    for (int64_t i = range.first; i < range.last; ++i)
      to[timeline_.row(p) * size + i] = from == nullptr ? Real{0} : from[p * size + i];
  }

  const Cell& cell_;
  const Packed<Real, Real>& weights_;
  const Forward<Real>& run_;
  const Backward<Real>& grads_;
  const Share share_;
  const Window window_;
  const BackwardMemory<Real, Kind>& memory_;
  const BackwardScratch<Real>& scratch_;
  const Timeline<Real> timeline_;
  const Range units_, outputs_;
  alignas(64) const Real zero_pair_[kPair<Real>] = {};
};

}  // namespace elman::ELMAN_ISA
