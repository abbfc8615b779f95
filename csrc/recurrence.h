// What a kernel is given: a cell, its weights, and one run over time. Plain data, no functions, so
// that files compiled for unlike instruction sets may share it.
//
// Axes as everywhere in Elman: T steps, B rows, I inputs, H units, P outputs (P = H unless the
// LSTM projects), G gates. Sizes are in elements, never in bytes. Matrices are row-major. A pointer
// that may be null says so.
#pragma once

#include <cstdint>

namespace elman {

enum class CellKind : int32_t { simple, lstm, coupled_lstm, gru_reset_after, gru_reset_before };
enum class Nonlinearity : int32_t { tanh, relu, sigmoid, identity };

// The equation: step functions of src/elman/cells/.
struct Cell {
  CellKind kind;
  Nonlinearity nonlinearity;  // of the simple cell; tanh elsewhere
  int64_t inputs, units, outputs;
  bool projected;  // LSTM: h = P (o ⊙ tanh c), P of shape (outputs, units)
};

// Weights as PyTorch holds them, gates stacked i f g o (LSTM), i g o (coupled), r z n (GRU).
template <class Real>
struct Weights {
  const Real* input;        // W, (G·H, I)
  const Real* hidden;       // R, (G·H, P)
  const Real* input_bias;   // b, (G·H), or null
  const Real* hidden_bias;  // b′, (G·H), or null
  const Real* projection;   // (P, H), or null
  const Real* peephole;     // p_i p_f p_o, (3·H); coupled p_i p_o, (2·H); or null
};

// A weight stored in bfloat16: the upper half of a float32.
struct BFloat16 {
  uint16_t bits;
};

// What a cell's weights are laid out as.
//   frozen    panels, for runs forward
//   watched   and a copy of the weights, by which to see whether they changed
//   gradient  panels, and what the backward pass needs
//   direct    no panels: a run so short that a layout costs more reads every weight where it lies
//   step      direct, and what the backward pass of a single step needs whose state before wants no
//             gradient: nothing goes back through R
//   step_to_inputs   and what leads to the inputs
enum class Form : int32_t { frozen, watched, gradient, direct, step, step_to_inputs };

// Whether weights are read where they lie.
inline bool is_direct(Form form) {
  return form == Form::direct || form == Form::step || form == Form::step_to_inputs;
}
// Whether a backward pass can run.
inline bool has_way_back(Form form) {
  return form == Form::gradient || form == Form::step || form == Form::step_to_inputs;
}

// Addresses of a packed cell: panels as in packing.h. `Weight` is Real, or BFloat16 for panels in
// half the memory. What its form does not have is null.
template <class Real, class Weight>
struct Packed {
  const Weight* input;      // W
  const Weight* hidden;     // R; its rows r z alone where the reset gate comes first
  const Weight* second;     // R_n (reset before) or the projection, or null
  const Real* bias;         // where every sum begins
  const Real* peephole;     // filled up with zeros to whole blocks, or null
  const Real* hidden_back;  // R by columns
  const Real* second_back;  // R_n or the projection by columns
  const Real* input_back;   // W by columns
  Weights<Weight> source;   // what was laid out; only the direct form reads it
};

// One run over time. Rows keep the caller's order in every array but `gates` and `cells`.
template <class Real>
struct Forward {
  int64_t steps, rows;  // T, B
  bool reverse;         // run each row from its own end to its beginning

  const Real* x;  // x(t, b) begins at x + t·x_step + b·x_row
  int64_t x_step, x_row;
  Real* y;  // likewise; h of every step, zeros after a row's end
  int64_t y_step, y_row;

  const int64_t* lengths;  // (B), 0 … T in any order, or null for all T
  const uint8_t* resets;   // (T, B), or null: the row is cut between t−1 and t

  const Real* h0;       // (B, P), or null for zeros
  const Real* c0;       // (B, H), likewise
  const Real* fresh_h;  // (B, P): what a reset starts from, or null for zeros
  const Real* fresh_c;  // (B, H), likewise
  Real* hn;             // (B, P): the state at each row's own end
  Real* cn;             // (B, H), LSTM alone

  const Real* mask;     // (B, P): recurrent dropout of h inside R h, or null
  const Real* keep_h;   // (T, B, P): zoneout, the share of the old state kept, or null
  const Real* keep_c;   // (T, B, H), likewise
  Real rate_h, rate_c;  // where keep_h or keep_c is null: one share for all; 0 keeps nothing

  // Kept for the backward pass and for traces; null in inference. Rows are in the order in which
  // they were computed: step by step, within a step the longest rows first (see rows.h).
  Real* gates;  // (N, ·), N = Σ lengths: i f g o · i g o · r z n and R_n h + b′_n (reset after) ·
                // r z n (reset before) · a, the sum before the nonlinearity (simple)
  Real* cells;  // (N, H): c, LSTM alone
};

// Gradients of a run. What is null is not wanted, but for the first three, which then are zero.
// Weight gradients are written, not added to.
template <class Real>
struct Backward {
  const Real* grad_y;  // (t, b) begins at grad_y + t·grad_y_step + b·grad_y_row, or null
  int64_t grad_y_step, grad_y_row;
  const Real* grad_hn;  // (B, P), or null
  const Real* grad_cn;  // (B, H), or null

  Real* grad_x;  // (t, b) begins at grad_x + t·grad_x_step + b·grad_x_row, or null
  int64_t grad_x_step, grad_x_row;
  Real* grad_h0;       // (B, P), or null
  Real* grad_c0;       // (B, H), or null
  Real* grad_fresh_h;  // (B, P), or null
  Real* grad_fresh_c;  // (B, H), or null
  Real* grad_input;    // as Weights::input, or null; the others likewise
  Real* grad_hidden;
  Real* grad_input_bias;
  Real* grad_hidden_bias;
  Real* grad_projection;
  Real* grad_peephole;
};

}  // namespace elman
