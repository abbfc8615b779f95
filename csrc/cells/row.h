// One row at one step, as the pointwise halves of the cells see it. Pointers stand at unit 0.
#pragma once

#include "wide.h"

namespace elman::ELMAN_ISA {

// A cell is a struct of constants, which say how its gates are divided, and of its halves:
//
//   gates, vectors      G; vectors of units in a block
//   slots               vectors of sums in the tile of a block
//   span                blocks whose panels stay in the nearest cache together
//   …_width, …_panels   vectors side by side in a panel; panels of a block
//   hidden_slot         the first slot that R h adds to
//   …_gate              which gate of PyTorch's order stands in a slot
//   columns             blocks of H in a row of the gates kept, and in a row of δsums
//   hidden_column       the first column of δsums that goes back through R
//   grad_…_gate         which gate of PyTorch's order a column of δsums belongs to, or kNone
//   has_cell            whether there is a c, and h may be projected
//   splits_candidate    whether R_n h has a slot of its own
//   second_gate         whether a second product adds to the candidate: R_n (r ⊙ h)
//
//   forward, backward   the pointwise halves of a step
//   finish              after a second product, where there is one; backward_reset on the way back
inline constexpr int kNone = -1;

// A share of the old state that is kept: zoneout. Null and 0 keep nothing.
template <class Real>
struct Keep {
  const Real* mask;  // by unit, or null for one rate
  Real rate;

  ELMAN_INLINE bool any() const { return mask != nullptr || rate != 0; }
  template <int N>
  ELMAN_INLINE Wide<Real, N> share(int64_t unit, int64_t count) const {
    return mask != nullptr ? Wide<Real, N>::load(mask + unit, count) : Wide<Real, N>::all(rate);
  }
};

template <class Real>
struct Row {
  const Real* h_old;    // h(t−1)
  const Real* c_old;    // c(t−1), LSTM
  const Real* operand;  // h(t−1) as R h reads it: through recurrent dropout's mask
  Real* h_new;
  Real* c_new;
  Real* gates;         // kept for the backward pass, or null
  Real* middle;        // what a second product reads: r ⊙ h, or o ⊙ tanh c before a projection
  Real* candidate;     // n's sum so far, reset before
  Real* update;        // z, reset before
  const Real* mask;    // recurrent dropout, or null
  Real* next_operand;  // mask ⊙ h(t), where there is a mask
  Keep<Real> keep_h, keep_c;
  const Real* peephole;
  int64_t units, peephole_step;
};

// k ⊙ old + (1 − k) ⊙ now; exact for k = 0 and k = 1.
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> zone_out(const Wide<Real, N>& k, const Wide<Real, N>& old,
                                    const Wide<Real, N>& now) {
  return fma(k, old, rest(k) * now);
}

// The last act of a step: zoneout, and h(t) stored as output and as the next step's operand.
template <class Real, int N>
ELMAN_INLINE void put_hidden(const Row<Real>& row, int64_t unit, int64_t count, Wide<Real, N> h) {
  using V = Wide<Real, N>;
  if (row.keep_h.any()) {
    h = zone_out(row.keep_h.template share<N>(unit, count), V::load(row.h_old + unit, count), h);
  }
  h.store(row.h_new + unit, count);
  if (row.mask != nullptr) {
    (h * V::load(row.mask + unit, count)).store(row.next_operand + unit, count);
  }
}

// The same row on the way back. `grad_h` holds the gradient of h(t) on entry, without grad_y; on
// return the part of the gradient of h(t−1) that does not pass through R.
template <class Real>
struct BackRow {
  const Real* grad_y;  // or null
  Real* grad_h;
  Real* grad_c;
  Real* grad_sums;          // gradient of the gates' sums
  const Real* grad_middle;  // of o ⊙ tanh c under a projection, or of r ⊙ h
  const Real* gates;
  const Real* h_old;
  const Real* c_old;
  const Real* h_new;
  const Real* mask;
  Keep<Real> keep_h, keep_c;
  const Real* peephole;
  int64_t units, peephole_step;
};

// The gradient of h(t), of which zoneout sends a share straight to h(t−1).
template <int N, class Real>
ELMAN_INLINE Wide<Real, N> take_grad_h(const BackRow<Real>& row, int64_t unit, int64_t count,
                                       Wide<Real, N>* straight) {
  using V = Wide<Real, N>;
  V grad = V::load(row.grad_h + unit, count);
  if (row.grad_y != nullptr) grad = grad + V::load(row.grad_y + unit, count);
  *straight = V::all(0);
  if (!row.keep_h.any()) return grad;
  const V k = row.keep_h.template share<N>(unit, count);
  *straight = k * grad;
  return rest(k) * grad;
}

}  // namespace elman::ELMAN_ISA
