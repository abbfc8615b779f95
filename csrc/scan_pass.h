// A linear recurrence over time, forward and, directly below, backward. Every operation is on one
// unit of one row: no result depends on how the work is divided, and all instruction sets give the
// same bits.
#pragma once

#include "activations.h"
#include "scan.h"
#include "simd.h"

namespace elman::ELMAN_ISA {

// Where a row stands in time.
template <class Real>
struct ScanTime {
  const Scan<Real>& run;
  int64_t row, length;

  ELMAN_INLINE ScanTime(const Scan<Real>& scan, int64_t which)
      : run(scan), row(which), length(scan.lengths == nullptr ? scan.steps : scan.lengths[which]) {}

  // t of a step, counted from the start of the run.
  ELMAN_INLINE int64_t time(int64_t step) const { return run.reverse ? length - 1 - step : step; }
  // Whether the row is cut before this step: between t−1 and t, from whichever side it comes.
  ELMAN_INLINE bool is_cut(int64_t step) const {
    if (run.resets == nullptr) return false;
    const int64_t t = time(step) + (run.reverse ? 1 : 0);
    return t < length && run.resets[t * run.rows + row] != 0;
  }
  // Row-steps before that of a step in arrays (T, B, ·).
  ELMAN_INLINE int64_t place(int64_t step) const { return time(step) * run.rows + row; }
  ELMAN_INLINE const Real* a(int64_t step) const {
    return run.a + time(step) * run.a_step + row * run.a_row;
  }
  ELMAN_INLINE const Real* of_row(const Real* states) const {
    return states == nullptr ? nullptr : states + row * run.width;
  }
  // The state before a step; null for zeros.
  ELMAN_INLINE const Real* before(int64_t step) const {
    if (is_cut(step)) return of_row(run.fresh);
    return step == 0 ? of_row(run.start) : run.states + place(step - 1) * run.width;
  }
};

// A vector of real numbers.
template <class Real>
struct RealUnits {
  static constexpr int64_t kParts = 1;
  Vector<Real> value;

  ELMAN_INLINE static RealUnits load(const Real* from, int64_t, int64_t count) {
    return {load_first(from, count)};
  }
  ELMAN_INLINE void store(Real* to, int64_t, int64_t count) const { store_first(to, value, count); }
  ELMAN_INLINE RealUnits operator+(const RealUnits& other) const { return {value + other.value}; }
  ELMAN_INLINE RealUnits operator*(const RealUnits& other) const { return {value * other.value}; }
  ELMAN_INLINE RealUnits conjugate() const { return *this; }
};

// A vector of complex numbers; the imaginary parts lie `apart` numbers behind the real ones.
template <class Real>
struct ComplexUnits {
  static constexpr int64_t kParts = 2;
  Vector<Real> real, imaginary;

  ELMAN_INLINE static ComplexUnits load(const Real* from, int64_t apart, int64_t count) {
    return {load_first(from, count), load_first(from + apart, count)};
  }
  ELMAN_INLINE void store(Real* to, int64_t apart, int64_t count) const {
    store_first(to, real, count);
    store_first(to + apart, imaginary, count);
  }
  ELMAN_INLINE ComplexUnits operator+(const ComplexUnits& other) const {
    return {real + other.real, imaginary + other.imaginary};
  }
  ELMAN_INLINE ComplexUnits operator*(const ComplexUnits& other) const {
    return {real * other.real - imaginary * other.imaginary,
            real * other.imaginary + imaginary * other.real};
  }
  ELMAN_INLINE ComplexUnits conjugate() const { return {real, -imaginary}; }
};

// f(unit, count) for a share of the units, a vector at a time.
template <class Real, class F>
ELMAN_INLINE void over_units(const ScanShare& share, const F& f) {
  constexpr int64_t lanes = kLanes<Real>;
  int64_t unit = share.first_unit;
  for (; unit + lanes <= share.last_unit; unit += lanes) f(unit, lanes);
  if (unit < share.last_unit) f(unit, share.last_unit - unit);
}

// A kind of scan says what one vector of units is, how many blocks of W numbers b has, and, for one
// vector of one row-step, what a and b are and, directly below, how their gradients go on from
// those of a and b.

// a and b as they are given.
template <class Real, class Vectors>
struct Given {
  using Units = Vectors;
  static constexpr int64_t kBlocks = 1;

  const Scan<Real>& run;
  const ScanTime<Real>& time;
  int64_t step;

  ELMAN_INLINE int64_t apart() const { return run.width / Units::kParts; }
  ELMAN_INLINE const Real* b_here() const { return run.b + time.place(step) * run.width; }

  template <class F>
  ELMAN_INLINE void forward(int64_t unit, int64_t count, const F& f) const {
    f(Units::load(time.a(step) + unit, apart(), count),
      Units::load(b_here() + unit, apart(), count));
  }

