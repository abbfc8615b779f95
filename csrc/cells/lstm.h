// LSTM, pointwise halves, for N vectors of units. Equations: lstm_step and lstm_coupled_step in
// cells/lstm.py.
#pragma once

#include "cells/row.h"
#include "recurrence.h"

namespace elman::ELMAN_ISA {

template <class Real, int N>
ELMAN_INLINE Wide<Real, N> peep(const Row<Real>& row, int which, int64_t unit,
                                const Wide<Real, N>& sum, const Wide<Real, N>& c) {
  if (row.peephole == nullptr) return sum;
  const Real* weights = row.peephole + which * row.peephole_step + unit;
  return fma(Wide<Real, N>::load_every(weights, kLanes<Real>), c, sum);
}

// Both forms: i f g o, or i g o with f = 1 − i where coupled.
template <bool coupled>
struct AnyLstm {
  static constexpr int gate_g = coupled ? 1 : 2, gate_o = gate_g + 1;

  // sums  (N, slots · V): i f g o, or i g o where coupled
  template <int N, class Real>
  ELMAN_INLINE static void forward(const Cell&, const Row<Real>& row, const Real* sums,
                                   int64_t unit, int64_t count) {
    using V = Wide<Real, N>;
    constexpr int64_t lanes = kLanes<Real>, tile = (gate_o + 1) * lanes;
    const V c_old = V::load(row.c_old + unit, count);
    const V i = sigmoid(peep(row, 0, unit, V::load_every(sums, tile), c_old));
    V f;
    if constexpr (coupled) {
      f = rest(i);
    } else {
      f = sigmoid(peep(row, 1, unit, V::load_every(sums + lanes, tile), c_old));
    }
    const V g = tanh(V::load_every(sums + gate_g * lanes, tile));
    const V c = fma(f, c_old, i * g);
    const V o = sigmoid(peep(row, gate_g, unit, V::load_every(sums + gate_o * lanes, tile), c));
    const V h = o * tanh(c);
    if (row.gates != nullptr) {
      Real* to = row.gates + unit;
      i.store(to, count);
      if constexpr (!coupled) f.store(to += row.units, count);
      g.store(to += row.units, count);
      o.store(to += row.units, count);
    }
    V c_new = c;
    if (row.keep_c.any()) c_new = zone_out(row.keep_c.template share<N>(unit, count), c_old, c);
    c_new.store(row.c_new + unit, count);
    if (row.middle != nullptr) {
      h.store(row.middle + unit, count);
    } else {
      put_hidden(row, unit, count, h);
    }
  }

  // sums  (N · V): P (o ⊙ tanh c), which is h.
  template <int N, class Real>
  ELMAN_INLINE static void finish(const Row<Real>& row, const Real* sums, int64_t unit,
                                  int64_t count) {
    put_hidden(row, unit, count, Wide<Real, N>::load_every(sums, kLanes<Real>));
  }

