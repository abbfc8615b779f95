// The stepper: a stream of one number type, given NumPy arrays.
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bindings.h"
#include "stream.h"

namespace elman::bindings {
namespace {

using namespace nb::literals;

// From so many multiply-adds on a step takes longer than to hand Python's lock to other threads.
constexpr double kWorthUnlocking = 3e5;

template <class Real>
constexpr const char* kName = sizeof(Real) == 4 ? "float32" : "float64";
template <class Real>
constexpr char kFormat = sizeof(Real) == 4 ? 'f' : 'd';  // of Python's buffers

// An object's memory as a C-contiguous array, for as long as this lives.
class Buffer {
 public:
  explicit Buffer(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) == 0) return;
    PyErr_Clear();
    const bool is_array = PyObject_CheckBuffer(object.ptr()) != 0;
    const std::string got = Py_TYPE(object.ptr())->tp_name;
    throw nb::type_error(
        is_array ? "x must be a C-contiguous array; numpy.ascontiguousarray(x) gives one."
                 : ("x must be a NumPy array, got a " + got + ".").c_str());
  }
  Buffer(const Buffer&) = delete;
  ~Buffer() { PyBuffer_Release(&view_); }

  template <class Real>
  bool holds() const {
    return view_.format != nullptr && view_.format[0] == kFormat<Real> && view_.format[1] == '\0';
  }
  int axes() const { return view_.ndim; }
  int64_t size(int axis) const { return view_.shape[axis]; }
  const void* data() const { return view_.buf; }

  std::string shape() const {
    std::string text;
    for (int axis = 0; axis < axes(); ++axis)
      text += (axis == 0 ? "" : ", ") + std::to_string(size(axis));
    return "(" + text + (axes() == 1 ? ",)" : ")");
  }

 private:
  Py_buffer view_;
};

// A stream with the arrays through which Python sees its memory. They share in owning it.
template <class Real, class Weight>
class TypedStepper {
 public:
  using Layer = typename Stream<Real, Weight>::Layer;
  using Matrix = nb::ndarray<nb::numpy, Real, nb::ndim<2>>;

  TypedStepper(const std::vector<Layer>& layers, int64_t rows, bool residual)
      : stream_(std::make_shared<Stream<Real, Weight>>(layers, rows, residual)),
        inputs_(stream_->cell(0).inputs) {
    const int64_t last = stream_->layers() - 1, outputs = stream_->cell(last).outputs;
    output_ = nb::cast(matrix(stream_->output(), outputs));
    const size_t shape[] = {static_cast<size_t>(outputs)};
    output_row_ =
        nb::cast(nb::ndarray<nb::numpy, Real, nb::ndim<1>>(stream_->output(), 1, shape, owner()));
    double operations = 0;
    for (int64_t i = 0; i <= last; ++i) {
      const Cell& cell = stream_->cell(i);
      operations +=
          4.0 * static_cast<double>(cell.units) * static_cast<double>(cell.inputs + cell.outputs);
    }
    is_long_ = operations * static_cast<double>(rows) >= kWorthUnlocking;
  }

  nb::object step(nb::handle given) {
    const Buffer x(given);
    const bool is_row = x.axes() == 1 && stream_->rows() == 1;
    check(x, is_row);
    advance(static_cast<const Real*>(x.data()));
    return is_row ? output_row_ : output_;
  }

  double time(int64_t count) {
    using Clock = std::chrono::steady_clock;
    const std::vector<Real> x(static_cast<size_t>(stream_->rows() * inputs_), Real{1});
    const Clock::time_point begin = Clock::now();
    for (int64_t i = 0; i < count; ++i) stream_->step(x.data());
    return std::chrono::duration<double>(Clock::now() - begin).count() / static_cast<double>(count);
  }

  // One array a layer, of the memory itself.
  nb::list hidden() const {
    nb::list arrays;
    for (int64_t i = 0; i < stream_->layers(); ++i)
      arrays.append(nb::cast(matrix(stream_->hidden(i), stream_->cell(i).outputs)));
    return arrays;
  }
  nb::list cell_state() const {
    nb::list arrays;
    for (int64_t i = 0; i < stream_->layers(); ++i) {
      if (!has_cell_state(stream_->cell(i))) continue;
      arrays.append(nb::cast(matrix(stream_->cell_state(i), stream_->cell(i).units)));
    }
    return arrays;
  }

 private:
  nb::capsule owner() const {
    return nb::capsule(new std::shared_ptr<Stream<Real, Weight>>(stream_), [](void* held) noexcept {
      delete static_cast<std::shared_ptr<Stream<Real, Weight>>*>(held);
    });
  }
  Matrix matrix(Real* data, int64_t columns) const {
    const size_t shape[] = {static_cast<size_t>(stream_->rows()), static_cast<size_t>(columns)};
    return Matrix(data, 2, shape, owner());
  }

  void check(const Buffer& x, bool is_row) const {
    if (!x.holds<Real>()) {
      const std::string name = kName<Real>;
      throw nb::type_error(("x must be " + name + "; x.astype(numpy." + name + ") is.").c_str());
    }
    const bool fits = is_row
                          ? x.size(0) == inputs_
                          : x.axes() == 2 && x.size(0) == stream_->rows() && x.size(1) == inputs_;
    if (fits) return;
    const std::string rows = std::to_string(stream_->rows()), inputs = std::to_string(inputs_);
    refuse("x must be (B, I) = (" + rows + ", " + inputs + ")" +
           (stream_->rows() == 1 ? " or (I,) = (" + inputs + ",)" : "") + ", got " + x.shape() +
           ".");
  }

