// What the kernels are tried on: a cell with its options, sizes, and the numbers drawn for them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "recurrence.h"

enum class Zoneout { none, masks, rates };
enum class Lengths { whole, ragged, zero };
// How x, y and their gradients lie: (T, B, ·), (B, T, ·), or with room between the rows.
enum class Layout { time_first, batch_first, gaps };

struct Example {
  elman::Cell cell;
  int64_t steps, rows;
  bool has_bias, has_peephole, has_states, has_mask, has_resets, is_reversed;
  Zoneout zoneout;
  Lengths lengths;
  Layout layout;
  uint32_t seed;

  bool has_cell() const {
    return cell.kind == elman::CellKind::lstm || cell.kind == elman::CellKind::coupled_lstm;
  }
  int64_t gates() const {
    if (cell.kind == elman::CellKind::simple) return 1;
    return cell.kind == elman::CellKind::lstm ? 4 : 3;
  }
  std::string text() const;
};

inline std::string Example::text() const {
  constexpr const char* kinds[] = {"simple", "lstm", "coupled lstm", "gru reset after",
                                   "gru reset before"};
  constexpr const char* nonlinearities[] = {"tanh", "relu", "sigmoid", "identity"};
  std::string s = kinds[static_cast<int>(cell.kind)];
  if (cell.kind == elman::CellKind::simple)
    s += std::string(" ") + nonlinearities[static_cast<int>(cell.nonlinearity)];
  const auto size = [&s](const char* name, int64_t n) { s += name + std::to_string(n); };
  size(" T=", steps), size(" B=", rows), size(" I=", cell.inputs), size(" H=", cell.units);
  if (cell.projected) size(" P=", cell.outputs);
  const auto option = [&s](bool is_on, const char* name) { s += is_on ? name : ""; };
  option(has_peephole, ", peephole"), option(!has_bias, ", no bias");
  option(!has_states, ", states of zero"), option(has_mask, ", recurrent dropout");
  option(zoneout == Zoneout::masks, ", zoneout masks");
  option(zoneout == Zoneout::rates, ", zoneout rates"), option(has_resets, ", resets");
  option(lengths == Lengths::ragged, ", ragged"), option(lengths == Lengths::zero, ", empty rows");
  option(is_reversed, ", reversed"), option(layout == Layout::batch_first, ", batch first");
  option(layout == Layout::gaps, ", gaps");
  return s;
}

// By the names of recurrence.h, dense and row-major; what is null there is missing here.
using Arrays = std::map<std::string, std::vector<double>>;

// Numbers that float32 holds, and weights that bfloat16 holds: every type is given the same.
// What no kernel may use, after a row's end, is NaN.
struct Problem {
  Example example;
  Arrays given;                  // the fields of Weights and Forward, and grad_y, grad_hn, grad_cn
  std::vector<int64_t> lengths;  // one a row in any case
  std::vector<uint8_t> resets;   // (T, B), or empty
  double rate_h = 0, rate_c = 0;

  int64_t total() const {
    int64_t sum = 0;
    for (const int64_t length : lengths) sum += length;
    return sum;
  }
};

// Draws the numbers of an example.
class Draw {
 public:
  explicit Draw(const Example& example) : random_(example.seed), e_(example) {}

  Problem problem() {
    Problem p;
    p.example = e_;
    for (int64_t row = 0; row < e_.rows; ++row) p.lengths.push_back(length());
    weights(&p.given);
    states(&p.given);
    if (e_.has_resets) {
      for (int64_t i = 0; i < e_.steps * e_.rows; ++i) p.resets.push_back(random_() % 4 == 0);
    }
    if (e_.zoneout == Zoneout::rates) p.rate_h = 0.25, p.rate_c = 0.125;
    over_time(&p);
    return p;
  }

 private:
  int64_t length() {
    if (e_.lengths == Lengths::whole) return e_.steps;
    return e_.lengths == Lengths::zero ? 0 : static_cast<int64_t>(random_()) % (e_.steps + 1);
  }

  double number(double scale) {
    const double even = static_cast<double>(random_()) / 0x1p31 - 1;
    return static_cast<float>(scale * even);
  }

  std::vector<double> numbers(int64_t count, double scale) {
    std::vector<double> drawn(static_cast<size_t>(count));
    for (double& value : drawn) value = number(scale);
    return drawn;
  }

  std::vector<double> weights(int64_t count, double scale) {
    std::vector<double> drawn = numbers(count, scale);
    for (double& value : drawn) value = bfloat16(static_cast<float>(value));
    return drawn;
  }

