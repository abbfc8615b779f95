// GRU in both forms, pointwise halves, for N vectors of units. Equations: gru_step and
// gru_reset_before_step in cells/gru.py. Gradients of the sums lie in the order n r z (and R_n h,
// reset after).
#pragma once

#include "cells/row.h"
#include "recurrence.h"

namespace elman::ELMAN_ISA {

// (1 − z) ⊙ n + z ⊙ h; z = 1 keeps h to the bit.
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> interpolate(const Wide<Real, N>& z, const Wide<Real, N>& n,
                                       const Wide<Real, N>& h) {
  return fma(z, h, rest(z) * n);
}

// W x fills n r z, R h adds to r z and fills a fourth slot, R_n h.
struct GruResetAfter {
  static constexpr int gates = 3, vectors = 1, slots = 4, span = 4;
  static constexpr int input_width = 3, input_panels = 1, hidden_width = 3, hidden_panels = 1;
  static constexpr int hidden_slot = 1;
  static constexpr int input_gate[] = {2, 0, 1}, hidden_gate[] = {0, 1, 2};
  static constexpr int columns = 4, hidden_column = 1;
  static constexpr int grad_input_gate[] = {2, 0, 1, kNone}, grad_hidden_gate[] = {kNone, 0, 1, 2};
  static constexpr bool has_cell = false, splits_candidate = true, second_gate = false;

  // sums  (N, 4 · V): n without R_n h, r, z, R_n h + b′_n
  template <int N, class Real>
  ELMAN_INLINE static void forward(const Cell&, const Row<Real>& row, const Real* sums,
                                   int64_t unit, int64_t count) {
    using V = Wide<Real, N>;
    constexpr int64_t lanes = kLanes<Real>, tile = slots * lanes;
    const V r = sigmoid(V::load_every(sums + lanes, tile));
    const V z = sigmoid(V::load_every(sums + 2 * lanes, tile));
    const V from_hidden = V::load_every(sums + 3 * lanes, tile);
    const V n = tanh(fma(r, from_hidden, V::load_every(sums, tile)));
    if (row.gates != nullptr) {
      Real* to = row.gates + unit;
      r.store(to, count);
      z.store(to += row.units, count);
      n.store(to += row.units, count);
      from_hidden.store(to += row.units, count);
    }
    put_hidden(row, unit, count, interpolate(z, n, V::load(row.h_old + unit, count)));
  }

  //   δz = δh ⊙ (h(t−1) − n) ⊙ z(1−z)        δn = δh ⊙ (1−z) ⊙ (1−n²)
  //   δr = δn ⊙ (R_n h + b′_n) ⊙ r(1−r)      δ(R_n h) = δn ⊙ r        δh(t−1) = z ⊙ δh + Rᵀ …
  template <int N, class Real>
  ELMAN_INLINE static void backward(const Cell&, const BackRow<Real>& row, int64_t unit,
                                    int64_t count) {
    using V = Wide<Real, N>;
    const int64_t H = row.units;
    const Real* gates = row.gates + unit;
    const V r = V::load(gates, count), z = V::load(gates + H, count);
    const V n = V::load(gates + 2 * H, count), from_hidden = V::load(gates + 3 * H, count);
    V straight;
    const V grad_h = take_grad_h<N>(row, unit, count, &straight);
    const V grad_n = grad_h * rest(z) * rest(n * n);
    const V h_old = V::load(row.h_old + unit, count);
    Real* to = row.grad_sums + unit;
    grad_n.store(to, count);
    (grad_n * from_hidden * r * rest(r)).store(to + H, count);
    (grad_h * (h_old - n) * z * rest(z)).store(to + 2 * H, count);
    (grad_n * r).store(to + 3 * H, count);
    fma(z, grad_h, straight).store(row.grad_h + unit, count);
  }
};

// W x fills n r z, R h adds to r z; a second product, R_n (r ⊙ h), adds to n.
struct GruResetBefore {
  static constexpr int gates = 3, vectors = 1, slots = 3, span = 4;
  static constexpr int input_width = 3, input_panels = 1, hidden_width = 2, hidden_panels = 1;
  static constexpr int hidden_slot = 1;
  static constexpr int input_gate[] = {2, 0, 1}, hidden_gate[] = {0, 1};
  static constexpr int columns = 3, hidden_column = 1;
  static constexpr int grad_input_gate[] = {2, 0, 1}, grad_hidden_gate[] = {2, 0, 1};
  static constexpr bool has_cell = false, splits_candidate = false, second_gate = true;

