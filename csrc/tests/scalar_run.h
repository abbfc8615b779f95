// A run over time in plain loops, one row and one unit after another, in double. The equations are
// those of src/elman/cells/; what is compared with it shares no code with it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "example.h"
#include "tape.h"

struct Reference {
  Arrays values;  // y (T, B, P), hn, cn
  // By the name of what was given; of values weighted by grad_y, grad_hn, grad_cn.
  Arrays gradients;
};

class ScalarRun {
 public:
  explicit ScalarRun(const Problem& problem)
      : p_(problem),
        e_(problem.example),
        I_(e_.cell.inputs),
        H_(e_.cell.units),
        P_(e_.cell.outputs) {
    tape::nodes.clear();
    const int64_t rows = e_.rows;
    // States that are not given are zeros, which have gradients too.
    for (const char* name : {"h0", "fresh_h"}) variables(name, rows * P_);
    for (const char* name : {"c0", "fresh_c"}) variables(name, e_.has_cell() ? rows * H_ : 0);
    for (const char* name :
         {"x", "input", "hidden", "input_bias", "hidden_bias", "projection", "peephole"})
      variables(name, 0);
  }

  Reference run() {
    Reference found;
    auto &y = found.values["y"], &hn = found.values["hn"], &cn = found.values["cn"];
    y.assign(static_cast<size_t>(e_.steps * e_.rows * P_), 0.0);
    for (int64_t row = 0; row < e_.rows; ++row) {
      run_row(row, &y);
      for (const Number& h : h_) hn.push_back(h.value);
      for (const Number& c : c_) cn.push_back(c.value);
    }
    const std::vector<double> slopes = tape::derivatives(loss_);
    for (const auto& [name, numbers] : variables_) {
      for (const Number& n : numbers)
        found.gradients[name].push_back(slopes[static_cast<size_t>(n.at)]);
    }
    return found;
  }

 private:
  using Number = tape::Number;
  using Numbers = std::vector<Number>;

  void variables(const char* name, int64_t zeros) {
    const auto given = p_.given.find(name);
    if (given == p_.given.end() && zeros == 0) return;
    const auto values =
        given != p_.given.end() ? given->second : std::vector<double>(static_cast<size_t>(zeros));
    for (const double value : values) variables_[name].push_back(tape::variable(value));
  }

  // `size` numbers of an array from `first` on.
  Numbers part(const char* name, int64_t first, int64_t size) const {
    const auto from = variables_.at(name).begin() + first;
    return Numbers(from, from + size);
  }

  // A number that is no variable; `otherwise` where the array is not given.
  double constant(const char* name, int64_t at, double otherwise) const {
    const auto given = p_.given.find(name);
    return given == p_.given.end() ? otherwise : given->second[static_cast<size_t>(at)];
  }

  void run_row(int64_t row, std::vector<double>* y) {
    const int64_t length = p_.lengths[static_cast<size_t>(row)];
    restart("h0", "c0", row);
    for (int64_t step = 0; step < length; ++step) {
      const int64_t t = e_.is_reversed ? length - 1 - step : step;
      const int64_t cut = e_.is_reversed ? t + 1 : t;  // between the step before and this one
      if (cut < length && e_.has_resets && p_.resets[static_cast<size_t>(cut * e_.rows + row)])
        restart("fresh_h", "fresh_c", row);
      const int64_t at = t * e_.rows + row;
      const Numbers x = I_ == 0 ? Numbers() : part("x", at * I_, I_);
      zone_out(at, advance(x, row));
      for (int64_t i = 0; i < P_; ++i) {
        const Number h = h_[static_cast<size_t>(i)];
        (*y)[static_cast<size_t>(at * P_ + i)] = h.value;
        loss_ = add_product(loss_, constant("grad_y", at * P_ + i, 0), h);
      }
    }
    for (int64_t i = 0; i < P_; ++i)
      loss_ = add_product(loss_, constant("grad_hn", row * P_ + i, 0), h_[static_cast<size_t>(i)]);
    for (int64_t u = 0; u < static_cast<int64_t>(c_.size()); ++u)
      loss_ = add_product(loss_, constant("grad_cn", row * H_ + u, 0), c_[static_cast<size_t>(u)]);
  }

  void restart(const char* h, const char* c, int64_t row) {
    h_ = part(h, row * P_, P_);
    if (e_.has_cell()) c_ = part(c, row * H_, H_);
  }

  struct State {
    Numbers h, c;
  };

  // The state after one step.
  State advance(const Numbers& x, int64_t row) const {
    Numbers h = h_;  // as R reads it
    for (int64_t i = 0; i < P_; ++i)
      h[static_cast<size_t>(i)] = h[static_cast<size_t>(i)] * constant("mask", row * P_ + i, 1);
    switch (e_.cell.kind) {
      case elman::CellKind::simple: return {simple(x, h), {}};
      case elman::CellKind::lstm:
      case elman::CellKind::coupled_lstm: return lstm(x, h);
      case elman::CellKind::gru_reset_after:
      case elman::CellKind::gru_reset_before: break;
    }
    return {gru(x, h), {}};
  }

