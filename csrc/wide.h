// Several vectors that go through the same arithmetic side by side.
//
// An activation is a chain of some fifteen operations, each waiting for the one before. Four chains
// beside each other keep the processor busy where one leaves it waiting.
#pragma once

#include "activations.h"
#include "simd.h"

namespace elman::ELMAN_ISA {

template <class Real, int N>
struct Wide {
  Vector<Real> part[N];

  static constexpr int64_t kNumbers = N * kLanes<Real>;

  ELMAN_INLINE static Wide all(Real value) {
    Wide w;
    for (int n = 0; n < N; ++n) w.part[n] = broadcast(value);
    return w;
  }
  // The first `count` numbers; nothing is touched beyond them. Only a single vector may be cut.
  ELMAN_INLINE static Wide load(const Real* from, int64_t count) {
    Wide w;
    if constexpr (N == 1) {
      w.part[0] = load_first(from, count);
    } else {
      for (int n = 0; n < N; ++n) w.part[n] = ELMAN_ISA::load(from + n * kLanes<Real>);
    }
    return w;
  }
  // One vector every `step` numbers.
  ELMAN_INLINE static Wide load_every(const Real* from, int64_t step) {
    Wide w;
    for (int n = 0; n < N; ++n) w.part[n] = ELMAN_ISA::load(from + n * step);
    return w;
  }
  ELMAN_INLINE void store(Real* to, int64_t count) const {
    if constexpr (N == 1) {
      store_first(to, part[0], count);
    } else {
      for (int n = 0; n < N; ++n) ELMAN_ISA::store(to + n * kLanes<Real>, part[n]);
    }
  }
  template <class F>
  ELMAN_INLINE Wide map(const F& f) const {
    Wide w;
    for (int n = 0; n < N; ++n) w.part[n] = f(part[n]);
    return w;
  }
};

template <class Real, int N>
ELMAN_INLINE Wide<Real, N> operator+(Wide<Real, N> a, const Wide<Real, N>& b) {
  for (int n = 0; n < N; ++n) a.part[n] += b.part[n];
  return a;
}
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> operator-(Wide<Real, N> a, const Wide<Real, N>& b) {
  for (int n = 0; n < N; ++n) a.part[n] -= b.part[n];
  return a;
}
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> operator*(Wide<Real, N> a, const Wide<Real, N>& b) {
  for (int n = 0; n < N; ++n) a.part[n] *= b.part[n];
  return a;
}
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> fma(const Wide<Real, N>& a, const Wide<Real, N>& b, Wide<Real, N> c) {
  for (int n = 0; n < N; ++n) c.part[n] = fma<Real>(a.part[n], b.part[n], c.part[n]);
  return c;
}
// 1 − a
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> rest(Wide<Real, N> a) {
  for (int n = 0; n < N; ++n) a.part[n] = broadcast(Real{1}) - a.part[n];
  return a;
}
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> sigmoid(const Wide<Real, N>& a) {
  return a.map([](Vector<Real> v) { return sigmoid<Real>(v); });
}
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> tanh(const Wide<Real, N>& a) {
  return a.map([](Vector<Real> v) { return tanh<Real>(v); });
}
template <class Real, int N>
ELMAN_INLINE Wide<Real, N> relu(const Wide<Real, N>& a) {
  return a.map([](Vector<Real> v) { return relu<Real>(v); });
}

}  // namespace elman::ELMAN_ISA
