// Linear recurrences over time, called with addresses.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string>
#include <utility>

#include "bindings.h"
#include "scan_run.h"

namespace elman::bindings {

using namespace nb::literals;

namespace {

// Where the arrays of a scan lie, as in scan.h.
struct Arrays {
  ScanKind kind;
  bool reverse;
  int64_t steps, rows, width;
  uintptr_t a;
  int64_t a_step, a_row;
  uintptr_t b, lengths, resets, start, fresh, states;
};

bool is_double(const char* operation, const std::string& dtype) {
  if (dtype != "float32" && dtype != "float64")
    refuse(std::string(operation) + ": dtype must be float32 or float64, got " + dtype + ".");
  return dtype == "float64";
}

ScanKind kind_of(const char* operation, const std::string& kind) {
  constexpr std::pair<const char*, ScanKind> kKinds[] = {{"real", ScanKind::real},
                                                         {"complex", ScanKind::complex},
                                                         {"mingru", ScanKind::mingru},
                                                         {"minlstm", ScanKind::minlstm}};
  for (const auto& [name, known] : kKinds) {
    if (kind == name) return known;
  }
  refuse(std::string(operation) + ": unknown kind '" + kind +
         "'. Known: real, complex, mingru, minlstm.");
}

bool is_given(ScanKind kind) { return kind == ScanKind::real || kind == ScanKind::complex; }

template <class Real>
Scan<Real> scan_of(const char* operation, const Arrays& arrays) {
  check_size(operation, "steps", arrays.steps, 0);
  check_size(operation, "rows", arrays.rows, 0);
  check_size(operation, "width", arrays.width, 1);
  if (arrays.kind == ScanKind::complex && arrays.width % 2 != 0)
    refuse(std::string(operation) + ": the width of complex numbers must be even, got " +
           std::to_string(arrays.width) + ".");
  check_product(operation, "B·T·W", {arrays.steps, arrays.rows, 3 * arrays.width});
  const auto* lengths = optional<const int64_t>(arrays.lengths);
  for (int64_t row = 0; lengths != nullptr && row < arrays.rows; ++row) {
    if (lengths[row] >= 0 && lengths[row] <= arrays.steps) continue;
    refuse("lengths must lie in 0 … T = " + std::to_string(arrays.steps) + ", got " +
           std::to_string(lengths[row]) + " at row " + std::to_string(row) + ".");
  }
  const bool is_empty = arrays.steps == 0 || arrays.rows == 0;
  return {
      .kind = arrays.kind,
      .steps = arrays.steps,
      .rows = arrays.rows,
      .width = arrays.width,
      .reverse = arrays.reverse,
      .a = is_empty || !is_given(arrays.kind) ? nullptr
                                              : needed<const Real>(operation, "a", arrays.a),
      .a_step = arrays.a_step,
      .a_row = arrays.a_row,
      .b = is_empty ? nullptr : needed<const Real>(operation, "b", arrays.b),
      .lengths = lengths,
      .resets = optional<const uint8_t>(arrays.resets),
      .start = optional<const Real>(arrays.start),
      .fresh = optional<const Real>(arrays.fresh),
      .states = is_empty ? nullptr : needed<Real>(operation, "states", arrays.states),
      .last = nullptr,
  };
}

template <class Real>
void scan_in(const Arrays& arrays, uintptr_t last, int threads) {
  Scan<Real> run = scan_of<Real>("scan", arrays);
  check_size("scan", "threads", threads, 1);
  if (run.rows > 0) run.last = needed<Real>("scan", "last", last);
  const Unlocked unlocked;
  run_scan<Real>(*kernels, run, threads);
}

void scan(const std::string& dtype, const std::string& kind, bool reverse, int64_t steps,
          int64_t rows, int64_t width, uintptr_t a, int64_t a_step, int64_t a_row, uintptr_t b,
          uintptr_t lengths, uintptr_t resets, uintptr_t start, uintptr_t fresh, uintptr_t states,
          uintptr_t last, int threads) {
  const ScanKind which = kind_of("scan", kind);
  const Arrays arrays{which, reverse, steps,   rows,   width, a,     a_step,
                      a_row, b,       lengths, resets, start, fresh, states};
  is_double("scan", dtype) ? scan_in<double>(arrays, last, threads)
                           : scan_in<float>(arrays, last, threads);
}

// Where the gradients of a scan lie.
struct Gradients {
  uintptr_t grad_states, grad_last, grad_a, grad_b, grad_start, grad_fresh;
};

template <class Real>
void scan_backward_in(const Arrays& arrays, const Gradients& addresses, int threads) {
  const char* const name = "scan_backward";
  const Scan<Real> run = scan_of<Real>(name, arrays);
  check_size(name, "threads", threads, 1);
  if (run.rows == 0) return;
  const bool has_steps = run.steps > 0;
  const ScanGradients<Real> grads{
      .grad_states = optional<const Real>(addresses.grad_states),
      .grad_last = optional<const Real>(addresses.grad_last),
      .grad_a = is_given(run.kind) && (has_steps || run.a_step == 0)
                    ? needed<Real>(name, "grad_a", addresses.grad_a)
                    : nullptr,
      .grad_b = has_steps ? needed<Real>(name, "grad_b", addresses.grad_b) : nullptr,
      .grad_start = needed<Real>(name, "grad_start", addresses.grad_start),
      .grad_fresh = needed<Real>(name, "grad_fresh", addresses.grad_fresh),
  };
  const Unlocked unlocked;
  run_scan_backward<Real>(*kernels, run, grads, threads);
}

void scan_backward(const std::string& dtype, const std::string& kind, bool reverse, int64_t steps,
                   int64_t rows, int64_t width, uintptr_t a, int64_t a_step, int64_t a_row,
                   uintptr_t b, uintptr_t lengths, uintptr_t resets, uintptr_t start,
                   uintptr_t fresh, uintptr_t states, uintptr_t grad_states, uintptr_t grad_last,
                   uintptr_t grad_a, uintptr_t grad_b, uintptr_t grad_start, uintptr_t grad_fresh,
                   int threads) {
  const ScanKind which = kind_of("scan_backward", kind);
  const Arrays arrays{which, reverse, steps,   rows,   width, a,     a_step,
                      a_row, b,       lengths, resets, start, fresh, states};
  const Gradients grads{grad_states, grad_last, grad_a, grad_b, grad_start, grad_fresh};
  is_double("scan_backward", dtype) ? scan_backward_in<double>(arrays, grads, threads)
                                    : scan_backward_in<float>(arrays, grads, threads);
}

}  // namespace

void bind_scan(nb::module_& module) {
  module.def("scan", &scan, "dtype"_a, "kind"_a, "reverse"_a, "steps"_a, "rows"_a, "width"_a, "a"_a,
             "a_step"_a, "a_row"_a, "b"_a, "lengths"_a, "resets"_a, "start"_a, "fresh"_a,
             "states"_a, "last"_a, "threads"_a, "Run s(t) = a(t) ⊙ s(t−1) + b(t) over time.");
  module.def("scan_backward", &scan_backward, "dtype"_a, "kind"_a, "reverse"_a, "steps"_a, "rows"_a,
             "width"_a, "a"_a, "a_step"_a, "a_row"_a, "b"_a, "lengths"_a, "resets"_a, "start"_a,
             "fresh"_a, "states"_a, "grad_states"_a, "grad_last"_a, "grad_a"_a, "grad_b"_a,
             "grad_start"_a, "grad_fresh"_a, "threads"_a, "The way back of `scan`.");
}

}  // namespace elman::bindings
