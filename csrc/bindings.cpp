// The Python module: checks every argument once, so that kernels need not. Only the bindings know
// Python; bindings.h says how arrays come.
#include "bindings.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <variant>
#include <vector>

#include "isa.h"

namespace elman::bindings {

using namespace nb::literals;

const Kernels* kernels = nullptr;

namespace {

// One run over time: which cell, and where its arrays are.
class Forward {
 public:
  Forward(const Packed& packed, int64_t steps, int64_t rows, bool reverse, uintptr_t x,
          int64_t x_step, int64_t x_row, uintptr_t y, int64_t y_step, int64_t y_row,
          uintptr_t lengths, uintptr_t resets, uintptr_t h0, uintptr_t c0, uintptr_t fresh_h,
          uintptr_t fresh_c, uintptr_t hn, uintptr_t cn, uintptr_t mask, uintptr_t keep_h,
          uintptr_t keep_c, double rate_h, double rate_c, uintptr_t gates, uintptr_t cells)
      : packed_(&packed) {
    check(steps, rows, x, y, lengths, cn);
    check_share("Forward", "rate_h", rate_h);
    check_share("Forward", "rate_c", rate_c);
    const auto fill = [&]<class Real>() {
      const auto in = [](uintptr_t address) { return optional<const Real>(address); };
      return elman::Forward<Real>{
          .steps = steps,
          .rows = rows,
          .reverse = reverse,
          .x = in(x),
          .x_step = x_step,
          .x_row = x_row,
          .y = optional<Real>(y),
          .y_step = y_step,
          .y_row = y_row,
          .lengths = optional<const int64_t>(lengths),
          .resets = optional<const uint8_t>(resets),
          .h0 = in(h0),
          .c0 = in(c0),
          .fresh_h = in(fresh_h),
          .fresh_c = in(fresh_c),
          .hn = rows == 0 ? optional<Real>(hn) : needed<Real>("Forward", "hn", hn),
          .cn = optional<Real>(cn),
          .mask = in(mask),
          .keep_h = in(keep_h),
          .keep_c = in(keep_c),
          .rate_h = static_cast<Real>(rate_h),
          .rate_c = static_cast<Real>(rate_c),
          .gates = optional<Real>(gates),
          .cells = optional<Real>(cells),
      };
    };
    if (packed.is_double()) {
      run_ = fill.template operator()<double>();
    } else {
      run_ = fill.template operator()<float>();
    }
  }

  const Packed& packed() const { return *packed_; }
  template <class Real>
  const elman::Forward<Real>& run() const {
    return std::get<elman::Forward<Real>>(run_);
  }

 private:
  void check(int64_t steps, int64_t rows, uintptr_t x, uintptr_t y, uintptr_t lengths,
             uintptr_t cn) const {
    const Cell& cell = packed_->cell();
    check_size("Forward", "steps", steps, 0);
    check_size("Forward", "rows", rows, 0);
    check_product("Forward", "B·T·H", {steps, rows, cell.units + cell.outputs});
    check_product("Forward", "B·T·I", {steps, rows, cell.inputs});
    if (rows > 0 && steps > 0) {
      if (cell.inputs > 0) needed<const char>("Forward", "x", x);
      needed<const char>("Forward", "y", y);
    }
    if (has_cell_state(cell) && rows > 0) needed<char>("Forward", "cn", cn);
    const auto* length = optional<const int64_t>(lengths);
    for (int64_t row = 0; length != nullptr && row < rows; ++row) {
      if (length[row] >= 0 && length[row] <= steps) continue;
      refuse("lengths must lie in 0 … T = " + std::to_string(steps) + ", got " +
             std::to_string(length[row]) + " at row " + std::to_string(row) + ".");
    }
  }

