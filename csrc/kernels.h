// The kernels of one instruction set, as a table of functions, and which set runs here.
#pragma once

#include <string_view>

#include "recurrence.h"
#include "rows.h"
#include "scan.h"

namespace elman {

template <class Real, class Weight>
struct ForwardKernels {
  // Lays weights out at `memory`, or only counts (memory null). Returns the bytes. `again`: writes
  // only what differs from the layout of the same form that lies there.
  int64_t (*pack)(const Cell&, const Weights<Weight>&, Form, bool again, char* memory,
                  Packed<Real, Weight>*);
  // Bytes of a run's memory over `rows` rows: what its members share, and what each needs. The
  // shared memory must begin with max(H, P) zeros.
  int64_t (*shared_bytes)(const Cell&, bool is_masked, int64_t rows);
  int64_t (*own_bytes)(const Cell&, int64_t rows);
  void (*run)(const Cell&, const Packed<Real, Weight>&, const Forward<Real>&, const Share&,
              char* shared, char* own);
};

template <class Real>
struct BackwardKernels {
  // Likewise; shared by all members of all shares of the rows.
  int64_t (*shared_bytes)(const Cell&, bool has_resets, int64_t rows, int64_t window);
  int64_t (*own_bytes)(const Cell&, int64_t rows);
  // A window of steps, the latest window first; then what sums over its steps. `is_gathered`: `own`
  // still holds what `weights` left there for another share of the same window of the same run.
  void (*through_time)(const Cell&, const Packed<Real, Real>&, const Forward<Real>&,
                       const Backward<Real>&, const Share&, const Window&, char* shared, char* own);
  void (*weights)(const Cell&, const Packed<Real, Real>&, const Forward<Real>&,
                  const Backward<Real>&, const Share&, const Window&, bool is_gathered,
                  char* shared, char* own);
};

template <class Real>
struct ScanKernels {
  void (*forward)(const Scan<Real>&, const ScanShare&);
  void (*backward)(const Scan<Real>&, const ScanGradients<Real>&, const ScanShare&);
};

struct Kernels {
  std::string_view instruction_set;
  ForwardKernels<float, float> forward_float;
  ForwardKernels<double, double> forward_double;
  ForwardKernels<float, BFloat16> forward_bfloat16;
  BackwardKernels<float> backward_float;
  BackwardKernels<double> backward_double;
  ScanKernels<float> scan_float;
  ScanKernels<double> scan_double;
  int64_t (*fma_rounds)(int64_t rounds);  // operations done: to measure what a core can do
};

// The widest set that this processor runs, or the one that the environment variable ELMAN_ISA
// names. Null, with the reason, where it names one that does not run here.
const Kernels* choose_kernels(const char* wanted, std::string_view* reason);

namespace generic {
extern const Kernels kKernels;
}
namespace avx2 {
extern const Kernels kKernels;
}
namespace avx512 {
extern const Kernels kKernels;
}

}  // namespace elman
