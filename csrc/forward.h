// A cell over time, forward: tiles, pointwise halves, ragged rows, resets, both directions.
//
// One step of one member:
//
//   for a span of its blocks of units       the panels of a span stay in the nearest cache
//     for a chunk of the rows still alive
//       sums = bias + W x(t) + R h(t−1)     tile.h; W x is there already where rows are few
//       h(t), c(t) = the cell's pointwise half
//   barrier                                 h(t) is complete
//   second product, where the cell has one: R_n (r ⊙ h), or the projection
//   barrier
#pragma once

#include "cells/gru.h"
#include "cells/lstm.h"
#include "cells/simple.h"
#include "packing.h"
#include "panel.h"
#include "team.h"
#include "timeline.h"

namespace elman::ELMAN_ISA {

inline constexpr int64_t kRowChunk = 36;  // rows whose sums fit the nearest cache
// W x of a stretch of steps goes first where rows are few, and where they are not many and W would
// push R out of a near cache at every step.
inline constexpr int64_t kFewRows = 3, kNotManyRows = 32;
inline constexpr int64_t kNearCache = 200000;  // bytes
inline constexpr int64_t kStretch = 64;        // row-steps of a stretch
// Weights of more bytes come from a far cache, and tiles fetch the panels that are next.
inline constexpr int64_t kFarWeights = 600000;

// Memory of one run over some rows: shared by the members that compute them, and each one's own.
template <class Real, class Kind>
struct ForwardMemory {
  static constexpr int64_t kTile = Kind::slots * kLanes<Real>;

  Real* zeros;               // (max(H, P))
  Real* operand[2];          // mask ⊙ h(t), by parity of the step
  Real* fresh_operand;       // mask ⊙ the fresh state
  Real* middle;              // (rows, H)
  Real *candidate, *update;  // (rows, H filled up)

  const Real **x, **h_old, **operand_row, **c_old;
  Real *sums, *projected;
  char* room;  // for panels of a direct layout
  Row<Real>* row;

  static int64_t wide(int64_t units) { return ceil_div(units, kPair<Real>) * kPair<Real>; }

  static ForwardMemory shared(const Cell& cell, bool masked, int64_t rows, Allotment& all) {
    ForwardMemory m{};
    const int64_t H = cell.units, P = cell.outputs;
    m.zeros = all.take<Real>(H > P ? H : P);
    for (Real*& operand : m.operand) operand = all.take<Real>(masked ? rows * P : 0);
    m.fresh_operand = all.take<Real>(masked ? rows * P : 0);
    m.middle = all.take<Real>(Kind::second_gate || cell.projected ? rows * H : 0);
    m.candidate = all.take<Real>(Kind::second_gate ? rows * wide(H) : 0);
    m.update = all.take<Real>(Kind::second_gate ? rows * wide(H) : 0);
    return m;
  }

  void take_own(const Cell& cell, int64_t rows, Allotment& all) {
    const int64_t stretch = kStretch + (rows < kNotManyRows ? rows : kNotManyRows);
    const int64_t longest = rows > stretch ? rows : stretch;
    x = all.take<const Real*>(longest);
    h_old = all.take<const Real*>(rows);
    operand_row = all.take<const Real*>(rows);
    c_old = all.take<const Real*>(rows);
    row = all.take<Row<Real>>(rows);
    const int64_t second = kRowChunk * kPair<Real>;
    const int64_t first = kRowChunk * Kind::span * kTile;
    sums = all.take<Real>(first > second ? first : second);
    const int64_t blocks = blocks_of<Real, Kind>(cell.units);
    projected = all.take<Real>(stretch * blocks * kTile);
    room = all.take<char>(kRoomBytes);
  }
};

template <class Real, class Weight, class Kind>
class ForwardPass {
 public:
  ForwardPass(const Cell& cell, const Packed<Real, Weight>& weights, const Forward<Real>& run,
              const Share& share, const ForwardMemory<Real, Kind>& memory)
      : cell_(cell),
        weights_(weights),
        run_(run),
        share_(share),
        memory_(memory),
        timeline_{run, share_.rows, cell.units, cell.outputs, memory.zeros},
        masked_(run.mask != nullptr) {
    // Blocks are dealt out in pairs of vectors, so that a second product and the way back divide
    // the units between the members as the first product does.
    constexpr int64_t in_pair = 2 / Kind::vectors;
    const Range pairs = part_of(share, ceil_div(cell.units, kPair<Real>));
    const int64_t blocks = blocks_of<Real, Kind>(cell.units);
    blocks_ = {pairs.first * in_pair, pairs.last * in_pair};
    if (blocks_.last > blocks) blocks_.last = blocks;
    pairs_ = cell.projected ? part_of(share, ceil_div(cell.outputs, kPair<Real>)) : pairs;
  }

