// Runs over time, divided between threads.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels.h"
#include "recurrence.h"
#include "rows.h"

namespace elman {

// The column of the table that is for these types of numbers.
template <class Real, class Weight>
const ForwardKernels<Real, Weight>& forward_kernels(const Kernels& kernels);

// Whether the state has a part c beside h.
inline bool has_cell_state(const Cell& cell) {
  return cell.kind == CellKind::lstm || cell.kind == CellKind::coupled_lstm;
}

// G: blocks of rows that the weights have.
inline int gates_of(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::simple: return 1;
    case CellKind::lstm: return 4;
    case CellKind::coupled_lstm:
    case CellKind::gru_reset_after:
    case CellKind::gru_reset_before: return 3;
  }
  __builtin_unreachable();
}

// Weights laid out for the kernels of this process, with the memory that holds them.
template <class Real, class Weight>
class PackedCell {
 public:
  // A direct layout reads `weights` where they lie for as long as it runs.
  PackedCell(const Kernels& kernels, const Cell& cell, const Weights<Weight>& weights, Form form);

  // Weights of the same sizes in place of those before, watched or direct. All of them are
  // compared, and what differs is written: where nothing does, a run on another thread is not
  // disturbed.
  void refresh(const Weights<Weight>& weights);

  const Kernels& kernels() const { return *kernels_; }
  const Cell& cell() const { return cell_; }
  const Packed<Real, Weight>& packed() const { return packed_; }
  const Weights<Weight>& source() const { return packed_.source; }
  Form form() const { return form_; }
  int64_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(char* memory) const;
  };

  const Kernels* kernels_;
  Cell cell_;
  Form form_;
  int64_t bytes_;
  std::unique_ptr<char, Free> memory_;
  Packed<Real, Weight> packed_;
};

// One direction of a layer.
template <class Real, class Weight>
struct ForwardJob {
  const PackedCell<Real, Weight>* cell;
  Forward<Real> run;
};

template <class Real>
struct BackwardJob {
  const PackedCell<Real, Real>* cell;
  Forward<Real> run;
  Backward<Real> grads;
};

// Run jobs, one or both directions of a layer, on up to `threads` threads. Results do not depend
// on the number of threads, to the bit.
template <class Real, class Weight>
void run_forward(const ForwardJob<Real, Weight>* jobs, int count, int threads);

template <class Real>
void run_backward(const BackwardJob<Real>* jobs, int count, int threads);

}  // namespace elman