  static Number dot(Number sum, const Numbers& matrix, int64_t row, const Numbers& with) {
    const auto size = static_cast<int64_t>(with.size());
    for (int64_t k = 0; k < size; ++k)
      sum = add_product(sum, matrix[static_cast<size_t>(row * size + k)],
                        with[static_cast<size_t>(k)]);
    return sum;
  }

  Number bias(const char* name, int64_t unit) const {
    return e_.has_bias ? variables_.at(name)[static_cast<size_t>(unit)] : Number(0);
  }
  // W x + b and R h + b′ of one unit of a gate.
  Number from_input(int64_t gate, int64_t unit, const Numbers& x) const {
    const Number begin = bias("input_bias", gate * H_ + unit);
    return x.empty() ? begin : dot(begin, variables_.at("input"), gate * H_ + unit, x);
  }
  Number from_hidden(int64_t gate, int64_t unit, const Numbers& h) const {
    return dot(bias("hidden_bias", gate * H_ + unit), variables_.at("hidden"), gate * H_ + unit, h);
  }
  Number sum(int64_t gate, int64_t unit, const Numbers& x, const Numbers& h) const {
    return from_input(gate, unit, x) + from_hidden(gate, unit, h);
  }

  Numbers simple(const Numbers& x, const Numbers& h) const {
    Numbers next;
    for (int64_t u = 0; u < H_; ++u) {
      const Number a = sum(0, u, x, h);
      switch (e_.cell.nonlinearity) {
        case elman::Nonlinearity::tanh: next.push_back(tanh(a)); break;
        case elman::Nonlinearity::relu: next.push_back(relu(a)); break;
        case elman::Nonlinearity::sigmoid: next.push_back(sigmoid(a)); break;
        case elman::Nonlinearity::identity: next.push_back(a); break;
      }
    }
    return next;
  }

  State lstm(const Numbers& x, const Numbers& h) const {
    const bool is_coupled = e_.cell.kind == elman::CellKind::coupled_lstm;
    const int64_t gate_g = is_coupled ? 1 : 2, gate_o = gate_g + 1;
    const auto peep = [&](int64_t which, int64_t u, Number a, Number c) {
      if (!e_.has_peephole) return a;
      return add_product(a, variables_.at("peephole")[static_cast<size_t>(which * H_ + u)], c);
    };
    State next;
    Numbers middle;
    for (int64_t u = 0; u < H_; ++u) {
      const Number c_old = c_[static_cast<size_t>(u)];
      const Number i = sigmoid(peep(0, u, sum(0, u, x, h), c_old));
      const Number f = is_coupled ? Number(1) - i : sigmoid(peep(1, u, sum(1, u, x, h), c_old));
      const Number c = f * c_old + i * tanh(sum(gate_g, u, x, h));
      const Number o = sigmoid(peep(gate_o - 1, u, sum(gate_o, u, x, h), c));
      next.c.push_back(c);
      middle.push_back(o * tanh(c));
    }
    if (!e_.cell.projected) next.h = middle;
    for (int64_t i = 0; e_.cell.projected && i < P_; ++i)
      next.h.push_back(dot(Number(0), variables_.at("projection"), i, middle));
    return next;
  }

  Numbers gru(const Numbers& x, const Numbers& h) const {
    const bool is_after = e_.cell.kind == elman::CellKind::gru_reset_after;
    Numbers r, reset_h, next;
    for (int64_t u = 0; u < H_; ++u) {
      r.push_back(sigmoid(sum(0, u, x, h)));
      reset_h.push_back(r.back() * h[static_cast<size_t>(u)]);
    }
    for (int64_t u = 0; u < H_; ++u) {
      const Number z = sigmoid(sum(1, u, x, h));
      const Number inner =
          is_after ? r[static_cast<size_t>(u)] * from_hidden(2, u, h) : from_hidden(2, u, reset_h);
      const Number n = tanh(from_input(2, u, x) + inner);
      next.push_back((Number(1) - z) * n + z * h_[static_cast<size_t>(u)]);
    }
    return next;
  }

  // Keeps shares of the old state.
  void zone_out(int64_t at, const State& next) {
    const auto mix = [](Number old, Number now, double share) {
      return old * share + now * (1 - share);
    };
    for (int64_t i = 0; i < P_; ++i) {
      const double share = constant("keep_h", at * P_ + i, p_.rate_h);
      h_[static_cast<size_t>(i)] =
          mix(h_[static_cast<size_t>(i)], next.h[static_cast<size_t>(i)], share);
    }
    for (int64_t u = 0; u < static_cast<int64_t>(c_.size()); ++u) {
      const double share = constant("keep_c", at * H_ + u, p_.rate_c);
      c_[static_cast<size_t>(u)] =
          mix(c_[static_cast<size_t>(u)], next.c[static_cast<size_t>(u)], share);
    }
  }

  const Problem& p_;
  const Example& e_;
  const int64_t I_, H_, P_;
  std::map<std::string, Numbers> variables_;
  Numbers h_, c_;
  Number loss_;
};