  void run() {
    prepare_masks();
    int64_t step = 0;
    for (; step < run_.steps; ++step) {
      const int64_t rows = timeline_.alive(step, share_.first, share_.last);
      if (rows == 0) break;
      find_rows(step, rows);
      for (int64_t block = blocks_.first; block < blocks_.last; block += Kind::span) {
        const int64_t left = blocks_.last - block;
        first_product(step, rows, block, left < Kind::span ? left : Kind::span);
      }
      meet();
      if constexpr (Kind::second_gate || Kind::has_cell) {
        if (Kind::second_gate || cell_.projected) {
          second_product(rows);
          meet();
        }
      }
    }
    finish();
  }

 private:
  static constexpr int64_t kLane = kLanes<Real>;
  static constexpr int64_t kTile = Kind::slots * kLane;
  // Whether W x and R h add to the same sums: then one pass over (W | R) does for both.
  static constexpr bool kOneProduct =
      Kind::hidden_slot == 0 && Kind::input_panels == Kind::hidden_panels;

  void meet() {
    if (share_.barrier != nullptr) share_.barrier->wait();
  }

  int64_t place(int64_t r) const { return share_.first + r; }

  void prepare_masks() {
    if (!masked_) return;
    const int64_t P = cell_.outputs;
    if (share_.member == 0) {
      for (int64_t r = 0; r < share_.last - share_.first; ++r) {
        const Real* mask = run_.mask + timeline_.row(place(r)) * P;
        const Real* h0 = timeline_.given(run_.h0, place(r), P);
        const Real* fresh = timeline_.given(run_.fresh_h, place(r), P);
        for (int64_t p = 0; p < P; ++p) {
          memory_.operand[1][r * P + p] = mask[p] * h0[p];
          memory_.fresh_operand[r * P + p] = mask[p] * fresh[p];
        }
      }
    }
    meet();
  }

  // The rows' pointers at this step; at the start of a stretch, W x of all its steps.
  void find_rows(int64_t step, int64_t rows) {
    for (int64_t r = 0; r < rows; ++r) {
      memory_.h_old[r] = timeline_.h_old(step, place(r));
      if (Kind::has_cell) memory_.c_old[r] = timeline_.c_old(step, place(r));
      memory_.operand_row[r] = memory_.h_old[r];
      if (masked_) {
        const bool cut = timeline_.is_cut(step, place(r));
        memory_.operand_row[r] =
            (cut ? memory_.fresh_operand : memory_.operand[(step + 1) & 1]) + r * cell_.outputs;
      }
    }
    for (int64_t r = 0; r < rows; ++r) memory_.row[r] = row_at(step, r);
    if (!projects_ahead(rows)) {
      for (int64_t r = 0; r < rows; ++r) memory_.x[r] = timeline_.x(step, place(r));
    } else if (step >= stretch_end_) {
      project_stretch(step);
    }
  }

