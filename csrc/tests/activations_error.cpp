// Measures the error of exp, sigmoid and tanh of activations.h: for float32 over all bit patterns,
// for float64 over a sample. Prints one line a function and type:
//
//   function  type  greatest error in ulp  where  least value  greatest value  checksum
//
// An ulp is the distance between floats at the correctly rounded result. Numbers are hexadecimal
// but for the error. The checksum is of all results' bits, every NaN counting as the same one, so
// that two builds can be compared.
//
//   --stride N     float32: every N-th bit pattern only
//   --samples N    float64: so many samples, 10⁷ otherwise
//   --values X …   instead, function, type, x and f(x) of every x given, for relu too
//
// Build: g++ -std=c++20 -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math -DELMAN_ISA=avx2
//        -mavx2 -mfma -Icsrc csrc/tests/activations_error.cpp
#include "activations.h"

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

namespace kernels = elman::ELMAN_ISA;

// In which the truth is computed.
template <class Real>
using Wide = std::conditional_t<std::is_same_v<Real, float>, double, long double>;
template <class Real>
using Pattern = std::conditional_t<std::is_same_v<Real, float>, uint32_t, uint64_t>;
template <class Real>
constexpr const char* kTypeName = std::is_same_v<Real, float> ? "float32" : "float64";

struct Exp {
  static constexpr const char* kName = "exp";
  template <class Real>
  static kernels::Vector<Real> kernel(kernels::Vector<Real> x) {
    return kernels::exp<Real>(x);
  }
  template <class T>
  static T truth(T x) {
    return std::exp(x);
  }
};

struct Sigmoid {
  static constexpr const char* kName = "sigmoid";
  template <class Real>
  static kernels::Vector<Real> kernel(kernels::Vector<Real> x) {
    return kernels::sigmoid<Real>(x);
  }
  template <class T>
  static T truth(T x) {
    return 1 / (1 + std::exp(-x));
  }
};

struct Tanh {
  static constexpr const char* kName = "tanh";
  template <class Real>
  static kernels::Vector<Real> kernel(kernels::Vector<Real> x) {
    return kernels::tanh<Real>(x);
  }
  template <class T>
  static T truth(T x) {
    return std::tanh(x);
  }
};

struct Relu {
  static constexpr const char* kName = "relu";
  template <class Real>
  static kernels::Vector<Real> kernel(kernels::Vector<Real> x) {
    return kernels::relu<Real>(x);
  }
};

// |value − truth| in units of the distance between floats at `truth`; infinite where one is a
// number and the other is not.
template <class Real>
double error_in_ulp(Real value, Wide<Real> truth) {
  const Real rounded = static_cast<Real>(truth);
  if (value == rounded) return 0;  // at most half an ulp, which some other input exceeds
  if (std::isnan(value) && std::isnan(rounded)) return 0;
  if (!std::isfinite(value) || !std::isfinite(rounded)) return INFINITY;
  using Limits = std::numeric_limits<Real>;
  // The least exponent of a normal float is that of the denormals and of zero, too.
  const Real magnitude = std::max(std::abs(rounded), Limits::min());
  const int last_place = std::ilogb(magnitude) - (Limits::digits - 1);
  return static_cast<double>(std::ldexp(std::abs(value - truth), -last_place));
}

// What is known of one function after some of its inputs.
template <class Real>
struct Findings {
  double error = 0;
  Real at = 0;
  Real least = std::numeric_limits<Real>::infinity();
  Real greatest = -std::numeric_limits<Real>::infinity();
  uint64_t checksum = 0;

  void add(Real x, Real value, Wide<Real> truth) {
    const double ulp = error_in_ulp<Real>(value, truth);
    if (ulp > error) error = ulp, at = x;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
    const Real one_nan = std::numeric_limits<Real>::quiet_NaN();
    const auto bits = std::bit_cast<Pattern<Real>>(std::isnan(value) ? one_nan : value);
    checksum = (std::rotl(checksum, 5) ^ bits) * 0x9e3779b97f4a7c15u;
  }
};

