// A stack of layers over whole sequences in one call: inference from weights that stay as they are.
#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.h"

namespace elman::bindings {

using namespace nb::literals;

namespace {

// A matrix by which to see that weights are what they were: address, rows, columns, bytes a number.
using Sample = std::tuple<uintptr_t, int64_t, int64_t, int64_t>;

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
  // One list a layer, with the weights of each direction; they live as long as the stack.
  Stack(nb::object owned, std::vector<Sample> samples)
      : owned_(std::move(owned)),
        layers_(nb::cast<std::vector<std::vector<const Packed*>>>(owned_)),
        samples_(std::move(samples)) {
    const auto& layers = layers_;
    if (layers.empty()) refuse("Stack: give at least one layer.");
    const Cell& first = layers[0].at(0)->cell();
    int64_t inputs = first.inputs;
    for (const auto& layer : layers) {
      if (layer.size() != layers[0].size() || layer.empty() || layer.size() > 2)
        refuse("Stack: give every layer one direction, or every layer two.");
      for (const Packed* packed : layer) check(*packed, *layers[0][0], inputs);
      inputs = static_cast<int64_t>(layer.size()) * first.outputs;
    }
    for (const auto& [address, rows, columns, bytes] : samples_)
      fingerprint_of(address, rows, columns, bytes);
    packed_as_ = fingerprint();
  }

  // Whether the samples, read where they lie, are what they were when the stack was made.
  bool is_current() const { return fingerprint() == packed_as_; }

  void run(int64_t steps, int64_t rows, uintptr_t x, int64_t x_step, int64_t x_row, uintptr_t y,
           int64_t y_step, int64_t y_row, uintptr_t h0, uintptr_t c0, uintptr_t hn, uintptr_t cn,
           int threads) const {
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
  uint64_t fingerprint() const {
    uint64_t sum = 0;
    for (const auto& [address, rows, columns, bytes] : samples_)
      sum = sum * 31 + fingerprint_of(address, rows, columns, bytes);
    return sum;
  }

  static void check(const Packed& packed, const Packed& first, int64_t inputs) {
    const Cell &cell = packed.cell(), &other = first.cell();
    if (cell.inputs != inputs)
      refuse("Stack: a layer reads " + std::to_string(inputs) +
             " inputs, and its weights are for " + std::to_string(cell.inputs) + ".");
    if (cell.units != other.units || cell.outputs != other.outputs || cell.kind != other.kind)
      refuse("Stack: all layers must have one cell and one size.");
    if (packed.any().index() != first.any().index() || packed.any().index() == 2)
      refuse("Stack: all layers must be float32, or all float64.");
  }

  template <class Real>
  void run_layers(const Arrays& arrays, int threads) const {
    const Cell& cell = layers_[0][0]->cell();
    const auto ways = static_cast<int64_t>(layers_[0].size());
    const int64_t steps = arrays.steps, rows = arrays.rows;
    const int64_t wide = ways * cell.outputs;
    const int64_t between = layers_.size() > 1 ? steps * rows * wide : 0;
    std::vector<Real> handed[2];
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
        const auto& packed = layers_[layer][static_cast<size_t>(way)]->any();
        jobs[way] = {&std::get<PackedCell<Real, Real>>(packed), run};
      }
      run_forward<Real, Real>(jobs, static_cast<int>(ways), threads);
      x = y;
      x_step = y_step;
      x_row = y_row;
    }
  }

  nb::object owned_;
  std::vector<std::vector<const Packed*>> layers_;
  std::vector<Sample> samples_;
  uint64_t packed_as_ = 0;
};

}  // namespace

namespace {

template <class Word>
uint64_t sampled(const Word* matrix, int64_t rows, int64_t columns) {
  constexpr int64_t most = 64;  // each is a line of memory to be fetched
  const int64_t longest = rows > columns ? rows : columns;
  const int64_t step = columns == 1 || longest <= most ? 1 : (longest + most - 1) / most;
  uint64_t sum = 0;
  int64_t row = 0, column = 0;
  for (int64_t i = 0; i < longest; i += step) {
    const uint64_t number = matrix[row * columns + column];
    const uint64_t place = static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15u + 1;
    sum += (number + place) * (number ^ (place >> 7 | 1));
    for (row += step; row >= rows;) row -= rows;
    for (column += step; column >= columns;) column -= columns;
  }
  return sum;
}

}  // namespace

uint64_t fingerprint_of(uintptr_t address, int64_t rows, int64_t columns, int64_t bytes) {
  check_size("fingerprint", "rows", rows, 0);
  check_size("fingerprint", "columns", columns, 0);
  check_product("fingerprint", "the matrix", {rows, columns});
  if (rows == 0 || columns == 0) return 0;
  needed<const char>("fingerprint", "address", address);
  if (bytes == 2) return sampled(optional<const uint16_t>(address), rows, columns);
  if (bytes == 4) return sampled(optional<const uint32_t>(address), rows, columns);
  if (bytes == 8) return sampled(optional<const uint64_t>(address), rows, columns);
  refuse("fingerprint: numbers have 2, 4 or 8 bytes, got " + std::to_string(bytes) + ".");
}

void bind_stack(nb::module_& module) {
  module.def("fingerprint", &fingerprint_of, "address"_a, "rows"_a, "columns"_a, "bytes"_a,
             "A number that changes when a whole row, column or the whole matrix does.");
  nb::class_<Stack>(module, "Stack", "Layers that run over whole sequences in one call.")
      .def(nb::init<nb::object, std::vector<Sample>>(), "layers"_a, "samples"_a)
      .def("is_current", &Stack::is_current, "Whether all samples are what they were.")
      .def("run", &Stack::run, "steps"_a, "rows"_a, "x"_a, "x_step"_a, "x_row"_a, "y"_a, "y_step"_a,
           "y_row"_a, "h0"_a, "c0"_a, "hn"_a, "cn"_a, "threads"_a,
           "Run all layers without gradients.");
}

}  // namespace elman::bindings
