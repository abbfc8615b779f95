#include "scan_run.h"

#include <algorithm>

#include "team.h"

namespace elman {

namespace {

// A thread is worth waking for so many numbers. Units are dealt out in whole cache lines, so that
// no two threads write to one. A test asks for threads that are worth nothing.
#if defined(ELMAN_THREADS_ARE_FREE)
constexpr int64_t kNumbersWorthAThread = 1, kUnitsTogether = 2;
#else
constexpr int64_t kNumbersWorthAThread = 1 << 16, kUnitsTogether = 32;
#endif

template <class Real>
const ScanKernels<Real>& scan_kernels(const Kernels& kernels);
template <>
const ScanKernels<float>& scan_kernels(const Kernels& kernels) {
  return kernels.scan_float;
}
template <>
const ScanKernels<double>& scan_kernels(const Kernels& kernels) {
  return kernels.scan_double;
}

// The share of a member: of the units where there are enough of them, else of the rows.
template <class Real>
ScanShare share_of(const Scan<Real>& run, int64_t member, int64_t members) {
  const int64_t units = run.kind == ScanKind::complex ? run.width / 2 : run.width;
  const int64_t blocks = (units + kUnitsTogether - 1) / kUnitsTogether;
  if (blocks >= members) {
    const auto border = [&](int64_t number) {
      return std::min(units, blocks * number / members * kUnitsTogether);
    };
    return {0, run.rows, border(member), border(member + 1)};
  }
  return {run.rows * member / members, run.rows * (member + 1) / members, 0, units};
}

// Runs body(share) for every share of a scan, each on a thread of its own.
template <class Real, class Body>
void divide(const Scan<Real>& run, int threads, const Body& body) {
  const int64_t worth = run.steps * run.rows * run.width / kNumbersWorthAThread;
  const TeamClaim claim(static_cast<int>(std::clamp<int64_t>(worth, 1, threads)));
  struct Context {
    const Scan<Real>& run;
    const Body& body;
    int members;
  } context{run, body, claim.members()};
  claim.run(
      [](void* given, int member) {
        const auto& all = *static_cast<const Context*>(given);
        all.body(share_of(all.run, member, all.members));
      },
      &context);
}

}  // namespace

template <class Real>
void run_scan(const Kernels& kernels, const Scan<Real>& run, int threads) {
  const auto& kernel = scan_kernels<Real>(kernels);
  divide(run, threads, [&](const ScanShare& share) { kernel.forward(run, share); });
}

template <class Real>
void run_scan_backward(const Kernels& kernels, const Scan<Real>& run,
                       const ScanGradients<Real>& grads, int threads) {
  const auto& kernel = scan_kernels<Real>(kernels);
  divide(run, threads, [&](const ScanShare& share) { kernel.backward(run, grads, share); });
}

template void run_scan(const Kernels&, const Scan<float>&, int);
template void run_scan(const Kernels&, const Scan<double>&, int);
template void run_scan_backward(const Kernels&, const Scan<float>&, const ScanGradients<float>&,
                                int);
template void run_scan_backward(const Kernels&, const Scan<double>&, const ScanGradients<double>&,
                                int);

}  // namespace elman
