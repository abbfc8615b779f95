// A stack of layers that is answered step by step while its input comes in.
//
//   step   x ─► layer 0 ─► layer 1 ─► … ─► output          one call, all layers, a few rows
//               h, c       h, c                            stay here between two steps
//
// A step is a run over one step of time, so its bits are those of the whole sequence. All memory is
// allotted when the stream is made; a step allocates nothing, starts no thread and waits for none.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "run.h"

namespace elman {

template <class Real, class Weight>
class Stream {
 public:
  struct Layer {
    const PackedCell<Real, Weight>* cell;  // outlives the stream
    Real rate_h, rate_c;                   // zoneout: the share of the old state that is kept
  };

  // Each layer reads what the one below writes. With `residual`, layers from the second on add what
  // they read to what they write.
  Stream(const std::vector<Layer>& layers, int64_t rows, bool residual)
      : rows_(rows), residual_(residual) {
    int64_t own = 0;
    for (const Layer& layer : layers) {
      const Kernels& kernels = layer.cell->kernels();
      const Cell& cell = layer.cell->cell();
      const auto& forward = forward_kernels<Real, Weight>(kernels);
      const int64_t bytes = forward.own_bytes(cell, rows);
      if (bytes > own) own = bytes;
      places_.push_back({layer.cell,
                         forward.run,
                         {},
                         zeros<Real>(rows * cell.outputs),
                         zeros<Real>(has_cell_state(cell) ? rows * cell.units : 0),
                         zeros<Real>(rows * cell.outputs),
                         zeros<char>(forward.shared_bytes(cell, false, rows))});
    }
    own_ = zeros<char>(own);
    const Real* x = nullptr;
    for (size_t i = 0; i < layers.size(); ++i) {
      places_[i].run = describe(places_[i], layers[i], x);
      x = places_[i].output.get();
    }
  }

  int64_t rows() const { return rows_; }
  int64_t layers() const { return static_cast<int64_t>(places_.size()); }
  const Cell& cell(int64_t layer) const { return places_[layer].packed->cell(); }

  // The state between two steps, to be read and written: h (B, P), and c (B, H) where the cell has
  // one.
  Real* hidden(int64_t layer) const { return places_[layer].hidden.get(); }
  Real* cell_state(int64_t layer) const { return places_[layer].cell_state.get(); }

  // What the last layer wrote at the last step, (B, P).
  Real* output() const { return places_.back().output.get(); }

  // Read x, (B, I); write output().
  void step(const Real* x) {
    places_[0].run.x = x;
    for (Place& place : places_) {
      place.kernel(place.packed->cell(), place.packed->packed(), place.run, share(),
                   place.shared.get(), own_.get());
      if (residual_ && &place != &places_[0]) add_input(place);
    }
  }

 private:
  struct Free {
    void operator()(void* memory) const { ::operator delete(memory, std::align_val_t{64}); }
  };
  template <class T>
  using Memory = std::unique_ptr<T[], Free>;

  struct Place {
    const PackedCell<Real, Weight>* packed;
    decltype(ForwardKernels<Real, Weight>::run) kernel;
    Forward<Real> run;
    Memory<Real> hidden, cell_state, output;
    Memory<char> shared;  // the kernels' own
  };

  template <class T>
  static Memory<T> zeros(int64_t count) {
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    void* memory = ::operator new(bytes, std::align_val_t{64});
    std::memset(memory, 0, bytes);
    return Memory<T>(static_cast<T*>(memory));
  }

  Forward<Real> describe(const Place& place, const Layer& layer, const Real* x) const {
    const Cell& cell = layer.cell->cell();
    Forward<Real> run{};
    run.steps = 1;
    run.rows = rows_;
    run.x = x;
    run.x_row = cell.inputs;
    run.y = place.output.get();
    run.y_row = cell.outputs;
    // The kernels write the new state when they have read all of the old one.
    run.h0 = run.hn = place.hidden.get();
    run.c0 = run.cn = place.cell_state.get();
    run.rate_h = layer.rate_h;
    run.rate_c = layer.rate_c;
    return run;
  }

  Share share() const {
    const Rows rows{1, rows_, rows_, nullptr, nullptr, nullptr, nullptr};
    return {rows, 0, rows_, 0, 1, nullptr};
  }

  void add_input(const Place& place) const {
    const int64_t count = rows_ * place.packed->cell().outputs;
    for (int64_t i = 0; i < count; ++i) place.output[i] += place.run.x[i];
  }

  int64_t rows_;
  bool residual_;
  std::vector<Place> places_;
  Memory<char> own_;  // the kernels' own, one layer after another
};

}  // namespace elman
