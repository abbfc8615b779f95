// A linear recurrence over time whose coefficients do not depend on its state. Plain data, no
// functions, so that files compiled for unlike instruction sets may share it.
//
//   s(t) = a(t) ⊙ s(t−1) + b(t)
//
// Cells whose gates do not read h(t−1) reduce to it: their products are large ones over all steps,
// and this is what is left to do in the order of time. Axes: T steps, B rows, W numbers a state.
#pragma once

#include <cstdint>

namespace elman {

// Where a and b come from.
//   real      they are given
//   complex   they are given; a state is W / 2 complex numbers, all real parts before all imaginary
//   mingru    from the sums of the gates z n: mingru_terms in cells/mingru.py
//   minlstm   from the sums of the gates i f g: minlstm_terms in cells/minlstm.py
enum class ScanKind : int32_t { real, complex, mingru, minlstm };

template <class Real>
struct Scan {
  ScanKind kind;
  int64_t steps, rows, width;  // T, B, W
  bool reverse;                // run each row from its own end to its beginning

  const Real* a;  // a(t, b) begins at a + t·a_step + b·a_row; a step of 0 is one a for all steps.
                  // Null where a comes from sums
  int64_t a_step, a_row;
  const Real* b;  // (T, B, W); or the sums of G gates, (T, B, G·W)

  const int64_t* lengths;  // (B), 0 … T in any order, or null for all T
  const uint8_t* resets;   // (T, B), or null: the row is cut between t−1 and t
  const Real* start;       // (B, W): s before the first step, or null for zeros
  const Real* fresh;       // (B, W): what a reset starts from, or null for zeros

  Real* states;  // (T, B, W): s of every step, zeros after a row's end
  Real* last;    // (B, W): s at each row's own end; not used on the way back
};

// The way back. Every gradient is written, zeros after a row's end.
template <class Real>
struct ScanGradients {
  const Real* grad_states;  // (T, B, W), or null for zeros
  const Real* grad_last;    // (B, W), or null for zeros

  Real* grad_a;      // (T, B, W), or (B, W) where a_step is 0: its sum over time; or null, as a
  Real* grad_b;      // as b
  Real* grad_start;  // (B, W)
  Real* grad_fresh;  // (B, W)
};

// What one thread does: some rows, and of each some of the units, which are numbers, or pairs.
struct ScanShare {
  int64_t first_row, last_row;
  int64_t first_unit, last_unit;
};

}  // namespace elman
