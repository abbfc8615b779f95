// The simple cell, pointwise halves. Equation: simple_step in cells/simple.py.
#pragma once

#include "cells/row.h"
#include "recurrence.h"

namespace elman::ELMAN_ISA {

template <class Real>
ELMAN_INLINE Vector<Real> activate(Nonlinearity nonlinearity, Vector<Real> a) {
  switch (nonlinearity) {
    case Nonlinearity::tanh:
      return tanh<Real>(a);
    case Nonlinearity::relu:
      return relu<Real>(a);
    case Nonlinearity::sigmoid:
      return sigmoid<Real>(a);
    case Nonlinearity::identity:
      break;
  }
  return a;
}

// sum  (V): a
template <class Real>
ELMAN_INLINE void simple_forward(const Row<Real>& row, Nonlinearity nonlinearity, const Real* sum,
                                 int64_t unit, int64_t count) {
  const Vector<Real> a = load(sum);
  if (row.gates != nullptr) store_first(row.gates + unit, a, count);
  put_hidden(row, unit, count, activate<Real>(nonlinearity, a));
}

// δa = δh ⊙ g′(a), written with g(a): which is h(t), unless zoneout mixed it with h(t−1)
template <class Real>
ELMAN_INLINE void simple_backward(const BackRow<Real>& row, Nonlinearity nonlinearity,
                                  int64_t unit, int64_t count) {
  const Vector<Real> one = broadcast(Real{1}), zero{};
  Vector<Real> straight;
  const Vector<Real> grad_h = take_grad_h(row, unit, count, &straight);
  const Vector<Real> h = row.gates == nullptr
                             ? load_first(row.h_new + unit, count)
                             : activate<Real>(nonlinearity, load_first(row.gates + unit, count));
  Vector<Real> slope = one;
  switch (nonlinearity) {
    case Nonlinearity::tanh:
      slope = one - h * h;
      break;
    case Nonlinearity::relu:
      slope = h > zero ? one : zero;
      break;
    case Nonlinearity::sigmoid:
      slope = h * (one - h);
      break;
    case Nonlinearity::identity:
      break;
  }
  store_first(row.grad_sums + unit, grad_h * slope, count);
  store_first(row.grad_h + unit, straight, count);
}

}  // namespace elman::ELMAN_ISA
