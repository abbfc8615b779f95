// One row at one step, as the pointwise halves of the cells see it. Pointers stand at unit 0.
#pragma once

#include "activations.h"
#include "simd.h"

namespace elman::ELMAN_ISA {

// A share of the old state that is kept: zoneout. Null and 0 keep nothing.
template <class Real>
struct Keep {
  const Real* mask;  // by unit, or null for one rate
  Real rate;

  ELMAN_INLINE bool any() const { return mask != nullptr || rate != 0; }
  ELMAN_INLINE Vector<Real> share(int64_t unit, int64_t count) const {
    return mask != nullptr ? load_first(mask + unit, count) : broadcast(rate);
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
template <class Real>
ELMAN_INLINE Vector<Real> zone_out(Vector<Real> k, Vector<Real> old, Vector<Real> now) {
  return fma<Real>(k, old, (broadcast(Real{1}) - k) * now);
}

// The last act of a step: zoneout, and h(t) stored as output and as the next step's operand.
template <class Real>
ELMAN_INLINE void put_hidden(const Row<Real>& row, int64_t unit, int64_t count, Vector<Real> h) {
  if (row.keep_h.any()) {
    h = zone_out<Real>(row.keep_h.share(unit, count), load_first(row.h_old + unit, count), h);
  }
  store_first(row.h_new + unit, h, count);
  if (row.mask != nullptr) {
    store_first(row.next_operand + unit, h * load_first(row.mask + unit, count), count);
  }
}

// The same row on the way back. `grad_h` holds the gradient of h(t) on entry, without grad_y; on
// return the part of the gradient of h(t−1) that does not pass through R.
template <class Real>
struct BackRow {
  const Real* grad_y;  // or null
  Real* grad_h;
  Real* grad_c;
  Real* grad_sums;      // gradient of the gates' sums
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
template <class Real>
ELMAN_INLINE Vector<Real> take_grad_h(const BackRow<Real>& row, int64_t unit, int64_t count,
                                      Vector<Real>* straight) {
  Vector<Real> grad = load_first(row.grad_h + unit, count);
  if (row.grad_y != nullptr) grad += load_first(row.grad_y + unit, count);
  *straight = Vector<Real>{};
  if (!row.keep_h.any()) return grad;
  const Vector<Real> k = row.keep_h.share(unit, count);
  *straight = k * grad;
  return (broadcast(Real{1}) - k) * grad;
}

}  // namespace elman::ELMAN_ISA
