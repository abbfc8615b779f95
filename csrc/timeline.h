// Where the rows of a run stand in time and in memory: lengths, resets and reversal, here once.
#pragma once

#include "recurrence.h"
#include "rows.h"
#include "simd.h"

namespace elman::ELMAN_ISA {

struct Range {
  int64_t first, last;
};

// The member's part of `count` things.
ELMAN_INLINE Range part_of(const Share& share, int64_t count) {
  return {count * share.member / share.members, count * (share.member + 1) / share.members};
}

// A number the compiler knows.
template <int N>
struct Number {
  static constexpr int value = N;
};

// f(Number<N>, unit, count) for the units of a range, two vectors at a time and the rest one by
// one; units from `size` on are not there.
template <class Real, class F>
ELMAN_INLINE void over_vectors(Range units, int64_t size, const F& f) {
  constexpr int64_t lanes = kLanes<Real>;
  const int64_t last = units.last < size ? units.last : size;
  int64_t unit = units.first;
  for (; unit + 2 * lanes <= last; unit += 2 * lanes) f(Number<2>{}, unit, 2 * lanes);
  for (; unit < last; unit += lanes)
    f(Number<1>{}, unit, last - unit < lanes ? last - unit : lanes);
}

template <class Real>
struct Timeline {
  const Forward<Real>& run;
  const Rows& rows;
  int64_t units, outputs;
  const Real* zeros;

  ELMAN_INLINE int64_t row(int64_t place) const {
    return rows.order == nullptr ? place : rows.order[place];
  }
  ELMAN_INLINE int64_t length(int64_t place) const {
    return rows.lengths == nullptr ? rows.steps : rows.lengths[place];
  }
  // How many of the places first … last have this step; they are the first of them.
  ELMAN_INLINE int64_t alive(int64_t step, int64_t first, int64_t last) const {
    const int64_t all = rows.alive == nullptr ? rows.rows : rows.alive[step];
    return all <= first ? 0 : (all < last ? all : last) - first;
  }
  ELMAN_INLINE int64_t offset(int64_t step) const {
    return rows.offset == nullptr ? step * rows.rows : rows.offset[step];
  }
  // t of a row's step, counted from the start of the run.
  ELMAN_INLINE int64_t time(int64_t step, int64_t place) const {
    return run.reverse ? length(place) - 1 - step : step;
  }
  // Whether the row is cut before this step: between t−1 and t, from whichever side it comes.
  ELMAN_INLINE bool is_cut(int64_t step, int64_t place) const {
    if (run.resets == nullptr) return false;
    const int64_t t = time(step, place) + (run.reverse ? 1 : 0);
    return t < length(place) && run.resets[t * run.rows + row(place)] != 0;
  }
  ELMAN_INLINE const Real* x(int64_t step, int64_t place) const {
    return run.x + time(step, place) * run.x_step + row(place) * run.x_row;
  }
  ELMAN_INLINE Real* y(int64_t step, int64_t place) const {
    return run.y + time(step, place) * run.y_step + row(place) * run.y_row;
  }
  ELMAN_INLINE Real* c(int64_t step, int64_t place) const {
    return run.cells != nullptr ? run.cells + (offset(step) + place) * units
                                : run.cn + row(place) * units;
  }
  ELMAN_INLINE const Real* given(const Real* state, int64_t place, int64_t size) const {
    return state == nullptr ? zeros : state + row(place) * size;
  }
  // h and c before a step.
  ELMAN_INLINE const Real* h_old(int64_t step, int64_t place) const {
    if (is_cut(step, place)) return given(run.fresh_h, place, outputs);
    return step == 0 ? given(run.h0, place, outputs) : y(step - 1, place);
  }
  ELMAN_INLINE const Real* c_old(int64_t step, int64_t place) const {
    if (is_cut(step, place)) return given(run.fresh_c, place, units);
    return step == 0 ? given(run.c0, place, units) : c(step - 1, place);
  }
  ELMAN_INLINE const Real* kept(const Real* mask, int64_t step, int64_t place, int64_t size) const {
    return mask == nullptr ? nullptr : mask + (time(step, place) * run.rows + row(place)) * size;
  }
};

}  // namespace elman::ELMAN_ISA
