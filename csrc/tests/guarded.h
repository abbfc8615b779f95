// Memory that ends, or begins, where nobody may touch: who reads or writes past it crashes.
//
// All of it starts as NaN, so that what is read before it is written shows in the results.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) (void(address), void(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) (void(address), void(size))
#endif

namespace guarded {

// Which end of the memory lies at a forbidden page.
enum class End { last, first };

inline size_t page_size() {
  static const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

inline size_t round_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// Pages that are free again, by their size: a mapping costs more than a small kernel runs.
struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<char*>> free;
};
inline Pool& pool() {
  static Pool& never_destroyed = *new Pool;
  return never_destroyed;
}

inline char* map_between_guards(size_t pages_size) {
  const size_t page = page_size(), all = pages_size + 2 * page;
  void* const at = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) std::perror("guarded: mmap"), std::_Exit(1);
  char* const pages = static_cast<char*>(at) + page;
  if (pages_size > 0 && mprotect(pages, pages_size, PROT_READ | PROT_WRITE) != 0)
    std::perror("guarded: mprotect"), std::_Exit(1);
  return pages;
}

// Whole pages between two forbidden ones. Returns the first of the pages.
inline char* take(size_t pages_size) {
  char* pages = nullptr;
  {
    const std::lock_guard lock(pool().mutex);
    std::vector<char*>& free = pool().free[pages_size];
    if (!free.empty()) pages = free.back(), free.pop_back();
  }
  if (pages == nullptr) pages = map_between_guards(pages_size);
  ASAN_UNPOISON_MEMORY_REGION(pages, pages_size);
  if (pages_size > 0) std::memset(pages, 0xff, pages_size);
  return pages;
}

inline void give_back(char* pages, size_t pages_size) {
  ASAN_POISON_MEMORY_REGION(pages, pages_size);
  const std::lock_guard lock(pool().mutex);
  pool().free[pages_size].push_back(pages);
}

// An array for a kernel to read or write.
template <class T>
class Array {
 public:
  Array() = default;
  Array(int64_t count, End end) : count_(static_cast<size_t>(count)), pages_size_(whole_pages()) {
    pages_ = take(pages_size_);
    char* const first = end == End::first ? pages_ : pages_ + pages_size_ - count_ * sizeof(T);
    data_ = reinterpret_cast<T*>(first);
  }
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() {
    if (pages_ != nullptr) give_back(pages_, pages_size_);
  }

  // Null where there is no array at all.
  T* data() const { return data_; }
  size_t size() const { return count_; }
  T* begin() const { return data_; }
  T* end() const { return data_ + count_; }
  void poison() const {
    if (count_ > 0) std::memset(static_cast<void*>(data_), 0xff, count_ * sizeof(T));
  }

 private:
  size_t whole_pages() const { return round_up(count_ * sizeof(T), page_size()); }
  void swap(Array& other) {
    std::swap(count_, other.count_);
    std::swap(pages_size_, other.pages_size_);
    std::swap(pages_, other.pages_);
    std::swap(data_, other.data_);
  }

  size_t count_ = 0, pages_size_ = 0;
  char* pages_ = nullptr;
  T* data_ = nullptr;
};

}  // namespace guarded
