#include "isa.h"
#include "kernels.h"

namespace elman {
namespace {

// The tables of this build, narrowest first; kernels of avx512 do for avx512_bf16.
constexpr const Kernels* kTables[] = {
    &generic::kKernels,
#if defined(__x86_64__)
    &avx2::kKernels,
    &avx512::kKernels,
#endif
};

bool runs_here(std::string_view name) {
  for (const InstructionSet& set : known_instruction_sets()) {
    if (set.name == name) return set.runs();
  }
  return false;
}

}  // namespace

const Kernels* choose_kernels(const char* wanted, std::string_view* reason) {
  const Kernels* widest = nullptr;
  for (const Kernels* table : kTables) {
    const bool runs = runs_here(table->instruction_set);
    if (wanted != nullptr && table->instruction_set == wanted) {
      if (!runs) *reason = "this processor does not run it";
      return runs ? table : nullptr;
    }
    if (runs) widest = table;
  }
  if (wanted == nullptr) return widest;
  *reason = "no kernels of that name were built";
  return nullptr;
}

}  // namespace elman