  const Packed* packed_;
  std::variant<elman::Forward<float>, elman::Forward<double>> run_;
};

// A run on the way back.
class Backward {
 public:
  Backward(const Forward& forward, uintptr_t grad_y, int64_t grad_y_step, int64_t grad_y_row,
           uintptr_t grad_hn, uintptr_t grad_cn, uintptr_t grad_x, int64_t grad_x_step,
           int64_t grad_x_row, uintptr_t grad_h0, uintptr_t grad_c0, uintptr_t grad_fresh_h,
           uintptr_t grad_fresh_c, uintptr_t grad_input, uintptr_t grad_hidden,
           uintptr_t grad_input_bias, uintptr_t grad_hidden_bias, uintptr_t grad_projection,
           uintptr_t grad_peephole)
      : forward_(&forward) {
    if (!forward.packed().has_gradient())
      refuse("Backward: the weights were packed without gradient=True.");
    const Form form = forward.packed().form();
    const auto fill = [&]<class Real>() {
      const elman::Forward<Real>& run = forward.run<Real>();
      check_kept(forward.packed().cell(), run);
      if (form != Form::gradient && (run.steps > 1 || run.resets != nullptr || grad_h0 != 0))
        refuse("Backward: weights packed for a step lead to no state before it, nor to resets.");
      if (form == Form::step && grad_x != 0)
        refuse("Backward: grad_x needs weights packed as 'step_to_inputs', not 'step'.");
      const auto out = [](uintptr_t address) { return optional<Real>(address); };
      return elman::Backward<Real>{
          .grad_y = optional<const Real>(grad_y),
          .grad_y_step = grad_y_step,
          .grad_y_row = grad_y_row,
          .grad_hn = optional<const Real>(grad_hn),
          .grad_cn = optional<const Real>(grad_cn),
          .grad_x = out(grad_x),
          .grad_x_step = grad_x_step,
          .grad_x_row = grad_x_row,
          .grad_h0 = out(grad_h0),
          .grad_c0 = out(grad_c0),
          .grad_fresh_h = out(grad_fresh_h),
          .grad_fresh_c = out(grad_fresh_c),
          .grad_input = out(grad_input),
          .grad_hidden = out(grad_hidden),
          .grad_input_bias = out(grad_input_bias),
          .grad_hidden_bias = out(grad_hidden_bias),
          .grad_projection = out(grad_projection),
          .grad_peephole = out(grad_peephole),
      };
    };
    if (forward.packed().is_double()) {
      grads_ = fill.template operator()<double>();
    } else {
      grads_ = fill.template operator()<float>();
    }
  }

  const Forward& forward() const { return *forward_; }
  template <class Real>
  const elman::Backward<Real>& grads() const {
    return std::get<elman::Backward<Real>>(grads_);
  }

 private:
  template <class Real>
  static void check_kept(const Cell& cell, const elman::Forward<Real>& run) {
    if (run.steps == 0 || run.rows == 0) return;
    const bool mixes = run.keep_h != nullptr || run.rate_h != 0;
    if ((cell.kind != CellKind::simple || mixes) && run.gates == nullptr)
      refuse("Backward: gates is null; the forward run must keep them.");
    if (has_cell_state(cell) && run.cells == nullptr)
      refuse("Backward: cells is null; the forward run must keep them.");
  }

  const Forward* forward_;
  std::variant<elman::Backward<float>, elman::Backward<double>> grads_;
};

constexpr size_t kMostRuns = 2;

template <class Run>
void check_runs(const char* operation, const std::vector<const Run*>& runs, int threads) {
  if (runs.empty() || runs.size() > kMostRuns) {
    refuse(std::string(operation) + ": give one run or two, got " + std::to_string(runs.size()) +
           ".");
  }
  for (const Run* run : runs) {
    if (run == nullptr) refuse(std::string(operation) + ": a run is None.");
  }
  check_size(operation, "threads", threads, 1);
}

void forward(const std::vector<const Forward*>& runs, int threads) {
  check_runs("forward", runs, threads);
  std::visit(
      [&]<class Real, class Weight>(const PackedCell<Real, Weight>&) {
        ForwardJob<Real, Weight> jobs[kMostRuns];
        for (size_t i = 0; i < runs.size(); ++i) {
          const auto* cell = std::get_if<PackedCell<Real, Weight>>(&runs[i]->packed().any());
          if (cell == nullptr) refuse("forward: both runs must have one dtype.");
          jobs[i] = {cell, runs[i]->run<Real>()};
        }
        const Unlocked unlocked;
        run_forward<Real, Weight>(jobs, static_cast<int>(runs.size()), threads);
      },
      runs[0]->packed().any());
}

template <class Real>
void backward_in(const std::vector<const Backward*>& runs, int threads) {
  BackwardJob<Real> jobs[kMostRuns];
  for (size_t i = 0; i < runs.size(); ++i) {
    const Forward& forward = runs[i]->forward();
    const auto* cell = std::get_if<PackedCell<Real, Real>>(&forward.packed().any());
    if (cell == nullptr) refuse("backward: both runs must have one dtype.");
    jobs[i] = {cell, forward.run<Real>(), runs[i]->grads<Real>()};
  }
  const Unlocked unlocked;
  run_backward<Real>(jobs, static_cast<int>(runs.size()), threads);
}

void backward(const std::vector<const Backward*>& runs, int threads) {
  check_runs("backward", runs, threads);
  const bool is_double = runs[0]->forward().packed().is_double();
  is_double ? backward_in<double>(runs, threads) : backward_in<float>(runs, threads);
}

// (step, row) of every row-step in the order of `gates` and `cells`.
nb::ndarray<nb::numpy, int64_t, nb::ndim<2>> packed_rows(
    int64_t steps, nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> lengths) {
  check_size("packed_rows", "steps", steps, 0);
  const auto count = static_cast<int64_t>(lengths.shape(0));
  check_product("packed_rows", "T·B", {steps, count});
  for (int64_t row = 0; row < count; ++row) {
    if (lengths.data()[row] < 0 || lengths.data()[row] > steps)
      refuse("packed_rows: lengths must lie in 0 … T = " + std::to_string(steps) + ".");
  }
  const RowOrder order(steps, count, lengths.data());
  const Rows rows = order.view();
  auto* pairs = new int64_t[static_cast<size_t>(2 * rows.total + 1)];
  nb::capsule owner(pairs, [](void* memory) noexcept { delete[] static_cast<int64_t*>(memory); });
  int64_t at = 0;
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t alive = rows.alive == nullptr ? rows.rows : rows.alive[step];
    for (int64_t place = 0; place < alive; ++place) {
      pairs[at++] = step;
      pairs[at++] = rows.order == nullptr ? place : rows.order[place];
    }
  }
  return nb::ndarray<nb::numpy, int64_t, nb::ndim<2>>(
      pairs, {static_cast<size_t>(rows.total), size_t{2}}, owner);
}

double fma_rate(double seconds) {
  using Clock = std::chrono::steady_clock;
  if (!(seconds > 0)) refuse("fma_rate: seconds must be above 0.");
  constexpr int64_t rounds = 100000;
  kernels->fma_rounds(rounds);
  const Clock::time_point begin = Clock::now();
  double passed = 0, operations = 0;
  while (passed < seconds) {
    operations += static_cast<double>(kernels->fma_rounds(rounds));
    passed = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  return operations / passed / 1e9;
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const InstructionSet& set : known_instruction_sets()) {
    if (set.runs()) names.emplace_back(set.name);
  }
  return names;
}

void choose() {
  std::string_view reason;
  const char* wanted = std::getenv("ELMAN_ISA");
  kernels = choose_kernels(wanted, &reason);
  if (kernels == nullptr) {
    refuse("ELMAN_ISA asks for the instruction set '" + std::string(wanted) + "', but " +
           std::string(reason) + ".");
  }
}

}  // namespace

