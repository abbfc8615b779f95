// Weights laid out for the tiles of tile.h: as panels.
//
// A block is as many hidden units as a vector has lanes (the simple cell, with one gate alone,
// takes two vectors of units). The panels of a block hold all its gates side by side, so that one
// pass over them finishes these units:
//
//   LSTM, block of units j … j+V        panel 0: (k, i_j … i_j+V | f_j … f_j+V)      k = 1 … depth
//                                       panel 1: (k, g_j … g_j+V | o_j … o_j+V)
//
// Units that fill up the last block have weights of zero.
#pragma once

#include "panel.h"
#include "recurrence.h"
#include "simd.h"
#include "tile.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace elman::ELMAN_ISA {

template <class Real>
inline constexpr int64_t kPair = 2 * kLanes<Real>;  // columns of a panel two vectors wide

ELMAN_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class Real, class Kind>
ELMAN_INLINE int64_t blocks_of(int64_t units) {
  return ceil_div(units, Kind::vectors * kLanes<Real>);
}

// Hands out memory piece by piece, each beginning on a cache line; of no pieces, none. Without
// memory it only counts. AddressSanitizer has a line between two pieces that nobody may touch.
class Allotment {
 public:
  explicit Allotment(char* memory) : memory_(memory) {}
  template <class T>
  T* take(int64_t count) {
    const int64_t bytes = count * static_cast<int64_t>(sizeof(T)), first = used_;
    if (bytes == 0) return nullptr;
    used_ += ceil_div(bytes, 64) * 64 + kFence;
    if (memory_ == nullptr) return nullptr;
#if defined(__SANITIZE_ADDRESS__)
    // By whole words of eight bytes, which members that lay out the same memory may do at once.
    const int64_t words = ceil_div(bytes, 8) * 8;
    ASAN_UNPOISON_MEMORY_REGION(memory_ + first, words);
    ASAN_POISON_MEMORY_REGION(memory_ + first + words, used_ - first - words);
#endif
    return reinterpret_cast<T*>(memory_ + first);
  }
  int64_t used() const { return used_; }

 private:
#if defined(__SANITIZE_ADDRESS__)
  static constexpr int64_t kFence = 64;
#else
  static constexpr int64_t kFence = 0;
#endif
  char* memory_;
  int64_t used_ = 0;
};

// The first `count` lanes, zeros behind them.
template <class Real>
ELMAN_INLINE Vector<Real> load_widened(const Real* from, int64_t count) {
  return load_first(from, count);
}
template <class Real>
ELMAN_INLINE Vector<Real> load_widened(const BFloat16* from, int64_t count) {
  Bits<Real> words{};
  for (int64_t lane = 0; lane < count; ++lane)
    words[lane] = static_cast<int32_t>(static_cast<uint32_t>(from[lane].bits) << 16);
  return (Vector<Real>)words;
}

// Writes what differs and nothing else: another thread may be reading what stays as it was.
template <class Real>
ELMAN_INLINE void write_anew(Real* to, Vector<Real> v) {
  if (std::memcmp(to, &v, sizeof v) != 0) store(to, v);
}

// Panels for sums over a matrix's columns: (·, depth) → (block, panel, depth, Width · V).
template <class Real, class Weight, int Width>
void pack_rows(const Source<Weight>& source, Weight* out) {
  const int64_t blocks = ceil_div(source.units, source.vectors * kLanes<Real>);
  const int64_t size = source.depth * Width * kLanes<Real>;
  for (int64_t panel = 0; panel < blocks * source.panels; ++panel)
    pack_panel<Real, Weight, Width>(source, panel, 0, source.depth, out + panel * size);
}

// Copies a matrix. Where there is no room for a copy, or `again` the copy that is there differs,
// returns that what was made of it is to be made anew.
template <class Weight>
bool copy_anew(const Weight* matrix, int64_t count, bool again, Weight* copy) {
  const auto bytes = static_cast<size_t>(count) * sizeof(Weight);
  if (copy == nullptr || bytes == 0) return true;
  if (again && std::memcmp(copy, matrix, bytes) == 0) return false;
  std::memcpy(copy, matrix, bytes);
  return true;
}

