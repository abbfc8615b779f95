// The one file that knows Python. It checks every argument once, so that kernels need not.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "isa.h"

namespace nb = nanobind;

namespace {

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const elman::InstructionSet& set : elman::known_instruction_sets()) {
    if (set.runs()) names.emplace_back(set.name);
  }
  return names;
}

}  // namespace

NB_MODULE(_kernels, module) {
  module.doc() = "Elman's C++ kernels.";
  module.def("instruction_sets", &instruction_sets,
             "Names of the instruction sets this processor runs, widest last.");
  module.def("compiler", &elman::compiler, "The compiler that built the kernels, with its version.");
}