void bind(nb::module_& module) {
  choose();
  // What a daemon thread used when the interpreter ended is never freed, which is no leak.
  nb::set_leak_warnings(false);
  module.doc() = "Elman's C++ kernels.";
  // What is laid out for a layer that lives until the interpreter ends is not lost.
  nb::set_leak_warnings(false);
  module.def("instruction_sets", &instruction_sets,
             "Names of the instruction sets this processor runs, widest last.");
  module.def(
      "instruction_set", [] { return kernels->instruction_set; },
      "The instruction set that the kernels run with.");
  module.def("compiler", &compiler, "The compiler that built the kernels, with its version.");
  module.def("fma_rate", &fma_rate, "seconds"_a,
             "What one core can do at most: float32 multiply-adds in GFLOP/s.");
  bind_packed(module);
  bind_stack(module);
  bind_stream(module);
  bind_scan(module);
  nb::class_<Forward>(module, "Forward", "One run over time in one direction.")
      .def(nb::init<const Packed&, int64_t, int64_t, bool, uintptr_t, int64_t, int64_t, uintptr_t,
                    int64_t, int64_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                    uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, double,
                    double, uintptr_t, uintptr_t>(),
           "packed"_a, "steps"_a, "rows"_a, "reverse"_a, "x"_a, "x_step"_a, "x_row"_a, "y"_a,
           "y_step"_a, "y_row"_a, "lengths"_a, "resets"_a, "h0"_a, "c0"_a, "fresh_h"_a, "fresh_c"_a,
           "hn"_a, "cn"_a, "mask"_a, "keep_h"_a, "keep_c"_a, "rate_h"_a, "rate_c"_a, "gates"_a,
           "cells"_a, nb::keep_alive<1, 2>());
  nb::class_<Backward>(module, "Backward", "The gradients of one run.")
      .def(nb::init<const Forward&, uintptr_t, int64_t, int64_t, uintptr_t, uintptr_t, uintptr_t,
                    int64_t, int64_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                    uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t>(),
           "forward"_a, "grad_y"_a, "grad_y_step"_a, "grad_y_row"_a, "grad_hn"_a, "grad_cn"_a,
           "grad_x"_a, "grad_x_step"_a, "grad_x_row"_a, "grad_h0"_a, "grad_c0"_a, "grad_fresh_h"_a,
           "grad_fresh_c"_a, "grad_input"_a, "grad_hidden"_a, "grad_input_bias"_a,
           "grad_hidden_bias"_a, "grad_projection"_a, "grad_peephole"_a, nb::keep_alive<1, 2>());
  module.def("forward", &forward, "runs"_a, "threads"_a, "Run one direction of a layer, or both.");
  module.def("backward", &backward, "runs"_a, "threads"_a, "The way back of `forward`.");
  module.def("packed_rows", &packed_rows, "steps"_a, "lengths"_a.noconvert(),
             "(step, row) of every row-step in the order of `gates` and `cells`.");
}

}  // namespace elman::bindings

NB_MODULE(_kernels, module) { elman::bindings::bind(module); }
