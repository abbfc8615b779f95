// The activations of the cells, a vector at a time: exp, sigmoid, tanh, relu.
//
// No branch, no table, one division in sigmoid and in tanh. All is IEEE arithmetic, fma and shifts
// of bits, so that every instruction set gives the same bits (which NaN a NaN is aside). Each
// function states its greatest error, in units in the last place of the correctly rounded result:
// for float over all inputs, for double over 10⁷. tests/kernels/test_activations.py holds them to
// it.
//
// Each writes x = n·k + r with n an integer, k = ln 2 or half of it, |r| ≤ k/2, and takes a
// polynomial of r. Added to kRound, a number is rounded to an integer that stands in the lowest
// bits of the sum; shifted left into the exponent they are 2ⁿ, with no conversion to integers.
//
// The polynomials are minimax in relative error (Remez exchange), their leading terms held exact.
// Horner's scheme, since Estrin's was no faster over independent vectors (AVX2, Zen 3).
#pragma once

#include "simd.h"

namespace elman::ELMAN_ISA {

template <class Real>
struct ActivationNumbers;

template <>
struct ActivationNumbers<float> {
  static constexpr int kMantissaBits = 23;
  static constexpr float kBias = 127;
  static constexpr float kRound = 0x1.8p23f;
  static constexpr float kLog2E = 1.442695f;
  static constexpr float kLn2 = 0.6931472f;
  static constexpr float kLn2Rest = -1.9046542e-9f;  // ln 2 − kLn2

  // Beyond these, exp is 0 or ∞, sigmoid 0 or 1, tanh 1.
  static constexpr float kExpLeast = -104, kExpGreatest = 89;
  static constexpr float kSigmoidLeast = -104, kSigmoidGreatest = 20;
  static constexpr float kTanhGreatest = 9.125f;

  // eʳ, |r| ≤ ln 2 / 2, to 0.08 · 2⁻²⁴.
  static constexpr float kExp[] = {
      1, 1, 0.49999994f, 0.16666518f, 0.041668415f, 0.008368987f, 0.0013814046f};
  // kSigmoidFactor · e⁻ʳ, |r| ≤ ln 2 / 2, to 0.1 · 2⁻²⁴.
  static constexpr float kSigmoid[] = {1.4140625f,   -1.4140625f,   0.70703113f,  -0.23567499f,
                                       0.058921743f, -0.011834269f, 0.0019533923f};
  static constexpr float kSigmoidFactor = 1.4140625f;
  static constexpr float kSigmoidExponent = -64;
  static constexpr float kSigmoidScale = 0x1p-64f;  // 2 to kSigmoidExponent
  // (tanh(r) / r − 1) / r² as a polynomial of r², |r| ≤ ln 2 / 4; tanh to 0.004 · 2⁻²⁴.
  static constexpr float kTanh[] = {-0.33333322f, 0.13331117f, -0.052708127f};
};

template <>
struct ActivationNumbers<double> {
  static constexpr int kMantissaBits = 52;
  static constexpr double kBias = 1023;
  static constexpr double kRound = 0x1.8p52;
  static constexpr double kLog2E = 1.4426950408889634;
  static constexpr double kLn2 = 0.6931471805599453;
  static constexpr double kLn2Rest = 2.3190468138462996e-17;

  static constexpr double kExpLeast = -746, kExpGreatest = 710;
  static constexpr double kSigmoidLeast = -746, kSigmoidGreatest = 40;
  static constexpr double kTanhGreatest = 20;