  // Returns what goes on to the state before: a* ⊙ g.
  ELMAN_INLINE Units backward(const ScanGradients<Real>& grads, const Units& g, const Units& old,
                              int64_t unit, int64_t count) const {
    const bool has_a_step = run.a_step != 0;
    const int64_t here = time.place(step) * run.width + unit;
    g.store(grads.grad_b + here, apart(), count);
    Real* const grad_a = grads.grad_a + (has_a_step ? here : time.row * run.width + unit);
    Units product = g * old.conjugate();
    if (!has_a_step) product = Units::load(grad_a, apart(), count) + product;
    product.store(grad_a, apart(), count);
    return Units::load(time.a(step) + unit, apart(), count).conjugate() * g;
  }
};

// z = σ(p_z), n = p_n;  a = z, b = (1 − z) n
template <class Real>
struct MinGru {
  using Units = RealUnits<Real>;
  static constexpr int64_t kBlocks = 2;

  const Scan<Real>& run;
  const ScanTime<Real>& time;
  int64_t step;

  ELMAN_INLINE int64_t here() const { return time.place(step) * kBlocks * run.width; }

  template <class F>
  ELMAN_INLINE void forward(int64_t unit, int64_t count, const F& f) const {
    const Real* const sums = run.b + here() + unit;
    const Vector<Real> z = sigmoid<Real>(load_first(sums, count));
    const Vector<Real> n = load_first(sums + run.width, count);
    f(Units{z}, Units{(broadcast<Real>(1) - z) * n});
  }

  ELMAN_INLINE Units backward(const ScanGradients<Real>& grads, const Units& g, const Units& old,
                              int64_t unit, int64_t count) const {
    const Real* const sums = run.b + here() + unit;
    const Vector<Real> z = sigmoid<Real>(load_first(sums, count));
    const Vector<Real> n = load_first(sums + run.width, count);
    const Vector<Real> new_share = (broadcast<Real>(1) - z) * g.value;
    Real* const out = grads.grad_b + here() + unit;
    store_first(out, (old.value - n) * z * new_share, count);
    store_first(out + run.width, new_share, count);
    return {z * g.value};
  }
};

// f′ = σ(p_f) / (σ(p_f) + σ(p_i)), i′ = 1 − f′, g = p_g;  a = f′, b = i′ g
template <class Real>
struct MinLstm {
  using Units = RealUnits<Real>;
  static constexpr int64_t kBlocks = 3;

  const Scan<Real>& run;
  const ScanTime<Real>& time;
  int64_t step;

  struct Gates {
    Vector<Real> i_sum, f_sum, i, f, g;
  };

  ELMAN_INLINE int64_t here() const { return time.place(step) * kBlocks * run.width; }

  // With e_i = exp(−p_i) and e_f = exp(−p_f), f′ = (1 + e_i) / (2 + e_i + e_f); all three terms are
  // divided by the greatest, so that none overflows.
  ELMAN_INLINE Gates gates(int64_t unit, int64_t count) const {
    const Real* const sums = run.b + here() + unit;
    const Vector<Real> p_i = load_first(sums, count), p_f = load_first(sums + run.width, count);
    const Vector<Real> zero{};
    Vector<Real> most = p_i < p_f ? -p_i : -p_f;
    most = most > zero ? most : zero;
    const Vector<Real> one = exp<Real>(-most);
    const Vector<Real> e_i = exp<Real>(-p_i - most), e_f = exp<Real>(-p_f - most);
    const Vector<Real> all = (one + e_i) + (one + e_f);
    return {p_i, p_f, (one + e_f) / all, (one + e_i) / all,
            load_first(sums + 2 * run.width, count)};
  }

  template <class F>
  ELMAN_INLINE void forward(int64_t unit, int64_t count, const F& f) const {
    const Gates now = gates(unit, count);
    f(Units{now.f}, Units{now.i * now.g});
  }

  // ∂ ln(f′/i′) = σ(−p_f) ∂p_f − σ(−p_i) ∂p_i
  ELMAN_INLINE Units backward(const ScanGradients<Real>& grads, const Units& g, const Units& old,
                              int64_t unit, int64_t count) const {
    const Gates now = gates(unit, count);
    const Vector<Real> input = now.i * g.value;
    const Vector<Real> ratio = (old.value - now.g) * now.f * input;
    Real* const out = grads.grad_b + here() + unit;
    store_first(out, -ratio * sigmoid<Real>(-now.i_sum), count);
    store_first(out + run.width, ratio * sigmoid<Real>(-now.f_sum), count);
    store_first(out + 2 * run.width, input, count);
    return {now.f * g.value};
  }
};

template <class Real, class Kind>
class ScanPass {
 public:
  using Units = typename Kind::Units;

  ScanPass(const Scan<Real>& run, const ScanShare& share)
      : run_(run), share_(share), apart_(run.width / Units::kParts) {}

