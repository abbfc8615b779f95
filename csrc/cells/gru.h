// GRU in both forms, pointwise halves. Equations: gru_step and gru_reset_before_step in
// cells/gru.py. Gradients of the sums lie in the order n r z (and R_n h, reset after).
#pragma once

#include "cells/row.h"
#include "packing.h"

namespace elman::ELMAN_ISA {

// (1 − z) ⊙ n + z ⊙ h; z = 1 keeps h to the bit.
template <class Real>
ELMAN_INLINE Vector<Real> interpolate(Vector<Real> z, Vector<Real> n, Vector<Real> h) {
  return fma<Real>(z, h, (broadcast(Real{1}) - z) * n);
}

// sums  (4 · V): n without R_n h, r, z, R_n h + b′_n
template <class Real>
ELMAN_INLINE void gru_after_forward(const Row<Real>& row, const Real* sums, int64_t unit,
                                    int64_t count) {
  constexpr int64_t lanes = kLanes<Real>;
  const Vector<Real> r = sigmoid<Real>(load(sums + lanes));
  const Vector<Real> z = sigmoid<Real>(load(sums + 2 * lanes));
  const Vector<Real> from_hidden = load(sums + 3 * lanes);
  const Vector<Real> n = tanh<Real>(fma<Real>(r, from_hidden, load(sums)));
  if (row.gates != nullptr) {
    Real* to = row.gates + unit;
    store_first(to, r, count);
    store_first(to += row.units, z, count);
    store_first(to += row.units, n, count);
    store_first(to += row.units, from_hidden, count);
  }
  put_hidden(row, unit, count, interpolate<Real>(z, n, load_first(row.h_old + unit, count)));
}

//   δz = δh ⊙ (h(t−1) − n) ⊙ z(1−z)        δn = δh ⊙ (1−z) ⊙ (1−n²)
//   δr = δn ⊙ (R_n h + b′_n) ⊙ r(1−r)      δ(R_n h) = δn ⊙ r        δh(t−1) = z ⊙ δh + Rᵀ …
template <class Real>
ELMAN_INLINE void gru_after_backward(const BackRow<Real>& row, int64_t unit, int64_t count) {
  const Vector<Real> one = broadcast(Real{1});
  const int64_t H = row.units;
  const Real* gates = row.gates + unit;
  const Vector<Real> r = load_first(gates, count), z = load_first(gates + H, count);
  const Vector<Real> n = load_first(gates + 2 * H, count);
  const Vector<Real> from_hidden = load_first(gates + 3 * H, count);
  Vector<Real> straight;
  const Vector<Real> grad_h = take_grad_h(row, unit, count, &straight);
  const Vector<Real> grad_n = grad_h * (one - z) * (one - n * n);
  const Vector<Real> h_old = load_first(row.h_old + unit, count);
  Real* to = row.grad_sums + unit;
  store_first(to, grad_n, count);
  store_first(to + H, grad_n * from_hidden * r * (one - r), count);
  store_first(to + 2 * H, grad_h * (h_old - n) * z * (one - z), count);
  store_first(to + 3 * H, grad_n * r, count);
  store_first(row.grad_h + unit, fma<Real>(z, grad_h, straight), count);
}

// sums  (3 · V): n without R_n (r ⊙ h), r, z. First half: r ⊙ h for the second product.
template <class Real>
ELMAN_INLINE void gru_before_forward(const Row<Real>& row, const Real* sums, int64_t unit,
                                     int64_t count) {
  constexpr int64_t lanes = kLanes<Real>;
  const Vector<Real> r = sigmoid<Real>(load(sums + lanes));
  const Vector<Real> z = sigmoid<Real>(load(sums + 2 * lanes));
  store_first(row.middle + unit, r * load_first(row.operand + unit, count), count);
  store(row.candidate + unit, load(sums));
  store(row.update + unit, z);
  if (row.gates != nullptr) {
    store_first(row.gates + unit, r, count);
    store_first(row.gates + row.units + unit, z, count);
  }
}

// sum  (V): n, complete. Second half.
template <class Real>
ELMAN_INLINE void gru_before_finish(const Row<Real>& row, const Real* sum, int64_t unit,
                                    int64_t count) {
  const Vector<Real> n = tanh<Real>(load(sum));
  if (row.gates != nullptr) store_first(row.gates + 2 * row.units + unit, n, count);
  const Vector<Real> h_old = load_first(row.h_old + unit, count);
  put_hidden(row, unit, count, interpolate<Real>(load(row.update + unit), n, h_old));
}

//   δz = δh ⊙ (h(t−1) − n) ⊙ z(1−z)        δn = δh ⊙ (1−z) ⊙ (1−n²)
template <class Real>
ELMAN_INLINE void gru_before_backward(const BackRow<Real>& row, int64_t unit, int64_t count) {
  const Vector<Real> one = broadcast(Real{1});
  const int64_t H = row.units;
  const Real* gates = row.gates + unit;
  const Vector<Real> z = load_first(gates + H, count), n = load_first(gates + 2 * H, count);
  Vector<Real> straight;
  const Vector<Real> grad_h = take_grad_h(row, unit, count, &straight);
  const Vector<Real> h_old = load_first(row.h_old + unit, count);
  Real* to = row.grad_sums + unit;
  store_first(to, grad_h * (one - z) * (one - n * n), count);
  store_first(to + 2 * H, grad_h * (h_old - n) * z * (one - z), count);
  store_first(row.grad_h + unit, fma<Real>(z, grad_h, straight), count);
}

// grad_kept  (V): gradient of r ⊙ kept, where kept is h(t−1) through recurrent dropout's mask.
//   δr = grad ⊙ kept ⊙ r(1−r)              δh(t−1) += mask ⊙ r ⊙ grad
template <class Real>
ELMAN_INLINE void gru_before_backward_reset(const BackRow<Real>& row, const Real* grad_kept,
                                            int64_t unit, int64_t count) {
  const Vector<Real> r = load_first(row.gates + unit, count), grad = load(grad_kept);
  Vector<Real> kept = load_first(row.h_old + unit, count), grad_old = r * grad;
  if (row.mask != nullptr) {
    const Vector<Real> mask = load_first(row.mask + unit, count);
    kept *= mask;
    grad_old *= mask;
  }
  store_first(row.grad_sums + row.units + unit, grad * kept * r * (broadcast(Real{1}) - r), count);
  store_first(row.grad_h + unit, load_first(row.grad_h + unit, count) + grad_old, count);
}

}  // namespace elman::ELMAN_ISA
