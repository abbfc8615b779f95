// The simple cell, pointwise halves, for N vectors of units. Equation: simple_step in
// cells/simple.py.
#pragma once

#include "cells/row.h"
#include "recurrence.h"

namespace elman::ELMAN_ISA {

template <class Real, int N>
ELMAN_INLINE Wide<Real, N> activate(Nonlinearity nonlinearity, const Wide<Real, N>& a) {
  switch (nonlinearity) {
    case Nonlinearity::tanh:
      return tanh(a);
    case Nonlinearity::relu:
      return relu(a);
    case Nonlinearity::sigmoid:
      return sigmoid(a);
    case Nonlinearity::identity:
      break;
  }
  return a;
}

// g′(a), written with h = g(a)
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> slope(Nonlinearity nonlinearity, const Wide<Real, N>& h) {
  const Vector<Real> one = broadcast(Real{1}), zero{};
  switch (nonlinearity) {
    case Nonlinearity::tanh:
      return rest(h * h);
    case Nonlinearity::relu:
      return h.map([&](Vector<Real> v) { return v > zero ? one : zero; });
    case Nonlinearity::sigmoid:
      return h * rest(h);
    case Nonlinearity::identity:
      break;
  }
  return Wide<Real, N>::all(1);
}

// sums  (N · V): a
template <int N, class Real>
ELMAN_INLINE void simple_forward(const Row<Real>& row, Nonlinearity nonlinearity, const Real* sums,
                                 int64_t unit, int64_t count) {
  const auto a = Wide<Real, N>::load_every(sums, kLanes<Real>);
  if (row.gates != nullptr) a.store(row.gates + unit, count);
  put_hidden(row, unit, count, activate(nonlinearity, a));
}

// δa = δh ⊙ g′(a), where g(a) is h(t), unless zoneout mixed it with h(t−1)
template <int N, class Real>
ELMAN_INLINE void simple_backward(const BackRow<Real>& row, Nonlinearity nonlinearity,
                                  int64_t unit, int64_t count) {
  using V = Wide<Real, N>;
  V straight;
  const V grad_h = take_grad_h<N>(row, unit, count, &straight);
  const V h = row.gates == nullptr ? V::load(row.h_new + unit, count)
                                   : activate(nonlinearity, V::load(row.gates + unit, count));
  (grad_h * slope(nonlinearity, h)).store(row.grad_sums + unit, count);
  straight.store(row.grad_h + unit, count);
}

}  // namespace elman::ELMAN_ISA
