// Which instruction sets this processor runs, found when the program runs.
//
// A kernel is compiled once for each set; the widest that runs is chosen at start. "Runs" means
// that the processor has the instructions and the operating system saves their registers: without
// the second, the first use of a wide register ends the process.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace elman {

struct InstructionSet {
  std::string_view name;
  bool (*runs)();
};

// Every set a kernel may be compiled for on this architecture, narrowest first. The first is
// "generic" and always runs.
std::span<const InstructionSet> known_instruction_sets();

// The compiler that built this file, with its version: "gcc 12.2.0".
std::string_view compiler();

}  // namespace elman
