// Tests of linear recurrences over time as a program of its own, as kernels_test.cpp is for cells.
//
// Every kind of scan runs forward and backward in float32 and float64, with and without lengths,
// resets, reversal and initial states, and is compared with plain loops in double whose gradients
// come from reverse-mode differentiation. All sets of kernels that are linked in, on any number of
// threads, must give the same bits; so must a row alone. All arrays lie between pages that nobody
// may touch.
//
// It prints "ok" and how near to double it came and ends with 0, or says what is wrong and ends
// with 1.
#include "scan_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "guarded.h"
#include "isa.h"
#include "tape.h"

#ifndef ELMAN_SETS
#error "Say which kernels are linked: -D'ELMAN_SETS(each)=each(generic)'"
#endif

namespace elman {
#define ELMAN_DECLARE(name)      \
  namespace name {               \
  extern const Kernels kKernels; \
  }
ELMAN_SETS(ELMAN_DECLARE)
#undef ELMAN_DECLARE
}  // namespace elman

namespace {

using elman::Kernels;
using elman::Scan;
using elman::ScanGradients;
using elman::ScanKind;
using tape::Number;

constexpr int kThreads[] = {1, 2, 3, 8};
constexpr double kAllowedError = 64;
double greatest_error = 0;  // in units of ε · max(1, greatest value expected)

struct Example {
  ScanKind kind;
  int64_t steps, rows, width;
  bool is_ragged, has_resets, is_reversed, has_states, has_one_a;
  uint32_t seed;

  int64_t blocks() const {
    return kind == ScanKind::mingru ? 2 : kind == ScanKind::minlstm ? 3 : 1;
  }
  bool is_given() const { return blocks() == 1; }
  int64_t a_steps() const { return !is_given() ? 0 : has_one_a ? 1 : steps; }
  std::string text() const {
    const char* const kinds[] = {"real", "complex", "mingru", "minlstm"};
    std::string words = kinds[static_cast<int>(kind)];
    words += " T " + std::to_string(steps) + " B " + std::to_string(rows) + " W " +
             std::to_string(width);
    if (is_ragged) words += ", ragged";
    if (has_resets) words += ", resets";
    if (is_reversed) words += ", reversed";
    if (has_states) words += ", states";
    if (has_one_a) words += ", one a";
    return words + " (example " + std::to_string(seed) + ")";
  }
};

std::string current;  // the example that runs

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "scan_test: %s\n  in: %s\n", what.c_str(), current.c_str());
  std::_Exit(1);
}

using Named = std::map<std::string, std::vector<double>>;

// What a scan is given, and random weights of what it gives, in double.
struct Problem {
  Example example;
  std::vector<int64_t> lengths;
  std::vector<uint8_t> resets;
  Named given;  // a, b, start, fresh, grad_states, grad_last

  explicit Problem(const Example& e) : example(e) {
    std::mt19937 random(e.seed);
    const auto number = [&](double scale) {
      return scale * (static_cast<double>(random()) / 0x1p31 - 1);
    };
    const auto draw = [&](const char* name, int64_t count, double scale) {
      for (int64_t i = 0; i < count; ++i) given[name].push_back(number(scale));
    };
    for (int64_t row = 0; row < e.rows; ++row)
      lengths.push_back(e.is_ragged ? static_cast<int64_t>(random()) % (e.steps + 1) : e.steps);
    for (int64_t i = 0; i < e.steps * e.rows; ++i) resets.push_back(random() % 4 == 0);
    const int64_t state = e.rows * e.width;
    draw("a", e.a_steps() * state, 0.9);
    draw("b", e.steps * state * e.blocks(), 1.5);
    draw("start", state, 1), draw("fresh", state, 1);
    draw("grad_states", e.steps * state, 1), draw("grad_last", state, 1);
  }

  bool is_real_step(int64_t step, int64_t row) const {
    return step < lengths[static_cast<size_t>(row)];
  }
};

// Numbers that may be complex, for the plain loops.
struct Pair {
  Number real, imaginary;
};

