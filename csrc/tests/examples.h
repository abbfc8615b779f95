// The examples: every cell with every combination of its options, at sizes off every multiple, and
// the sizes at which the kernels change their way.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "example.h"

class Examples {
 public:
  static std::vector<Example> all() {
    Examples examples;
    for (const elman::Cell& cell : cells()) {
      for (uint32_t options = 0; options < kCombinations; ++options)
        examples.add(cell, options, examples.any_sizes());
    }
    examples.add_turning_points();
    return examples.list_;
  }

 private:
  struct Sizes {
    int64_t steps, rows, inputs, units, outputs;
  };

  // Two to the three yes-or-no options, three kinds of zoneout.
  static constexpr uint32_t kCombinations = 8 * 3;

  static std::vector<elman::Cell> cells() {
    using elman::CellKind, elman::Nonlinearity;
    std::vector<elman::Cell> list;
    for (const auto g : {Nonlinearity::relu, Nonlinearity::sigmoid, Nonlinearity::identity})
      list.push_back({CellKind::simple, g, 0, 0, 0, false});
    for (const auto kind : {CellKind::simple, CellKind::lstm, CellKind::coupled_lstm,
                            CellKind::gru_reset_after, CellKind::gru_reset_before})
      list.push_back({kind, Nonlinearity::tanh, 0, 0, 0, false});
    for (const auto kind : {CellKind::lstm, CellKind::coupled_lstm})
      list.push_back({kind, Nonlinearity::tanh, 0, 0, 0, true});
    return list;
  }

  static double work(const elman::Cell& cell, const Sizes& s) {
    const double gates = cell.kind == elman::CellKind::simple ? 1 : 4;
    return gates * static_cast<double>(s.steps * s.rows * s.units * (s.inputs + s.outputs));
  }

  int64_t one_of(std::initializer_list<int64_t> sizes) {
    return *(sizes.begin() + random_() % sizes.size());
  }

  Sizes any_sizes() {
    return {one_of({1, 2, 3, 5, 7}), one_of({1, 2, 3, 4, 7, 9, 13, 17}),
            one_of({1, 3, 7, 9, 17, 33}), one_of({1, 3, 7, 9, 17, 33, 35}),
            one_of({1, 3, 7, 9, 17, 33})};
  }

  void add(elman::Cell cell, uint32_t options, Sizes s) {
    if (!cell.projected) s.outputs = s.units;
    while (s.rows > 4 && s.rows < 18 && work(cell, s) > 2e5) s.rows /= 2;
    cell.inputs = s.inputs, cell.units = s.units, cell.outputs = s.outputs;
    const bool is_lstm =
        cell.kind == elman::CellKind::lstm || cell.kind == elman::CellKind::coupled_lstm;
    const auto next_bit = [&options] {
      const bool bit = options % 2 == 1;
      options /= 2;
      return bit;
    };
    Example e{};
    e.cell = cell, e.steps = s.steps, e.rows = s.rows;
    e.has_mask = next_bit(), e.has_resets = next_bit(), e.is_reversed = next_bit();
    e.zoneout = static_cast<Zoneout>(options % 3);
    // The rest is drawn: so many combinations see all pairs of options often.
    e.has_peephole = is_lstm && random_() % 2 == 0;
    e.has_bias = random_() % 4 != 0, e.has_states = random_() % 4 != 0;
    e.lengths = static_cast<Lengths>(one_of({0, 0, 0, 1, 1, 1, 1, 2}));
    e.layout = static_cast<Layout>(random_() % 3);
    e.seed = static_cast<uint32_t>(list_.size()) + 1;  // and its number
    list_.push_back(e);
  }

  void add_turning_points() {
    for (const elman::Cell& cell : cells()) {
      for (const Sizes& sizes : {
               Sizes{0, 3, 5, 7, 4},
               Sizes{3, 0, 5, 7, 4},  // no steps, no rows
               Sizes{3, 4, 0, 7, 4},  // no inputs
               Sizes{1, 1, 1, 1, 1},  // one of each
               Sizes{70, 1, 3, 9, 5},
               Sizes{30, 3, 3, 5, 4},  // W x of a stretch of time first
               Sizes{3, 50, 3, 9, 5},
               Sizes{2, 36, 3, 67, 9},  // a chunk full of rows and units
               Sizes{9, 33, 7, 5, 3},
               Sizes{90, 7, 3, 5, 4},  // more row-steps than δW takes
               Sizes{2, 1, 3, 259, 5},
               Sizes{2, 5, 3, 67, 261},  // more units, outputs than δW takes
           }) {
        if (sizes.outputs > sizes.units && !cell.projected) continue;
        for (int i = 0; i < 2; ++i) add(cell, random_() % kCombinations, sizes);
      }
    }
  }

  std::vector<Example> list_;
  std::mt19937 random_{20};
};
