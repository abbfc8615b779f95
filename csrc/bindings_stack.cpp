// A stack of layers over whole sequences in one call: inference from the weights as they are now.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "bindings.h"

namespace elman::bindings {

using namespace nb::literals;

namespace {

// Where a call's arrays lie; (t, b) of x and y stand as in recurrence.h, states are (L·D, B, ·).
struct Arrays {
  int64_t steps, rows;
  uintptr_t x;
  int64_t x_step, x_row;
  uintptr_t y;
  int64_t y_step, y_row;
  uintptr_t h0, c0, hn, cn;
};

class Stack {
 public:
  // One list a layer, with the direct weights of each direction; they live as long as the stack.
  explicit Stack(nb::object owned)
      : owned_(std::move(owned)),
        layers_(nb::cast<std::vector<std::vector<Packed*>>>(owned_)),
        panels_(layers_.size()) {
    if (layers_.empty()) refuse("Stack: give at least one layer.");
    const Cell& first = layers_[0].at(0)->cell();
    int64_t inputs = first.inputs;
    for (const auto& layer : layers_) {
      if (layer.size() != layers_[0].size() || layer.empty() || layer.size() > 2)
        refuse("Stack: give every layer one direction, or every layer two.");
      for (const Packed* packed : layer) check(*packed, *layers_[0][0], inputs);
      inputs = static_cast<int64_t>(layer.size()) * first.outputs;
    }
  }

  void run(int64_t steps, int64_t rows, uintptr_t x, int64_t x_step, int64_t x_row, uintptr_t y,
           int64_t y_step, int64_t y_row, uintptr_t h0, uintptr_t c0, uintptr_t hn, uintptr_t cn,
           int threads) {
    const Cell& cell = layers_[0][0]->cell();
    check_size("Stack", "steps", steps, 1);
    check_size("Stack", "rows", rows, 1);
    check_size("Stack", "threads", threads, 1);
    check_product("Stack", "B·T·H", {steps, rows, cell.units + 2 * cell.outputs});
    check_product("Stack", "B·T·I", {steps, rows, cell.inputs});
    if (cell.inputs > 0) needed<const char>("Stack", "x", x);
    needed<char>("Stack", "y", y);
    needed<char>("Stack", "hn", hn);
    if (has_cell_state(cell)) needed<char>("Stack", "cn", cn);
    const Arrays arrays{steps, rows, x, x_step, x_row, y, y_step, y_row, h0, c0, hn, cn};
    const Unlocked unlocked;
    if (layers_[0][0]->is_double()) {
      run_layers<double>(arrays, threads);
    } else {
      run_layers<float>(arrays, threads);
    }
  }

 private:
  // The weights as they are now, for a run of so many steps.
  template <class Real>
  const PackedCell<Real, Real>& weights(size_t layer, size_t way, int64_t steps) {
    auto& direct = layers_[layer][way]->cell_of<Real>();
    if (steps <= kDirectSteps) {
      direct.refresh(direct.source());  // the biases
      return direct;
    }
    auto& panels = panels_[layer];
    while (panels.size() <= way) panels.emplace_back();
    auto& own = panels[way];
    if (own.has_value()) {
      std::get<PackedCell<Real, Real>>(*own).refresh(direct.source());
    } else {
      own.emplace(PackedCell<Real, Real>(*kernels, direct.cell(), direct.source(), Form::watched));
    }
    return std::get<PackedCell<Real, Real>>(*own);
  }

  static void check(const Packed& packed, const Packed& first, int64_t inputs) {
    const Cell &cell = packed.cell(), &other = first.cell();
    if (packed.form() != Form::direct) refuse("Stack: its weights must be direct.");
    if (cell.inputs != inputs)
      refuse("Stack: a layer reads " + std::to_string(inputs) +
             " inputs, and its weights are for " + std::to_string(cell.inputs) + ".");
    if (cell.units != other.units || cell.outputs != other.outputs || cell.kind != other.kind)
      refuse("Stack: all layers must have one cell and one size.");
    if (packed.any().index() != first.any().index() || packed.any().index() == 2)
      refuse("Stack: all layers must be float32, or all float64.");
  }

  template <class Real>
  void run_layers(const Arrays& arrays, int threads) {
    const Cell& cell = layers_[0][0]->cell();
    const auto ways = static_cast<int64_t>(layers_[0].size());
    const int64_t steps = arrays.steps, rows = arrays.rows;
    const int64_t wide = ways * cell.outputs;
    const int64_t between = layers_.size() > 1 ? steps * rows * wide : 0;
    std::vector<Real> handed[2];
    std::vector<const PackedCell<Real, Real>*> cells;
    {
      const std::lock_guard lock(refreshing_);
      for (size_t layer = 0; layer < layers_.size(); ++layer) {
        for (size_t way = 0; way < layers_[0].size(); ++way)
          cells.push_back(&weights<Real>(layer, way, steps));
      }
    }
    const Real* x = optional<const Real>(arrays.x);
    int64_t x_step = arrays.x_step, x_row = arrays.x_row;
    for (size_t layer = 0; layer < layers_.size(); ++layer) {
      const bool is_last = layer + 1 == layers_.size();
      std::vector<Real>& room = handed[layer % 2];
      if (!is_last) room.resize(static_cast<size_t>(between));
      Real* y = is_last ? optional<Real>(arrays.y) : room.data();
      const int64_t y_step = is_last ? arrays.y_step : rows * wide;
      const int64_t y_row = is_last ? arrays.y_row : wide;
      ForwardJob<Real, Real> jobs[2];
      for (int64_t way = 0; way < ways; ++way) {
        const int64_t place = static_cast<int64_t>(layer) * ways + way;
        const int64_t h_at = place * rows * cell.outputs, c_at = place * rows * cell.units;
        const auto at = [](uintptr_t address, int64_t offset) {
          return address == 0 ? nullptr : optional<Real>(address) + offset;
        };
        Forward<Real> run{};
        run.steps = steps;
        run.rows = rows;
        run.reverse = way == 1;
        run.x = x;
        run.x_step = x_step;
        run.x_row = x_row;
        run.y = y + way * cell.outputs;
        run.y_step = y_step;
        run.y_row = y_row;
        run.h0 = at(arrays.h0, h_at);
        run.c0 = at(arrays.c0, c_at);
        run.hn = at(arrays.hn, h_at);
        run.cn = at(arrays.cn, c_at);
        jobs[way] = {cells[static_cast<size_t>(place)], run};
      }
      run_forward<Real, Real>(jobs, static_cast<int>(ways), threads);
      x = y;
      x_step = y_step;
      x_row = y_row;
    }
  }

  nb::object owned_;
  std::vector<std::vector<Packed*>> layers_;
  std::vector<std::deque<std::optional<Packed::Any>>> panels_;  // made when a run has many steps
  std::mutex refreshing_;
};

}  // namespace

void bind_stack(nb::module_& module) {
  nb::class_<Stack>(module, "Stack", "Layers that run over whole sequences in one call.")
      .def(nb::init<nb::object>(), "layers"_a)
      .def("run", &Stack::run, "steps"_a, "rows"_a, "x"_a, "x_step"_a, "x_row"_a, "y"_a, "y_step"_a,
           "y_row"_a, "h0"_a, "c0"_a, "hn"_a, "cn"_a, "threads"_a,
           "Run all layers without gradients.");
}

}  // namespace elman::bindings
