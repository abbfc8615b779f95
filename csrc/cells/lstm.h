// LSTM, pointwise halves. Equations: lstm_step and lstm_coupled_step in cells/lstm.py.
#pragma once

#include "cells/row.h"
#include "packing.h"

namespace elman::ELMAN_ISA {

template <class Real>
ELMAN_INLINE Vector<Real> peep(const Row<Real>& row, int which, int64_t unit, Vector<Real> sum,
                               Vector<Real> c) {
  if (row.peephole == nullptr) return sum;
  return fma<Real>(load(row.peephole + which * row.peephole_step + unit), c, sum);
}

// sums  (slots · V): i f g o, or i g o where coupled
template <class Kind, class Real>
ELMAN_INLINE void lstm_forward(const Row<Real>& row, const Real* sums, int64_t unit,
                               int64_t count) {
  constexpr int64_t lanes = kLanes<Real>;
  constexpr bool coupled = Kind::gates == 3;
  const Vector<Real> c_old = load_first(row.c_old + unit, count);
  const Vector<Real> i = sigmoid<Real>(peep(row, 0, unit, load(sums), c_old));
  Vector<Real> f;
  if constexpr (coupled) {
    f = broadcast(Real{1}) - i;
  } else {
    f = sigmoid<Real>(peep(row, 1, unit, load(sums + lanes), c_old));
  }
  const Vector<Real> g = tanh<Real>(load(sums + (coupled ? 1 : 2) * lanes));
  const Vector<Real> c = fma<Real>(f, c_old, i * g);
  const Vector<Real> o =
      sigmoid<Real>(peep(row, coupled ? 1 : 2, unit, load(sums + (coupled ? 2 : 3) * lanes), c));
  const Vector<Real> h = o * tanh<Real>(c);
  if (row.gates != nullptr) {
    Real* to = row.gates + unit;
    store_first(to, i, count);
    if constexpr (!coupled) store_first(to += row.units, f, count);
    store_first(to += row.units, g, count);
    store_first(to += row.units, o, count);
  }
  Vector<Real> c_new = c;
  if (row.keep_c.any()) c_new = zone_out<Real>(row.keep_c.share(unit, count), c_old, c);
  store_first(row.c_new + unit, c_new, count);
  if (row.middle != nullptr) {
    store_first(row.middle + unit, h, count);
  } else {
    put_hidden(row, unit, count, h);
  }
}

//   δo = δh ⊙ tanh c ⊙ o(1−o)              δc = δc′ + δh ⊙ o ⊙ (1 − tanh² c) + p_o ⊙ δo
//   δi = δc ⊙ g ⊙ i(1−i)                   δf = δc ⊙ c(t−1) ⊙ f(1−f)
//   δg = δc ⊙ i ⊙ (1 − g²)                 δc(t−1) = δc ⊙ f + p_i ⊙ δi + p_f ⊙ δf
template <class Kind, class Real>
ELMAN_INLINE void lstm_backward(const BackRow<Real>& row, int64_t unit, int64_t count) {
  constexpr bool coupled = Kind::gates == 3;
  const Vector<Real> one = broadcast(Real{1});
  const Real* gates = row.gates + unit;
  const int64_t H = row.units;
  const Vector<Real> i = load_first(gates, count);
  const Vector<Real> f = coupled ? one - i : load_first(gates + H, count);
  const Vector<Real> g = load_first(gates + (coupled ? 1 : 2) * H, count);
  const Vector<Real> o = load_first(gates + (coupled ? 2 : 3) * H, count);
  const Vector<Real> c_old = load_first(row.c_old + unit, count);
  const Vector<Real> t = tanh<Real>(fma<Real>(f, c_old, i * g));

  Vector<Real> straight{}, grad_h;
  if (row.grad_middle != nullptr) {
    grad_h = load_first(row.grad_middle + unit, count);
  } else {
    grad_h = take_grad_h(row, unit, count, &straight);
    store_first(row.grad_h + unit, straight, count);
  }
  Vector<Real> grad_c = load_first(row.grad_c + unit, count), straight_c{};
  if (row.keep_c.any()) {
    const Vector<Real> k = row.keep_c.share(unit, count);
    straight_c = k * grad_c;
    grad_c = (one - k) * grad_c;
  }
  const Vector<Real> grad_o = grad_h * t * o * (one - o);
  grad_c += grad_h * o * (one - t * t);
  const Real* peephole = row.peephole == nullptr ? nullptr : row.peephole + unit;
  const int64_t step = row.peephole_step;
  if (peephole != nullptr) grad_c += load(peephole + (coupled ? 1 : 2) * step) * grad_o;
  const Vector<Real> into = coupled ? g - c_old : g;
  const Vector<Real> grad_i = grad_c * into * i * (one - i);
  const Vector<Real> grad_g = grad_c * i * (one - g * g);
  straight_c += grad_c * f;
  if (peephole != nullptr) straight_c += load(peephole) * grad_i;
  Real* to = row.grad_sums + unit;
  store_first(to, grad_i, count);
  if constexpr (!coupled) {
    const Vector<Real> grad_f = grad_c * c_old * f * (one - f);
    if (peephole != nullptr) straight_c += load(peephole + step) * grad_f;
    store_first(to += H, grad_f, count);
  }
  store_first(to += H, grad_g, count);
  store_first(to += H, grad_o, count);
  store_first(row.grad_c + unit, straight_c, count);
}

}  // namespace elman::ELMAN_ISA
