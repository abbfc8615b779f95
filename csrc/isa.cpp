#include "isa.h"

#if defined(__x86_64__) || defined(__i386__)
#define ELMAN_X86 1
#endif

#define ELMAN_TEXT_OF(x) #x
#define ELMAN_TEXT(x) ELMAN_TEXT_OF(x)

namespace elman {
namespace {

bool always() { return true; }

#if ELMAN_X86

// __builtin_cpu_supports asks CPUID for the instructions and XGETBV for the registers.

bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

// F alone lacks the byte, word and 256-bit forms that kernels use; every server core since
// Skylake has these four together.
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

bool has_avx512_bf16() { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }

constexpr std::array<InstructionSet, 4> kKnown{{
    {"generic", always},
    {"avx2", has_avx2},
    {"avx512", has_avx512},
    {"avx512_bf16", has_avx512_bf16},
}};

#elif defined(__aarch64__)

// Every 64-bit Arm processor has NEON with fused multiply-add.
constexpr std::array<InstructionSet, 2> kKnown{{{"generic", always}, {"neon", always}}};

#else

constexpr std::array<InstructionSet, 1> kKnown{{{"generic", always}}};

#endif

}  // namespace

std::span<const InstructionSet> known_instruction_sets() {
#if ELMAN_X86
  __builtin_cpu_init();
#endif
  return kKnown;
}

std::string_view compiler() {
#if defined(__clang__)
  return "clang " ELMAN_TEXT(__clang_major__) "." ELMAN_TEXT(__clang_minor__) "." ELMAN_TEXT(
      __clang_patchlevel__);
#elif defined(__GNUC__)
  return "gcc " ELMAN_TEXT(__GNUC__) "." ELMAN_TEXT(__GNUC_MINOR__) "." ELMAN_TEXT(
      __GNUC_PATCHLEVEL__);
#else
#error "Elman's kernels need GCC or Clang: they use __builtin_cpu_supports and vector extensions."
#endif
}

}  // namespace elman
