// Compiled once for each instruction set, with ELMAN_ISA naming it: every template of the kernels
// at every cell and number type, gathered in one table.
#include "gradients.h"
#include "kernels.h"

namespace elman::ELMAN_ISA {

// isa_scan.cpp, apart: what is above takes minutes to compile.
template <class Real>
void scan_forward(const Scan<Real>&, const ScanShare&);
template <class Real>
void scan_backward(const Scan<Real>&, const ScanGradients<Real>&, const ScanShare&);

namespace {

// Calls f with the cell's kind as a type.
template <class F>
auto with_kind(CellKind kind, const F& f) {
  switch (kind) {
    case CellKind::simple: return f(Simple{});
    case CellKind::lstm: return f(Lstm{});
    case CellKind::coupled_lstm: return f(CoupledLstm{});
    case CellKind::gru_reset_after: return f(GruResetAfter{});
    case CellKind::gru_reset_before: return f(GruResetBefore{});
  }
  __builtin_unreachable();  // the bindings let no other in
}

template <class Real, class Weight>
int64_t pack_cell(const Cell& cell, const Weights<Weight>& weights, Form form, bool again,
                  char* memory, Packed<Real, Weight>* packed) {
  return with_kind(cell.kind, [&](auto kind) {
    return pack<Real, Weight, decltype(kind)>(cell, weights, form, again, memory, packed);
  });
}

template <class Real>
int64_t forward_shared_bytes(const Cell& cell, bool is_masked, int64_t rows) {
  return with_kind(cell.kind, [&](auto kind) {
    Allotment counter(nullptr);
    ForwardMemory<Real, decltype(kind)>::shared(cell, is_masked, rows, counter);
    return counter.used();
  });
}

template <class Real>
int64_t forward_own_bytes(const Cell& cell, int64_t rows) {
  return with_kind(cell.kind, [&](auto kind) {
    Allotment counter(nullptr);
    ForwardMemory<Real, decltype(kind)>{}.take_own(cell, rows, counter);
    return counter.used();
  });
}

template <class Real, class Weight>
void run_forward(const Cell& cell, const Packed<Real, Weight>& packed, const Forward<Real>& run,
                 const Share& share, char* shared, char* own) {
  with_kind(cell.kind, [&](auto kind) {
    using Kind = decltype(kind);
    const int64_t rows = share.last - share.first;
    Allotment shared_memory(shared), own_memory(own);
    auto memory = ForwardMemory<Real, Kind>::shared(cell, run.mask != nullptr, rows, shared_memory);
    memory.take_own(cell, rows, own_memory);
    ForwardPass<Real, Weight, Kind>(cell, packed, run, share, memory).run();
  });
}

template <class Real>
int64_t backward_shared_bytes(const Cell& cell, bool has_resets, int64_t rows, int64_t window) {
  return with_kind(cell.kind, [&](auto kind) {
    Allotment counter(nullptr);
    BackwardMemory<Real, decltype(kind)>::shared(cell, has_resets, rows, window, counter);
    return counter.used();
  });
}

template <class Real>
int64_t backward_own_bytes(const Cell& cell, int64_t rows) {
  Allotment time(nullptr), weights(nullptr);
  BackwardScratch<Real>(rows, time);
  GradientScratch<Real>(cell, weights);
  return time.used() > weights.used() ? time.used() : weights.used();
}

template <class Real, class Kind>
BackwardMemory<Real, Kind> memory_of(const Cell& cell, const Forward<Real>& run, const Share& share,
                                     const Window& window, char* shared) {
  Allotment all(shared);
  return BackwardMemory<Real, Kind>::shared(cell, run.resets != nullptr, share.rows.rows,
                                            window.total, all);
}

template <class Real>
void run_through_time(const Cell& cell, const Packed<Real, Real>& packed, const Forward<Real>& run,
                      const Backward<Real>& grads, const Share& share, const Window& window,
                      char* shared, char* own) {
  with_kind(cell.kind, [&](auto kind) {
    using Kind = decltype(kind);
    const auto memory = memory_of<Real, Kind>(cell, run, share, window, shared);
    Allotment all(own);
    const BackwardScratch<Real> scratch(share.last - share.first, all);
    BackwardPass<Real, Kind>(cell, packed, run, grads, share, window, memory, scratch).run();
  });
}

template <class Real>
void run_weights(const Cell& cell, const Packed<Real, Real>& packed, const Forward<Real>& run,
                 const Backward<Real>& grads, const Share& share, const Window& window,
                 bool is_gathered, char* shared, char* own) {
  with_kind(cell.kind, [&](auto kind) {
    using Kind = decltype(kind);
    const auto memory = memory_of<Real, Kind>(cell, run, share, window, shared);
    Allotment all(own);
    const GradientScratch<Real> scratch(cell, all);
    WeightGradients<Real, Kind>(cell, packed, run, grads, share, window, memory, scratch)
        .run(is_gathered);
  });
}

template <class Real, class Weight>
constexpr ForwardKernels<Real, Weight> forward_kernels() {
  return {&pack_cell<Real, Weight>, &forward_shared_bytes<Real>, &forward_own_bytes<Real>,
          &run_forward<Real, Weight>};
}

template <class Real>
constexpr BackwardKernels<Real> backward_kernels() {
  return {&backward_shared_bytes<Real>, &backward_own_bytes<Real>, &run_through_time<Real>,
          &run_weights<Real>};
}

// What one core can do at most: independent multiply-adds that never leave the registers. Returns
// the floating-point operations of `rounds` rounds.
int64_t fma_rounds(int64_t rounds) {
  constexpr int sums = 12;
  Vector<float> sum[sums];
  for (int i = 0; i < sums; ++i) sum[i] = broadcast(1.0f + static_cast<float>(i));
  Vector<float> scale = broadcast(0.999f), shift = broadcast(0.001f);
  asm volatile("" : "+m"(scale), "+m"(shift));
  for (int64_t n = 0; n < rounds; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < sums; ++i) sum[i] = fma<float>(sum[i], scale, shift);
  }
  asm volatile("" : : "m"(sum) : "memory");
  return 2 * sums * kLanes<float> * rounds;
}

}  // namespace

extern const Kernels kKernels = {
    ELMAN_ISA_NAME,
    forward_kernels<float, float>(),
    forward_kernels<double, double>(),
    forward_kernels<float, BFloat16>(),
    backward_kernels<float>(),
    backward_kernels<double>(),
    {&scan_forward<float>, &scan_backward<float>},
    {&scan_forward<double>, &scan_backward<double>},
    &fma_rounds,
};

}  // namespace elman::ELMAN_ISA