  // All three to 0.05 · 2⁻⁵³.
  static constexpr double kExp[] = {1,
                                    1,
                                    0.5000000000000011,
                                    0.16666666666666402,
                                    0.04166666666652602,
                                    0.008333333333499431,
                                    0.001388888894487487,
                                    0.00019841269498837392,
                                    2.4801491672567093e-05,
                                    2.7557590505160585e-06,
                                    2.76307995666024e-07,
                                    2.4999647906473817e-08};
  static constexpr double kSigmoid[] = {1.4140625,
                                        -1.4140625,
                                        0.7070312500000016,
                                        -0.2356770833333296,
                                        0.05891927083313445,
                                        -0.01178385416690154,
                                        0.001963975702361212,
                                        -0.0002805679515069975,
                                        3.5070859318239404e-05,
                                        -3.896815532370364e-06,
                                        3.9071677512148707e-07,
                                        -3.5351064617748134e-08};
  static constexpr double kSigmoidFactor = 1.4140625;
  static constexpr double kSigmoidExponent = -512;
  static constexpr double kSigmoidScale = 0x1p-512;
  static constexpr double kTanh[] = {-0.33333333333332404,  0.13333333332740244,
                                     -0.053968252707602256, 0.02186936522877081,
                                     -0.008857127006289725, 0.003442615843003314};
};

// c₀ + c₁ v + c₂ v² + …
template <class Real, int kTerms>
ELMAN_INLINE Vector<Real> polynomial(const Real (&c)[kTerms], Vector<Real> v) {
  Vector<Real> sum = broadcast<Real>(c[kTerms - 1]);
  for (int i = kTerms - 2; i >= 0; --i) sum = fma<Real>(sum, v, broadcast<Real>(c[i]));
  return sum;
}

// One number in every lane, and which one is hidden from the compiler: GCC turns `a < b ? a : b`
// into one instruction for unknown a and b, but into a comparison and a blend beside a constant.
template <class Real>
ELMAN_INLINE Vector<Real> hidden(Real number) {
  Vector<Real> v = broadcast<Real>(number);
#if ELMAN_VECTOR_BYTES == 64 && defined(__AVX512F__)
  asm("" : "+v"(v));
#elif ELMAN_VECTOR_BYTES == 32 && defined(__AVX__) || ELMAN_VECTOR_BYTES == 16 && defined(__SSE2__)
  asm("" : "+x"(v));
#elif ELMAN_VECTOR_BYTES == 16 && defined(__aarch64__)
  asm("" : "+w"(v));
#endif
  return v;
}

// x, or the bound that it lies beyond; NaN stays NaN.
template <class Real>
ELMAN_INLINE Vector<Real> clamp(Vector<Real> x, Real least, Real greatest) {
  const Vector<Real> low = hidden<Real>(least), high = hidden<Real>(greatest);
  x = high < x ? high : x;
  return low > x ? low : x;
}

// 2ⁿ, given n + kBias + kRound. The shift drops all bits but those of n + kBias.
template <class Real>
ELMAN_INLINE Vector<Real> power_of_two(Vector<Real> n) {
  return reinterpret_cast<Vector<Real>>(reinterpret_cast<Bits<Real>>(n)
                                        << ActivationNumbers<Real>::kMantissaBits);
}

// eˣ. Greatest error: float 0.91 ulp, double 0.87 ulp.
template <class Real>
ELMAN_INLINE Vector<Real> exp(Vector<Real> x) {
  using A = ActivationNumbers<Real>;
  const Vector<Real> round = broadcast<Real>(A::kRound);
  const Vector<Real> bias = broadcast<Real>(A::kRound + A::kBias);
  x = clamp<Real>(x, A::kExpLeast, A::kExpGreatest);
  const Vector<Real> n = fma<Real>(x, broadcast<Real>(A::kLog2E), round) - round;
  Vector<Real> r = fma<Real>(n, broadcast<Real>(-A::kLn2), x);
  r = fma<Real>(n, broadcast<Real>(-A::kLn2Rest), r);
  // In two halves, since 2ⁿ may be too small or too great for a float where eˣ is not.
  const Vector<Real> half = fma<Real>(n, broadcast<Real>(Real(0.5)), bias);
  const Vector<Real> other = n - (half - bias) + bias;
  return polynomial<Real>(A::kExp, r) * power_of_two<Real>(half) * power_of_two<Real>(other);
}

// σ(x) = 1 / (1 + e⁻ˣ). Greatest error: float 2.14 ulp, double 1.88 ulp.
//
// Numerator and denominator carry two factors more. kSigmoidScale keeps the denominator below
// overflow until σ is zero, so that denormal results are right too. kSigmoidFactor ≈ √2 takes
// kSigmoidFactor · e⁻ʳ to 1 … 2, where rounding costs least.
template <class Real>
ELMAN_INLINE Vector<Real> sigmoid(Vector<Real> x) {
  using A = ActivationNumbers<Real>;
  const Vector<Real> bias = broadcast<Real>(A::kRound + A::kBias + A::kSigmoidExponent);
  const Vector<Real> one = broadcast<Real>(A::kSigmoidFactor * A::kSigmoidScale);
  x = clamp<Real>(x, A::kSigmoidLeast, A::kSigmoidGreatest);
  const Vector<Real> t = fma<Real>(x, broadcast<Real>(-A::kLog2E), bias);
  const Vector<Real> n = t - bias;
  // −x = n ln 2 − r
  Vector<Real> r = fma<Real>(n, broadcast<Real>(A::kLn2), x);
  r = fma<Real>(n, broadcast<Real>(A::kLn2Rest), r);
  return one / fma<Real>(power_of_two<Real>(t), polynomial<Real>(A::kSigmoid, r), one);
}

// tanh x. Greatest error: float 2.50 ulp, double 2.66 ulp.
//
// With 2x = n ln 2 + 2r and τ = tanh r,
//
//   tanh x = ((2ⁿ − 1) + (2ⁿ + 1) τ) / ((2ⁿ + 1) + (2ⁿ − 1) τ)
//
// which is τ itself for n = 0, and as exact for −x as for x. The rest of ln 2 is left out of r: it
// would matter for great n only, where tanh no longer depends on r.
template <class Real>
ELMAN_INLINE Vector<Real> tanh(Vector<Real> x) {
  using A = ActivationNumbers<Real>;
  const Vector<Real> bias = broadcast<Real>(A::kRound + A::kBias);
  const Vector<Real> one = broadcast<Real>(1);
  x = clamp<Real>(x, -A::kTanhGreatest, A::kTanhGreatest);
  const Vector<Real> t = fma<Real>(x, broadcast<Real>(2 * A::kLog2E), bias);
  const Vector<Real> n = t - bias;
  const Vector<Real> r = fma<Real>(n, broadcast<Real>(-A::kLn2 / 2), x);
  const Vector<Real> square = r * r;
  const Vector<Real> tau = r * fma<Real>(square, polynomial<Real>(A::kTanh, square), one);
  const Vector<Real> power = power_of_two<Real>(t);
  const Vector<Real> sum = one + power, difference = one - power;
  // Subtracting +0, where 2ⁿ = 1, keeps the sign of a zero; adding 2ⁿ − 1 would not.
  return fma<Real>(sum, tau, -difference) / fma<Real>(difference, -tau, sum);
}

// max(x, 0). Exact; NaN stays NaN.
template <class Real>
ELMAN_INLINE Vector<Real> relu(Vector<Real> x) {
  const Vector<Real> zero = hidden<Real>(0);
  return zero > x ? zero : x;
}

}  // namespace elman::ELMAN_ISA
