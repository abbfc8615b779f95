// Compiled once for each instruction set, with ELMAN_ISA naming it: linear recurrences over time,
// for the table of isa_kernels.cpp.
#include "scan_pass.h"

namespace elman::ELMAN_ISA {

template void scan_forward(const Scan<float>&, const ScanShare&);
template void scan_forward(const Scan<double>&, const ScanShare&);
template void scan_backward(const Scan<float>&, const ScanGradients<float>&, const ScanShare&);
template void scan_backward(const Scan<double>&, const ScanGradients<double>&, const ScanShare&);

}  // namespace elman::ELMAN_ISA