  static float bfloat16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    bits &= 0xffff0000u;
    std::memcpy(&value, &bits, sizeof bits);
    return value;
  }

  void weights(Arrays* to) {
    const int64_t I = e_.cell.inputs, H = e_.cell.units, P = e_.cell.outputs, G = e_.gates();
    (*to)["input"] = weights(G * H * I, 1.5 / std::sqrt(static_cast<double>(I + 1)));
    (*to)["hidden"] = weights(G * H * P, 1.5 / std::sqrt(static_cast<double>(P)));
    if (e_.has_bias) (*to)["input_bias"] = weights(G * H, 0.5);
    if (e_.has_bias) (*to)["hidden_bias"] = weights(G * H, 0.5);
    if (e_.cell.projected)
      (*to)["projection"] = weights(P * H, 1.5 / std::sqrt(static_cast<double>(H)));
    if (e_.has_peephole) (*to)["peephole"] = weights((G - 1) * H, 0.5);
  }

  void states(Arrays* to) {
    const int64_t h = e_.rows * e_.cell.outputs, c = e_.rows * e_.cell.units;
    if (e_.has_states) (*to)["h0"] = numbers(h, 1), (*to)["fresh_h"] = numbers(h, 1);
    if (e_.has_states && e_.has_cell())
      (*to)["c0"] = numbers(c, 1), (*to)["fresh_c"] = numbers(c, 1);
    (*to)["grad_hn"] = numbers(h, 1);
    if (e_.has_cell()) (*to)["grad_cn"] = numbers(c, 1);
    if (e_.has_mask) (*to)["mask"] = shares(h, 1.5);
  }

  // Zeros, ones times `most`, and a few between.
  std::vector<double> shares(int64_t count, double most) {
    std::vector<double> drawn(static_cast<size_t>(count));
    for (double& value : drawn) {
      const auto kind = random_() % 5;
      value = kind == 0 ? 0.375 : kind < 3 ? 0 : most;
    }
    return drawn;
  }

  void over_time(Problem* p) {
    const int64_t rows = e_.steps * e_.rows, H = e_.cell.units, P = e_.cell.outputs;
    p->given["x"] = numbers(rows * e_.cell.inputs, 1);
    p->given["grad_y"] = numbers(rows * P, 1);
    if (e_.zoneout == Zoneout::masks) {
      p->given["keep_h"] = shares(rows * P, 1);
      if (e_.has_cell()) p->given["keep_c"] = shares(rows * H, 1);
    }
    for (int64_t t = 0; t < e_.steps; ++t) {
      for (int64_t row = 0; row < e_.rows; ++row) {
        if (t < p->lengths[static_cast<size_t>(row)]) continue;
        if (e_.has_resets) p->resets[static_cast<size_t>(t * e_.rows + row)] = 1;
        for (const char* name : {"x", "grad_y", "keep_h", "keep_c"}) {
          const auto found = p->given.find(name);
          if (found == p->given.end()) continue;
          const auto size = static_cast<int64_t>(found->second.size()) / rows;
          const auto first = found->second.begin() + (t * e_.rows + row) * size;
          std::fill(first, first + size, std::numeric_limits<double>::quiet_NaN());
        }
      }
    }
  }

  std::mt19937 random_;
  const Example e_;
};

// The problem of one row alone.
inline Problem row_of(const Problem& whole, int64_t row) {
  Problem p = whole;
  const int64_t rows = whole.example.rows, steps = whole.example.steps;
  p.example.rows = 1;
  p.lengths = {whole.lengths[static_cast<size_t>(row)]};
  p.resets.clear();
  for (size_t i = static_cast<size_t>(row); i < whole.resets.size(); i += static_cast<size_t>(rows))
    p.resets.push_back(whole.resets[i]);
  const auto take = [&](const char* name, int64_t blocks) {
    const auto found = p.given.find(name);
    if (found == p.given.end()) return;
    const std::vector<double>& all = whole.given.at(name);
    const auto size = blocks == 0 ? 0 : static_cast<int64_t>(all.size()) / (blocks * rows);
    found->second.clear();
    for (int64_t block = 0; block < blocks; ++block) {
      const auto first = all.begin() + (block * rows + row) * size;
      found->second.insert(found->second.end(), first, first + size);
    }
  };
  for (const char* name : {"x", "grad_y", "keep_h", "keep_c"}) take(name, steps);
  for (const char* name : {"h0", "c0", "fresh_h", "fresh_c", "mask", "grad_hn", "grad_cn"})
    take(name, 1);
  return p;
}
