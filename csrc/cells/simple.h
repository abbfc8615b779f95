// The simple cell, pointwise halves, for N vectors of units. Equation: simple_step in
// cells/simple.py.
#pragma once

#include "cells/row.h"
#include "recurrence.h"

namespace elman::ELMAN_ISA {

template <class Real, int N>
ELMAN_INLINE Wide<Real, N> activate(Nonlinearity nonlinearity, const Wide<Real, N>& a) {
  switch (nonlinearity) {
    case Nonlinearity::tanh: return tanh(a);
    case Nonlinearity::relu: return relu(a);
    case Nonlinearity::sigmoid: return sigmoid(a);
    case Nonlinearity::identity: break;
  }
  return a;
}

// g′(a), written with h = g(a)
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> slope(Nonlinearity nonlinearity, const Wide<Real, N>& h) {
  const Vector<Real> one = broadcast(Real{1}), zero{};
  switch (nonlinearity) {
    case Nonlinearity::tanh: return rest(h * h);
    case Nonlinearity::relu: return h.map([&](Vector<Real> v) { return v > zero ? one : zero; });
    case Nonlinearity::sigmoid: return h * rest(h);
    case Nonlinearity::identity: break;
  }
  return Wide<Real, N>::all(1);
}

struct Simple {
  static constexpr int gates = 1, vectors = 2, slots = 2, span = 4;
  static constexpr int input_width = 2, input_panels = 1, hidden_width = 2, hidden_panels = 1;
  static constexpr int hidden_slot = 0;
  static constexpr int input_gate[] = {0, 0}, hidden_gate[] = {0, 0};
  static constexpr int columns = 1, hidden_column = 0;
  static constexpr int grad_input_gate[] = {0}, grad_hidden_gate[] = {0};
  static constexpr bool has_cell = false, splits_candidate = false, second_gate = false;

  // sums  (N · V): a
  template <int N, class Real>
  ELMAN_INLINE static void forward(const Cell& cell, const Row<Real>& row, const Real* sums,
                                   int64_t unit, int64_t count) {
    const auto a = Wide<Real, N>::load_every(sums, kLanes<Real>);
    if (row.gates != nullptr) a.store(row.gates + unit, count);
    put_hidden(row, unit, count, activate(cell.nonlinearity, a));
  }

  // δa = δh ⊙ g′(a), where g(a) is h(t), unless zoneout mixed it with h(t−1)
  template <int N, class Real>
  ELMAN_INLINE static void backward(const Cell& cell, const BackRow<Real>& row, int64_t unit,
                                    int64_t count) {
    using V = Wide<Real, N>;
    V straight;
    const V grad_h = take_grad_h<N>(row, unit, count, &straight);
    const V h = row.gates == nullptr
                    ? V::load(row.h_new + unit, count)
                    : activate(cell.nonlinearity, V::load(row.gates + unit, count));
    (grad_h * slope(cell.nonlinearity, h)).store(row.grad_sums + unit, count);
    straight.store(row.grad_h + unit, count);
  }
};

}  // namespace elman::ELMAN_ISA