  bool projects_ahead(int64_t rows) const {
    if (run_.steps == 1 || rows > kNotManyRows) return false;
    const int64_t bytes = Kind::gates * cell_.units * cell_.inputs * sizeof(Weight);
    return rows <= kFewRows || bytes > kNearCache;
  }

  bool fetches_ahead() const {
    const int64_t weights = Kind::gates * cell_.units * (cell_.inputs + cell_.outputs);
    return weights * static_cast<int64_t>(sizeof(Weight)) > kFarWeights;
  }

  void project_stretch(int64_t step) {
    int64_t count = 0;
    for (; step < run_.steps && count < kStretch; ++step) {
      const int64_t rows = timeline_.alive(step, share_.first, share_.last);
      for (int64_t r = 0; r < rows; ++r) memory_.x[count++] = timeline_.x(step, place(r));
      if (rows == 0) break;
    }
    stretch_end_ = step;
    stretch_row_ = 0;
    const int64_t blocks = blocks_.last - blocks_.first;
    add_input(memory_.x, count, blocks_.first, blocks, memory_.projected, blocks * kTile);
  }

  // A product with panels that are there, or that are made of a source as it goes.
  template <int Width>
  void multiply_by(const Product<Real, Weight>& product, int64_t rows, int64_t panels,
                   const Source<Weight> (&source)[2], int64_t first) {
    if (weights_.hidden != nullptr) return multiply<Width>(product, rows, panels);
    auto* room = reinterpret_cast<Weight*>(memory_.room);
    multiply_direct<Width>(product, rows, panels, source, first, room);
  }

