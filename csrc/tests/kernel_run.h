// A problem laid out for the kernels, in arrays between guards, and what the kernels made of it.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "example.h"
#include "guarded.h"
#include "run.h"

// Numbers by name, as they lie in memory or, `dense`, without gaps and in the order (T, B, ·).
template <class Real>
using Found = std::map<std::string, std::vector<Real>>;

template <class Real, class Weight>
class KernelRun {
 public:
  KernelRun(const Problem& problem, guarded::End end) : p_(problem), e_(p_.example), end_(end) {
    for (const auto& [name, values] : p_.given) {
      if (is_weight(name)) {
        weights_[name] = array<Weight>(values);
      } else {
        given_[name] = is_over_time(name) ? spread(values) : array<Real>(values);
      }
    }
    lengths_ = array<int64_t>(p_.lengths);
    resets_ = array<uint8_t>(p_.resets);
    make_results();
  }

  // Whether an array has a row for every step, laid out as the example says.
  static bool is_over_time(const std::string& name) {
    return name == "x" || name == "y" || name == "grad_x" || name == "grad_y";
  }

  static constexpr elman::Form kFullForm =
      std::is_same_v<Real, Weight> ? elman::Form::gradient : elman::Form::frozen;

  void pack(const elman::Kernels& kernels, elman::Form form = kFullForm) {
    cell_ = std::make_unique<elman::PackedCell<Real, Weight>>(kernels, e_.cell, weights(), form);
  }

  // Every weight is another, and then what it was: laid out once, and twice in place.
  void repack(const elman::Kernels& kernels, elman::Form form) {
    flip_weights();
    pack(kernels, form);
    flip_weights();
    cell_->refresh(weights());
    cell_->refresh(weights());
  }

  // Everything that a run may write is NaN again, but for what its caller has to clear.
  void clear() {
    for (const auto& [name, result] : results_) result.poison();
    const int64_t size = e_.cell.inputs;
    if (p_.total() < e_.steps * e_.rows)
      each_row(size, [&](int64_t at) { std::fill_n(at_result("grad_x") + at, size, Real{0}); });
  }

  elman::ForwardJob<Real, Weight> forward_job(bool keeps) {
    elman::Forward<Real> f{};
    f.steps = e_.steps, f.rows = e_.rows, f.reverse = e_.is_reversed;
    const Strides x = strides(e_.cell.inputs), y = strides(e_.cell.outputs);
    f.x = at(given_, "x"), f.x_step = x.step, f.x_row = x.row;
    f.y = at_result("y"), f.y_step = y.step, f.y_row = y.row;
    f.lengths = e_.lengths == Lengths::whole ? nullptr : lengths_.data();
    f.resets = e_.has_resets ? resets_.data() : nullptr;
    f.h0 = at(given_, "h0"), f.c0 = at(given_, "c0");
    f.fresh_h = at(given_, "fresh_h"), f.fresh_c = at(given_, "fresh_c");
    f.hn = at_result("hn"), f.cn = at_result("cn");
    f.mask = at(given_, "mask");
    f.keep_h = at(given_, "keep_h"), f.keep_c = at(given_, "keep_c");
    f.rate_h = static_cast<Real>(p_.rate_h), f.rate_c = static_cast<Real>(p_.rate_c);
    if (keeps) f.gates = at_result("gates"), f.cells = at_result("cells");
    return {cell_.get(), f};
  }

  using Wanted = std::function<bool(const std::string&)>;

  elman::BackwardJob<Real> backward_job(const Wanted& is_wanted) {
    elman::Backward<Real> b{};
    const Strides x = strides(e_.cell.inputs), y = strides(e_.cell.outputs);
    b.grad_y = at(given_, "grad_y"), b.grad_y_step = y.step, b.grad_y_row = y.row;
    b.grad_hn = at(given_, "grad_hn"), b.grad_cn = at(given_, "grad_cn");
    b.grad_x_step = x.step, b.grad_x_row = x.row;
    const auto wanted = [&](const char* name) {
      return is_wanted(name) ? at_result(name) : nullptr;
    };
    b.grad_x = wanted("grad_x");
    b.grad_h0 = wanted("grad_h0"), b.grad_c0 = wanted("grad_c0");
    b.grad_fresh_h = wanted("grad_fresh_h"), b.grad_fresh_c = wanted("grad_fresh_c");
    b.grad_input = wanted("grad_input"), b.grad_hidden = wanted("grad_hidden");
    b.grad_input_bias = wanted("grad_input_bias");
    b.grad_hidden_bias = wanted("grad_hidden_bias");
    b.grad_projection = wanted("grad_projection"), b.grad_peephole = wanted("grad_peephole");
    return {cell_.get(), forward_job(true).run, b};
  }

  // The results as they lie, gaps and all.
  Found<Real> found() const {
    Found<Real> found;
    for (const auto& [name, result] : results_)
      found[name] = std::vector<Real>(result.begin(), result.end());
    return found;
  }

  // The same rows of every layout side by side: (T, B, ·) and (B, ·).
  std::vector<Real> dense(const std::string& name) {
    if (!is_over_time(name))
      return std::vector<Real>(results_.at(name).begin(), results_.at(name).end());
    std::vector<Real> rows;
    const int64_t size = size_of(name);
    each_row(size, [&](int64_t at) {
      const Real* from = at_result(name.c_str()) + at;
      rows.insert(rows.end(), from, from + size);
    });
    return rows;
  }

