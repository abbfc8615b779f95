// Linear recurrences over time, divided between threads.
#pragma once

#include "kernels.h"
#include "scan.h"

namespace elman {

// Run a scan, or its way back, on up to `threads` threads. Results do not depend on the number of
// threads, to the bit.
template <class Real>
void run_scan(const Kernels& kernels, const Scan<Real>& run, int threads);

template <class Real>
void run_scan_backward(const Kernels& kernels, const Scan<Real>& run,
                       const ScanGradients<Real>& grads, int threads);

}  // namespace elman