  //   δo = δh ⊙ tanh c ⊙ o(1−o)              δc = δc′ + δh ⊙ o ⊙ (1 − tanh² c) + p_o ⊙ δo
  //   δi = δc ⊙ g ⊙ i(1−i)                   δf = δc ⊙ c(t−1) ⊙ f(1−f)
  //   δg = δc ⊙ i ⊙ (1 − g²)                 δc(t−1) = δc ⊙ f + p_i ⊙ δi + p_f ⊙ δf
  template <int N, class Real>
  ELMAN_INLINE static void backward(const Cell&, const BackRow<Real>& row, int64_t unit,
                                    int64_t count) {
    using V = Wide<Real, N>;
    const Real* gates = row.gates + unit;
    const int64_t H = row.units;
    const V i = V::load(gates, count);
    const V f = coupled ? rest(i) : V::load(gates + H, count);
    const V g = V::load(gates + gate_g * H, count);
    const V o = V::load(gates + gate_o * H, count);
    const V c_old = V::load(row.c_old + unit, count);
    const V t = tanh(fma(f, c_old, i * g));

    V straight, grad_h;
    if (row.grad_middle != nullptr) {
      grad_h = V::load(row.grad_middle + unit, count);
    } else {
      grad_h = take_grad_h<N>(row, unit, count, &straight);
      straight.store(row.grad_h + unit, count);
    }
    V grad_c = V::load(row.grad_c + unit, count), straight_c = V::all(0);
    if (row.keep_c.any()) {
      const V k = row.keep_c.template share<N>(unit, count);
      straight_c = k * grad_c;
      grad_c = rest(k) * grad_c;
    }
    const V grad_o = grad_h * t * o * rest(o);
    grad_c = grad_c + grad_h * o * rest(t * t);
    const auto peephole = [&](int which) {
      return V::load_every(row.peephole + which * row.peephole_step + unit, kLanes<Real>);
    };
    const bool peeps = row.peephole != nullptr;
    if (peeps) grad_c = fma(peephole(gate_g), grad_o, grad_c);
    const V grad_i = grad_c * (coupled ? g - c_old : g) * i * rest(i);
    const V grad_g = grad_c * i * rest(g * g);
    straight_c = straight_c + grad_c * f;
    if (peeps) straight_c = fma(peephole(0), grad_i, straight_c);
    Real* to = row.grad_sums + unit;
    grad_i.store(to, count);
    if constexpr (!coupled) {
      const V grad_f = grad_c * c_old * f * rest(f);
      if (peeps) straight_c = fma(peephole(1), grad_f, straight_c);
      grad_f.store(to += H, count);
    }
    grad_g.store(to += H, count);
    grad_o.store(to += H, count);
    straight_c.store(row.grad_c + unit, count);
  }

  // What is computed again from the gates that were kept: c before zoneout, and o ⊙ tanh c.
  template <int N, class Real>
  ELMAN_INLINE static Wide<Real, N> cell_state(const Real* gates, int64_t units, const Real* c_old,
                                               int64_t unit, int64_t count) {
    using V = Wide<Real, N>;
    const Real* at = gates + unit;
    const V i = V::load(at, count);
    const V f = coupled ? rest(i) : V::load(at + units, count);
    const V g = V::load(at + gate_g * units, count);
    return fma(f, V::load(c_old + unit, count), i * g);
  }
  template <int N, class Real>
  ELMAN_INLINE static Wide<Real, N> middle(const Real* gates, int64_t units, const Real* c_old,
                                           int64_t unit, int64_t count) {
    const auto o = Wide<Real, N>::load(gates + gate_o * units + unit, count);
    return o * tanh(cell_state<N>(gates, units, c_old, unit, count));
  }
};

struct Lstm : AnyLstm<false> {
  static constexpr int gates = 4, vectors = 1, slots = 4, span = 4;
  static constexpr int input_width = 2, input_panels = 2, hidden_width = 2, hidden_panels = 2;
  static constexpr int hidden_slot = 0;
  static constexpr int input_gate[] = {0, 1, 2, 3}, hidden_gate[] = {0, 1, 2, 3};
  static constexpr int columns = 4, hidden_column = 0;
  static constexpr int grad_input_gate[] = {0, 1, 2, 3}, grad_hidden_gate[] = {0, 1, 2, 3};
  static constexpr bool has_cell = true, splits_candidate = false, second_gate = false;
};

struct CoupledLstm : AnyLstm<true> {
  static constexpr int gates = 3, vectors = 1, slots = 3, span = 4;
  static constexpr int input_width = 3, input_panels = 1, hidden_width = 3, hidden_panels = 1;
  static constexpr int hidden_slot = 0;
  static constexpr int input_gate[] = {0, 1, 2}, hidden_gate[] = {0, 1, 2};
  static constexpr int columns = 3, hidden_column = 0;
  static constexpr int grad_input_gate[] = {0, 1, 2}, grad_hidden_gate[] = {0, 1, 2};
  static constexpr bool has_cell = true, splits_candidate = false, second_gate = false;
};

}  // namespace elman::ELMAN_ISA