// The scan in plain loops: its states, last states and gradients.
class PlainScan {
 public:
  explicit PlainScan(const Problem& problem) : p_(problem), e_(problem.example) {
    tape::nodes.clear();
    for (const char* name : {"a", "b", "start", "fresh"}) {
      const auto given = p_.given.find(name);
      if (given == p_.given.end()) continue;
      for (const double value : given->second) variables_[name].push_back(tape::variable(value));
    }
  }

  Named run() {
    Named found;
    found["states"].assign(static_cast<size_t>(e_.steps * e_.rows * e_.width), 0.0);
    for (int64_t row = 0; row < e_.rows; ++row) {
      const int64_t units = e_.kind == ScanKind::complex ? e_.width / 2 : e_.width;
      found["last"].resize(static_cast<size_t>((row + 1) * e_.width));
      for (int64_t unit = 0; unit < units; ++unit) run_unit(row, unit, &found);
    }
    const std::vector<double> slopes = tape::derivatives(loss_);
    for (const auto& [name, numbers] : variables_) {
      for (const Number& n : numbers)
        found["grad_" + name].push_back(slopes[static_cast<size_t>(n.at)]);
    }
    return found;
  }

 private:
  Number at(const char* name, int64_t place) const {
    return variables_.at(name)[static_cast<size_t>(place)];
  }
  // A number, or a pair, of an array (…, W).
  Pair pair(const char* name, int64_t place) const {
    if (e_.kind != ScanKind::complex) return {at(name, place), 0.0};
    return {at(name, place), at(name, place + e_.width / 2)};
  }
  Pair state(const char* name, int64_t row, int64_t unit) const {
    if (!e_.has_states) return {0.0, 0.0};
    return pair(name, row * e_.width + unit);
  }

  void terms(int64_t step, int64_t row, int64_t unit, Pair* a, Pair* b) const {
    const int64_t place = step * e_.rows + row, first = place * e_.blocks() * e_.width + unit;
    if (e_.kind == ScanKind::mingru) {
      const Number z = tape::sigmoid(at("b", first));
      *a = {z, 0.0};
      *b = {(Number(1) - z) * at("b", first + e_.width), 0.0};
    } else if (e_.kind == ScanKind::minlstm) {
      const Number i = tape::sigmoid(at("b", first));
      const Number f = tape::sigmoid(at("b", first + e_.width));
      *a = {f / (f + i), 0.0};
      *b = {i / (f + i) * at("b", first + 2 * e_.width), 0.0};
    } else {
      *a = pair("a", (e_.has_one_a ? row : place) * e_.width + unit);
      *b = pair("b", first);
    }
  }

  void weigh(const Pair& s, const char* name, int64_t place) {
    const std::vector<double>& weights = p_.given.at(name);
    loss_ = tape::add_product(loss_, s.real, weights[static_cast<size_t>(place)]);
    if (e_.kind != ScanKind::complex) return;
    loss_ =
        tape::add_product(loss_, s.imaginary, weights[static_cast<size_t>(place + e_.width / 2)]);
  }
  void keep(const Pair& s, int64_t place, std::vector<double>* to) const {
    (*to)[static_cast<size_t>(place)] = s.real.value;
    if (e_.kind == ScanKind::complex)
      (*to)[static_cast<size_t>(place + e_.width / 2)] = s.imaginary.value;
  }

  void run_unit(int64_t row, int64_t unit, Named* found) {
    const int64_t length = p_.lengths[static_cast<size_t>(row)];
    Pair s = state("start", row, unit);
    for (int64_t n = 0; n < length; ++n) {
      const int64_t step = e_.is_reversed ? length - 1 - n : n;
      const int64_t border = e_.is_reversed ? step + 1 : step;
      if (e_.has_resets && border < length &&
          p_.resets[static_cast<size_t>(border * e_.rows + row)] != 0)
        s = state("fresh", row, unit);
      Pair a, b;
      terms(step, row, unit, &a, &b);
      s = {a.real * s.real - a.imaginary * s.imaginary + b.real,
           a.real * s.imaginary + a.imaginary * s.real + b.imaginary};
      const int64_t place = (step * e_.rows + row) * e_.width + unit;
      keep(s, place, &(*found)["states"]);
      weigh(s, "grad_states", place);
    }
    keep(s, row * e_.width + unit, &(*found)["last"]);
    weigh(s, "grad_last", row * e_.width + unit);
  }