// Panels for sums over a matrix's rows, in the order of the rows.
//   matrix (depth, columns) → (group of 2V columns, depth, 2V)
template <class Real>
void pack_columns(const Real* matrix, int64_t depth, int64_t columns, Real* out, int64_t out_depth,
                  int64_t first) {
  for (int64_t group = 0; group * kPair<Real> < columns; ++group) {
    const int64_t column = group * kPair<Real>;
    const int64_t count = columns - column < kPair<Real> ? columns - column : kPair<Real>;
    for (int64_t k = 0; k < depth; ++k) {
      Real* to = out + ((group * out_depth + first + k) * kPair<Real>);
      for (int64_t i = 0; i < kPair<Real>; ++i) {
        to[i] = i < count ? matrix[k * columns + column + i] : Real{0};
      }
    }
  }
}

// The matrices of a cell's panels.
template <class Weight, class Kind>
Source<Weight> input_source(const Cell& cell, const Weights<Weight>& w) {
  return {w.input, cell.units, cell.inputs, Kind::vectors, Kind::input_gate, Kind::input_panels};
}
template <class Weight, class Kind>
Source<Weight> hidden_source(const Cell& cell, const Weights<Weight>& w) {
  return {w.hidden,      cell.units,        cell.outputs,
          Kind::vectors, Kind::hidden_gate, Kind::hidden_panels};
}
inline constexpr int kAlone[] = {0, 0};
// R_n where the reset gate comes first, or the projection.
template <class Weight, class Kind>
Source<Weight> second_source(const Cell& cell, const Weights<Weight>& w) {
  if (Kind::second_gate) {
    const int64_t H = cell.units, P = cell.outputs;
    return {w.hidden + 2 * H * P, H, P, 2, kAlone, 1};
  }
  return {w.projection, cell.outputs, cell.units, 2, kAlone, 1};
}

// Where the sums of a block begin: b + b′; where R_n h has a slot of its own, b_n and b′_n apart.
template <class Real, class Weight, class Kind>
void pack_bias(const Cell& cell, const Weights<Weight>& w, Real* out) {
  constexpr int64_t lanes = kLanes<Real>;
  const int64_t H = cell.units, blocks = blocks_of<Real, Kind>(H);
  for (int64_t block = 0; block < blocks; ++block) {
    for (int64_t slot = 0; slot < Kind::slots; ++slot) {
      const int64_t first = block * Kind::vectors * lanes + (Kind::vectors > 1 ? slot * lanes : 0);
      const bool is_split = Kind::splits_candidate && slot == 3;
      const int gate = is_split ? 2 : Kind::input_gate[is_split ? 0 : slot];
      const bool has_input = !is_split;
      const bool has_hidden = is_split || !(Kind::splits_candidate && slot == 0);
      const int64_t left = H - first, count = left < 0 ? 0 : left < lanes ? left : lanes;
      const int64_t at = gate * H + first;
      const auto part = [&](const Weight* bias, bool is_wanted) {
        return bias == nullptr || !is_wanted ? Vector<Real>{}
                                             : load_widened<Real>(bias + at, count);
      };
      const Vector<Real> sum = part(w.input_bias, has_input) + part(w.hidden_bias, has_hidden);
      write_anew(out + (block * Kind::slots + slot) * lanes, sum);
    }
  }
}

// What the backward pass multiplies by: Rᵀ, Wᵀ and the transposed second matrix. The rows of Wᵀ
// follow the order of the gradients of the sums: n r z where the candidate comes first. What there
// is no room for is left out.
template <class Real, class Kind>
void pack_back(const Cell& cell, const Weights<Real>& w, Real* hidden_back, Real* second_back,
               Real* input_back) {
  const int64_t I = cell.inputs, H = cell.units, P = cell.outputs;
  const int64_t rows = (Kind::second_gate ? 2 : Kind::gates) * H;
  if (hidden_back != nullptr) pack_columns(w.hidden, rows, P, hidden_back, rows, 0);
  if (Kind::second_gate) pack_columns(w.hidden + 2 * H * P, H, P, second_back, H, 0);
  if (cell.projected) pack_columns(w.projection, P, H, second_back, P, 0);
  if (input_back == nullptr) return;
  const int64_t all = Kind::gates * H;
  const bool candidate_first = Kind::splits_candidate || Kind::second_gate;
  const int64_t shift = candidate_first ? H : 0;
  if (candidate_first) pack_columns(w.input + 2 * H * I, H, I, input_back, all, 0);
  pack_columns(w.input, all - shift, I, input_back, all, shift);
}