  // sums  (N, 3 · V): n without R_n (r ⊙ h), r, z. First half: r ⊙ h for the second product.
  template <int N, class Real>
  ELMAN_INLINE static void forward(const Cell&, const Row<Real>& row, const Real* sums,
                                   int64_t unit, int64_t count) {
    using V = Wide<Real, N>;
    constexpr int64_t lanes = kLanes<Real>, tile = slots * lanes;
    const V r = sigmoid(V::load_every(sums + lanes, tile));
    const V z = sigmoid(V::load_every(sums + 2 * lanes, tile));
    (r * V::load(row.operand + unit, count)).store(row.middle + unit, count);
    V::load_every(sums, tile).store(row.candidate + unit, V::kNumbers);
    z.store(row.update + unit, V::kNumbers);
    if (row.gates != nullptr) {
      r.store(row.gates + unit, count);
      z.store(row.gates + row.units + unit, count);
    }
  }

  // sums  (N, V): n, complete. Second half.
  template <int N, class Real>
  ELMAN_INLINE static void finish(const Row<Real>& row, const Real* sums, int64_t unit,
                                  int64_t count) {
    using V = Wide<Real, N>;
    const V n = tanh(V::load_every(sums, kLanes<Real>));
    if (row.gates != nullptr) n.store(row.gates + 2 * row.units + unit, count);
    const V z = V::load(row.update + unit, V::kNumbers);
    put_hidden(row, unit, count, interpolate(z, n, V::load(row.h_old + unit, count)));
  }

  //   δz = δh ⊙ (h(t−1) − n) ⊙ z(1−z)        δn = δh ⊙ (1−z) ⊙ (1−n²)
  template <int N, class Real>
  ELMAN_INLINE static void backward(const Cell&, const BackRow<Real>& row, int64_t unit,
                                    int64_t count) {
    using V = Wide<Real, N>;
    const int64_t H = row.units;
    const Real* gates = row.gates + unit;
    const V z = V::load(gates + H, count), n = V::load(gates + 2 * H, count);
    V straight;
    const V grad_h = take_grad_h<N>(row, unit, count, &straight);
    const V h_old = V::load(row.h_old + unit, count);
    Real* to = row.grad_sums + unit;
    (grad_h * rest(z) * rest(n * n)).store(to, count);
    (grad_h * (h_old - n) * z * rest(z)).store(to + 2 * H, count);
    fma(z, grad_h, straight).store(row.grad_h + unit, count);
  }

  // grad_kept  (N · V): gradient of r ⊙ kept; kept is h(t−1) through recurrent dropout's mask.
  //   δr = grad ⊙ kept ⊙ r(1−r)              δh(t−1) += mask ⊙ r ⊙ grad
  template <int N, class Real>
  ELMAN_INLINE static void backward_reset(const BackRow<Real>& row, const Real* grad_kept,
                                          int64_t unit, int64_t count) {
    using V = Wide<Real, N>;
    const V r = V::load(row.gates + unit, count), grad = V::load_every(grad_kept, kLanes<Real>);
    V kept = V::load(row.h_old + unit, count), grad_old = r * grad;
    if (row.mask != nullptr) {
      const V mask = V::load(row.mask + unit, count);
      kept = kept * mask;
      grad_old = grad_old * mask;
    }
    (grad * kept * r * rest(r)).store(row.grad_sums + row.units + unit, count);
    (V::load(row.grad_h + unit, count) + grad_old).store(row.grad_h + unit, count);
  }
};

}  // namespace elman::ELMAN_ISA