  // Whether the room between the rows of y and grad_x is as it was.
  bool gaps_are_untouched() {
    for (const char* name : {"y", "grad_x"}) {
      const guarded::Array<Real>& all = results_.at(name);
      std::vector<char> is_row(all.size(), 0);
      const int64_t size = size_of(name);
      each_row(size, [&](int64_t at) { std::fill_n(is_row.begin() + at, size, char{1}); });
      const std::vector<char> untouched(sizeof(Real), static_cast<char>(0xff));
      for (size_t i = 0; i < all.size(); ++i) {
        if (!is_row[i] && std::memcmp(all.begin() + i, untouched.data(), sizeof(Real)) != 0)
          return false;
      }
    }
    return true;
  }

 private:
  struct Strides {
    int64_t step, row;
  };

  elman::Weights<Weight> weights() {
    const auto weight = [&](const char* name) { return at(weights_, name); };
    return {weight("input"),       weight("hidden"),     weight("input_bias"),
            weight("hidden_bias"), weight("projection"), weight("peephole")};
  }

  // The last bit of every weight.
  void flip_weights() {
    for (auto& [name, values] : weights_) {
      for (Weight& value : values) reinterpret_cast<char*>(&value)[0] ^= 1;
    }
  }

  static bool is_weight(const std::string& name) {
    return name.starts_with("input") || name.starts_with("hidden") || name == "projection" ||
           name == "peephole";
  }
  int64_t size_of(const std::string& name) const {
    return name.ends_with("x") ? e_.cell.inputs : e_.cell.outputs;
  }

  Strides strides(int64_t size) const {
    switch (e_.layout) {
      case Layout::batch_first: return {size, e_.steps * size};
      case Layout::gaps: return {e_.rows * (size + 3) + 5, size + 3};
      case Layout::time_first: break;
    }
    return {e_.rows * size, size};
  }

  // f(where the row-step begins), in the order (T, B).
  template <class F>
  void each_row(int64_t size, const F& f) const {
    const Strides s = strides(size);
    for (int64_t t = 0; t < e_.steps; ++t) {
      for (int64_t row = 0; row < e_.rows; ++row) f(t * s.step + row * s.row);
    }
  }

  int64_t strided_count(int64_t size) const {
    if (e_.steps == 0 || e_.rows == 0) return 0;
    const Strides s = strides(size);
    return (e_.steps - 1) * s.step + (e_.rows - 1) * s.row + size;
  }

  template <class T, class From>
  guarded::Array<T> array(const std::vector<From>& values) const {
    guarded::Array<T> to(static_cast<int64_t>(values.size()), end_);
    for (size_t i = 0; i < values.size(); ++i) set(to.begin() + i, values[i]);
    return to;
  }
  template <class T, class From>
  static void set(T* to, From value) {
    if constexpr (std::is_same_v<T, elman::BFloat16>) {
      const auto rounded = static_cast<float>(value);
      uint32_t bits;
      std::memcpy(&bits, &rounded, sizeof bits);
      to->bits = static_cast<uint16_t>(bits >> 16);
    } else {
      *to = static_cast<T>(value);
    }
  }

  guarded::Array<Real> spread(const std::vector<double>& values) const {
    const int64_t rows = e_.steps * e_.rows;
    const int64_t size = rows == 0 ? 0 : static_cast<int64_t>(values.size()) / rows;
    guarded::Array<Real> to(strided_count(size), end_);
    auto from = values.begin();
    each_row(size, [&](int64_t at) {
      for (int64_t i = 0; i < size; ++i) to.data()[at + i] = static_cast<Real>(*from++);
    });
    return to;
  }

  void make_results() {
    const int64_t I = e_.cell.inputs, H = e_.cell.units, P = e_.cell.outputs, B = e_.rows;
    const auto make = [&](const std::string& name, int64_t count) {
      results_[name] = guarded::Array<Real>(count, end_);
    };
    make("y", strided_count(P)), make("hn", B * P);
    make("grad_x", strided_count(I)), make("grad_h0", B * P), make("grad_fresh_h", B * P);
    const bool splits = e_.cell.kind == elman::CellKind::gru_reset_after;
    const bool is_simple = e_.cell.kind == elman::CellKind::simple;
    // A simple cell's gradient follows from h alone, unless zoneout mixed it.
    if (!is_simple || e_.zoneout != Zoneout::none || e_.seed % 3 == 0)
      make("gates", p_.total() * (splits ? 4 : e_.gates()) * H);
    if (e_.has_cell()) {
      make("cn", B * H), make("cells", p_.total() * H);
      make("grad_c0", B * H), make("grad_fresh_c", B * H);
    }
    for (const auto& [name, values] : p_.given) {
      if (is_weight(name)) make("grad_" + name, static_cast<int64_t>(values.size()));
    }
  }

  template <class T>
  static T* at(const std::map<std::string, guarded::Array<T>>& arrays, const char* name) {
    const auto found = arrays.find(name);
    return found == arrays.end() ? nullptr : found->second.data();
  }
  Real* at_result(const char* name) const { return at(results_, name); }

  const Problem p_;
  const Example& e_;
  const guarded::End end_;
  std::map<std::string, guarded::Array<Real>> given_, results_;
  std::map<std::string, guarded::Array<Weight>> weights_;
  guarded::Array<int64_t> lengths_;
  guarded::Array<uint8_t> resets_;
  std::unique_ptr<elman::PackedCell<Real, Weight>> cell_;
};