  const Problem& p_;
  const Example& e_;
  std::map<std::string, std::vector<Number>> variables_;
  Number loss_;
};

// The same on the kernels, in arrays between guards; padding of what is read is NaN.
template <class Real>
class KernelScan {
 public:
  KernelScan(const Problem& problem, guarded::End end)
      : e_(problem.example), lengths_(e_.rows, end), resets_(e_.steps * e_.rows, end) {
    std::copy(problem.lengths.begin(), problem.lengths.end(), lengths_.begin());
    std::copy(problem.resets.begin(), problem.resets.end(), resets_.begin());
    const int64_t state = e_.rows * e_.width, all = e_.steps * state;
    for (const auto& [name, values] : problem.given) {
      auto& array = arrays_[name] = guarded::Array<Real>(static_cast<int64_t>(values.size()), end);
      std::copy(values.begin(), values.end(), array.begin());
      if (values.size() % static_cast<size_t>(std::max<int64_t>(all, 1)) == 0 && !is_state(name))
        poison_padding(problem, array.data(), static_cast<int64_t>(values.size()));
    }
    arrays_["states"] = guarded::Array<Real>(all, end);
    arrays_["last"] = guarded::Array<Real>(state, end);
    arrays_["grad_a"] = guarded::Array<Real>(e_.a_steps() * state, end);
    arrays_["grad_b"] = guarded::Array<Real>(all * e_.blocks(), end);
    arrays_["grad_start"] = guarded::Array<Real>(state, end);
    arrays_["grad_fresh"] = guarded::Array<Real>(state, end);
  }

  std::map<std::string, std::vector<Real>> run(const Kernels& kernels, int threads) {
    for (const char* name : kWritten) arrays_[name].poison();
    const auto data = [&](const char* name) { return arrays_[name].data(); };
    const Scan<Real> scan{
        .kind = e_.kind,
        .steps = e_.steps,
        .rows = e_.rows,
        .width = e_.width,
        .reverse = e_.is_reversed,
        .a = e_.is_given() ? data("a") : nullptr,
        .a_step = e_.has_one_a ? 0 : e_.rows * e_.width,
        .a_row = e_.width,
        .b = data("b"),
        .lengths = e_.is_ragged ? lengths_.data() : nullptr,
        .resets = e_.has_resets ? resets_.data() : nullptr,
        .start = e_.has_states ? data("start") : nullptr,
        .fresh = e_.has_states ? data("fresh") : nullptr,
        .states = data("states"),
        .last = data("last"),
    };
    elman::run_scan<Real>(kernels, scan, threads);
    const ScanGradients<Real> grads{
        .grad_states = data("grad_states"),
        .grad_last = data("grad_last"),
        .grad_a = e_.is_given() ? data("grad_a") : nullptr,
        .grad_b = data("grad_b"),
        .grad_start = data("grad_start"),
        .grad_fresh = data("grad_fresh"),
    };
    elman::run_scan_backward<Real>(kernels, scan, grads, threads);
    std::map<std::string, std::vector<Real>> found;
    for (const char* name : kWritten)
      found[name] = std::vector<Real>(arrays_[name].begin(), arrays_[name].end());
    return found;
  }

 private:
  static constexpr const char* kWritten[] = {"states", "last",       "grad_a",
                                             "grad_b", "grad_start", "grad_fresh"};

  static bool is_state(const std::string& name) {
    return name == "start" || name == "fresh" || name == "grad_last";
  }
  void poison_padding(const Problem& problem, Real* values, int64_t count) const {
    if (e_.steps == 0 || count == 0 || count < e_.steps * e_.rows * e_.width) return;
    const int64_t size = count / (e_.steps * e_.rows);
    for (int64_t step = 0; step < e_.steps; ++step) {
      for (int64_t row = 0; row < e_.rows; ++row) {
        if (problem.is_real_step(step, row)) continue;
        std::fill_n(values + (step * e_.rows + row) * size, size,
                    std::numeric_limits<Real>::quiet_NaN());
      }
    }
  }