  // to = bias + W x for some rows and blocks.
  void add_input(const Real* const* x, int64_t rows, int64_t block, int64_t blocks, Real* to,
                 int64_t row_step) {
    constexpr int64_t panel_step = kTile / Kind::input_panels;
    const Real* bias = weights_.bias + block * kTile;
    const int64_t panel_size = cell_.inputs * Kind::input_width * kLane;
    const Product<Real, Weight> product{
        .factor = {{.a = x,
                    .depth = cell_.inputs,
                    .panels = weights_.input + block * Kind::input_panels * panel_size}},
        .factors = 1,
        .a_step = 1,
        .init = bias,
        .init_row = 0,
        .init_panel = panel_step,
        .out = to,
        .out_row = row_step,
        .out_panel = panel_step,
        .fetches_ahead = fetches_ahead(),
    };
    const int64_t panel = block * Kind::input_panels;
    multiply_by<Kind::input_width>(product, rows, blocks * Kind::input_panels,
                                   {input_source<Weight, Kind>(cell_, weights_.source)}, panel);
    if constexpr (Kind::splits_candidate) {
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t b = 0; b < blocks; ++b)
          store(to + r * row_step + b * kTile + 3 * kLane, load(bias + b * kTile + 3 * kLane));
      }
    }
  }

  void first_product(int64_t step, int64_t rows, int64_t block, int64_t blocks) {
    constexpr int64_t panel_step = kTile / Kind::hidden_panels;
    constexpr int64_t from_slot = Kind::hidden_slot * kLane;
    const int64_t panel_size = cell_.outputs * Kind::hidden_width * kLane;
    const Weight* panels = weights_.hidden + block * Kind::hidden_panels * panel_size;
    const Source<Weight> from = hidden_source<Weight, Kind>(cell_, weights_.source);
    const int64_t wide = blocks * kTile;
    const bool is_projected = step < stretch_end_;
    const int64_t chunks = ceil_div(rows, kRowChunk), even = ceil_div(rows, chunks);
    for (int64_t r = 0; r < rows; r += even) {
      const int64_t now = rows - r < even ? rows - r : even;
      const Real* init = memory_.sums;
      int64_t init_row = wide;
      if (is_projected) {
        init_row = (blocks_.last - blocks_.first) * kTile;
        init = memory_.projected + stretch_row_ * init_row + (block - blocks_.first) * kTile;
        if (from_slot > 0) copy_candidates(init, init_row, now, blocks);
      } else if constexpr (kOneProduct) {
        const int64_t input_panel = cell_.inputs * Kind::input_width * kLane;
        const Product<Real, Weight> product{
            .factor = {{.a = memory_.x + r,
                        .depth = cell_.inputs,
                        .panels = weights_.input + block * Kind::input_panels * input_panel},
                       {.a = memory_.operand_row + r, .depth = cell_.outputs, .panels = panels}},
            .factors = 2,
            .a_step = 1,
            .init = weights_.bias + block * kTile,
            .init_row = 0,
            .init_panel = panel_step,
            .out = memory_.sums,
            .out_row = wide,
            .out_panel = panel_step,
            .fetches_ahead = fetches_ahead(),
        };
        multiply_by<Kind::hidden_width>(product, now, blocks * Kind::hidden_panels,
                                        {input_source<Weight, Kind>(cell_, weights_.source), from},
                                        block * Kind::hidden_panels);
      } else {
        add_input(memory_.x + r, now, block, blocks, memory_.sums, wide);
      }
      if (is_projected || !kOneProduct) {
        const Product<Real, Weight> product{
            .factor = {{.a = memory_.operand_row + r, .depth = cell_.outputs, .panels = panels}},
            .factors = 1,
            .a_step = 1,
            .init = init + from_slot,
            .init_row = init_row,
            .init_panel = panel_step,
            .out = memory_.sums + from_slot,
            .out_row = wide,
            .out_panel = panel_step,
            .fetches_ahead = fetches_ahead(),
        };
        multiply_by<Kind::hidden_width>(product, now, blocks * Kind::hidden_panels, {from},
                                        block * Kind::hidden_panels);
      }
      for (int64_t i = 0; i < now; ++i) first_half(memory_.row[r + i], block, blocks, i * wide);
    }
    if (is_projected && block + blocks == blocks_.last) stretch_row_ += rows;
  }

  // The slots that R h does not touch, from the projected stretch to the sums.
  void copy_candidates(const Real* from, int64_t from_row, int64_t rows, int64_t blocks) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t b = 0; b < blocks; ++b)
        store(memory_.sums + (r * blocks + b) * kTile, load(from + r * from_row + b * kTile));
    }
  }

  Row<Real> row_at(int64_t step, int64_t r) const {
    const int64_t p = place(r), H = cell_.units, P = cell_.outputs;
    const int64_t padded = ForwardMemory<Real, Kind>::wide(H);
    Row<Real> row{};
    row.h_old = memory_.h_old[r];
    row.operand = memory_.operand_row[r];
    row.h_new = timeline_.y(step, p);
    if (Kind::has_cell) {
      row.c_old = memory_.c_old[r];
      row.c_new = timeline_.c(step, p);
      row.keep_c = {timeline_.kept(run_.keep_c, step, p, H), run_.rate_c};
    }
    if (run_.gates != nullptr)
      row.gates = run_.gates + (timeline_.offset(step) + p) * Kind::columns * H;
    if (memory_.middle != nullptr) row.middle = memory_.middle + r * H;
    if (Kind::second_gate) {
      row.candidate = memory_.candidate + r * padded;
      row.update = memory_.update + r * padded;
    }
    if (masked_) {
      row.mask = run_.mask + timeline_.row(p) * P;
      row.next_operand = memory_.operand[step & 1] + r * P;
    }
    row.keep_h = {timeline_.kept(run_.keep_h, step, p, P), run_.rate_h};
    row.peephole = weights_.peephole;
    row.peephole_step = blocks_of<Real, Kind>(H) * Kind::vectors * kLane;
    row.units = H;
    return row;
  }

  void first_half(const Row<Real>& row, int64_t block, int64_t blocks, int64_t sums_at) {
    const Real* sums = memory_.sums + sums_at;
    constexpr int64_t a_vector = kTile / Kind::vectors;
    const int64_t first = block * Kind::vectors * kLane;
    const Range units = {first, first + blocks * Kind::vectors * kLane};
    over_vectors<Real>(units, cell_.units, [&](auto n, int64_t unit, int64_t count) {
      constexpr int N = decltype(n)::value;
      const Real* at = sums + (unit - first) / kLane * a_vector;
      Kind::template forward<N>(cell_, row, at, unit, count);
    });
  }

  // R_n (r ⊙ h) added to the candidate's sum, or the projection of o ⊙ tanh c.
  void second_product(int64_t rows) {
    const int64_t H = cell_.units, columns = cell_.outputs;
    const int64_t padded = ForwardMemory<Real, Kind>::wide(H);
    const Real** middle = memory_.x;  // x has been read
    for (int64_t r = 0; r < rows; ++r) middle[r] = memory_.middle + r * H;
    for (int64_t pair = pairs_.first; pair < pairs_.last; ++pair) {
      const int64_t column = pair * kPair<Real>;
      for (int64_t r = 0; r < rows; r += kRowChunk) {
        const int64_t now = rows - r < kRowChunk ? rows - r : kRowChunk;
        const bool starts_at_zero = !Kind::second_gate;
        const Real* init = starts_at_zero ? zero_pair_ : memory_.candidate + r * padded + column;
        const Product<Real, Weight> product{
            .factor = {{.a = middle + r, .depth = H, .panels = weights_.second + column * H}},
            .factors = 1,
            .a_step = 1,
            .init = init,
            .init_row = starts_at_zero ? 0 : padded,
            .init_panel = 0,
            .out = memory_.sums,
            .out_row = kPair<Real>,
            .out_panel = 0,
            .fetches_ahead = fetches_ahead(),
        };
        multiply_by<2>(product, now, 1, {second_source<Weight, Kind>(cell_, weights_.source)},
                       pair);
        for (int64_t i = 0; i < now; ++i) {
          const Row<Real>& row = memory_.row[r + i];
          const Real* sums = memory_.sums + i * kPair<Real>;
          const Range units = {column, column + kPair<Real>};
          over_vectors<Real>(units, columns, [&](auto n, int64_t unit, int64_t count) {
            constexpr int N = decltype(n)::value;
            const Real* at = sums + (unit - column);
            Kind::template finish<N>(row, at, unit, count);
          });
        }
      }
    }
  }

  // States at each row's own end, and zeros after it. The last barrier lies behind: h is complete.
  void finish() {
    const int64_t H = cell_.units, P = cell_.outputs;
    for (int64_t r = share_.member; r < share_.last - share_.first; r += share_.members) {
      const int64_t p = place(r), row = timeline_.row(p), length = timeline_.length(p);
      const Real* h = length == 0 ? timeline_.given(run_.h0, p, P) : timeline_.y(length - 1, p);
      std::memcpy(run_.hn + row * P, h, sizeof(Real) * P);
      if (Kind::has_cell && (length == 0 || run_.cells != nullptr)) {
        const Real* c = length == 0 ? timeline_.given(run_.c0, p, H) : timeline_.c(length - 1, p);
        if (c != run_.cn + row * H) std::memcpy(run_.cn + row * H, c, sizeof(Real) * H);
      }
      for (int64_t t = length; t < run_.steps; ++t)
        std::memset(run_.y + t * run_.y_step + row * run_.y_row, 0, sizeof(Real) * P);
    }
  }

  const Cell& cell_;
  const Packed<Real, Weight>& weights_;
  const Forward<Real>& run_;
  const Share share_;
  const ForwardMemory<Real, Kind>& memory_;
  const Timeline<Real> timeline_;
  const bool masked_;
  Range blocks_, pairs_;
  int64_t stretch_end_ = 0;  // the step before which W x is there
  int64_t stretch_row_ = 0;  // and the row-step of the stretch that comes next
  alignas(64) const Real zero_pair_[kPair<Real>] = {};
};

}  // namespace elman::ELMAN_ISA
