// What the parts of the Python module share: how an argument is checked, and the weights.
//
// Arrays come as addresses (`tensor.data_ptr()`), since a tensor's own protocol costs more than a
// small kernel runs. 0 stands for an array that is not given.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <variant>

#include "kernels.h"
#include "run.h"
#include "unlocked.h"

namespace elman::bindings {

namespace nb = nanobind;

// The kernels of this process; chosen once, when the module is imported.
extern const Kernels* kernels;

[[noreturn]] inline void refuse(const std::string& sentence) {
  throw nb::value_error(sentence.c_str());
}

// An array that must be given.
template <class T>
T* needed(const char* operation, const char* name, uintptr_t address) {
  if (address == 0) refuse(std::string(operation) + ": " + name + " is null.");
  return reinterpret_cast<T*>(address);
}

template <class T>
T* optional(uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

inline void check_size(const char* operation, const char* name, int64_t size, int64_t least) {
  if (size >= least) return;
  refuse(std::string(operation) + ": " + name + " must be at least " + std::to_string(least) +
         ", got " + std::to_string(size) + ".");
}

// The product of sizes, each filled up to whole vectors, must be an address: of up to eight arrays
// of eight bytes a number.
inline void check_product(const char* operation, const char* what,
                          std::initializer_list<int64_t> sizes) {
  int64_t product = 64;
  for (int64_t size : sizes) {
    int64_t filled = 0;
    if (__builtin_add_overflow(size, int64_t{64}, &filled) ||
        __builtin_mul_overflow(product, filled, &product)) {
      refuse(std::string(operation) + ": " + what + " is too large to be addressed.");
    }
  }
}

// A share of the old state that is kept.
inline void check_share(const char* operation, const char* name, double share) {
  if (share >= 0 && share <= 1) return;
  refuse(std::string(operation) + ": " + name + " must lie in 0 … 1, got " + std::to_string(share) +
         ".");
}

// Weights laid out for the kernels.
class Packed {
 public:
  using Any = std::variant<PackedCell<float, float>, PackedCell<double, double>,
                           PackedCell<float, BFloat16>>;

  Packed(const std::string& cell, const std::string& nonlinearity, const std::string& dtype,
         int64_t inputs, int64_t units, int64_t outputs, uintptr_t input, uintptr_t hidden,
         uintptr_t input_bias, uintptr_t hidden_bias, uintptr_t projection, uintptr_t peephole,
         bool gradient, const std::string& form);

  // Weights of the same sizes in place of those before.
  void refresh(uintptr_t input, uintptr_t hidden, uintptr_t input_bias, uintptr_t hidden_bias,
               uintptr_t projection, uintptr_t peephole);

  const Any& any() const { return any_; }
  template <class Real>
  PackedCell<Real, Real>& cell_of() {
    return std::get<PackedCell<Real, Real>>(any_);
  }
  Form form() const {
    return std::visit([](const auto& packed) { return packed.form(); }, any_);
  }
  const Cell& cell() const {
    return std::visit([](const auto& packed) -> const Cell& { return packed.cell(); }, any_);
  }
  bool is_double() const { return std::holds_alternative<PackedCell<double, double>>(any_); }
  bool has_gradient() const { return has_way_back(form()); }
  int64_t bytes() const {
    return std::visit([](const auto& packed) { return packed.bytes(); }, any_);
  }

 private:
  Any any_;
};

// A run of so few steps reads weights where they lie: they go through the registers once a step. A
// layout costs a comparison with a copy, which is two readings, and more memory in the caches.
inline constexpr int64_t kDirectSteps = 1;

// Each puts its part into the module.
void bind_packed(nb::module_& module);
void bind_stack(nb::module_& module);
void bind_stream(nb::module_& module);
void bind_scan(nb::module_& module);

}  // namespace elman::bindings
