// Weights for the kernels, as Python hands them over: names and sizes checked, then laid out.
#include <nanobind/stl/string.h>

#include <array>
#include <utility>

#include "bindings.h"

namespace elman::bindings {
namespace {

using namespace nb::literals;

template <class T, size_t N>
using Names = std::array<std::pair<const char*, T>, N>;

constexpr Names<CellKind, 5> kCells{{
    {"simple", CellKind::simple},
    {"lstm", CellKind::lstm},
    {"coupled_lstm", CellKind::coupled_lstm},
    {"gru_reset_after", CellKind::gru_reset_after},
    {"gru_reset_before", CellKind::gru_reset_before},
}};
constexpr Names<Nonlinearity, 4> kNonlinearities{{
    {"tanh", Nonlinearity::tanh},
    {"relu", Nonlinearity::relu},
    {"sigmoid", Nonlinearity::sigmoid},
    {"identity", Nonlinearity::identity},
}};
constexpr Names<Form, 5> kForms{{
    {"frozen", Form::frozen},
    {"watched", Form::watched},
    {"direct", Form::direct},
    {"step", Form::step},
    {"step_to_inputs", Form::step_to_inputs},
}};
enum class Number { float32, float64, bfloat16 };
constexpr Names<Number, 3> kNumbers{{
    {"float32", Number::float32},
    {"float64", Number::float64},
    {"bfloat16", Number::bfloat16},
}};

template <class T, size_t N>
T named(const char* what, const std::string& name, const Names<T, N>& known) {
  std::string names;
  for (const auto& [its_name, value] : known) {
    if (name == its_name) return value;
    names += (names.empty() ? "" : ", ") + std::string(its_name);
  }
  refuse(std::string("unknown ") + what + " '" + name + "'. Known: " + names + ".");
}

void check(const Cell& cell, bool has_peephole) {
  check_size("Packed", "inputs", cell.inputs, 0);
  check_size("Packed", "units", cell.units, 1);
  check_size("Packed", "outputs", cell.outputs, 1);
  check_product("Packed", "the weight matrix", {cell.units, cell.inputs});
  check_product("Packed", "the weight matrix", {cell.units, cell.outputs});
  if (!has_cell_state(cell) && cell.projected) refuse("Packed: only an LSTM projects.");
  if (!has_cell_state(cell) && has_peephole) refuse("Packed: only an LSTM has peepholes.");
  if (!cell.projected && cell.outputs != cell.units) {
    refuse("Packed: outputs must equal units = " + std::to_string(cell.units) +
           " without a projection, got " + std::to_string(cell.outputs) + ".");
  }
  if (cell.kind != CellKind::simple && cell.nonlinearity != Nonlinearity::tanh) {
    refuse("Packed: only the simple cell has a nonlinearity other than tanh.");
  }
}

template <class Weight>
Weights<Weight> weights_at(const Cell& cell, uintptr_t input, uintptr_t hidden,
                           uintptr_t input_bias, uintptr_t hidden_bias, uintptr_t projection,
                           uintptr_t peephole) {
  const char* op = "Packed";
  return {
      cell.inputs == 0 ? optional<const Weight>(input) : needed<const Weight>(op, "input", input),
      needed<const Weight>(op, "hidden", hidden),
      optional<const Weight>(input_bias),
      optional<const Weight>(hidden_bias),
      optional<const Weight>(projection),
      optional<const Weight>(peephole)};
}

}  // namespace

Packed::Packed(const std::string& cell_name, const std::string& nonlinearity,
               const std::string& dtype, int64_t inputs, int64_t units, int64_t outputs,
               uintptr_t input, uintptr_t hidden, uintptr_t input_bias, uintptr_t hidden_bias,
               uintptr_t projection, uintptr_t peephole, bool gradient,
               const std::string& form_name)
    : any_([&]() -> Any {
        const Cell cell{named("cell", cell_name, kCells),
                        named("nonlinearity", nonlinearity, kNonlinearities),
                        inputs,
                        units,
                        outputs,
                        projection != 0};
        check(cell, peephole != 0);
        Form form = named("form", form_name, kForms);
        if (gradient && form != Form::frozen)
          refuse("Packed: only frozen weights have what a gradient needs.");
        if (gradient) form = Form::gradient;
        const auto lay_out = [&]<class Real, class Weight>() {
          return PackedCell<Real, Weight>(*kernels, cell,
                                          weights_at<Weight>(cell, input, hidden, input_bias,
                                                             hidden_bias, projection, peephole),
                                          form);
        };
        switch (named("dtype", dtype, kNumbers)) {
          case Number::float64: return lay_out.template operator()<double, double>();
          case Number::bfloat16:
            if (has_way_back(form))
              refuse("Packed: bfloat16 weights have no gradient; use float32.");
            return lay_out.template operator()<float, BFloat16>();
          case Number::float32: break;
        }
        return lay_out.template operator()<float, float>();
      }()) {}

void Packed::refresh(uintptr_t input, uintptr_t hidden, uintptr_t input_bias, uintptr_t hidden_bias,
                     uintptr_t projection, uintptr_t peephole) {
  if (form() != Form::watched) refuse("Packed: only watched weights are refreshed.");
  std::visit(
      [&]<class Real, class Weight>(PackedCell<Real, Weight>& packed) {
        const Weights<Weight>& old = packed.source();
        const bool is_alike = (old.input_bias != nullptr) == (input_bias != 0) &&
                              (old.hidden_bias != nullptr) == (hidden_bias != 0) &&
                              (old.projection != nullptr) == (projection != 0) &&
                              (old.peephole != nullptr) == (peephole != 0);
        if (!is_alike) refuse("Packed: give the weights that were given before.");
        const Weights<Weight> weights = weights_at<Weight>(packed.cell(), input, hidden, input_bias,
                                                           hidden_bias, projection, peephole);
        const Unlocked unlocked;
        packed.refresh(weights);
      },
      any_);
}

void bind_packed(nb::module_& module) {
  module.attr("DIRECT_STEPS") = kDirectSteps;
  nb::class_<Packed>(module, "Packed", "Weights laid out for the kernels.")
      .def(nb::init<const std::string&, const std::string&, const std::string&, int64_t, int64_t,
                    int64_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, bool,
                    const std::string&>(),
           "cell"_a, "nonlinearity"_a, "dtype"_a, "inputs"_a, "units"_a, "outputs"_a, "input"_a,
           "hidden"_a, "input_bias"_a, "hidden_bias"_a, "projection"_a, "peephole"_a, "gradient"_a,
           "form"_a = "frozen")
      .def("refresh", &Packed::refresh, "input"_a, "hidden"_a, "input_bias"_a, "hidden_bias"_a,
           "projection"_a, "peephole"_a, "Lay out weights of the same sizes in place.")
      .def_prop_ro("nbytes", &Packed::bytes);
}

}  // namespace elman::bindings
