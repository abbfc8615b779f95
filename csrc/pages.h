// Large memory that is about to be written for the first time. The system hands it out page by
// page, each with a trap into the kernel, which may take a tenth of the time of training.
#pragma once

#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace elman {

// Asks for pages of 2 MiB where whole ones fit in. Only a hint: nothing changes but the time.
inline void prefer_huge_pages([[maybe_unused]] const void* memory, [[maybe_unused]] int64_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t page = uintptr_t{1} << 21;
  if (memory == nullptr || bytes < static_cast<int64_t>(2 * page)) return;
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t last = (begin + static_cast<uintptr_t>(bytes)) / page * page;
  if (last > first) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace elman