// Inputs are numbered: input(i) is one, for 0 ≤ i < count.
template <class Real, class Function, class Input>
void measure(int64_t count, Input input) {
  constexpr int64_t kBlock = 4096;
  alignas(64) Real x[kBlock], y[kBlock];
  Findings<Real> findings;
  for (int64_t first = 0; first < count; first += kBlock) {
    const int64_t here = std::min(kBlock, count - first);
    for (int64_t i = 0; i < kBlock; ++i) x[i] = i < here ? input(first + i) : 0;
    for (int64_t i = 0; i < kBlock; i += kernels::kLanes<Real>) {
      kernels::store<Real>(y + i, Function::template kernel<Real>(kernels::load<Real>(x + i)));
    }
    for (int64_t i = 0; i < here; ++i) {
      findings.add(x[i], y[i], Function::template truth<Wide<Real>>(x[i]));
    }
  }
  std::printf("%s %s %.3f %a %a %a %016" PRIx64 "\n", Function::kName, kTypeName<Real>,
              findings.error, static_cast<double>(findings.at), static_cast<double>(findings.least),
              static_cast<double>(findings.greatest), findings.checksum);
}

// Bits without a pattern, the same in every run (Steele, Lea and Flood's SplitMix64).
uint64_t mixed(uint64_t number) {
  uint64_t z = (number + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// One part each: any bit pattern; evenly spread where the functions bend; evenly spread up to
// where exp overflows and underflows; tiny to moderate, all exponents alike.
double sample(int64_t number) {
  const uint64_t bits = mixed(static_cast<uint64_t>(number));
  const double even = static_cast<double>(static_cast<int64_t>(bits)) * 0x1p-63;  // in [−1, 1)
  switch (number % 4) {
    case 0: return std::bit_cast<double>(bits);
    case 1: return 20 * even;
    case 2: return 750 * even;
    default: return std::ldexp(even, -static_cast<int>(bits % 64) + 6);
  }
}

template <class Function>
void measure_all(int64_t stride, int64_t samples) {
  measure<float, Function>(((int64_t{1} << 32) + stride - 1) / stride, [stride](int64_t i) {
    return std::bit_cast<float>(static_cast<uint32_t>(i * stride));
  });
  // Where long double is no wider than double there is no truth to measure against.
  if constexpr (std::numeric_limits<long double>::digits > std::numeric_limits<double>::digits) {
    measure<double, Function>(samples, sample);
  }
}

template <class Real, class Function>
void print_values(const std::vector<double>& xs) {
  for (const double x : xs) {
    const auto v = kernels::broadcast<Real>(static_cast<Real>(x));
    const auto y = Function::template kernel<Real>(v);
    std::printf("%s %s %a %a\n", Function::kName, kTypeName<Real>, static_cast<double>(v[0]),
                static_cast<double>(y[0]));
  }
}

// The positive whole number that `text` is.
std::optional<int64_t> count_of(const char* text) {
  char* end;
  const int64_t count = std::strtoll(text, &end, 10);
  if (*end != '\0' || count < 1) return std::nullopt;
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  int64_t stride = 1, samples = 10'000'000;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--values") {
      std::vector<double> xs;
      while (++i < argc) xs.push_back(std::strtod(argv[i], nullptr));
      print_values<float, Exp>(xs), print_values<double, Exp>(xs);
      print_values<float, Sigmoid>(xs), print_values<double, Sigmoid>(xs);
      print_values<float, Tanh>(xs), print_values<double, Tanh>(xs);
      print_values<float, Relu>(xs), print_values<double, Relu>(xs);
      return 0;
    }
    const auto count = i + 1 < argc ? count_of(argv[i + 1]) : std::nullopt;
    if (!count || (option != "--stride" && option != "--samples")) {
      std::fprintf(stderr, "usage: %s [--stride N] [--samples N] | --values X ...\n", argv[0]);
      return 2;
    }
    (option == "--stride" ? stride : samples) = *count;
  }
  measure_all<Exp>(stride, samples);
  measure_all<Sigmoid>(stride, samples);
  measure_all<Tanh>(stride, samples);
}