// Lay a cell out, or only count the bytes it takes (memory null). Returns them. `again`, the memory
// holds a layout of other weights of the same sizes, and what differs from it is written.
template <class Real, class Weight, class Kind>
int64_t pack(const Cell& cell, const Weights<Weight>& w, Form form, bool again, char* memory,
             Packed<Real, Weight>* packed) {
  constexpr int64_t lanes = kLanes<Real>;
  const int64_t I = cell.inputs, H = cell.units, P = cell.outputs;
  const int64_t blocks = blocks_of<Real, Kind>(H), pairs = ceil_div(H, kPair<Real>);
  const bool has_panels = !is_direct(form), leads_back = form == Form::gradient;
  const bool leads_to_inputs = leads_back || form == Form::step_to_inputs;
  const bool is_watched = form == Form::watched;
  Allotment all(memory);
  const auto panels = [&](int64_t count) { return all.take<Weight>(has_panels ? count : 0); };
  auto* input = panels(blocks * Kind::input_panels * I * Kind::input_width * lanes);
  auto* hidden = panels(blocks * Kind::hidden_panels * P * Kind::hidden_width * lanes);
  const int64_t second_size = Kind::second_gate ? pairs * P
                              : cell.projected  ? ceil_div(P, kPair<Real>) * H
                                                : 0;
  auto* second = panels(second_size * kPair<Real>);
  auto* bias = all.take<Real>(blocks * Kind::slots * lanes);
  auto* peephole = all.take<Real>(w.peephole == nullptr ? 0 : 3 * blocks * lanes);
  const int64_t outputs_wide = ceil_div(P, kPair<Real>) * kPair<Real>;
  const int64_t hidden_rows = (Kind::second_gate ? 2 : Kind::gates) * H;
  const int64_t inputs_wide = ceil_div(I, kPair<Real>) * kPair<Real>;
  auto* hidden_back = all.take<Real>(leads_back ? hidden_rows * outputs_wide : 0);
  auto* second_back = all.take<Real>(!has_way_back(form) ? 0
                                     : Kind::second_gate ? H * outputs_wide
                                     : cell.projected    ? P * pairs * kPair<Real>
                                                         : 0);
  auto* input_back = all.take<Real>(leads_to_inputs ? Kind::gates * H * inputs_wide : 0);
  const int64_t input_count = Kind::gates * H * I, hidden_count = Kind::gates * H * P;
  const int64_t projection_count = cell.projected ? P * H : 0;
  auto* input_copy = all.take<Weight>(is_watched ? input_count : 0);
  auto* hidden_copy = all.take<Weight>(is_watched ? hidden_count : 0);
  auto* projection_copy = all.take<Weight>(is_watched ? projection_count : 0);
  if (memory == nullptr) return all.used();

  if (has_panels) {
    const Source<Weight> last = second_source<Weight, Kind>(cell, w);
    if (copy_anew(w.input, input_count, again, input_copy))
      pack_rows<Real, Weight, Kind::input_width>(input_source<Weight, Kind>(cell, w), input);
    if (copy_anew(w.hidden, hidden_count, again, hidden_copy)) {
      pack_rows<Real, Weight, Kind::hidden_width>(hidden_source<Weight, Kind>(cell, w), hidden);
      if (Kind::second_gate) pack_rows<Real, Weight, 2>(last, second);
    }
    if (cell.projected && copy_anew(w.projection, projection_count, again, projection_copy))
      pack_rows<Real, Weight, 2>(last, second);
  }
  pack_bias<Real, Weight, Kind>(cell, w, bias);
  if (w.peephole != nullptr) {
    for (int64_t p = 0; p < 3; ++p) {
      for (int64_t first = 0; first < blocks * lanes; first += lanes) {
        const bool is_there = p < Kind::gates - 1 && first < H;
        const int64_t count = !is_there ? 0 : H - first < lanes ? H - first : lanes;
        write_anew(peephole + p * blocks * lanes + first,
                   load_widened<Real>(w.peephole + p * H + first, count));
      }
    }
  }
  if constexpr (sizeof(Weight) == sizeof(Real)) {
    if (has_way_back(form)) pack_back<Real, Kind>(cell, w, hidden_back, second_back, input_back);
  }
  *packed = {input,
             hidden,
             has_panels && second_size > 0 ? second : nullptr,
             bias,
             w.peephole != nullptr ? peephole : nullptr,
             leads_back ? hidden_back : nullptr,
             has_way_back(form) ? second_back : nullptr,
             leads_to_inputs ? input_back : nullptr,
             w};
  return all.used();
}

}  // namespace elman::ELMAN_ISA