  // With Python's lock held, `is_stepping_` is read and written by one thread at a time.
  void advance(const Real* x) {
    if (is_stepping_) {
      throw std::runtime_error(
          "another thread is in a step of this stepper; give every thread a stepper of its own.");
    }
    if (!is_long_) return stream_->step(x);
    is_stepping_ = true;
    {
      const Unlocked unlocked;
      stream_->step(x);
    }
    is_stepping_ = false;
  }

  std::shared_ptr<Stream<Real, Weight>> stream_;
  int64_t inputs_;
  bool is_long_ = false, is_stepping_ = false;
  nb::object output_, output_row_;
};

class Stepper {
 public:
  Stepper(const std::vector<nb::object>& layers,
          const std::vector<std::pair<double, double>>& rates, int64_t rows, bool residual)
      : layers_(layers) {
    check_size("Stepper", "rows", rows, 1);
    const std::vector<const Packed*> packed = check(rates, rows, residual);
    std::visit(
        [&]<class Real, class Weight>(const PackedCell<Real, Weight>&) {
          using Typed = TypedStepper<Real, Weight>;
          std::vector<typename Typed::Layer> cells;
          for (size_t i = 0; i < packed.size(); ++i) {
            const auto* cell = std::get_if<PackedCell<Real, Weight>>(&packed[i]->any());
            if (cell == nullptr) refuse("Stepper: all layers must have one dtype.");
            if (is_direct(cell->form())) refuse("Stepper: its weights must be frozen.");
            cells.push_back(
                {cell, static_cast<Real>(rates[i].first), static_cast<Real>(rates[i].second)});
          }
          typed_ = std::make_unique<Typed>(cells, rows, residual);
        },
        packed[0]->any());
  }

  nb::object step(nb::handle x) {
    return std::visit([&](auto& typed) { return typed->step(x); }, typed_);
  }
  double time(int64_t count) {
    check_size("time_step", "count", count, 1);
    return std::visit([&](auto& typed) { return typed->time(count); }, typed_);
  }
  nb::list hidden() const {
    return std::visit([](const auto& typed) { return typed->hidden(); }, typed_);
  }
  nb::list cell_state() const {
    return std::visit([](const auto& typed) { return typed->cell_state(); }, typed_);
  }

 private:
  using Rates = std::vector<std::pair<double, double>>;

  static void check_fit(const Cell& below, const Cell& cell, size_t layer, bool residual) {
    const std::string reads =
        "layer " + std::to_string(layer) + " reads " + std::to_string(cell.inputs) + " numbers";
    if (cell.inputs != below.outputs) {
      refuse("Stepper: " + reads + ", and the layer below writes " + std::to_string(below.outputs) +
             ".");
    }
    if (residual && cell.outputs != cell.inputs) {
      refuse("Stepper: residual needs layers of one size; " + reads + " and writes " +
             std::to_string(cell.outputs) + ".");
    }
  }

  std::vector<const Packed*> check(const Rates& rates, int64_t rows, bool residual) const {
    std::vector<const Packed*> packed;
    for (nb::handle layer : layers_) {
      const Packed* next = nullptr;
      if (!nb::try_cast(layer, next) || next == nullptr)
        refuse("Stepper: layers must be a list of Packed.");
      const Cell& cell = next->cell();
      check_product("Stepper", "B·(I + H)", {rows, cell.inputs + cell.units + cell.outputs});
      if (cell.inputs == 0) refuse("Stepper: a layer must read at least one number.");
      if (!packed.empty()) check_fit(packed.back()->cell(), cell, packed.size(), residual);
      packed.push_back(next);
    }
    if (packed.empty()) refuse("Stepper: give one layer at least.");
    if (rates.size() != packed.size()) {
      refuse("Stepper: rates must be one pair a layer, got " + std::to_string(rates.size()) +
             " for " + std::to_string(packed.size()) + " layers.");
    }
    for (const auto& [rate_h, rate_c] : rates) {
      check_share("Stepper", "a rate", rate_h);
      check_share("Stepper", "a rate", rate_c);
    }
    return packed;
  }

  std::vector<nb::object> layers_;  // keeps the weights alive
  std::variant<std::unique_ptr<TypedStepper<float, float>>,
               std::unique_ptr<TypedStepper<double, double>>,
               std::unique_ptr<TypedStepper<float, BFloat16>>>
      typed_;
};

}  // namespace

void bind_stream(nb::module_& module) {
  nb::class_<Stepper>(module, "Stepper", "A stack of layers, one step a call.")
      .def(nb::init<const std::vector<nb::object>&, const std::vector<std::pair<double, double>>&,
                    int64_t, bool>(),
           "layers"_a, "rates"_a, "rows"_a, "residual"_a)
      .def("step", &Stepper::step, "x"_a.none(),
           "Read (B, I), or (I,) for one row; write the output.")
      .def_prop_ro("hidden", &Stepper::hidden, "h of every layer, (B, P): the memory itself.")
      .def_prop_ro("cell", &Stepper::cell_state, "c of every layer, (B, H): the memory itself.");
  module.def("time_step", &Stepper::time, "stepper"_a, "count"_a,
             "Seconds that a step takes inside C++, the mean of `count` in a row.");
}

}  // namespace elman::bindings