  const Example& e_;
  guarded::Array<int64_t> lengths_;
  guarded::Array<uint8_t> resets_;
  std::map<std::string, guarded::Array<Real>> arrays_;
};

template <class Real>
void check(const Problem& problem, const Named& expected,
           const std::vector<const Kernels*>& all_sets) {
  const auto end = problem.example.seed % 2 == 0 ? guarded::End::last : guarded::End::first;
  KernelScan<Real> scan(problem, end);
  const auto first = scan.run(*all_sets[0], 1);
  for (const auto& [name, values] : first) {
    if (values.empty()) continue;
    if (name == "grad_start" || name == "grad_fresh") {
      if (!problem.example.has_states) continue;  // of zeros, which nobody gave
    }
    const std::vector<double>& truth = expected.at(name);
    double unit = 1;
    for (const double value : truth) unit = std::max(unit, std::abs(value));
    unit *= static_cast<double>(std::numeric_limits<Real>::epsilon());
    for (size_t i = 0; i < truth.size(); ++i) {
      const double error = std::abs(static_cast<double>(values[i]) - truth[i]) / unit;
      greatest_error = std::max(greatest_error, error);
      if (error <= kAllowedError) continue;  // false for NaN
      fail(name + "[" + std::to_string(i) + "] is " + std::to_string(values[i]) + ", not " +
           std::to_string(truth[i]) + " as in plain loops");
    }
  }
  for (const Kernels* kernels : all_sets) {
    for (const int threads : kThreads) {
      const auto again = scan.run(*kernels, threads);
      for (const auto& [name, values] : first) {
        if (values.empty() ||
            std::memcmp(values.data(), again.at(name).data(), values.size() * sizeof(Real)) == 0)
          continue;
        fail(name + " has other bits with " + std::string(kernels->instruction_set) + " on " +
             std::to_string(threads) + " threads");
      }
    }
  }
}

std::vector<const Kernels*> sets() {
  std::vector<const Kernels*> all;
#define ELMAN_LIST(name) all.push_back(&elman::name::kKernels);
  ELMAN_SETS(ELMAN_LIST)
#undef ELMAN_LIST
  std::erase_if(all, [](const Kernels* kernels) {
    for (const elman::InstructionSet& known : elman::known_instruction_sets()) {
      if (known.name == kernels->instruction_set) return !known.runs();
    }
    return false;
  });
  return all;
}

std::vector<Example> examples() {
  constexpr int64_t kSizes[][3] = {{6, 3, 22}, {5, 4, 2}, {1, 2, 34}, {7, 1, 66}, {0, 2, 6}};
  std::vector<Example> all;
  for (const ScanKind kind :
       {ScanKind::real, ScanKind::complex, ScanKind::mingru, ScanKind::minlstm}) {
    for (const auto& [steps, rows, width] : kSizes) {
      for (int options = 0; options < 32; ++options) {
        const bool has_one_a = (options & 16) != 0;
        if (has_one_a && kind != ScanKind::real && kind != ScanKind::complex) continue;
        const auto seed = static_cast<uint32_t>(all.size() + 1);
        all.push_back({kind, steps, rows, width, (options & 1) != 0, (options & 2) != 0,
                       (options & 4) != 0, (options & 8) != 0, has_one_a, seed});
      }
    }
  }
  return all;
}

}  // namespace

int main() {
  const std::vector<const Kernels*> all_sets = sets();
  const std::vector<Example> all = examples();
  for (const Example& example : all) {
    current = example.text();
    const Problem problem(example);
    const Named expected = PlainScan(problem).run();
    check<float>(problem, expected, all_sets);
    check<double>(problem, expected, all_sets);
  }
  std::printf("ok: %zu scans; greatest error %.0f of %.0f allowed\n", all.size(), greatest_error,
              kAllowedError);
}
