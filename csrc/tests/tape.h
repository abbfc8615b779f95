// Numbers that remember how they were computed, and give derivatives: reverse-mode differentiation
// of any program of +, −, ·, /, σ, tanh and relu. It makes a reference's gradients as trustworthy
// as its values: nobody derives them by hand.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace tape {

struct Node {
  int32_t from[3];
  double slope[3];
};

// Of this thread; `nodes` grows with every operation on a number that is not constant.
inline thread_local std::vector<Node> nodes;

struct Number {
  double value = 0;
  int32_t at = -1;  // its node; −1 where it is constant

  Number() = default;
  Number(double constant) : value(constant) {}  // NOLINT: a constant is a number
  Number(double result, Node node) : value(result) {
    if (node.from[0] < 0 && node.from[1] < 0 && node.from[2] < 0) return;
    at = static_cast<int32_t>(nodes.size());
    nodes.push_back(node);
  }
};

// A number whose derivative will be asked for.
inline Number variable(double value) {
  Number number(value);
  number.at = static_cast<int32_t>(nodes.size());
  nodes.push_back({{-1, -1, -1}, {}});
  return number;
}

inline Number operator+(Number a, Number b) {
  return {a.value + b.value, {{a.at, b.at, -1}, {1, 1, 0}}};
}
inline Number operator-(Number a, Number b) {
  return {a.value - b.value, {{a.at, b.at, -1}, {1, -1, 0}}};
}
inline Number operator*(Number a, Number b) {
  return {a.value * b.value, {{a.at, b.at, -1}, {b.value, a.value, 0}}};
}
inline Number operator/(Number a, Number b) {
  const double ratio = a.value / b.value;
  return {ratio, {{a.at, b.at, -1}, {1 / b.value, -ratio / b.value, 0}}};
}
// sum + a·b
inline Number add_product(Number sum, Number a, Number b) {
  return {sum.value + a.value * b.value, {{sum.at, a.at, b.at}, {1, b.value, a.value}}};
}
inline Number sigmoid(Number a) {
  const double s = 1 / (1 + std::exp(-a.value));
  return {s, {{a.at, -1, -1}, {s * (1 - s), 0, 0}}};
}
inline Number tanh(Number a) {
  const double t = std::tanh(a.value);
  return {t, {{a.at, -1, -1}, {1 - t * t, 0, 0}}};
}
inline Number relu(Number a) {
  const bool is_on = a.value > 0;
  return {is_on ? a.value : 0, {{a.at, -1, -1}, {is_on ? 1.0 : 0.0, 0, 0}}};
}

// d(of)/d(node) for every node.
inline std::vector<double> derivatives(Number of) {
  std::vector<double> slopes(nodes.size(), 0.0);
  if (of.at >= 0) slopes[static_cast<size_t>(of.at)] = 1;
  for (size_t n = nodes.size(); n-- > 0;) {
    for (int i = 0; i < 3; ++i) {
      if (nodes[n].from[i] >= 0)
        slopes[static_cast<size_t>(nodes[n].from[i])] += slopes[n] * nodes[n].slope[i];
    }
  }
  return slopes;
}

}  // namespace tape