  void forward() const {
    for (int64_t row = share_.first_row; row < share_.last_row; ++row) {
      const ScanTime<Real> time(run_, row);
      if (time.length == 0) copy(time.of_row(run_.start), run_.last + row * run_.width);
    }
    for (int64_t step = 0; step < run_.steps; ++step) {
      for (int64_t row = share_.first_row; row < share_.last_row; ++row)
        forward_step(ScanTime<Real>(run_, row), step);
    }
  }

  // grad_start holds what goes on to the state before, step by step.
  void backward(const ScanGradients<Real>& grads) const {
    for (int64_t row = share_.first_row; row < share_.last_row; ++row) {
      const ScanTime<Real> time(run_, row);
      const int64_t place = row * run_.width;
      copy(time.of_row(grads.grad_last), grads.grad_start + place);
      copy(nullptr, grads.grad_fresh + place);
      if (grads.grad_a != nullptr && run_.a_step == 0) copy(nullptr, grads.grad_a + place);
    }
    for (int64_t step = run_.steps - 1; step >= 0; --step) {
      for (int64_t row = share_.first_row; row < share_.last_row; ++row)
        backward_step(grads, ScanTime<Real>(run_, row), step);
    }
  }

 private:
  ELMAN_INLINE Units load(const Real* from, int64_t unit, int64_t count) const {
    return from == nullptr ? Units{} : Units::load(from + unit, apart_, count);
  }
  ELMAN_INLINE void store(const Units& units, Real* to, int64_t unit, int64_t count) const {
    units.store(to + unit, apart_, count);
  }
  // Zeros where `from` is null.
  ELMAN_INLINE void copy(const Real* from, Real* to) const {
    over_units<Real>(share_, [&](int64_t unit, int64_t count) {
      store(load(from, unit, count), to, unit, count);
    });
  }

  ELMAN_INLINE void forward_step(const ScanTime<Real>& time, int64_t step) const {
    if (step >= time.length)
      return copy(nullptr, run_.states + (step * run_.rows + time.row) * run_.width);
    const Kind kind{run_, time, step};
    const Real* const old = time.before(step);
    Real* const state = run_.states + time.place(step) * run_.width;
    over_units<Real>(share_, [&](int64_t unit, int64_t count) {
      kind.forward(unit, count, [&](const Units& a, const Units& b) {
        store(old == nullptr ? b : a * load(old, unit, count) + b, state, unit, count);
      });
    });
    if (step == time.length - 1) copy(state, run_.last + time.row * run_.width);
  }

  ELMAN_INLINE void backward_step(const ScanGradients<Real>& grads, const ScanTime<Real>& time,
                                  int64_t step) const {
    if (step >= time.length) {
      const int64_t place = step * run_.rows + time.row;
      if (grads.grad_a != nullptr && run_.a_step != 0)
        copy(nullptr, grads.grad_a + place * run_.width);
      for (int64_t block = 0; block < Kind::kBlocks; ++block)
        copy(nullptr, grads.grad_b + (place * Kind::kBlocks + block) * run_.width);
      return;
    }
    const Kind kind{run_, time, step};
    const Real* const old = time.before(step);
    const Real* const from =
        grads.grad_states == nullptr ? nullptr : grads.grad_states + time.place(step) * run_.width;
    Real* const before = grads.grad_start + time.row * run_.width;
    Real* const fresh = grads.grad_fresh + time.row * run_.width;
    const bool is_cut = time.is_cut(step);
    over_units<Real>(share_, [&](int64_t unit, int64_t count) {
      const Units g = load(from, unit, count) + load(before, unit, count);
      Units back = kind.backward(grads, g, load(old, unit, count), unit, count);
      if (is_cut) {
        store(load(fresh, unit, count) + back, fresh, unit, count);
        back = Units{};
      }
      store(back, before, unit, count);
    });
  }

  const Scan<Real>& run_;
  const ScanShare& share_;
  const int64_t apart_;
};

// Calls f with the pass of a scan's kind.
template <class Real, class F>
void with_pass(const Scan<Real>& run, const ScanShare& share, const F& f) {
  switch (run.kind) {
    case ScanKind::real: return f(ScanPass<Real, Given<Real, RealUnits<Real>>>(run, share));
    case ScanKind::complex: return f(ScanPass<Real, Given<Real, ComplexUnits<Real>>>(run, share));
    case ScanKind::mingru: return f(ScanPass<Real, MinGru<Real>>(run, share));
    case ScanKind::minlstm: return f(ScanPass<Real, MinLstm<Real>>(run, share));
  }
}

template <class Real>
void scan_forward(const Scan<Real>& run, const ScanShare& share) {
  with_pass(run, share, [](const auto& pass) { pass.forward(); });
}

template <class Real>
void scan_backward(const Scan<Real>& run, const ScanGradients<Real>& grads,
                   const ScanShare& share) {
  with_pass(run, share, [&](const auto& pass) { pass.backward(grads); });
}

}  // namespace elman::ELMAN_ISA
